"""Measures of lines: templates, documents, formatter exceptions, subjects of commits."""

import re
import statistics
import subprocess

from measures.source import ROOT, documents, modules, templates

LINE_LENGTH = 120
SUBJECT_LENGTH = 72
LATEST = 50
"""Commits whose subjects are measured: what is written now, not what was written once."""
_OFF = re.compile(r"#\s*fmt:\s*(?:skip|off)\b")


def long_template_lines() -> tuple[int, int]:
    """The number of lines over 120 characters in the templates, and of all lines."""
    lines = [line for path in templates() for line in path.read_text(encoding="utf-8").splitlines()]
    return sum(len(line) > LINE_LENGTH for line in lines), len(lines)


def long_document_lines() -> list[str]:
    return [
        f"{path.relative_to(ROOT)}:{number}"
        for path in documents()
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if len(line) > LINE_LENGTH and not line.startswith("|")
    ]


def formatter_exceptions() -> int:
    """How often the formatter is switched off in Python."""
    return sum(len(_OFF.findall(path.read_text(encoding="utf-8"))) for path in modules())


def commit_subjects() -> list[int]:
    """The lengths of the subjects of the latest commits, none outside of a checkout."""
    command = ["git", "log", f"--max-count={LATEST}", "--no-merges", "--format=%s"]
    log = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return [len(subject) for subject in log.stdout.splitlines()]


def median_subject() -> float | None:
    lengths = commit_subjects()
    return statistics.median(lengths) if lengths else None

"""The contracts on imports hold, and each of them fails on a breach."""

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings

ROOT = settings.BASE_DIR
PACKAGES = ("dynosite", "allocations", "assistant", "benchmarks")
LINT = "from importlinter.cli import lint_imports_command as lint; lint()"


@pytest.fixture(scope="module")
def copy(tmp_path_factory) -> Path:
    place = tmp_path_factory.mktemp("contracts")
    for package in PACKAGES:
        shutil.copytree(
            ROOT / package,
            place / package,
            ignore=shutil.ignore_patterns("__pycache__", "data", "sample"),
        )
    shutil.copy(ROOT / "pyproject.toml", place)
    return place


def _lint(place: Path, *options: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", LINT, "--no-cache", "--no-logo", *options]
    return subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)


def test_contracts_hold(copy):
    done = _lint(copy)
    assert (done.returncode, done.stdout.count("BROKEN")) == (0, 0), done.stdout


@pytest.mark.parametrize(
    ("contract", "path", "line"),
    [
        ("apps", "allocations/selectors/breach.py", "import assistant.apps"),
        ("apps", "assistant/breach.py", "import benchmarks.report"),
        ("benchmarks", "dynosite/ops/breach.py", "import benchmarks.report"),
        ("planning", "allocations/planning/problem/breach.py", "import allocations.planning.search.greedy"),
        ("pages", "allocations/web/schedule/breach.py", "import allocations.web.plans.plan_pages"),
        ("pages", "allocations/web/unlisted.py", ""),
        ("apps", "dynosite/lib/breach.py", "import allocations.enums"),
        ("dynosite", "dynosite/lib/breach.py", "import dynosite.accounts.models"),
        ("dynosite", "dynosite/unlisted.py", ""),
        ("allocations", "allocations/selectors/breach.py", "import allocations.services"),
        ("allocations", "allocations/models/breach.py", "import allocations.access"),
        ("allocations", "allocations/unlisted.py", ""),
        ("composition", "allocations/selectors/breach.py", "import dynosite.settings"),
        ("assistant", "assistant/providers/breach.py", "import allocations.models"),
        ("pure", "allocations/planning/breach.py", "import django.db"),
        ("openpyxl", "allocations/selectors/breach.py", "import openpyxl"),
        ("openpyxl", "assistant/providers/breach.py", "import openpyxl"),
    ],
)
def test_contract_fails_on_a_breach(copy, contract, path, line):
    breach = copy / path
    breach.write_text(f"{line}\n")
    try:
        done = _lint(copy, "--contract", contract)
    finally:
        breach.unlink()
    assert done.returncode == 1, done.stdout
    assert "0 kept, 1 broken" in done.stdout


PAGES = ("allocations/web", "assistant/web", "assistant/api")
"""Edges that read through selectors and write through services. Forms name the rows among which a field chooses."""


def _queries(source: str) -> list[int]:
    """The lines that reach for a model's manager."""
    managers = {"objects", "_default_manager"}
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Attribute) and node.attr in managers
    ]


def test_pages_and_programs_query_no_model_themselves():
    queries = {
        str(path.relative_to(ROOT)): lines
        for room in PAGES
        for path in (ROOT / room).rglob("*.py")
        if not {"tests", "forms"} & set(path.parts) and (lines := _queries(path.read_text(encoding="utf-8")))
    }
    assert queries == {}


def test_a_query_of_a_page_is_seen():
    assert _queries("def rows():\n    return Dyno.objects.filter(pk=1)\n") == [2]

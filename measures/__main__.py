"""Print each measure beside its aim: `python -m measures [--check] [--lower]`."""

import argparse
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from measures import complexity, imports, text, type_checks, vague_names

ORACLE = ("allocations/planning/problem/checker.py", "check")
"""The independent checker of plans is one long list of rules on purpose: it shares nothing with the search."""


@dataclass(frozen=True)
class Measure:
    """One figure, how it is shown, what it should come to, and whether it does."""

    label: str
    value: str
    aim: str
    holds: bool


def measures() -> Iterator[Measure]:
    for label, tests in (("vague names, product", False), ("vague names, tests", True)):
        yield _share(label, *vague_names.share(tests=tests), below=0.5)
    yield _share("template lines over 120 characters", *text.long_template_lines(), below=1)
    yield _count("document lines over 120 characters", len(text.long_document_lines()), below=1)
    yield _count("formatter switched off", text.formatter_exceptions(), below=10)
    checked, product = len(type_checks.checked_modules()), len(type_checks.product_modules())
    yield Measure("modules type-checked", f"{checked} of {product}", "all", checked == product)
    yield _count("… of these without strict_optional", len(type_checks.without_strict_optional()), below=1)
    yield from _complexities()
    yield _count("import contracts broken", imports.broken_contracts(), below=1)
    circles = imports.circles()
    yield _count("circles of imports", len(circles), below=1, of=" ↔ ".join(circles[0]) if circles else "")
    median = text.median_subject()
    if median is not None:
        limit = text.SUBJECT_LENGTH
        yield Measure("commit subject, median length", f"{median:g}", f"at most {limit}", median <= limit)


def _complexities() -> Iterator[Measure]:
    functions = list(complexity.functions())
    yield _share("functions over complexity 10", sum(value > 10 for *_, value in functions), len(functions), below=4)
    highest = [row for row in functions if row[2] > 20 and row[:2] != ORACLE]
    worst = [f"{module}:{name} {value}" for module, name, value in highest]
    yield _count("functions over complexity 20", len(worst), below=1, of=", ".join(worst[:3]))


def _share(label: str, part: int, whole: int, *, below: float) -> Measure:
    percent = 100 * part / whole if whole else 0
    return Measure(label, f"{percent:.1f} % ({part} of {whole})", f"below {below:g} %", percent < below)


def _count(label: str, number: int, *, below: int, of: str = "") -> Measure:
    aim = "none" if below == 1 else f"below {below}"
    return Measure(label, f"{number} ({of})" if of else str(number), aim, number < below)


def _show(rows: list[Measure], write: Callable[[str], object]) -> None:
    width = max(len(row.label) for row in rows)
    for row in rows:
        write(f"{'ok' if row.holds else 'no':4}{row.label:{width + 2}}{row.aim:14}{row.value}\n")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m measures", description=__doc__)
    parser.add_argument("--check", action="store_true", help="end with status 1 when a measure misses its aim")
    parser.add_argument("--lower", action="store_true", help="write the list of vague names anew")
    options = parser.parse_args()
    if options.lower:
        try:
            vague_names.lower(vague_names.vague_by_module())
        except ValueError as error:
            sys.stderr.write(f"{error}\n")
            return 1
        return 0
    rows = list(measures())
    _show(rows, sys.stdout.write)
    return int(options.check and not all(row.holds for row in rows))


if __name__ == "__main__":
    sys.exit(main())

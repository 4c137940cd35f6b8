"""The answers of scenarios as tables with bars: of one, and of several side by side."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from allocations.models import Scenario

FIGURES = (
    ("tests", "Tests", ""),
    ("unplaced", "Without a place", ""),
    ("late_tests", "Late tests", ""),
    ("late_days", "Days late", ""),
    ("objective", "Lateness, weighted", ""),
    ("bound", "Cannot be below", ""),
    ("moved", "Moved", ""),
    ("use", "Dynos in use", " %"),
    ("dynos", "Dynos", ""),
)
WORSE_WHEN_MORE = {"unplaced", "late_tests", "late_days", "objective", "bound", "moved"}


@dataclass(frozen=True, slots=True)
class Cell:
    text: str
    width: float
    """Of its bar, 0 to 100."""
    kind: str = ""
    """better or worse than today, or nothing."""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    label: str
    cells: list[Cell]


@dataclass(frozen=True, slots=True)
class Shortage:
    group: str
    tests: int
    price: Cell | None
    saved: str
    when: tuple[dt.date, dt.date] | None


@dataclass(frozen=True, slots=True)
class Tables:
    figures: list[Line]
    types: list[Line]
    dynos: list[Line]
    shortages: list[Shortage]
    step: int | None
    headline: str


@dataclass(frozen=True, slots=True)
class Comparison:
    columns: list[Scenario]
    figures: list[Line]
    types: list[Line]
    shortages: list[str]
    """Of each column the dearest shortage."""
    unlike: bool
    """Whether they look at other days, so that their plans of today differ."""


def tables_of(scenario: Scenario) -> Tables:
    result = scenario.result
    pairs = [result["today"], result["then"]]
    return Tables(
        figures=[_line(name, label, unit, pairs) for name, label, unit in FIGURES],
        types=[_use(row["name"], [row["today"], row["then"]]) for row in result["types"]],
        dynos=[_use(row["name"], [row["today"], row["then"]]) for row in result["dynos"]],
        shortages=_shortages(result["shortages"]),
        step=result["step"],
        headline=_headline(result["today"], result["then"]),
    )


def _line(name: str, label: str, unit: str, columns: Sequence[dict[str, Any]]) -> Line:
    values = [column[name] for column in columns]
    most = 100 if name == "use" else max([*values, 1])
    cells = []
    for column, value in zip(columns, values, strict=True):
        change = value - values[0]
        kind = ""
        if change and name in WORSE_WHEN_MORE:
            kind = "worse" if change > 0 else "better"
        note = f"{change:+,}" if change and column is not columns[0] else ""
        if name == "bound":
            gap = f"gap {column['gap']} %" if value else "nothing known yet"
            note = "proven" if column["proven"] else gap
        cells.append(Cell(f"{value:,}{unit}", round(100 * value / most, 1), kind, note))
    return Line(label, cells)


def _use(name: str, values: Sequence[int | None]) -> Line:
    return Line(name, [Cell("–", 0) if value is None else Cell(f"{value} %", value) for value in values])


def _shortages(shortages: Sequence[dict[str, Any]]) -> list[Shortage]:
    most = max([shortage["price"] or 0 for shortage in shortages], default=0) or 1
    rows = []
    for shortage in shortages:
        price = shortage["price"]
        days = [dt.date.fromisoformat(shortage[end]) for end in ("first", "last") if shortage.get(end)]
        cell = Cell(f"{round(price):,}", round(100 * price / most, 1)) if price is not None else None
        when = (days[0], days[1]) if len(days) == 2 else None
        rows.append(Shortage(shortage["group"], shortage["tests"], cell, _saved(shortage.get("saved")), when))
    return rows


def _saved(saved: dict[str, int] | None) -> str:
    if saved is None:
        return ""
    if not saved["shortfall"]:
        return "nothing found"
    more = f", {saved['unplaced']} more placed" if saved["unplaced"] > 0 else ""
    return f"{saved['shortfall']:,} weighted days{more}"


def _headline(today: dict[str, Any], then: dict[str, Any]) -> str:
    parts = []
    for name, words in (("late_days", "days late"), ("unplaced", "tests without a place")):
        change = then[name] - today[name]
        if change:
            parts.append(f"{abs(change):,} {'more' if change > 0 else 'fewer'} {words}")
    return f"{' and '.join(parts)} than today’s plan" if parts else "No later and no fewer placed than today’s plan"


def _words(shortage: Shortage) -> str:
    return f"{shortage.group}: {shortage.saved}" if shortage.saved else shortage.group


def comparison_of(scenarios: Sequence[Scenario]) -> Comparison:
    """Today's plan first, as the first of them found it; then each scenario."""
    columns = [scenarios[0].result["today"], *(scenario.result["then"] for scenario in scenarios)]
    names = sorted({row["name"] for scenario in scenarios for row in scenario.result["types"]})
    types = []
    for name in names:
        of = [{row["name"]: row for row in scenario.result["types"]}.get(name) for scenario in scenarios]
        first = next((row["today"] for row in of if row), None)
        types.append(_use(name, [first, *(row["then"] if row else None for row in of)]))
    dearest = []
    for scenario in scenarios:
        shortages = _shortages(scenario.result["shortages"][:1])
        dearest.append(_words(shortages[0]) if shortages else "none")
    questions = {
        (scenario.first_day, scenario.last_day, scenario.movable, scenario.frozen_until) for scenario in scenarios
    }
    return Comparison(
        list(scenarios),
        [_line(name, label, unit, columns) for name, label, unit in FIGURES],
        types,
        dearest,
        len(questions) > 1,
    )

"""The three sheets, read into rules, windows and rows; a row that can't be read is refused in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from openpyxl.utils import get_column_letter

from allocations.exchange.cells import clause_of, fold, instant, is_nothing, text
from allocations.exchange.errors import UnreadableError
from allocations.exchange.headings import forecast_heading, table_heading
from allocations.exchange.opening import FORECAST, MAINTENANCE, RULES, Grid, open_workbook
from allocations.exchange.outcome import DRIVES, WEIGHT_CLASSES, Doubt, Rule, Sheets, Window
from allocations.exchange.rows import RowReader
from allocations.exchange.words import DRIVE_WORDS, MAX_LENGTHS, weight_class
from allocations.names import listed, name_problem, unquoted

RULE_FIELDS = [
    ("test", "testtype", False),
    ("test", "test type", False),
    ("drive", "drivetype", False),
    ("drive", "drive type", False),
    ("weight", "weightclass", False),
    ("weight", "weight class", False),
    ("dynos", "dynos", False),
]
FACILITY_FIELD = ("facility", "facility", True)
WINDOW_FIELDS = [("dyno", "dyno", True), ("first", "start date", False), ("last", "end date", False)]


@dataclass(frozen=True)
class Shift:
    """Moves every day by whole weeks, so that a sample stays current and week days stay what they are."""

    weeks: int = 0

    def day(self, day: date) -> date:
        return day + timedelta(weeks=self.weeks)


def read_workbook(source, *, shift_weeks: int = 0, known_test_types: dict[str, str] | None = None) -> Sheets:
    """Read a workbook (a path, bytes or a file object); raises WorkbookError where it is none of this layout.

    `known_test_types` (folded name → name) are good in rows although the workbook's rules do not name them.
    """
    grids = open_workbook(source)
    shift = Shift(shift_weeks)
    sheets = Sheets()
    _read_rules(grids[RULES], sheets)
    _read_windows(grids[MAINTENANCE], sheets, shift)
    types = dict(known_test_types or {}) | {fold(rule.test_type): rule.test_type for rule in sheets.rules}
    _read_rows(grids[FORECAST], sheets, shift, types)
    for grid in grids.values():
        _doubt_what_is_not_seen(grid, sheets)
    return sheets


def _doubt_what_is_not_seen(grid: Grid, sheets: Sheets) -> None:
    """People hide and strike through what they have done with; all of it is read like the rest."""
    if grid.is_hidden:
        sheets.doubts.append(Doubt(f"The sheet '{grid.name}' is hidden in the workbook. It was read all the same."))
    hidden = grid.read & grid.hidden_rows
    struck = {n for n, column in grid.struck if n in grid.read and column in grid.names}
    for rows, condition in ((hidden, "hidden (by a filter or by hand)"), (struck, "struck through")):
        if rows:
            subject = _subject("Row", sorted(rows), grid)
            sheets.doubts.append(Doubt(f"{subject} {condition} in the workbook and read like the others."))
    if columns := grid.hidden_columns & grid.read_columns:
        subject = _subject("Column", [get_column_letter(column + 1) for column in sorted(columns)], grid)
        sheets.doubts.append(Doubt(f"{subject} hidden in the workbook and read like the others."))


def _subject(word: str, items: Sequence[object], grid: Grid) -> str:
    *others, last = map(str, items)
    if not others:
        return f"{word} {last} of '{grid.name}' is"
    return f"{word}s {', '.join(others)} and {last} of '{grid.name}' are"


def _read_rules(grid, sheets: Sheets) -> None:
    heading, columns = table_heading(grid, RULE_FIELDS)
    at = {name: indexes[0] for name, indexes in columns.items()}
    grid.reads(at.values(), names=(at["test"], at["dynos"]))
    for n in sorted(n for n in grid.rows if n > heading):
        test, drive, weight, dynos = (text(grid.text_at(n, at[f])) for f in ("test", "drive", "weight", "dynos"))
        if not (test or dynos):
            continue
        grid.read.add(n)
        drives = DRIVES if fold(drive) == "any" else tuple(filter(None, [DRIVE_WORDS.get(fold(drive))]))
        weights = WEIGHT_CLASSES if fold(weight) == "any" else tuple(filter(None, [weight_class(weight)]))
        names = listed(dynos)
        sheets.exact.update(fold(name) for name, exact in names if exact)
        if not test:
            problem = "it names no test type"
        elif len(test) > MAX_LENGTHS["test"]:
            problem = f"its test type is longer than {MAX_LENGTHS['test']} characters"
        elif not drives:
            problem = f"the drive {clause_of(drive)}; any, 2WD and AWD will do"
        elif not weights:
            problem = f"the weight class {clause_of(weight)}; any, <10k and >10k will do"
        else:
            sheets.rules.append(Rule(n, test, drives, weights, tuple(dict.fromkeys(name for name, _ in names))))
            continue
        sheets.warnings.append(f"{RULES} row {n} was left out: {problem}.")


def _read_windows(grid, sheets: Sheets, shift: Shift) -> None:
    heading, columns = table_heading(grid, WINDOW_FIELDS, FACILITY_FIELD)
    at = {name: indexes[0] for name, indexes in columns.items()}
    grid.reads(at.values(), names=(at["dyno"], at["first"], at["last"]))
    for n in sorted(n for n in grid.rows if n > heading):
        name = _dyno_name(text(grid.text_at(n, at["dyno"])), sheets)
        moments: list[datetime | None] = []
        if name and "facility" in at:
            _read_facility(sheets, n, name, text(grid.text_at(n, at["facility"])))
        if name:
            grid.read.add(n)
        for field_name in ("first", "last"):
            try:
                moment = instant(grid.at(n, at[field_name]), epoch=grid.epoch)
            except UnreadableError as problem:
                cell = grid.cell(n, at[field_name])
                sheets.warnings.append(f"{MAINTENANCE} row {n} was left out: {cell} ({name or 'no dyno'}) {problem}.")
                break
            moments.append(moment)
        else:
            first, last = moments
            _add_window(sheets, n, name, first, last, shift)


def _dyno_name(words: str, sheets: Sheets) -> str:
    exact = unquoted(words)
    if exact is None:
        return words
    sheets.exact.add(fold(exact))
    return text(exact)


def _read_facility(sheets: Sheets, n: int, dyno: str, words: str) -> None:
    exact = unquoted(words)
    problem = name_problem(words) if exact is None else ""
    if fold(words) and problem and not is_nothing(words):
        sheets.warnings.append(f"{MAINTENANCE} row {n}: the facility '{words[:80]}' was left out. {problem}")
    elif words and not problem:
        sheets.facility_of[fold(dyno)] = words if exact is None else text(exact)


def _add_window(
    sheets: Sheets, n: int, name: str, first: datetime | None, last: datetime | None, shift: Shift
) -> None:
    if not first and not last:
        if name:
            sheets.named_dynos.append((n, name))
        return
    if not name or is_nothing(name):
        problem = "it has days but names no dyno"
    elif not first or not last:
        problem = f"{name} has only one of its two days; fill in both, the same day twice for a single day"
    elif last.date() < first.date():
        problem = f"{name} ends {last.date()}, before it starts {first.date()}"
    else:
        sheets.named_dynos.append((n, name))
        sheets.windows.append(Window(n, name, shift.day(first.date()), shift.day(last.date())))
        return
    sheets.warnings.append(f"{MAINTENANCE} row {n} was left out: {problem}.")


def _read_rows(grid, sheets: Sheets, shift: Shift, types) -> None:
    heading, columns = forecast_heading(grid)
    reader = RowReader(grid, columns, shift.day, types)
    names = [column for name in ("test", "tag", "vin", "dyno", "estimated") for column in columns.get(name, ())]
    grid.reads((column for indexes in columns.values() for column in indexes), names=names)
    facilities: dict[str, str] = {}
    for n in sorted(n for n in grid.rows if n > heading):
        if reader.is_blank(n) or reader.is_heading(n):
            continue
        grid.read.add(n)
        facility = reader.facility(n)
        facilities.setdefault(fold(facility), facility)
        row, problems = reader.read(n)
        if row is None:
            sheets.refusals[n] = " ".join(f"{p[0].upper()}{p[1:]}." for p in problems)
        else:
            sheets.rows.append(row)
            sheets.warnings.extend(f"Row {n}: {remark}." for remark in dict.fromkeys(reader.remarks))
    sheets.facilities = tuple(name for key, name in facilities.items() if key)

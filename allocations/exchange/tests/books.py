"""Small workbooks of the forecast's layout, built for tests."""

import datetime as dt
from io import BytesIO
from typing import Any

from openpyxl import Workbook

from allocations.exchange.headings import NAMES
from allocations.exchange.opening import FORECAST, MAINTENANCE, RULES

HEADING_ROW = 5
FIRST_ROW = HEADING_ROW + 1
MONDAY = dt.datetime(2027, 3, 1)  # noqa: DTZ001
RULE_ROWS = [
    ("4k certification", "any", "any", "NPG 1, NPG 2, NPG 3, STC #1, Track"),
    ("150k mileage", "2wd", "<10k", "NPG 1, NPG 2"),
    ("150k mileage", "AWD", "any", "NPG 3"),
]


def day(number: int) -> dt.datetime:
    """Days from Monday, 2027-03-01."""
    return MONDAY + dt.timedelta(days=number)


def row(tag: str | None = "412W766", first: Any = 0, days: Any = 5, **cells: Any) -> dict[str, Any]:
    """A row that can be booked on NPG 1; `first` is a day number or a cell's value."""
    return {
        "test": "4K Certification",
        "facility": "NPG",
        "dyno": 1,
        "tag": tag,
        "status": "G",
        "estimated": day(first) if isinstance(first, int) else first,
        "weight": "<10K",
        "constraint": "2WD",
        "days": days,
    } | cells


def book(rows=(), *, rules=RULE_ROWS, maintenance=(), headings=None, edit=None) -> bytes:
    """A workbook of these rows, each by the names of the forecast's fields; `edit(workbook)` has the last word."""
    headings = headings or NAMES
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = FORECAST
    sheet["B4"] = "Required"
    for column, heading in enumerate(headings.values(), 1):
        sheet.cell(HEADING_ROW, column, heading)
    for n, cells in enumerate(rows, FIRST_ROW):
        for column, name in enumerate(headings, 1):
            if cells.get(name) is not None:
                sheet.cell(n, column, cells[name])
    table = workbook.create_sheet(RULES)
    table.append(["TestType", "DriveType", "WeightClass", "Dynos (must be separated by comma)"])
    for rule in rules:
        table.append(list(rule))
    table = workbook.create_sheet(MAINTENANCE)
    table.append(["Maintenance"])
    table.append(["Dyno", "Start Date", "End Date"])
    for window in maintenance:
        table.append(list(window))
    if edit:
        edit(workbook)
    file = BytesIO()
    workbook.save(file)
    return file.getvalue()

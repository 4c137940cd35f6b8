"""The schedule as a workbook in the layout that can be imported, and as CSV."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from io import BytesIO
from typing import Any
from zoneinfo import ZoneInfo

from openpyxl import Workbook
from openpyxl.styles import Font, PatternFill
from openpyxl.utils import get_column_letter

from allocations import access
from allocations.enums import Drive, Role, WeightClass
from allocations.exchange.cells import text
from allocations.exchange.export_rows import schedule_rows
from allocations.exchange.headings import NAMES
from allocations.exchange.opening import FORECAST, MAINTENANCE, RULES
from allocations.models import Capability, Dyno, MaintenanceWindow, ProvingGround, TestType
from allocations.names import dyno_name_problem, name_problem, quoted
from allocations.vehicle_details import ON_BOOKINGS
from dynosite.accounts.models import User
from dynosite.lib.csv_files import csv_lines, is_like_formula

HEADING_ROW = 5
CSV_COLUMNS = {
    "place": "Dyno",
    "facility": "Facility",
    "tag": "Tag",
    "vin": "VIN",
    "test": "Test",
    "step": "Step",
    "first_day": "First day",
    "last_day": "Last day",
    "total_days": "Days",
    "status": "Status",
    "constraint": "Drive",
    "weight": "Weight class",
    "program": "Program",
    **{detail.name: detail.label for detail in ON_BOOKINGS},
    "estimated": "Earliest start",
    "notes": "Notes",
}
HEADING, FILL = Font(bold=True), PatternFill("solid", fgColor="D9E2F2")


def export_workbook(ground: ProvingGround, *, user: User) -> bytes:
    """The ground's schedule as .xlsx: tests, rules and maintenance; importing it again changes nothing."""
    access.require(user, ground.pk, Role.VIEWER)
    book = Workbook()
    _write_forecast(book.active, ground)
    write_rules(book.create_sheet(RULES), ground)
    write_maintenance(book.create_sheet(MAINTENANCE), ground)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def export_csv(ground: ProvingGround, *, user: User, only: Collection[int] | None = None) -> Iterator[str]:
    """The ground's schedule as lines of CSV, for a streaming answer; `only` are the bookings that are asked for."""
    access.require(user, ground.pk, Role.VIEWER)
    rows = ([row.get(name) for name in CSV_COLUMNS] for row in schedule_rows(ground, only))
    return csv_lines(list(CSV_COLUMNS.values()), rows, ZoneInfo(ground.time_zone))


def put(sheet, row: int, column: int, value: Any) -> None:
    if value is None:
        return
    if isinstance(value, str):
        cell = sheet.cell(row, column, text(value))
        cell.data_type = "s"  # never a formula
        cell.quotePrefix = is_like_formula(cell.value)
    else:
        cell = sheet.cell(row, column, value)
        if isinstance(value, dt.date):
            cell.number_format = "yyyy-mm-dd"


def _head(sheet, row: int, names) -> None:
    for column, name in enumerate(names, 1):
        cell = sheet.cell(row, column, name)
        cell.font, cell.fill = HEADING, FILL
        sheet.column_dimensions[get_column_letter(column)].width = max(11, min(34, len(name) + 3))
    sheet.freeze_panes = sheet.cell(row + 1, 1)


def _write_forecast(sheet, ground: ProvingGround) -> None:
    sheet.title = FORECAST
    _head(sheet, HEADING_ROW, NAMES.values())
    for n, row in enumerate(schedule_rows(ground), HEADING_ROW + 1):
        for column, name in enumerate(NAMES, 1):
            put(sheet, n, column, row.get(name))


def write_rules(sheet, ground: ProvingGround) -> None:
    _head(sheet, 1, ["TestType", "DriveType", "WeightClass", "Dynos (must be separated by comma)"])
    rules = defaultdict(list)
    rows = Capability.objects.filter(dyno__ground=ground).order_by("test_type__name", "id")
    for name, drives, weights, dyno in rows.values_list("test_type__name", "drives", "weight_classes", "dyno__name"):
        drive = "any" if set(drives) == set(Drive.values) else drives[0]
        weight = "any" if set(weights) == set(WeightClass.values) else weights[0]
        rules[name, drive, weight].append(dyno)
    with_rules = {name for name, _, _ in rules}
    for name in TestType.objects.filter(ground=ground).values_list("name", flat=True):
        if name not in with_rules:
            rules[name, "any", "any"] = []
    for n, (rule, dynos) in enumerate(rules.items(), 2):
        for column, value in enumerate([*rule, ", ".join(_dyno_words(name) for name in dict.fromkeys(dynos))], 1):
            put(sheet, n, column, value)


def _dyno_words(name: str) -> str:
    """The name, in quotation marks where it would be read as something else."""
    return quoted(name) if dyno_name_problem(name) else name


def write_maintenance(sheet, ground: ProvingGround) -> None:
    put(sheet, 1, 1, "Maintenance")
    _head(sheet, 2, ["Dyno", "Start Date", "End Date", "Facility"])
    windows: dict[int, list[tuple[dt.date | None, dt.date | None]]] = defaultdict(list)
    for window in MaintenanceWindow.objects.filter(ground=ground, lifted_at=None).order_by("first_day"):
        windows[window.dyno_id].append((window.first_day, window.last_day))
    n = 3
    for dyno in Dyno.objects.filter(ground=ground).select_related("facility"):
        facility = quoted(dyno.facility.name) if name_problem(dyno.facility.name) else dyno.facility.name
        for first, last in windows[dyno.pk] or [(None, None)]:
            for column, value in enumerate((_dyno_words(dyno.name), first, last, facility), 1):
                put(sheet, n, column, value)
            n += 1

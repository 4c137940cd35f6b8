"""Rows that were copied out of a spreadsheet become a workbook, which is read, checked and confirmed like any."""

import csv
from io import BytesIO, StringIO

from openpyxl import Workbook

from allocations import access
from allocations.enums import Role
from allocations.exchange.errors import WorkbookError
from allocations.exchange.export import put, write_maintenance, write_rules
from allocations.exchange.headings import forecast_heading
from allocations.exchange.opening import FORECAST, MAINTENANCE, MAX_COLUMNS, RULES, Grid
from allocations.models import ProvingGround
from dynosite.accounts.models import User

MAX_PASTE_LENGTH = 400_000
"""Characters; about two thousand rows of the forecast."""
NAME = "Pasted rows.xlsx"


def pasted_workbook(words: str, ground: ProvingGround, *, user: User) -> bytes:
    """The rows, separated by tabs and with their heading row, beside the ground's own rules and maintenance.

    Raises WorkbookError where no heading row is among them.
    """
    access.require(user, ground.pk, Role.SCHEDULER)
    rows = _rows_of(words)
    forecast_heading(Grid("pasted rows", rows))
    book = Workbook()
    sheet = book.active
    sheet.title = FORECAST
    for number, row in rows.items():
        for column, value in enumerate(row, 1):
            if value.strip():
                put(sheet, number, column, value)
    write_rules(book.create_sheet(RULES), ground)
    write_maintenance(book.create_sheet(MAINTENANCE), ground)
    file = BytesIO()
    book.save(file)
    return file.getvalue()


def _rows_of(words: str) -> dict[int, list]:
    """The rows by number from 1. A cell of several lines stands in quotation marks, as spreadsheets copy it."""
    try:
        rows = list(csv.reader(StringIO(words), dialect="excel-tab"))
    except csv.Error as error:
        raise WorkbookError("The pasted rows could not be read; copy them out of the spreadsheet again.") from error
    return {number: row[:MAX_COLUMNS] for number, row in enumerate(rows, 1) if any(row)}

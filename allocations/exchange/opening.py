"""Open a workbook that a stranger sent: size, zip-bomb, row and column limits; then plain grids of values."""

import re
import warnings
import zipfile
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path

from openpyxl import load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.xml import DEFUSEDXML

from allocations.exchange.cells import UNCALCULATED, fold, text
from allocations.exchange.errors import WorkbookError

MEGABYTE = 1 << 20
MAX_BYTES = 20 * MEGABYTE
MAX_UNCOMPRESSED = 120 * MEGABYTE
MAX_RATIO = 200
MAX_PARTS = 2_000
MAX_ROWS = 20_000
MAX_COLUMNS = 256
LAST_ROW = 1_048_576
MAX_MERGED = 20_000

FORECAST, RULES, MAINTENANCE = "Cert Mileage Forecast - All", "DynoRules", "Maintenance"
MERGED = re.compile(rb'<(?:\w+:)?mergeCell\s[^>]*?ref="([A-Z]{1,3}\d{1,7}:[A-Z]{1,3}\d{1,7})"')
TEXT_CELL = re.compile(rb'<(?:\w+:)?c\s[^>]*?\bt="str"[^>]*>')
CELL_NAME = re.compile(rb'\br="([A-Z]{1,3}\d{1,7})"')
FORMULA = re.compile(rb"<(?:\w+:)?f[ >/]")


@dataclass
class Grid:
    """A sheet's rows that are not empty, by sheet row number; every row a list of values from column A."""

    name: str
    rows: dict[int, list] = field(default_factory=dict)
    epoch: object = None

    def at(self, row: int, column: int):
        values = self.rows.get(row, ())
        return values[column] if column < len(values) else None

    @staticmethod
    def cell(row: int, column: int) -> str:
        return f"{get_column_letter(column + 1)}{row}"


def open_workbook(source) -> dict[str, Grid]:
    """The three sheets that are read, from a path, bytes or a file object; raises WorkbookError."""
    data = _bytes(source)
    with _archive(data) as archive, warnings.catch_warnings():
        # openpyxl warns about parts and dates that it leaves out; the reader says what matters itself.
        warnings.simplefilter("ignore")
        try:
            return _grids(data, archive)
        except WorkbookError:
            raise
        except Exception as error:  # whatever a damaged file makes the parser trip over
            raise WorkbookError("The file is damaged or is no Excel workbook: it could not be read.") from error


def _bytes(source) -> bytes:
    if isinstance(source, bytes | bytearray | memoryview):
        data = bytes(source)
    elif isinstance(source, str | Path):
        path = Path(source)
        if not path.is_file():
            raise WorkbookError(f"There is no file '{path.name}'.")
        try:
            with path.open("rb") as file:
                data = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise WorkbookError(f"The file '{path.name}' could not be opened.") from error
    else:
        data = source.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        raise WorkbookError(f"The file is larger than {MAX_BYTES // MEGABYTE} MB, which no forecast workbook is.")
    return data


def _archive(data: bytes) -> zipfile.ZipFile:
    if data.startswith(b"\xd0\xcf\x11\xe0"):
        raise WorkbookError(
            "The file is an old .xls workbook or is protected by a password; save it as .xlsx without a password."
        )
    try:
        archive = zipfile.ZipFile(BytesIO(data))
        parts = archive.infolist()
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError) as error:
        raise WorkbookError("The file is not an Excel workbook; .xlsx and .xlsm can be imported.") from error
    too_much = (
        len(parts) > MAX_PARTS
        or sum(part.file_size for part in parts) > MAX_UNCOMPRESSED
        or any(p.file_size > MEGABYTE and p.file_size > MAX_RATIO * max(p.compress_size, 1) for p in parts)
    )
    if too_much:
        raise WorkbookError("The file unpacks to far more than a forecast workbook holds; it was not opened.")
    if "[Content_Types].xml" not in archive.namelist() or any(part.flag_bits & 1 for part in parts):
        raise WorkbookError("The file is not an Excel workbook; .xlsx and .xlsm can be imported.")
    return archive


def _grids(data: bytes, archive: zipfile.ZipFile) -> dict[str, Grid]:
    if not DEFUSEDXML:  # without it a small file could name entities that grow without end
        raise WorkbookError("Workbooks can't be opened safely here: the package defusedxml is missing.")
    book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = {fold(name): book[name] for name in reversed(book.sheetnames) if hasattr(book[name], "iter_rows")}
    grids, formulas = {}, []
    for name in (FORECAST, RULES, MAINTENANCE):
        sheet = sheets.get(fold(name))
        if sheet is None:
            there = ", ".join(f"'{text(n)[:40]}'" for n in book.sheetnames[:12])
            raise WorkbookError(f"The workbook has no sheet '{name}'; its sheets are {there}.")
        grids[name] = grid = Grid(name, _rows(sheet, name), book.epoch)
        found = _scan(archive, sheet)
        if found.formulas:
            formulas.append((sheet.title, grid, found.texts))
        for area in found.merged:
            _spread(grid, area)
    if formulas:
        _mark_uncalculated(data, formulas)
    return grids


def _rows(sheet, name) -> dict[int, list]:
    sheet.reset_dimensions()  # what the file says of its size is often wrong
    rows = {}
    for n, values in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS, values_only=True), 1):
        last = next((i for i in range(len(values), 0, -1) if values[i - 1] is not None), 0)
        if last:
            rows[n] = list(values[:last])
        if len(rows) > MAX_ROWS or n > LAST_ROW:
            raise WorkbookError(f"The sheet '{name}' has more than {MAX_ROWS:,} rows; split the workbook.")
    return rows


@dataclass
class _Scan:
    merged: list[str] = field(default_factory=list)
    formulas: bool = False
    texts: set[str] = field(default_factory=set)  # cells whose formula came to a text, which may be an empty one


def _scan(archive, sheet) -> _Scan:
    """What openpyxl's streaming reader does not tell of a sheet."""
    found, tail = _Scan(), b""
    with archive.open(sheet._worksheet_path) as part:
        while chunk := part.read(MEGABYTE):
            window = tail + chunk
            found.formulas = found.formulas or FORMULA.search(window) is not None
            found.texts.update(cell.decode() for tag in TEXT_CELL.findall(window) for cell in CELL_NAME.findall(tag))
            cut = 0
            for match in MERGED.finditer(window):
                found.merged.append(match[1].decode())
                cut = match.end()
            tail = window[max(cut, len(window) - 200) :]
            if len(found.merged) > MAX_MERGED:
                raise WorkbookError(f"The sheet '{sheet.title}' has more merged cells than can be read.")
    return found


def _spread(grid: Grid, area: str) -> None:
    """A merged cell's value holds for every cell that it covers."""
    left, top, right, bottom = range_boundaries(area)
    value = grid.at(top, left - 1)
    if value is None or right - left > 3 or bottom - top > 500:
        return  # empty, or a banner across the sheet: it belongs to its first cell only
    for n in range(top, bottom + 1):
        row = grid.rows.setdefault(n, [])
        row.extend([None] * (right - len(row)))
        for column in range(left - 1, right):
            if row[column] is None:
                row[column] = value


def _mark_uncalculated(data: bytes, formulas) -> None:
    book = load_workbook(BytesIO(data), read_only=True, data_only=False, keep_links=False)
    for title, grid, texts in formulas:
        sheet = book[title]
        sheet.reset_dimensions()
        for n, cells in enumerate(sheet.iter_rows(max_col=MAX_COLUMNS), 1):
            for column, cell in enumerate(cells):
                if cell.data_type == "f" and grid.at(n, column) is None and cell.coordinate not in texts:
                    row = grid.rows.setdefault(n, [])
                    row.extend([None] * (column + 1 - len(row)))
                    row[column] = UNCALCULATED

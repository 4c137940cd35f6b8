"""Open a workbook that a stranger sent: size, zip-bomb, row and column limits; then plain grids of values."""

import warnings
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path
from typing import Any

from openpyxl import Workbook, load_workbook
from openpyxl.utils import get_column_letter, range_boundaries
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.worksheet._reader import COL_TAG, FORMULA_TAG, ROW_TAG, WorkSheetParser
from openpyxl.xml import DEFUSEDXML
from openpyxl.xml.constants import SHEET_MAIN_NS
from openpyxl.xml.functions import iterparse

from allocations.exchange.cells import UNCALCULATED, fold, text
from allocations.exchange.errors import WorkbookError
from allocations.exchange.looks import Looks, shown_by

MEGABYTE = 1 << 20
MAX_BYTES = 20 * MEGABYTE
MAX_UNCOMPRESSED = 120 * MEGABYTE
MAX_RATIO = 200
MAX_PARTS = 2_000
MAX_ROWS = 20_000
MAX_COLUMNS = 256
LAST_ROW = 1_048_576
TAGS_A_CELL = 4
"""`<c>`, `<v>` and their ends."""
MAX_TAGS = 600_000 * TAGS_A_CELL
MAX_SPREAD = 200_000
"""Cells that merged areas may cover, each area for itself."""

FORECAST, RULES, MAINTENANCE = "Cert Mileage Forecast - All", "DynoRules", "Maintenance"
MERGED_TAG = f"{{{SHEET_MAIN_NS}}}mergeCell"


@dataclass
class Grid:
    """A sheet's rows that are not empty, by sheet row number; every row a list of values from column A.

    Beside the values, by row and column from 0: what a number looks like `formatted`, formats that are
    `unclear`, and what is `struck` through. The reader notes which rows it has `read`.
    """

    name: str
    rows: dict[int, list] = field(default_factory=dict)
    epoch: object = None
    formatted: dict[tuple[int, int], str] = field(default_factory=dict)
    unclear: dict[tuple[int, int], str] = field(default_factory=dict)
    struck: set[tuple[int, int]] = field(default_factory=set)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: set[int] = field(default_factory=set)
    is_hidden: bool = False
    read: set[int] = field(default_factory=set)
    read_columns: set[int] = field(default_factory=set)
    names: tuple[int, ...] = ()

    def at(self, row: int, column: int):
        values = self.rows.get(row, ())
        return values[column] if column < len(values) else None

    def reads(self, columns: Iterable[int], *, names: Iterable[int]) -> None:
        """Notes which columns are read; by those of `names` people tell what a row is."""
        self.read_columns, self.names = set(columns), tuple(names)

    def text_at(self, row: int, column: int):
        """The value, as a number format shows it."""
        return self.formatted.get((row, column), self.at(row, column))

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
    _expect_few_tags(archive)
    book = load_workbook(BytesIO(data), read_only=True, data_only=True, keep_links=False)
    sheets = {fold(name): book[name] for name in reversed(book.sheetnames) if hasattr(book[name], "iter_rows")}
    grids = {}
    for name in (FORECAST, RULES, MAINTENANCE):
        sheet = sheets.get(fold(name))
        if sheet is None:
            names = ", ".join(f"'{text(n)[:40]}'" for n in book.sheetnames[:12])
            raise WorkbookError(f"The workbook has no sheet '{name}'; its sheets are {names}.")
        grids[name] = _grid(book, sheet, name)
    return grids


def _expect_few_tags(archive: zipfile.ZipFile) -> None:
    """Counts before anything is parsed: each tag takes the parser its time, and packs to next to nothing."""
    tags = 0
    for part in archive.infolist():
        with archive.open(part) as file:
            while chunk := file.read(MEGABYTE):
                tags += chunk.count(b"<")
                if tags > MAX_TAGS:
                    raise WorkbookError(
                        f"The workbook has more than {MAX_TAGS // TAGS_A_CELL:,} cells, empty ones with a format and "
                        "those of other sheets included. Remove what is no part of the forecast, then save it again."
                    )


def _grid(book: Workbook, sheet: ReadOnlyWorksheet, name: str) -> Grid:
    with book._archive.open(sheet._worksheet_path) as part:
        parser = _Parser(
            part,
            sheet._shared_strings,
            data_only=True,
            epoch=book.epoch,
            date_formats=book._date_formats,
            timedelta_formats=book._timedelta_formats,
        )
        grid = Grid(name, epoch=book.epoch, is_hidden=sheet.sheet_state != "visible")
        _read_rows(parser, grid, Looks(book))
    spread = 0
    for area in parser.merged:
        spread += _spread(grid, area)
        if spread > MAX_SPREAD:
            raise WorkbookError(f"The sheet '{name}' has more merged cells than can be read; unmerge them.")
    return grid


def _read_rows(parser: "_Parser", grid: Grid, looks: Looks) -> None:
    rows, name = grid.rows, grid.name
    latest = 0
    for number, cells in parser.rows():
        if number > LAST_ROW:
            raise WorkbookError(f"The sheet '{name}' has a row {number:,}; Excel's last one is {LAST_ROW:,}.")
        if number <= latest:
            continue  # out of order: the first of them counts, as in Excel's own reading
        latest = number
        if values := _values(cells):
            rows[number] = values
            _look_at(cells, grid, looks)
        if len(rows) > MAX_ROWS:
            raise WorkbookError(f"The sheet '{name}' has more than {MAX_ROWS:,} rows; split the workbook.")
    grid.hidden_rows, grid.hidden_columns = parser.hidden_rows, parser.hidden_columns


def _look_at(cells: list[dict], grid: Grid, looks: Looks) -> None:
    for cell in cells:
        value, style, at = cell["value"], cell["style_id"], (cell["row"], cell["column"] - 1)
        if value is None or not style:
            continue
        if looks.is_struck(style):
            grid.struck.add(at)
        if type(value) in (int, float) and (code := looks.code(style)):
            words = shown_by(code, value)
            if words is None:
                grid.unclear[at] = code
            elif words != text(value):
                grid.formatted[at] = words


def _values(cells: list[dict]) -> list:
    """The values from column A to the last that is not empty."""
    filled = {cell["column"]: cell["value"] for cell in cells if cell["value"] is not None}
    columns = [column for column in filled if 1 <= column <= MAX_COLUMNS]
    return [filled.get(column) for column in range(1, max(columns, default=0) + 1)]


class _Parser(WorkSheetParser):
    """Takes rows and merged areas out of a sheet, and passes over all else.

    openpyxl's own loop also builds an object of each link, validation and format, and fills up the rows that a sheet
    leaves out; a file of two kilobytes can ask for millions of either.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.merged: list[str] = []
        self.hidden_rows: set[int] = set()
        self.hidden_columns: set[int] = set()

    def rows(self) -> Iterator[tuple[int, list[dict]]]:
        for _, element in iterparse(self.source):
            if element.tag == ROW_TAG:
                number, cells = self.parse_row(element)
                if element.get("hidden") in ("1", "true"):
                    self.hidden_rows.add(number)
                yield number, cells
                element.clear()
            elif element.tag == MERGED_TAG:
                self.merged.append(element.get("ref", ""))
            elif element.tag == COL_TAG and element.get("hidden") in ("1", "true"):
                first, last = int(element.get("min", 1)), int(element.get("max", 1))
                self.hidden_columns.update(range(first - 1, min(last, MAX_COLUMNS)))

    def parse_cell(self, element: Any) -> dict:
        cell = super().parse_cell(element)
        # A formula that came to a text may have come to an empty one.
        if cell["value"] is None and element.get("t") != "str" and element.find(FORMULA_TAG) is not None:
            cell["value"] = UNCALCULATED
        return cell


def _spread(grid: Grid, area: str) -> int:
    """A merged cell's value holds for every cell that it covers; returns how many these are."""
    min_column, min_row, max_column, max_row = range_boundaries(area)
    value = grid.at(min_row, min_column - 1)
    if value is None or max_column - min_column > 3 or max_row - min_row > 500:
        return 0  # empty, or a banner across the sheet: it belongs to its first cell only
    for n in range(min_row, max_row + 1):
        row = grid.rows.setdefault(n, [])
        row.extend([None] * (max_column - len(row)))
        for column in range(min_column - 1, max_column):
            if row[column] is None:
                row[column] = value
                if (min_row, min_column - 1) in grid.formatted:
                    grid.formatted[n, column] = grid.formatted[min_row, min_column - 1]
    return (max_column - min_column + 1) * (max_row - min_row + 1)

"""What people see in Excel: numbers as their format shows them, and rows that they hid or struck through."""

import pytest
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

from allocations.exchange.headings import NAMES
from allocations.exchange.importing import preview
from allocations.exchange.looks import shown_by
from allocations.exchange.opening import FORECAST, MAINTENANCE
from allocations.exchange.reading import read_workbook
from allocations.exchange.tests.books import FIRST_ROW, book, day, row

COLUMN = {name: n for n, name in enumerate(NAMES, 1)}


def formatted(**formats):
    def edit(workbook):
        for name, code in formats.items():
            workbook[FORECAST].cell(FIRST_ROW, COLUMN[name]).number_format = code

    return edit


@pytest.mark.parametrize(
    ("code", "value", "words"),
    [
        ("00000", 123, "00123"),
        ('"TAG-"000', 7, "TAG-007"),
        (r"\#0", 2, "#2"),
        ('000"-B"', 12, "012-B"),
        ("000-0", 12, None),
        ('"T"0.0', 1, None),
        ("00000", -1, None),
        ("00000", 1.5, None),
        ('"TAG-"000;"NO-"000', 7, "TAG-007"),
    ],
)
def test_a_number_is_shown_by_its_format(code, value, words):
    assert shown_by(code, value) == words


def test_names_are_read_as_they_are_shown():
    cells = row(7, build_id=123, days=5)
    data = book([cells], edit=formatted(tag='"TAG-"000', build_id="00000", days="00", dyno="00"))
    (only,) = read_workbook(data).rows
    assert (only.tag, only.detail("build_id"), only.days, only.dyno) == ("TAG-007", "00123", 5, "01")
    report = preview(data, None)
    assert (report.booked, report.warnings) == (1, [])


def test_a_format_that_cannot_be_followed_is_remarked():
    sheets = read_workbook(book([row(7, miles=4000)], edit=formatted(tag='"T"0.0', miles='"about "0')))
    assert sheets.rows[0].tag == "7"
    where = f"Tag # ({get_column_letter(COLUMN['tag'])}6)"
    assert sheets.warnings == [f'Row 6: {where} is shown by the format "T"0.0; 7 was taken.']


def test_hidden_and_struck_rows_are_named():
    def edit(workbook):
        sheet = workbook[FORECAST]
        for n in (6, 8, 9, 30):
            sheet.row_dimensions[n].hidden = True
        sheet.cell(7, COLUMN["tag"]).font = Font(strike=True)
        sheet.cell(8, COLUMN["notes"]).font = Font(strike=True)
        sheet.column_dimensions["B"].hidden = True
        workbook[MAINTENANCE].row_dimensions[3].hidden = True
        workbook[MAINTENANCE].sheet_state = "hidden"

    rows = [row(f"10{n}A001", n * 10, notes="x") for n in range(4)]
    report = preview(book(rows, maintenance=[("NPG 2", day(1), day(2))], edit=edit), None)
    assert report.booked == 4
    assert {doubt.sentence for doubt in report.doubts} == {
        "Row 3 of 'Maintenance' is hidden (by a filter or by hand) in the workbook and read like the others.",
        "The sheet 'Maintenance' is hidden in the workbook. It was read all the same.",
        f"Rows 6, 8 and 9 of '{FORECAST}' are hidden (by a filter or by hand) in the workbook and read like the "
        "others.",
        f"Row 7 of '{FORECAST}' is struck through in the workbook and read like the others.",
        f"Column B of '{FORECAST}' is hidden in the workbook and read like the others.",
    }


def test_a_plain_workbook_raises_no_doubt():
    assert preview(book([row()]), None).doubts == []

import sys
import zipfile
from io import BytesIO

import pytest

from allocations.exchange import headings, opening
from allocations.exchange.errors import WorkbookError
from allocations.exchange.opening import FORECAST, MAINTENANCE, RULES, open_workbook
from allocations.exchange.reading import read_workbook
from allocations.exchange.tests.books import book, row
from allocations.exchange.tests.test_sample import SAMPLE


def repacked(source: bytes, **parts: bytes) -> bytes:
    """The workbook with some parts replaced; a name's slashes are written as double underscores."""
    replaced = {name.replace("__", "/") + ".xml": data for name, data in parts.items()}
    file = BytesIO()
    with zipfile.ZipFile(BytesIO(source)) as old, zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            if name not in replaced:
                new.writestr(name, old.read(name))
        for name, data in replaced.items():
            new.writestr(name, data)
    return file.getvalue()


def part(source: bytes, name: str) -> bytes:
    with zipfile.ZipFile(BytesIO(source)) as archive:
        return archive.read(name)


def test_path_bytes_and_file_give_the_same_grids():
    with SAMPLE.open("rb") as file:
        assert open_workbook(SAMPLE) == open_workbook(SAMPLE.read_bytes()) == open_workbook(file)


def test_only_the_three_sheets_are_read():
    assert set(open_workbook(SAMPLE)) == {FORECAST, RULES, MAINTENANCE}


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not an Excel workbook"),
        (b"Test,Estimated Start\n", "not an Excel workbook"),
        (b"PK\x03\x04 and nothing more", "not an Excel workbook"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "old .xls workbook or is protected by a password"),
    ],
)
def test_what_is_no_workbook(data, sentence):
    with pytest.raises(WorkbookError, match=sentence):
        open_workbook(data)


def test_a_zip_of_something_else():
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "hello")
    with pytest.raises(WorkbookError, match="not an Excel workbook"):
        open_workbook(file.getvalue())


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(WorkbookError, match=r"There is no file 'gone\.xlsx'"):
        open_workbook(tmp_path / "gone.xlsx")


def test_a_file_that_is_too_large(monkeypatch):
    monkeypatch.setattr(opening, "MAX_BYTES", 10_000)
    with pytest.raises(WorkbookError, match="larger than"):
        open_workbook(SAMPLE)


def test_a_zip_bomb_is_not_unpacked():
    bomb = repacked(SAMPLE.read_bytes(), xl__worksheets__sheet9=bytes(3 * opening.MEGABYTE))
    with pytest.raises(WorkbookError, match="unpacks to far more"):
        open_workbook(bomb)


def test_many_large_parts_are_too_much(monkeypatch):
    monkeypatch.setattr(opening, "MAX_UNCOMPRESSED", 100_000)
    with pytest.raises(WorkbookError, match="unpacks to far more"):
        open_workbook(SAMPLE)


def test_too_many_parts(monkeypatch):
    monkeypatch.setattr(opening, "MAX_PARTS", 5)
    with pytest.raises(WorkbookError, match="unpacks to far more"):
        open_workbook(SAMPLE)


LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;">'
    b'<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.mark.parametrize("name", ["xl/workbook.xml", "xl/worksheets/sheet1.xml", "xl/styles.xml"])
def test_entities_are_refused(name):
    source = book([row()])
    body = part(source, name).split(b"?>", 1)[-1] if part(source, name).startswith(b"<?xml") else part(source, name)
    laced = repacked(source, **{name.removesuffix(".xml").replace("/", "__"): LAUGHS + body})
    with pytest.raises(WorkbookError, match="damaged"):
        open_workbook(laced)


def test_a_row_number_without_end_is_refused():
    source = book([row()])
    sheet = part(source, "xl/worksheets/sheet1.xml").replace(b'<row r="6"', b'<row r="900000000"')
    with pytest.raises(WorkbookError, match="row 900,000,000; Excel"):
        open_workbook(repacked(source, xl__worksheets__sheet1=sheet))


def test_too_many_rows(monkeypatch):
    monkeypatch.setattr(opening, "MAX_ROWS", 10)
    with pytest.raises(WorkbookError, match="more than 10 rows"):
        open_workbook(book([row(first=n) for n in range(12)]))


def test_a_sheet_that_claims_to_be_huge_is_read_as_it_is():
    source = book([row()])
    sheet = part(source, "xl/worksheets/sheet1.xml")
    start = sheet.index(b"<dimension")
    sheet = sheet[:start] + b'<dimension ref="A1:XFD1048576"/>' + sheet[sheet.index(b"/>", start) + 2 :]
    assert open_workbook(repacked(source, xl__worksheets__sheet1=sheet))[FORECAST].rows.keys() == {4, 5, 6}


@pytest.mark.parametrize("name", [FORECAST, RULES, MAINTENANCE])
def test_a_missing_sheet_is_named(name):
    with pytest.raises(WorkbookError, match=f"no sheet '{name}'; its sheets are .*'Something else'") as caught:
        open_workbook(book(edit=lambda b: [setattr(s, "title", "Something else") for s in b if s.title == name]))
    assert "\n" not in str(caught.value)


def test_sheet_names_are_compared_folded():
    def rename(workbook):
        workbook[RULES].title = "dynorules "
        workbook[FORECAST].title = "CERT  Mileage forecast - ALL"

    assert len(read_workbook(book([row()], edit=rename)).rows) == 1


def test_a_missing_heading_row():
    with pytest.raises(WorkbookError, match="no row has both 'Test' and 'Estimated Start'"):
        read_workbook(book([row()], headings={"test": "Test", "dyno": "DYNO"}))


def test_a_missing_column_is_named():
    with pytest.raises(WorkbookError, match="no column 'Status' and no column '><10K' in row 5"):
        read_workbook(book([row()], edit=lambda b: [b[FORECAST].delete_cols(n) for n in (17, 11)]))


@pytest.mark.parametrize("name", [RULES, MAINTENANCE])
def test_a_small_table_without_headings(name):
    with pytest.raises(WorkbookError, match=f"'{name}' has no heading row"):
        read_workbook(book(edit=lambda b: b[name].delete_rows(1, 2)))


def test_a_merged_cell_holds_for_all_that_it_covers():
    def merge(workbook):
        workbook[FORECAST].merge_cells("G6:G7")

    sheets = read_workbook(book([row("412W766"), row(None, 10)], edit=merge))
    assert [r.tag for r in sheets.rows] == ["412W766", "412W766"]


def test_a_formula_without_a_value_is_not_taken_for_an_empty_cell():
    sheets = read_workbook(book([row(actual="=L6+7"), row("412W767", 10)]))
    assert [r.number for r in sheets.rows] == [7]
    assert "ACTUAL START DATE (N6) holds a formula that was saved without its value" in sheets.refusals[6]


def test_a_formula_that_came_to_an_empty_text_is_an_empty_cell():
    source = book([row(actual="=IF(A1=0,L6,0)")])
    sheet = part(source, "xl/worksheets/sheet1.xml")
    start = sheet.index(b'<c r="N6"')
    end = sheet.index(b"</c>", start)
    empty = b'<c r="N6" t="str"><f>IF(A1=0,L6,"")</f><v></v>'
    sheets = read_workbook(repacked(source, xl__worksheets__sheet1=sheet[:start] + empty + sheet[end:]))
    assert [str(r.first) for r in sheets.rows] == ["2027-03-01"]


def test_a_formula_with_its_value_is_that_value():
    source = book([row(actual="=L6+7")])
    sheet = part(source, "xl/worksheets/sheet1.xml")
    start = sheet.index(b'<c r="N6"')
    end = sheet.index(b"</c>", start)
    value = b'<c r="N6"><f>L6+7</f><v>46454</v>'
    sheets = read_workbook(repacked(source, xl__worksheets__sheet1=sheet[:start] + value + sheet[end:]))
    assert [str(r.first) for r in sheets.rows] == ["2027-03-08"]


def test_a_workbook_with_macros_is_read_without_them():
    source = book([row()])
    types = part(source, "[Content_Types].xml").replace(
        b"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml",
        b"application/vnd.ms-excel.sheet.macroEnabled.main+xml",
    )
    assert len(read_workbook(repacked(source, **{"[Content_Types]": types})).rows) == 1


def test_shared_strings_are_read():
    source = book([row()])
    sheet = part(source, "xl/worksheets/sheet1.xml").replace(
        b't="inlineStr"><is><t>412W766</t></is>', b't="s"><v>0</v>'
    )
    strings = (
        b'<sst xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
        b"<si><r><t>365</t></r><r><t>W996</t></r></si></sst>"
    )
    kind = "application/vnd.openxmlformats-officedocument.spreadsheetml.sharedStrings+xml"
    types = part(source, "[Content_Types].xml").replace(
        b"</Types>", f'<Override PartName="/xl/sharedStrings.xml" ContentType="{kind}"/></Types>'.encode()
    )
    parts = {"[Content_Types]": types, "xl__worksheets__sheet1": sheet, "xl__sharedStrings": strings}
    assert [r.tag for r in read_workbook(repacked(source, **parts)).rows] == ["365W996"]
    laced = repacked(source, **parts | {"xl__sharedStrings": LAUGHS + strings})
    with pytest.raises(WorkbookError, match="damaged"):
        open_workbook(laced)


def grown(source: bytes, cells: str = "", after: str = "") -> bytes:
    """The workbook with more at the end of its forecast sheet."""
    sheet = part(source, "xl/worksheets/sheet1.xml").replace(b"</sheetData>", f"{cells}</sheetData>{after}".encode())
    return repacked(source, xl__worksheets__sheet1=sheet)


def steps_of(function, *args, most: int):
    """What the function comes to, if Python runs at most so many lines to get there."""
    steps = 0

    def count(frame, event, arg):
        nonlocal steps
        if event == "line":
            steps += 1
            if steps > most:
                raise TimeoutError(f"more than {most} lines")
        return count

    before = sys.gettrace()
    sys.settrace(count)
    try:
        return function(*args)
    finally:
        sys.settrace(before)


def test_a_cell_in_the_last_row_takes_no_more_work_than_one_below_the_table():
    far = grown(book([row()]), '<row r="1048576"><c r="A1048576"><v>1</v></c></row>')
    assert len(far) < 12_000
    grid = steps_of(open_workbook, far, most=200_000)[FORECAST]
    assert (list(grid.rows)[-1], grid.rows[1048576]) == (1048576, [1])
    assert len(grid.rows) == 4


def test_millions_of_cells_are_refused_before_they_are_parsed():
    line = "".join(f"<c><v>{n % 10}</v></c>" for n in range(256))
    wide = grown(book([row()]), "".join(f'<row r="{n}">{line}</row>' for n in range(10, 2_510)))
    with pytest.raises(WorkbookError, match=r"more than 600,000 cells, .*Remove what is no part of the forecast"):
        steps_of(open_workbook, wide, most=5_000)


@pytest.mark.parametrize("name", ["xl__sharedStrings", "xl__styles", "xl__worksheets__sheet7"])
def test_tags_are_counted_in_every_part(name):
    tags = b"".join(b"<x a='%d'/>" % (n * 7919 % 100_003) for n in range(100_000)) * 25
    with pytest.raises(WorkbookError, match="more than 600,000 cells"):
        steps_of(open_workbook, repacked(book([row()]), **{name: tags}), most=5_000)


def test_areas_that_are_merged_over_one_another_are_refused():
    areas = "".join(f'<mergeCell ref="A{6 + n % 300}:D{506 + n % 300}"/>' for n in range(19_999))
    cells = "".join(f'<row r="{n}"><c r="A{n}"><v>1</v></c></row>' for n in range(8, 400))
    tall = grown(book([row()]), cells, f"<mergeCells>{areas}</mergeCells>")
    with pytest.raises(WorkbookError, match="more merged cells than can be read; unmerge them"):
        open_workbook(tall)


def test_links_and_validations_without_number_cost_nothing():
    links = "<hyperlinks>" + '<hyperlink ref="A1"/>' * 20_000 + "</hyperlinks>"
    source = book([row()])
    assert steps_of(open_workbook, grown(source, after=links), most=1_500_000) == open_workbook(source)


def test_a_comment_that_begins_merged_cells_without_end_is_only_a_comment():
    source = book([row()])
    comment = "<!--" + "<mergeCell <c " * 60_000 + "-->"
    assert open_workbook(grown(source, after=comment)) == open_workbook(source)


def test_a_heading_is_looked_for_at_the_top_only(monkeypatch):
    looked = []
    monkeypatch.setattr(headings, "columns", lambda values, fields: looked.append(values) or {})
    grid = opening.Grid(FORECAST, {n: ["Test"] * 40 for n in range(1, 5_001)})
    with pytest.raises(WorkbookError, match="no heading row"):
        headings.forecast_heading(grid)
    assert len(looked) == 200

"""The one writer of CSV: what a spreadsheet gets to see, and that it runs none of it."""

import csv
import datetime as dt
import io
import re
from decimal import Decimal
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynosite.lib.csv_files import csv_lines, harmless

ROOT = Path(__file__).parents[2]
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", '=HYPERLINK("http://x")', "\t=1", " =1", "%0A", "|calc", "\n=1", "\r=1"]
FORMULAS += ["\u00a0=1", "\u3000=1", "\u2003=1", "＝1+1", "＋1", "－1", "＠A1", "％1", "｜calc", '"=1+1', "\ttext"]
HIDING = "\u200b\u200e\u202e\u2060\u2066\u00ad\ufeff\x00\x0b\x0c\x1b\x7f\x9f"


@pytest.mark.parametrize("words", FORMULAS)
def test_a_cell_is_never_a_formula(words):
    assert harmless(words) == f"'{words}"


@pytest.mark.parametrize("char", HIDING)
def test_nothing_hides_a_formula(char):
    assert harmless(f"{char}=1+1") == harmless(f"={char}1+1") == "'=1+1"
    assert harmless(f"a{char}b") == "ab"


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("412W766", "412W766"),
        ("a=b", "a=b"),
        (-1, "-1"),
        (4.5, "4.5"),
        (Decimal("-0.5"), "-0.5"),
        (None, ""),
        ("", ""),
        (dt.date(2027, 3, 1), "2027-03-01"),
        ("two\nlines", "two\nlines"),
        ("'=1", "'=1"),
    ],
)
def test_the_rest_is_left_as_it_is(value, words):
    assert harmless(value) == words


def test_a_file_begins_with_its_byte_order_mark_and_every_cell_is_in_quotation_marks():
    moment = dt.datetime(2027, 1, 5, 3, 30, tzinfo=dt.UTC)
    lines = csv_lines(
        ["Facility", "When"], [["Prüfstand, Zürich", moment], ["a;=1+1", None]], ZoneInfo("America/Detroit")
    )
    assert "".join(lines) == (
        '\ufeff"Facility","When"\r\n"Prüfstand, Zürich","2027-01-04T22:30-05:00"\r\n"a;=1+1",""\r\n'
    )


@given(st.lists(st.lists(st.text(), min_size=2, max_size=2), max_size=5))
def test_whatever_the_texts_each_stands_in_its_own_cell(rows):
    text = "".join(csv_lines(["one", "two"], rows, dt.UTC)).removeprefix("\ufeff")
    cells = [cell for line in csv.reader(io.StringIO(text, newline="")) for cell in line]
    assert cells == ["one", "two", *(harmless(cell) for row in rows for cell in row)]
    assert not any(re.match(r"[\s\"]*[=+\-@|%＝＋－＠]", cell) for cell in cells)


def test_there_is_no_other_writer():
    writers = [
        str(path.relative_to(ROOT))
        for app in ("allocations", "assistant", "dynosite")
        for path in (ROOT / app).rglob("*.py")
        if "tests" not in path.parts and re.search(r"\bcsv\.(writer|DictWriter)\b", path.read_text())
    ]
    assert writers == ["dynosite/lib/csv_files.py"]

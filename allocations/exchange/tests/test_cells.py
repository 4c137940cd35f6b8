import datetime as dt

import pytest

from allocations.exchange.cells import UNCALCULATED, fold, instant, number, text, whole_days
from allocations.exchange.errors import UnreadableError


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("  MPG \n 3 ", "MPG 3"),
        ("A\u00a0B\u200b", "A B"),
        (3.0, "3"),
        (3, "3"),
        (None, ""),
        ("a\x00b", "ab"),
        (dt.datetime(2027, 1, 4), "2027-01-04"),  # noqa: DTZ001
    ],
)
def test_text_is_one_clean_line(value, words):
    assert text(value) == words


def test_fold_makes_spellings_equal():
    assert fold(" TEST  Facility\n") == fold("test facility")
    assert fold("STRASSE") == fold("straße")


@pytest.mark.parametrize(
    "value",
    [
        dt.datetime(2027, 1, 4, 5, 7, 12),  # noqa: DTZ001
        dt.date(2027, 1, 4),
        46391,
        46391.2,
        "2027-01-04",
        "2027-01-04 05:07:12",
        "2027-01-04T00:00:00Z",
        "2027/1/4",
        "4-Jan-2027",
        "04 January 2027",
        "Jan 4, 2027",
        "Mon, Jan. 4th 2027",
        "4-Jan-27",
    ],
)
def test_days_in_every_dress(value):
    assert instant(value).date() == dt.date(2027, 1, 4)


@pytest.mark.parametrize(
    ("value", "month_and_day"), [("13/1/2027", (1, 13)), ("1/13/27", (1, 13)), ("4.4.2027", (4, 4))]
)
def test_a_written_day_that_can_be_only_one(value, month_and_day):
    assert instant(value).date() == dt.date(2027, *month_and_day)


@pytest.mark.parametrize("value", [None, "", "  ", "N/A", "TBD", "#N/A", "-", 0, dt.time(0)])
def test_no_day(value):
    assert instant(value) is None


@pytest.mark.parametrize(
    ("value", "clause"),
    [
        ("LAB01", "says 'LAB01', which is not a date"),
        ("1/4/2027", "says '1/4/2027', which may be either of two days"),
        ("2027-02-30", "not a date"),
        ("Febtober 3 2027", "not a date"),
        ("#REF!", "holds the error #REF!"),
        (12, "not a likely date"),
        (dt.datetime(1900, 1, 1), "not a likely date"),  # noqa: DTZ001
        (dt.datetime(9999, 12, 31), "not a likely date"),  # noqa: DTZ001
        (1e300, "not a date"),
        (-5, "not a date"),
        (float("nan"), "not a date"),
        (True, "not a date"),
        (dt.time(7), "not a date"),
        (UNCALCULATED, "formula that was saved without its value"),
    ],
)
def test_what_is_no_day_is_said_in_words(value, clause):
    with pytest.raises(UnreadableError, match=clause.replace("(", r"\(")):
        instant(value)


@pytest.mark.parametrize(
    ("value", "expected"), [(6.5, 6.5), ("4,660", 4660), (" 13.25 ", 13.25), ("N/A", None), (None, None), ("-3", -3)]
)
def test_numbers(value, expected):
    assert number(value) == expected


@pytest.mark.parametrize("value", ["two weeks", "4,66", "1e5", "#DIV/0!", True, float("inf"), UNCALCULATED])
def test_what_is_no_number(value):
    with pytest.raises(UnreadableError):
        number(value)


@pytest.mark.parametrize(("days", "whole"), [(6.2, 7), (7, 7), (7.0000000001, 7), (0.1, 1), (0, 0)])
def test_days_are_rounded_up(days, whole):
    assert whole_days(days) == whole

"""Days worked and days off."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dynosite.lib.days import DayRange
from dynosite.lib.workdays import EVERY_DAY, WorkingCalendar, holidays_of

MONDAY = dt.date(2026, 11, 16)
WEEKEND = WorkingCalendar(frozenset({5, 6}))


def day(number: int) -> dt.date:
    return MONDAY + dt.timedelta(days=number)


def test_a_day_off_says_why():
    break_ = (DayRange(dt.date(2026, 12, 24), dt.date(2027, 1, 1)), "Winter break")
    calendar = WorkingCalendar(frozenset({5, 6}), "US", "MI", (break_,))
    assert calendar.why_closed(dt.date(2026, 11, 26)) == "Thanksgiving Day"
    assert calendar.why_closed(dt.date(2026, 11, 28)) == "Saturday"
    assert calendar.why_closed(dt.date(2026, 12, 25)) == "Winter break"
    assert calendar.why_closed(dt.date(2026, 11, 30)) == ""
    assert EVERY_DAY.why_closed(dt.date(2026, 12, 25)) == ""
    assert (bool(calendar), bool(EVERY_DAY)) == (True, False)


def test_holidays_are_those_of_the_country_and_its_part():
    assert dt.date(2026, 8, 15) not in holidays_of("DE", "", 2026)
    assert holidays_of("DE", "SL", 2026)[dt.date(2026, 8, 15)]
    assert holidays_of("XX", "", 2026) == holidays_of("DE", "QQ", 2026) == {}


@pytest.mark.parametrize(
    ("first", "days", "last"),
    [(0, 1, 0), (0, 5, 4), (0, 6, 7), (3, 4, 8), (4, 2, 7), (5, 1, 7), (0, 11, 14)],
)
def test_a_test_that_pauses_stretches_over_days_off(first, days, last):
    assert WEEKEND.stretch(day(first), days, pauses=True) == DayRange(day(first), day(last))
    assert WEEKEND.stretch(day(first), days, pauses=False).days == days


@given(st.sets(st.integers(0, 6), max_size=6), st.integers(0, 20), st.integers(1, 30))
def test_the_stretch_has_as_many_days_worked_and_ends_on_one(off, first, days):
    calendar = WorkingCalendar(frozenset(off))
    stretch = calendar.stretch(day(first), days, pauses=True)
    assert calendar.worked(stretch) == days == calendar.length(stretch, pauses=True)
    assert not calendar.why_closed(stretch.last)
    assert calendar.length(stretch, pauses=False) == stretch.days


def test_what_never_ends_stops_somewhere():
    shut = WorkingCalendar(shutdowns=((DayRange(dt.date(2020, 1, 1), dt.date(2099, 1, 1)), "Gone"),))
    assert shut.stretch(MONDAY, 2, pauses=True).days > 366
    assert shut.length(DayRange(MONDAY, day(3)), pauses=True) == 1

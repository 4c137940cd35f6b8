import calendar
import datetime as dt

import pytest
from dateutil.rrule import MONTHLY, WEEKLY, rrule, weekday
from hypothesis import given
from hypothesis import strategies as st

from dynosite.lib.recurring import MAX_EVERY, MAX_TIMES, Recurrence, Unit

DAYS = st.dates(dt.date(1990, 1, 1), dt.date(2200, 12, 31))
EVERY = st.integers(1, MAX_EVERY)
RECURRENCES = st.builds(Recurrence, st.sampled_from(Unit), EVERY)


def iso(days):
    return [day.isoformat() for day in days]


@pytest.mark.parametrize(
    ("unit", "every", "first", "expected"),
    [
        (Unit.WEEK, 2, "2026-12-21", ["2026-12-21", "2027-01-04", "2027-01-18", "2027-02-01"]),
        (Unit.MONTH_WEEKDAY, 3, "2026-12-07", ["2026-12-07", "2027-03-01", "2027-06-07", "2027-09-06"]),
        (Unit.MONTH_WEEKDAY, 1, "2027-03-29", ["2027-03-29", "2027-04-26", "2027-05-31", "2027-06-28"]),
        (Unit.MONTH_DAY, 1, "2027-10-31", ["2027-10-31", "2027-11-30", "2027-12-31", "2028-01-31"]),
        (Unit.MONTH_DAY, 12, "2028-02-29", ["2028-02-29", "2029-02-28", "2030-02-28", "2031-02-28"]),
        (Unit.MONTH_DAY, 6, "2026-11-16", ["2026-11-16", "2027-05-16", "2027-11-16", "2028-05-16"]),
    ],
)
def test_days_are_those_of_the_almanac(unit, every, first, expected):
    days = Recurrence(unit, every).days(dt.date.fromisoformat(first), times=4)
    assert iso(days) == expected


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"times": 2}, ["2026-12-07", "2027-03-01"]),
        ({"until": dt.date(2027, 3, 1)}, ["2026-12-07", "2027-03-01"]),
        ({"until": dt.date(2027, 2, 28)}, ["2026-12-07"]),
        ({"until": dt.date(2027, 12, 31), "times": 3}, ["2026-12-07", "2027-03-01", "2027-06-07"]),
        ({"until": dt.date(2027, 6, 6), "times": 9}, ["2026-12-07", "2027-03-01"]),
        ({"until": dt.date(2026, 12, 6)}, []),
    ],
)
def test_it_ends_after_so_many_times_or_on_a_day_whichever_is_first(bounds, expected):
    assert iso(Recurrence(Unit.MONTH_WEEKDAY, 3).days(dt.date(2026, 12, 7), **bounds)) == expected


def test_too_many_times_give_one_more_than_may_be():
    weekly, first = Recurrence(Unit.WEEK, 1), dt.date(2026, 12, 7)
    assert len(weekly.days(first, until=dt.date(2200, 12, 31))) == MAX_TIMES + 1
    assert len(weekly.days(first, times=1_000_000)) == MAX_TIMES + 1
    assert weekly.days(first, times=MAX_TIMES)[-1] == dt.date(2027, 11, 29)


@pytest.mark.parametrize(
    ("unit", "every", "first", "words"),
    [
        (Unit.WEEK, 1, "2026-12-07", "every week on Monday"),
        (Unit.WEEK, 2, "2026-12-11", "every 2 weeks on Friday"),
        (Unit.MONTH_WEEKDAY, 3, "2026-12-07", "every 3 months on the first Monday"),
        (Unit.MONTH_WEEKDAY, 1, "2027-03-29", "every month on the last Monday"),
        (Unit.MONTH_DAY, 1, "2026-12-11", "every month on the 11th"),
        (Unit.MONTH_DAY, 6, "2026-12-22", "every 6 months on the 22nd"),
        (Unit.MONTH_DAY, 6, "2026-12-31", "every 6 months on the 31st or the last day"),
    ],
)
def test_words(unit, every, first, words):
    assert Recurrence(unit, every).words(dt.date.fromisoformat(first)) == words


@given(RECURRENCES, DAYS)
def test_days_rise_and_keep_their_weekday_or_their_day_of_the_month(recurrence, first):
    days = recurrence.days(first, times=MAX_TIMES)
    assert days[0] == first
    assert days == sorted(set(days))
    for number, day in enumerate(days):
        if recurrence.unit is Unit.WEEK:
            assert (day - first).days == 7 * recurrence.every * number
            continue
        months = (day.year - first.year) * 12 + day.month - first.month
        length = calendar.monthrange(day.year, day.month)[1]
        assert months == recurrence.every * number
        if recurrence.unit is Unit.MONTH_DAY:
            assert day.day == min(first.day, length)
        else:
            week, same = (first.day - 1) // 7, day.weekday() == first.weekday()
            assert same
            assert (day.day - 1) // 7 == week or (week == 4 and day.day + 7 > length)


@given(EVERY, DAYS, st.sampled_from([Unit.WEEK, Unit.MONTH_WEEKDAY]))
def test_weeks_and_weekdays_of_the_month_are_those_of_dateutil(every, first, unit):
    if unit is Unit.WEEK:
        rule = rrule(WEEKLY, dtstart=first, interval=every, count=12)
    else:
        nth = (first.day - 1) // 7 + 1
        on = weekday(first.weekday())(nth if nth < 5 else -1)
        rule = rrule(MONTHLY, dtstart=first, interval=every, byweekday=on, count=12)
    assert Recurrence(unit, every).days(first, times=12) == [moment.date() for moment in rule]

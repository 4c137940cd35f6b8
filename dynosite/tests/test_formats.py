import datetime as dt

import pytest

from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, day, day_range, full_date


@pytest.mark.parametrize(
    ("first", "last", "year", "text"),
    [
        ("2026-11-23", "2026-11-26", True, "23 – 26 Nov 2026"),
        ("2026-11-23", "2026-12-02", True, "23 Nov – 2 Dec 2026"),
        ("2026-11-23", "2027-01-02", False, "23 Nov 2026 – 2 Jan 2027"),
        ("2026-11-23", "2026-11-23", True, "23 Nov 2026"),
        ("2026-11-23", "2026-11-26", False, "23 – 26 Nov"),
    ],
)
def test_range_of_days_writes_once_what_both_ends_share(first, last, year, text):
    assert day_range(dt.date.fromisoformat(first), dt.date.fromisoformat(last), year=year) == text


def test_day_and_count_in_words():
    assert day(dt.date(2026, 11, 23)) == "Mon 23 Nov"
    assert day(dt.date(2026, 11, 23), year=True) == "Mon 23 Nov 2026"
    assert (count(1, "dyno"), count(1_200, "dyno"), count(2, "facility", "facilities")) == (
        "1 dyno",
        "1,200 dynos",
        "2 facilities",
    )


def test_range_of_days_is_text_for_people_and_iso_for_machines():
    week = DayRange(dt.date(2026, 11, 28), dt.date(2026, 12, 4))
    assert (str(week), week.iso()) == ("28 Nov – 4 Dec 2026", "2026-11-28 to 2026-12-04")
    day = DayRange(week.first, week.first)
    assert (str(day), day.iso(), full_date(day.first)) == ("28 Nov 2026", "2026-11-28", "28 Nov 2026")

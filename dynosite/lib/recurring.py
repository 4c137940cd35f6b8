"""Days that come again: every so many weeks, or months on the same weekday or the same day of the month."""

import calendar
import datetime as dt
from dataclasses import dataclass
from enum import StrEnum
from itertools import takewhile

MAX_TIMES = 52
MAX_EVERY = 52
"""Weeks or months from one time to the next."""
MAX_WORDS_LENGTH = 80

_NTH = ("first", "second", "third", "fourth", "last")


class Unit(StrEnum):
    WEEK = "week"
    MONTH_WEEKDAY = "month-weekday"
    MONTH_DAY = "month-day"


@dataclass(frozen=True, slots=True)
class Recurrence:
    """Every so many weeks or months from a first day on.

    Each time is counted from that first day, not from the time before, so that a short month moves none after it. A
    month without a 31st has its last day instead, and one without a fifth Monday its last Monday.
    """

    unit: Unit
    every: int

    def day(self, first: dt.date, number: int) -> dt.date:
        """The day of the time `number`; the time 0 is on `first` itself."""
        steps = self.every * number
        if self.unit is Unit.WEEK:
            return first + dt.timedelta(weeks=steps)
        years, month = divmod(first.month - 1 + steps, 12)
        year, month = first.year + years, month + 1
        weekday_of_first, length = calendar.monthrange(year, month)
        if self.unit is Unit.MONTH_DAY:
            return dt.date(year, month, min(first.day, length))
        day = 1 + (first.weekday() - weekday_of_first) % 7 + 7 * _weeks_before(first)
        return dt.date(year, month, day if day <= length else day - 7)

    def days(self, first: dt.date, *, times: int | None = None, until: dt.date | None = None) -> list[dt.date]:
        """The first day and those on which it comes again: so many times, until a day, or both.

        Gives at most one more than `MAX_TIMES`, which tells that there would be too many.
        """
        numbers = range(min(times or MAX_TIMES + 1, MAX_TIMES + 1))
        days = (self.day(first, number) for number in numbers)
        return list(takewhile(lambda day: until is None or day <= until, days))

    def words(self, first: dt.date) -> str:
        """`every 2 weeks on Monday`, `every 3 months on the first Monday`, `every month on the 15th`."""
        unit = "week" if self.unit is Unit.WEEK else "month"
        often = f"every {unit}" if self.every == 1 else f"every {self.every} {unit}s"
        if self.unit is Unit.WEEK:
            return f"{often} on {first:%A}"
        if self.unit is Unit.MONTH_WEEKDAY:
            return f"{often} on the {_NTH[_weeks_before(first)]} {first:%A}"
        last = " or the last day" if first.day > 28 else ""
        return f"{often} on the {_ordinal(first.day)}{last}"


def _weeks_before(day: dt.date) -> int:
    """How often its weekday has come in its month before."""
    return (day.day - 1) // 7


def _ordinal(number: int) -> str:
    ending = "th" if number in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"

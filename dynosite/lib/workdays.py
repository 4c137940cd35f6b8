"""Which days are worked, and how long something takes that stands still on the others."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

import holidays

from dynosite.lib.days import DayRange

MAX_DAYS_AHEAD = 1_500
"""Days. What does not end within so many has no end."""


def countries() -> Mapping[str, list[str]]:
    """The countries whose holidays are known, each with its subdivisions."""
    return holidays.list_supported_countries(include_aliases=False)


@lru_cache(maxsize=256)
def holidays_of(country: str, subdivision: str, year: int) -> Mapping[dt.date, str]:
    """The public holidays of a year by day; none of a country that is not known."""
    if subdivision not in ("", *countries().get(country, [])) or country not in countries():
        return {}
    return dict(holidays.country_holidays(country, subdiv=subdivision or None, years=year).items())


@dataclass(frozen=True, slots=True)
class WorkingCalendar:
    """The days that are not worked: days of the week (Monday is 0), public holidays, and shutdowns with a name."""

    days_off: frozenset[int] = frozenset()
    country: str = ""
    subdivision: str = ""
    shutdowns: tuple[tuple[DayRange, str], ...] = ()

    def __bool__(self) -> bool:
        """Whether there can be such a day at all."""
        return bool(self.days_off or self.country or self.shutdowns)

    def why_closed(self, day: dt.date) -> str:
        """In a word or two why a day is not worked; nothing where it is."""
        for days, name in self.shutdowns:
            if day in days:
                return name
        holiday = holidays_of(self.country, self.subdivision, day.year).get(day) if self.country else None
        return holiday or (f"{day:%A}" if day.weekday() in self.days_off else "")

    def closed(self, days: DayRange) -> dict[dt.date, str]:
        """Those of the days that are not worked, and why."""
        if not self:
            return {}
        return {day: why for day in days if (why := self.why_closed(day))}

    def worked(self, days: DayRange) -> int:
        """How many of the days are worked."""
        return days.days - len(self.closed(days))

    def stretch(self, first: dt.date, days: int, *, pauses: bool) -> DayRange:
        """The days of a test from its first one on; one that pauses takes so many days that are worked."""
        if not (pauses and self):
            return DayRange.starting(first, days)
        last, remaining = first, days
        while True:
            remaining -= not self.why_closed(last)
            if remaining <= 0 or (last - first).days >= MAX_DAYS_AHEAD:
                return DayRange(first, last)
            last += dt.timedelta(days=1)

    def length(self, days: DayRange, *, pauses: bool) -> int:
        """How many days a test takes that stands there: of one that pauses, those that are worked, but at least 1."""
        return max(1, self.worked(days)) if pauses else days.days


EVERY_DAY = WorkingCalendar()

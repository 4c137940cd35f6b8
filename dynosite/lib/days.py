"""Whole days, both ends inclusive."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass

from dynosite.lib.formats import day_range

EARLIEST, LATEST = dt.date(1990, 1, 1), dt.date(2200, 12, 31)
"""Days that can be meant. What is counted on from them stays within what a date can be."""


@dataclass(frozen=True, slots=True, order=True)
class DayRange:
    first: dt.date
    last: dt.date

    @classmethod
    def starting(cls, first: dt.date, days: int) -> "DayRange":
        return cls(first, first + dt.timedelta(days=days - 1))

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1

    def overlaps(self, other: "DayRange") -> bool:
        return self.first <= other.last and other.first <= self.last

    def __contains__(self, day: dt.date) -> bool:
        return self.first <= day <= self.last

    def __iter__(self) -> Iterator[dt.date]:
        return (self.first + dt.timedelta(days=n) for n in range(self.days))

    def __str__(self) -> str:
        """As people read it. What machines read or compare is `iso`."""
        return day_range(self.first, self.last)

    def iso(self) -> str:
        return self.first.isoformat() if self.first == self.last else f"{self.first} to {self.last}"


def day_of(text: str) -> dt.date:
    """A day as addresses and buttons carry it. Raises ValueError for what is none, or cannot be meant."""
    day = dt.date.fromisoformat(text)
    if not EARLIEST <= day <= LATEST:
        raise ValueError(text)
    return day

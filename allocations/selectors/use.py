"""How busy dynos are: one definition for the calendar, the dynos' pages, the assistant and reports.

    use = booked days / bookable days

A day is *booked* if an allocation holds the dyno on it, past its planned end too while it runs. *Bookable* are the
booked days and the free ones. Neither are days in maintenance, days on which the dyno is disabled or not yet or no
longer available, nor days off of the proving ground on which nothing runs. Where no day is bookable there is no use.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from enum import IntEnum

from allocations.models import Dyno
from dynosite.lib.days import DayRange


class DayState(IntEnum):
    """What a day of a dyno is; a later state takes precedence over an earlier one."""

    FREE = 0
    OFF = 1
    ABSENT = 2
    BOOKED = 3
    MAINTENANCE = 4


@dataclass(frozen=True, slots=True)
class DayCount:
    """How many dyno-days are in each state. Counts of several dynos add up."""

    booked: int = 0
    free: int = 0
    maintenance: int = 0
    off: int = 0
    absent: int = 0

    def __add__(self, other: "DayCount") -> "DayCount":
        return DayCount(
            self.booked + other.booked,
            self.free + other.free,
            self.maintenance + other.maintenance,
            self.off + other.off,
            self.absent + other.absent,
        )

    @property
    def bookable(self) -> int:
        return self.booked + self.free

    @property
    def percent(self) -> int | None:
        """Whole per cent of the bookable days that are booked; None where there are none."""
        return round(100 * self.booked / self.bookable) if self.bookable else None


def states_of(
    days: DayRange,
    *,
    present: DayRange | None,
    booked: Iterable[DayRange],
    maintenance: Iterable[DayRange],
    closed: Collection[dt.date],
) -> list[DayState]:
    """Returns the state of each of the days for one dyno, in order.

    Parameters
    ----------
    present
        The days on which the dyno is in service (see `presence`); None: on none of them.
    booked, maintenance
        Stays; days outside of `days` are ignored.
    closed
        Days off of the ground.
    """
    states = [DayState.ABSENT] * days.days
    for number in _numbers(present, days):
        states[number] = DayState.FREE
    for day in closed:
        number = (day - days.first).days
        if 0 <= number < len(states) and states[number] == DayState.FREE:
            states[number] = DayState.OFF
    for stays, state in ((booked, DayState.BOOKED), (maintenance, DayState.MAINTENANCE)):
        for stay in stays:
            for number in _numbers(stay, days):
                states[number] = state
    return states


def count_states(states: Collection[DayState]) -> DayCount:
    """Counts dyno-days by state."""
    numbers = [0] * len(DayState)
    for state in states:
        numbers[state] += 1
    return DayCount(
        booked=numbers[DayState.BOOKED],
        free=numbers[DayState.FREE],
        maintenance=numbers[DayState.MAINTENANCE],
        off=numbers[DayState.OFF],
        absent=numbers[DayState.ABSENT],
    )


def presence(
    days: DayRange, *, enabled: bool, available_from: dt.date | None, available_to: dt.date | None
) -> DayRange | None:
    """Returns those of the days on which a dyno is in service, or None. The days available are inclusive; None is
    open.
    """
    if not enabled:
        return None
    first = max(days.first, available_from or days.first)
    last = min(days.last, available_to or days.last)
    return DayRange(first, last) if first <= last else None


def presence_of(dyno: Dyno, days: DayRange) -> DayRange | None:
    """Returns those of the days on which the dyno is in service, or None."""
    return presence(days, enabled=dyno.enabled, available_from=dyno.available_from, available_to=dyno.available_to)


def _numbers(stay: DayRange | None, days: DayRange) -> range:
    """The days of the stay as numbers from the first of the days."""
    if stay is None:
        return range(0)
    return range(max((stay.first - days.first).days, 0), min((stay.last - days.first).days + 1, days.days))

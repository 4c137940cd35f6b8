"""The head of the calendar: weeks or months above, days or weeks below, and how busy each day is."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass

from dynosite.lib.days import DayRange

HOT = 90
"""From this load on a day counts as nearly full."""
LETTERS = "MTWTFSS"


@dataclass(frozen=True, slots=True)
class Span:
    """A heading over `length` days."""

    label: str
    note: str
    length: int


@dataclass(frozen=True, slots=True)
class DayHead:
    letter: str
    number: int
    css: str
    load: int
    hot: bool
    off: str = ""
    """Why nothing starts on this day."""


@dataclass(frozen=True, slots=True)
class Off:
    """Days off that lie together, `start` days from the first one shown; of days of the week only, no name."""

    start: int
    length: int
    names: tuple[str, ...]
    days: DayRange

    @property
    def name(self) -> str:
        return " and ".join([", ".join(self.names[:-1]), self.names[-1]] if len(self.names) > 1 else self.names)


@dataclass(frozen=True, slots=True)
class Axis:
    spans: list[Span]
    weeks: list[Span]
    """Below the months, where there is no room for days."""
    days: list[DayHead]
    today: int | None
    weekday: int
    """Of the first day, Monday is 0: where the weekends of the background begin."""
    off: list[Off]
    """The days that the ground does not work; where it works on all, weekends are shaded for the eye alone."""

    @property
    def named(self) -> list[Off]:
        """Holidays and shutdowns."""
        return [closure for closure in self.off if closure.names]


def axis_of(
    days: DayRange, zoom: str, today: dt.date, load: list[int], closed: Mapping[dt.date, str] | None = None
) -> Axis:
    """Quarter has months over weeks; the closer zooms have weeks over days. `closed` are days off and why."""
    narrow = zoom == "quarter"
    closed = closed or {}
    return Axis(
        spans=_months(days) if narrow else _weeks(days),
        weeks=_weeks(days) if narrow else [],
        days=[]
        if narrow
        else [_day(day, today, busy, closed.get(day, "")) for day, busy in zip(days, load, strict=True)],
        today=(today - days.first).days if today in days else None,
        weekday=days.first.weekday(),
        off=_off(days, closed),
    )


def _day(day: dt.date, today: dt.date, busy: int, off: str) -> DayHead:
    marks = ("weekend" if day.weekday() > 4 else "", "off" if off else "", "today" if day == today else "")
    return DayHead(LETTERS[day.weekday()], day.day, " ".join(filter(None, marks)), busy, busy >= HOT, off)


def _off(days: DayRange, closed: Mapping[dt.date, str]) -> list[Off]:
    """The days off in runs of days that follow one another, with the names that are more than a day of the week."""
    runs: list[list[dt.date]] = []
    for day in sorted(closed):
        if runs and runs[-1][-1] + dt.timedelta(days=1) == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    return [
        Off(
            (run[0] - days.first).days,
            len(run),
            tuple(dict.fromkeys(closed[day] for day in run if closed[day] != f"{day:%A}")),
            DayRange(run[0], run[-1]),
        )
        for run in runs
    ]


def _weeks(days: DayRange) -> list[Span]:
    spans, first = [], days.first
    while first <= days.last:
        last = min(first + dt.timedelta(days=6 - first.weekday()), days.last)
        length = (last - first).days + 1
        spans.append(Span(f"{first.day} {first:%b}", f"W{first.isocalendar().week}", length))
        first = last + dt.timedelta(days=1)
    return spans


def _months(days: DayRange) -> list[Span]:
    spans, first = [], days.first
    while first <= days.last:
        following = (first.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        length = (min(following, days.last + dt.timedelta(days=1)) - first).days
        spans.append(Span(f"{first:%B}", f"{first.year}", length))
        first = following
    return spans

"""The head of the calendar: weeks or months above, days or weeks below, and how busy each day is."""

import datetime as dt
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


@dataclass(frozen=True, slots=True)
class Axis:
    spans: list[Span]
    weeks: list[Span]
    """Below the months, where there is no room for days."""
    days: list[DayHead]
    today: int | None
    weekday: int
    """Of the first day, Monday is 0: where the weekends of the background begin."""


def axis_of(days: DayRange, zoom: str, today: dt.date, load: list[int]) -> Axis:
    """Quarter has months over weeks; the closer zooms have weeks over days."""
    narrow = zoom == "quarter"
    return Axis(
        spans=_months(days) if narrow else _weeks(days),
        weeks=_weeks(days) if narrow else [],
        days=[] if narrow else [_day(day, today, busy) for day, busy in zip(days, load, strict=True)],
        today=(today - days.first).days if today in days else None,
        weekday=days.first.weekday(),
    )


def _day(day: dt.date, today: dt.date, busy: int) -> DayHead:
    css = " ".join(filter(None, ("weekend" if day.weekday() > 4 else "", "today" if day == today else "")))
    return DayHead(LETTERS[day.weekday()], day.day, css, busy, busy >= HOT)


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

"""The one clock: which day it is in a time zone. Evals and tests set the day."""

import datetime as dt
import zoneinfo
from collections.abc import Iterator
from contextlib import contextmanager

# Of the process and not of the thread: what a run asks in its other threads has the same day.
_day: dt.date | None = None


def today(time_zone: str) -> dt.date:
    return _day or dt.datetime.now(zoneinfo.ZoneInfo(time_zone)).date()


def now(time_zone: str) -> dt.datetime:
    """The time of day is the real one, the day is `today`."""
    moment = dt.datetime.now(zoneinfo.ZoneInfo(time_zone))
    return moment.replace(year=_day.year, month=_day.month, day=_day.day) if _day else moment


@contextmanager
def day_is(day: dt.date) -> Iterator[None]:
    """Within it, this process takes `day` for today everywhere."""
    global _day
    before, _day = _day, day
    try:
        yield
    finally:
        _day = before

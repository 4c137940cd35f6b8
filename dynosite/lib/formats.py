"""How days and times are written for people."""

import datetime as dt
import zoneinfo

from django.utils import timezone


def day(value: dt.date, *, year: bool = False) -> str:
    """`Mon 23 Nov`, or `Mon 23 Nov 2026`."""
    return f"{value:%a} {value.day} {value:%b}" + (f" {value.year}" if year else "")


def full_date(value: dt.date) -> str:
    """`23 Nov 2026`, as sentences say a day."""
    return day_range(value, value)


def day_range(first: dt.date, last: dt.date, *, year: bool = True) -> str:
    """`23 – 26 Nov 2026`: what both ends share is written once."""
    end = f"{last.day} {last:%b}" + (f" {last.year}" if year or first.year != last.year else "")
    if first == last:
        return end
    if first.year != last.year:
        return f"{first.day} {first:%b} {first.year} – {end}"
    if first.month != last.month:
        return f"{first.day} {first:%b} – {end}"
    return f"{first.day} – {end}"


def moment(at: dt.datetime, time_zone: str = "", *, seconds: bool = False) -> str:
    """`26 Nov 2026 23:25 EST`, by the clock of `time_zone` or else of the page's proving ground."""
    local = timezone.localtime(at, zoneinfo.ZoneInfo(time_zone) if time_zone else None)
    return f"{full_date(local.date())} {local.strftime('%H:%M:%S' if seconds else '%H:%M')} {local.tzname()}"


def zone_name(time_zone: str) -> str:
    """`Detroit time`."""
    _, separator, place = time_zone.rpartition("/")
    return f"{place.replace('_', ' ')} time" if separator else time_zone


def count(number: int, singular: str, plural: str = "") -> str:
    """`1 dyno`, `11 dynos`."""
    return f"{number:,} {singular if number == 1 else plural or singular + 's'}"

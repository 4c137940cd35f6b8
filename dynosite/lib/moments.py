"""How times are written for people: by the clock of a proving ground, which is named."""

import datetime as dt
import zoneinfo

from django.utils import timezone

from dynosite.lib.formats import full_date


def moment(at: dt.datetime, time_zone: str = "", *, seconds: bool = False) -> str:
    """`26 Nov 2026 23:25 EST`, by the clock of `time_zone` or else of the page's proving ground."""
    local = timezone.localtime(at, zoneinfo.ZoneInfo(time_zone) if time_zone else None)
    return f"{full_date(local.date())} {local.strftime('%H:%M:%S' if seconds else '%H:%M')} {local.tzname()}"


def zone_name(time_zone: str) -> str:
    """`Detroit time`."""
    _, separator, place = time_zone.rpartition("/")
    return f"{place.replace('_', ' ')} time" if separator else time_zone

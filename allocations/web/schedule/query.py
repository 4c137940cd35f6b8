"""What the address of the calendar says: days, zoom and filters. So every view of it can be shared as a link."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple

from django.http import QueryDict

from allocations.enums import AllocationStatus, Drive, LateKind, WeightClass
from allocations.models import ProvingGround
from allocations.selectors.calendar import LATE, CalendarFilter
from dynosite.lib.days import DayRange, day_of
from dynosite.lib.formats import day_range, full_date
from dynosite.lib.params import number_of

MAX_SHOWN_DAYS = 400
"""Days that the calendar shows at most."""


class Zoom(NamedTuple):
    name: str
    label: str
    days: int
    before: int
    """Whole weeks shown before the current one."""
    step: int
    """Days that Earlier and Later go."""


ZOOMS = {
    zoom.name: zoom
    for zoom in (
        Zoom("day", "Day", days=21, before=0, step=7),
        Zoom("week", "Week", days=49, before=1, step=28),
        Zoom("month", "Month", days=98, before=2, step=56),
        Zoom("quarter", "Quarter", days=371, before=4, step=91),
    )
}
DEFAULT_ZOOM = "week"
FILTERS = ("runs", "drive", "weight", "facility", "status", "test", "mine")
VIEW = ("zoom", "from", "to", "lanes", *FILTERS)
MAX_UNFOLDED = 50
"""Pools of lanes."""
MAX_VIEW_LENGTH = 1000
STATUSES = (
    (LATE, "All late"),
    *LateKind.choices,
    *((status.value, status.label) for status in AllocationStatus if status != AllocationStatus.CANCELLED),
)


@dataclass(frozen=True)
class ScheduleQuery:
    params: QueryDict
    ground: ProvingGround
    zoom: Zoom
    days: DayRange
    chosen: CalendarFilter
    whole: bool
    remark: str = ""
    """Why other days are shown than the address names."""
    unfolded: frozenset[int] = frozenset()
    """A dyno of each pool of lanes that is not drawn as one row."""

    @property
    def has_range(self) -> bool:
        return bool(self.params.get("from"))

    def address(self, **changes: object) -> str:
        """The query string with some parameters set, or taken out (None)."""
        query = self.params.copy()
        query.pop("ground", None)  # the path names it
        for name, value in changes.items():
            name = name.rstrip("_")
            query.pop(name, None)
            if isinstance(value, list | tuple):
                query.setlist(name, [str(part) for part in value])
            elif value is not None:
                query[name] = str(value)
        return "?" + (query.urlencode(safe="><,") or f"zoom={self.zoom.name}")  # a bare address comes back to a view

    def shifted(self, days: int) -> str:
        first = self.days.first + dt.timedelta(days=days)
        last = self.days.last + dt.timedelta(days=days) if self.params.get("to") else None
        return self.address(from_=first, to=last)

    @property
    def earlier(self) -> str:
        return self.shifted(-self.zoom.step)

    @property
    def later(self) -> str:
        return self.shifted(self.zoom.step)

    @property
    def now(self) -> str:
        return self.address(from_=None, to=None)

    @property
    def unfiltered(self) -> str:
        return self.address(**dict.fromkeys((*FILTERS, "q", "whole")))

    @property
    def view(self) -> str:
        """What is worth coming back to: zoom, days and filters; no search, plan or repair."""
        query = self.params.copy()
        for name in self.params:
            if name not in VIEW:
                del query[name]
        return query.urlencode(safe="><,")[:MAX_VIEW_LENGTH]

    @property
    def with_days(self) -> str:
        """The days written out, for who does not know the view's own."""
        return self.address(from_=self.days.first, to=self.days.last)

    @property
    def without_text(self) -> str:
        return self.address(q=None)

    def zoomed(self, name: str) -> str:
        """A wider zoom shows more days from the same first one."""
        return self.address(zoom=name, to=None)


def read_query(params: QueryDict, ground: ProvingGround) -> ScheduleQuery:
    """What makes no sense is left out, so that an old link still opens; of days it is said."""
    zoom = ZOOMS.get(params.get("zoom", ""), ZOOMS[DEFAULT_ZOOM])
    chosen = CalendarFilter(
        runs=frozenset(filter(None, params.getlist("runs"))),
        drives=frozenset(params.getlist("drive")) & frozenset(Drive.values),
        weights=frozenset(params.getlist("weight")) & frozenset(WeightClass.values),
        facility=number_of(params.get("facility")),
        statuses=frozenset(params.getlist("status")) & {value for value, _ in STATUSES},
        test=params.get("test", ""),
        mine=params.get("mine") == "1",
        text=" ".join(params.get("q", "").split())[:100],
    )
    whole = params.get("whole") == "1"
    days, remark = _days(params, zoom, ground.today())
    return ScheduleQuery(params, ground, zoom, days, chosen, whole, remark, _ids(params.get("lanes", "")))


def _ids(text: str) -> frozenset[int]:
    parts = text.split(",")[:MAX_UNFOLDED]
    return frozenset(int(part) for part in parts if part.isdecimal() and len(part) < 19)


def _days(params: QueryDict, zoom: Zoom, today: dt.date) -> tuple[DayRange, str]:
    first, last = _date(params.get("from")), _date(params.get("to"))
    unread = next((params[name] for name, day in (("from", first), ("to", last)) if params.get(name) and not day), "")
    remark = f"“{unread[:20]}” is not a day that the schedule can show." if unread else ""
    if first is None:
        first = today - dt.timedelta(days=today.weekday() + 7 * zoom.before)
    if last and last < first:
        remark = f"The last day, {full_date(last)}, is before the first, {full_date(first)}."
        last = None
    if last is None:
        last = first + dt.timedelta(days=zoom.days - 1)
    longest = DayRange.starting(first, MAX_SHOWN_DAYS)
    if last > longest.last:
        remark = (
            f"The schedule shows {MAX_SHOWN_DAYS} days at once; the days up to {full_date(last)} follow with Later."
        )
        last = longest.last
    return DayRange(first, last), f"{remark} Shown: {day_range(first, last)}." if remark else ""


def _date(text: str | None) -> dt.date | None:
    try:
        return day_of(text or "")
    except ValueError:
        return None

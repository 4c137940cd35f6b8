"""Reads that decide a booking: the facts of a placement for the rulebook, and the places where a test would fit.

Both are one SQL statement each on `Occupancy`, which has allocations and maintenance alike; the search reads the
ground's rules first.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from allocations.models import Allocation, Dyno, Vehicle
from allocations.rulebook import (
    MAX_STAY_DAYS,
    CapabilityFacts,
    DynoFacts,
    ExistingPlacement,
    Question,
    Stay,
    TestFacts,
    held_to,
)
from allocations.selectors.availability_sql import (
    FACTS,
    FIND_ON_ANY_DAY,
    FIND_ON_WORKING_DAYS,
    RUNNING_IN,
    RUNNING_ON,
    STAY_COLUMNS,
    THEN,
)
from allocations.selectors.ground_rules import RulesOfTest, as_rules, rules_for
from dynosite.lib import prepared
from dynosite.lib.days import DayRange
from dynosite.lib.workdays import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Placement:
    """A test on a dyno on days, by ids, as it is to be written."""

    vehicle_id: int
    dyno_id: int
    test_type_id: int
    days: DayRange
    drive: str = ""
    """Empty: the vehicle's own."""
    allocation_id: int | None = None
    """The allocation that is placed; its own stay is not in the way."""
    existing: ExistingPlacement | None = None
    """The placement that it has now, whose rules are not checked again."""

    @classmethod
    def of(
        cls,
        allocation: Allocation,
        *,
        dyno_id: int | None = None,
        days: DayRange | None = None,
        existing: ExistingPlacement | None = None,
    ) -> "Placement":
        """Returns the placement of an allocation as it is, or on another dyno or other days."""
        return cls(
            allocation.vehicle_id,
            dyno_id or allocation.dyno_id,
            allocation.test_type_id,
            days or allocation.days,
            drive=allocation.drive,
            allocation_id=allocation.pk,
            existing=existing,
        )


def _stay(row: dict[str, Any], today: dt.date | None) -> Stay:
    """A stay of the fields that `STAY_COLUMNS` names, which are those of `Stay` but for its status."""
    days, status = DayRange(*map(dt.date.fromisoformat, row.pop("days"))), row.pop("status")
    return Stay(days=days, held_to=held_to(status, days.last, today), **row)


def question_of(placement: Placement) -> Question | None:
    """Reads the facts of a placement for the rulebook, in one query; rights are not checked.

    Returns None if the vehicle, the dyno or the test type does not exist.
    """
    rows = prepared.fetch(
        FACTS,
        {
            "vehicle": placement.vehicle_id,
            "dyno": placement.dyno_id,
            "test_type": placement.test_type_id,
            "drive": placement.drive,
            "first": placement.days.first,
            "last": placement.days.last,
            "longest": MAX_STAY_DAYS,
            "leaving_out": placement.allocation_id or 0,
        },
    )
    if not rows:
        return None
    dyno, test, rules, *stay_lists = rows[0]
    ground = as_rules(rules)
    stays = {(row["kind"], row["id"]): _stay(row, ground.today) for stay_rows in stay_lists for row in stay_rows}
    return Question(
        _test_facts(placement, test),
        _dyno_facts(placement, dyno),
        placement.days,
        tuple(stays.values()),
        ground,
        placement.existing,
    )


def _dyno_facts(placement: Placement, row: list[Any]) -> DynoFacts:
    name, ground_id, enabled, start, end, capabilities, facility_id, facility = row
    rows = tuple(CapabilityFacts(frozenset(drives), frozenset(weights)) for drives, weights in capabilities)
    available = (start and dt.date.fromisoformat(start), end and dt.date.fromisoformat(end))
    return DynoFacts(placement.dyno_id, name, ground_id, enabled, *available, rows, facility_id, facility)


def _test_facts(placement: Placement, row: list[Any]) -> TestFacts:
    vehicle_ground, vehicle, name, drive, weight_class, test_ground, runs_through = row
    ground_id = vehicle_ground if vehicle_ground == test_ground else -1
    return TestFacts(ground_id, placement.vehicle_id, vehicle, name, drive, weight_class, pauses=not runs_through)


def stays_on(dyno_id: int, days: DayRange, *, leaving_out_window: int | None = None) -> list[Stay]:
    """Returns what takes a dyno on some of the days: allocations, maintenance with its warm-up, and tests past their
    end.

    The window `leaving_out_window` is ignored.
    """
    dyno = Dyno.objects.select_related("ground").get(pk=dyno_id)
    params = {"dyno": dyno_id, "window": leaving_out_window or 0}
    where = f"({THEN} OR {RUNNING_ON}) AND o.dyno_id = %(dyno)s AND o.window_id IS DISTINCT FROM %(window)s"
    return _stays(where, days, dyno.ground.today(), params)


def stays_in(ground_id: int, days: DayRange, *, today: dt.date | None, reach: int = 0) -> list[Stay]:
    """Returns what takes any dyno of the ground on some of the days, or up to `reach` days before or after them.

    Without `today`, tests that run past their end count only to their last day.
    """
    margin = dt.timedelta(days=reach)
    around = DayRange(days.first - margin, days.last + margin)
    where = f"({THEN} OR {RUNNING_IN}) AND od.ground_id = %(ground)s"
    return _stays(where, around, today, {"ground": ground_id})


def _stays(where: str, days: DayRange, today: dt.date | None, params: dict[str, Any]) -> list[Stay]:
    shared: dict[str, Any] = {"first": days.first, "last": days.last, "longest": MAX_STAY_DAYS, "leaving_out": 0}
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT {STAY_COLUMNS} {where}", shared | params)
        stays = [_stay(row, today) for (row,) in cursor.fetchall()]
    return [stay for stay in stays if stay.blocks.overlaps(days) or stay.held_to]


class DynoDays(NamedTuple):
    """Days of a dyno."""

    dyno_id: int
    first: dt.date
    last: dt.date


@dataclass(frozen=True, slots=True)
class Place:
    """A dyno that is free for a test from `first_day` to `last_day`; `slack` is how many days of the gap would stay
    free.

    `alike` are the names of lanes that would do as well on these days (`selectors.lanes`).
    """

    dyno_id: int
    dyno: str
    facility: str
    first_day: dt.date
    last_day: dt.date
    slack: int
    alike: tuple[str, ...] = ()

    @property
    def days(self) -> DayRange:
        return DayRange(self.first_day, self.last_day)

    @property
    def where(self) -> str:
        """The dyno and its like, such as `Track 1 and 11 more alike`."""
        return f"{self.dyno}{more_alike(self.alike)}"

    def __str__(self) -> str:
        return f"{self.dyno}, {self.days}"


def more_alike(names: Sequence[str]) -> str:
    """Returns what follows the name of a lane that stands for others, such as ` and 11 more alike`."""
    return f" and {len(names)} more alike" if names else ""


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """A test that needs a place. `days` is how many it takes; for a test that pauses on days off, days worked."""

    ground_id: int
    vehicle_id: int | None
    test_type_id: int
    drive: str
    weight_class: str
    days: int


def query_for(vehicle: Vehicle, test_type_id: int, days: int, *, drive: str = "") -> PlaceQuery:
    """Returns the query for a test of a vehicle. Without a `drive` it is tested as the vehicle's own."""
    return PlaceQuery(vehicle.ground_id, vehicle.pk, test_type_id, drive or vehicle.drive, vehicle.weight_class, days)


def find_places(
    query: PlaceQuery,
    *,
    first_day: dt.date,
    latest: dt.date,
    near: dt.date | None = None,
    limit: int = 1,
    dynos: Sequence[int] | None = None,
    leaving_out: int | None = None,
    occupied: Sequence[DynoDays] = (),
    rules: RulesOfTest | None = None,
) -> list[Place]:
    """Searches the places that start from `first_day` to `latest`, best first; rights are not checked.

    The best start is the one nearest to `near`; then the dyno with the fewest capabilities, so that versatile ones
    stay free; then the smallest gap left.

    Parameters
    ----------
    near
        The day to start near; without it `first_day`, so the earliest start is the best.
    dynos
        Ids of the only dynos to search.
    leaving_out
        Id of an allocation whose own days count as free.
    occupied
        (dyno id, first day, last day) that count as taken too.
    rules
        What `rules_for` returns for the test type, if that is known already; else it is read.

    Returns
    -------
    list[Place]
        At most `limit` places; none if the test takes no day or more than `MAX_STAY_DAYS`.
    """
    if latest < first_day or not 1 <= query.days <= MAX_STAY_DAYS:
        return []
    ground_rules, pauses = rules or rules_for(query.ground_id, query.test_type_id)
    params: dict[str, object] = {
        "ground": query.ground_id,
        "vehicle": query.vehicle_id,
        "test_type": query.test_type_id,
        "drive": query.drive,
        "weight": query.weight_class,
        "first": first_day,
        "latest": latest,
        "wanted": near or first_day,
        "today": ground_rules.today,
        "longest": MAX_STAY_DAYS,
        "reach": ground_rules.reach,
        "limit": limit,
        "dynos": None if dynos is None else list(dynos),
        "leaving_out": leaving_out or 0,
        **_taken_days(occupied),
    }
    calendar = ground_rules.calendar
    if not calendar:
        params |= {"days": query.days, "end": latest + dt.timedelta(days=query.days - 1)}
        return [Place(*row) for row in prepared.fetch(FIND_ON_ANY_DAY, params)]
    stretches = _stretches(calendar, DayRange(first_day, latest), query.days, pauses=pauses)
    if not stretches:
        return []
    ends = [stretch.last for stretch in stretches]
    params |= {"starts": [stretch.first for stretch in stretches], "ends": ends, "end": max(ends)}
    return [Place(*row) for row in prepared.fetch(FIND_ON_WORKING_DAYS, params)]


def _taken_days(occupied: Sequence[DynoDays]) -> dict[str, object]:
    return {
        "taken_dynos": [stay.dyno_id for stay in occupied],
        "taken_first": [stay.first for stay in occupied],
        "taken_last": [stay.last for stay in occupied],
    }


def _stretches(calendar: WorkingCalendar, starts: DayRange, days: int, *, pauses: bool) -> list[DayRange]:
    """The days of a test by each day on which it may start, without those that are too long for a stay."""
    stretches = (calendar.stretch(first, days, pauses=pauses) for first in starts if not calendar.why_closed(first))
    return [stretch for stretch in stretches if stretch.days <= MAX_STAY_DAYS]


NEAREST = 3
LOOK_BACK, LOOK_AHEAD = dt.timedelta(days=14), dt.timedelta(days=180)


def nearest_places(
    query: PlaceQuery,
    near: dt.date,
    *,
    not_before: dt.date | None = None,
    leaving_out: int | None = None,
    occupied: Sequence[DynoDays] = (),
    limit: int = NEAREST,
    but: tuple[int, dt.date | None] | None = None,
) -> list[Place]:
    """Searches the places nearest to a day that was refused, from `LOOK_BACK` before it to `LOOK_AHEAD` after it.

    None starts before `not_before`; `but` is a place to leave out, as for `without`; the others are as for
    `find_places`.
    """
    first = max(near - LOOK_BACK, min(near, not_before)) if not_before else near - LOOK_BACK
    places = find_places(
        query,
        first_day=first,
        latest=near + LOOK_AHEAD,
        near=near,
        limit=limit + (SPARE if but else 0),
        leaving_out=leaving_out,
        occupied=occupied,
    )
    return without(places, but)[:limit]


SPARE = 20
"""How many more places to search for if one of them may be left out."""


def without(places: Iterable[Place], but: tuple[int, dt.date | None] | None) -> list[Place]:
    """Returns the places without `but`, a (dyno id, first day); with None for the day, without all on this dyno."""
    return [place for place in places if not but or place.dyno_id != but[0] or but[1] not in (None, place.first_day)]

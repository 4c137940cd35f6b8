"""Reads that decide a booking: the question that the rulebook is asked, and the places where a test would fit.

Both are one SQL statement each, on `Occupancy`, which holds allocations and maintenance alike; the search reads the
ground's rules before.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.db import connection

from allocations.models import Allocation, Dyno, Vehicle
from allocations.rulebook import (
    LONGEST_STAY,
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
    """The allocation that is placed, whose own stay is in nobody's way."""
    existing: ExistingPlacement | None = None
    """What is not asked about again."""

    @classmethod
    def of(
        cls,
        allocation: Allocation,
        *,
        dyno_id: int | None = None,
        days: DayRange | None = None,
        existing: ExistingPlacement | None = None,
    ) -> "Placement":
        """The allocation where it stands, or on another dyno or other days."""
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
    """The rulebook's question about a placement, in one query; None if its vehicle, dyno or test type is missing."""
    rows = prepared.fetch(
        FACTS,
        {
            "vehicle": placement.vehicle_id,
            "dyno": placement.dyno_id,
            "test_type": placement.test_type_id,
            "drive": placement.drive,
            "first": placement.days.first,
            "last": placement.days.last,
            "longest": LONGEST_STAY,
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
    """What takes a dyno on some of the days, allocations and maintenance, save one window; overruns among them."""
    dyno = Dyno.objects.select_related("ground").get(pk=dyno_id)
    params = {"dyno": dyno_id, "window": leaving_out_window or 0}
    where = f"({THEN} OR {RUNNING_ON}) AND o.dyno_id = %(dyno)s AND o.window_id IS DISTINCT FROM %(window)s"
    return _stays(where, days, dyno.ground.today(), params)


def stays_in(ground_id: int, days: DayRange, *, today: dt.date | None, reach: int = 0) -> list[Stay]:
    """What takes any dyno of the ground on some of the days, or in so many days before and after them."""
    margin = dt.timedelta(days=reach)
    around = DayRange(days.first - margin, days.last + margin)
    where = f"({THEN} OR {RUNNING_IN}) AND od.ground_id = %(ground)s"
    return _stays(where, around, today, {"ground": ground_id})


def _stays(where: str, days: DayRange, today: dt.date | None, params: dict[str, Any]) -> list[Stay]:
    shared: dict[str, Any] = {"first": days.first, "last": days.last, "longest": LONGEST_STAY, "leaving_out": 0}
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
    """A dyno that is free for a test from `first_day` to `last_day`; `slack` is the gap's days that stay free.

    `alike` are the names of lanes that would do as well on these days, see `selectors.lanes`.
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
        """`Track 1 and 11 more alike`"""
        return f"{self.dyno}{more_alike(self.alike)}"

    def __str__(self) -> str:
        return f"{self.dyno}, {self.days}"


def more_alike(names: Sequence[str]) -> str:
    """What follows on the name of a lane that stands for others."""
    return f" and {len(names)} more alike" if names else ""


@dataclass(frozen=True, slots=True)
class PlaceQuery:
    """A test that looks for a place: what it is, and how many days it takes (of one that pauses, days worked)."""

    ground_id: int
    vehicle_id: int | None
    test_type_id: int
    drive: str
    weight_class: str
    days: int


def query_for(vehicle: Vehicle, test_type_id: int, days: int, *, drive: str = "") -> PlaceQuery:
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
    """The best places that start from `first_day` to `latest`, best first.

    The best is the start nearest to `near` (without it: the earliest), then the dyno that fits most narrowly, so
    that versatile ones stay free, then the smallest gap left. `dynos` limits the search, `leaving_out` is an
    allocation whose own days count as free, `occupied` count as taken, `rules` are what
    `rules_for` gives, where that is known.
    """
    if latest < first_day or not 1 <= query.days <= LONGEST_STAY:
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
        "longest": LONGEST_STAY,
        "reach": ground_rules.reach,
        "limit": limit,
        "dynos": None if dynos is None else list(dynos),
        "leaving_out": leaving_out or 0,
        "taken_dynos": [stay.dyno_id for stay in occupied],
        "taken_first": [stay.first for stay in occupied],
        "taken_last": [stay.last for stay in occupied],
    }
    calendar = ground_rules.calendar
    if not calendar:
        params |= {"days": query.days, "end": latest + dt.timedelta(days=query.days - 1)}
        return [Place(*row) for row in prepared.fetch(FIND_ON_ANY_DAY, params)]
    stretches = [
        calendar.stretch(first, query.days, pauses=pauses)
        for first in DayRange(first_day, latest)
        if not calendar.why_closed(first)
    ]
    stretches = [stretch for stretch in stretches if stretch.days <= LONGEST_STAY]
    if not stretches:
        return []
    ends = [stretch.last for stretch in stretches]
    params |= {"starts": [stretch.first for stretch in stretches], "ends": ends, "end": max(ends)}
    return [Place(*row) for row in prepared.fetch(FIND_ON_WORKING_DAYS, params)]


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
    """The places nearest to a day that was refused, before or after it, none before `not_before`.

    `but` is left out: a dyno and first day, or without the day all of a dyno.
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
"""Places more that are looked for where some of them are no answer."""


def without(places: Iterable[Place], but: tuple[int, dt.date | None] | None) -> list[Place]:
    """The places save the one on this dyno and first day, or without the day those on this dyno."""
    return [place for place in places if not but or place.dyno_id != but[0] or but[1] not in (None, place.first_day)]

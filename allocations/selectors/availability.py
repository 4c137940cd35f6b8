"""Reads that decide a booking: the facts that the rulebook judges, and the places where a test would fit.

Both are one SQL statement each, on `Occupancy`, which holds allocations and maintenance alike; the search reads the
ground's rules before.
"""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import connection

from allocations.exceptions import Refusal
from allocations.models import Vehicle
from allocations.rulebook import (
    LONGEST_STAY,
    USUAL,
    CapabilityFacts,
    DynoFacts,
    GroundRules,
    Stands,
    Stay,
    TestFacts,
    check_stays,
    check_travel,
    judge,
)
from allocations.selectors.statements import (
    FACTS,
    FIND_ON_ANY_DAY,
    FIND_ON_WORKING_DAYS,
    STAY_COLUMNS,
    THEN,
)
from allocations.selectors.working import as_rules, rules_for
from dynosite.lib import prepared
from dynosite.lib.days import DayRange


@dataclass(frozen=True, slots=True)
class Facts:
    test: TestFacts
    dyno: DynoFacts
    days: DayRange
    stays: tuple[Stay, ...]
    rules: GroundRules = USUAL

    def refusals(self, *, stands: Stands | None = None) -> list[Refusal]:
        """Every rule that says no."""
        return judge(self.test, self.dyno, self.days, self.stays, self.rules, stands=stands)

    def in_the_way(self, stays: Iterable[Stay] | None = None) -> list[Refusal]:
        """Of the reasons why not those alone that other stays are, these or those `stays`."""
        others = list(self.stays if stays is None else stays)
        return [
            *check_stays(self.test, self.dyno, self.days, others),
            *check_travel(self.test, self.dyno, self.days, others, self.rules.travel),
        ]


def _stay(row: list) -> Stay:
    kind, id_, dyno_id, dyno, what, first, last, vehicle_id, vehicle, facility_id, facility = row
    days = DayRange(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    return Stay(kind, id_, dyno_id, dyno, what, days, vehicle_id, vehicle or "", facility_id, facility)


def facts_for(
    vehicle_id: int,
    dyno_id: int,
    test_type_id: int,
    days: DayRange,
    *,
    drive: str = "",
    leaving_out: int | None = None,
) -> Facts | None:
    """What the rulebook needs to know, without the stay of the allocation `leaving_out`; None if a row is missing."""
    found = prepared.fetch(
        FACTS,
        {
            "vehicle": vehicle_id,
            "dyno": dyno_id,
            "test_type": test_type_id,
            "drive": drive,
            "first": days.first,
            "last": days.last,
            "longest": LONGEST_STAY,
            "leaving_out": leaving_out or 0,
        },
    )
    if not found:
        return None
    (
        name, ground_id, enabled, start, end, rows,
        vehicle_ground, vehicle, test_type, tested_as, weight, test_ground, runs_through,
        facility_id, facility, rules, *s,
    ) = found[0]  # fmt: skip
    same_ground = vehicle_ground if vehicle_ground == test_ground else -1
    return Facts(
        TestFacts(same_ground, vehicle_id, vehicle, test_type, tested_as, weight, pauses=not runs_through),
        DynoFacts(
            dyno_id, name, ground_id, enabled, start, end,
            tuple(CapabilityFacts(frozenset(drives), frozenset(weights)) for drives, weights in rows),
            facility_id, facility,
        ),
        days,
        tuple(_stay(stay) for stays in s for stay in stays),
        as_rules(rules),
    )  # fmt: skip


def stays_on(dyno_id: int, days: DayRange, *, leaving_out_window: int | None = None) -> list[Stay]:
    """What takes a dyno on some of the days, allocations and maintenance, save one window."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {STAY_COLUMNS} {THEN} AND o.dyno_id = %(dyno)s AND o.window_id IS DISTINCT FROM %(window)s",  # noqa: S608
            {
                "dyno": dyno_id,
                "first": days.first,
                "last": days.last,
                "longest": LONGEST_STAY,
                "leaving_out": 0,
                "window": leaving_out_window or 0,
            },
        )
        return [_stay(row) for (row,) in cursor.fetchall()]


def stays_in(ground_id: int, days: DayRange, *, reach: int = 0) -> list[Stay]:
    """What takes any dyno of the ground on some of the days, or in so many days before and after them."""
    margin = dt.timedelta(days=reach)
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {STAY_COLUMNS} {THEN} AND od.ground_id = %(ground)s",
            {
                "ground": ground_id,
                "first": days.first - margin,
                "last": days.last + margin,
                "longest": LONGEST_STAY,
                "leaving_out": 0,
            },
        )
        return [_stay(row) for (row,) in cursor.fetchall()]


@dataclass(frozen=True, slots=True)
class Place:
    """A dyno that is free for a test from `first_day` to `last_day`; `slack` is the gap's days that stay free."""

    dyno_id: int
    dyno: str
    facility: str
    first_day: dt.date
    last_day: dt.date
    slack: int

    @property
    def days(self) -> DayRange:
        return DayRange(self.first_day, self.last_day)

    def __str__(self) -> str:
        return f"{self.dyno}, {self.days}"


@dataclass(frozen=True, slots=True)
class Wanted:
    """A test that looks for a place: what it is, and how many days it takes (of one that pauses, days worked)."""

    ground_id: int
    vehicle_id: int | None
    test_type_id: int
    drive: str
    weight_class: str
    days: int


def wanted_for(vehicle: Vehicle, test_type_id: int, days: int, *, drive: str = "") -> Wanted:
    return Wanted(vehicle.ground_id, vehicle.pk, test_type_id, drive or vehicle.drive, vehicle.weight_class, days)


def find_places(
    wanted: Wanted,
    *,
    first_day: dt.date,
    latest: dt.date,
    near: dt.date | None = None,
    limit: int = 1,
    dynos: Sequence[int] | None = None,
    leaving_out: int | None = None,
    taken: Sequence[tuple[int, dt.date, dt.date]] = (),
    rules: tuple[GroundRules, bool] | None = None,
) -> list[Place]:
    """The best places that start from `first_day` to `latest`, best first.

    The best is the start nearest to `near` (without it: the earliest), then the dyno that fits most narrowly, so
    that versatile ones stay free, then the smallest gap left. `dynos` limits the search, `leaving_out` is an
    allocation whose own days count as free, `taken` are (dyno, first, last) that count as taken, `rules` are what
    `rules_for` gives, where that is known.
    """
    if latest < first_day or not 1 <= wanted.days <= LONGEST_STAY:
        return []
    ground_rules, pauses = rules or rules_for(wanted.ground_id, wanted.test_type_id)
    asked = {
        "ground": wanted.ground_id,
        "vehicle": wanted.vehicle_id,
        "test_type": wanted.test_type_id,
        "drive": wanted.drive,
        "weight": wanted.weight_class,
        "first": first_day,
        "latest": latest,
        "wanted": near or first_day,
        "longest": LONGEST_STAY,
        "reach": ground_rules.reach,
        "limit": limit,
        "dynos": None if dynos is None else list(dynos),
        "leaving_out": leaving_out or 0,
        "taken_dynos": [dyno for dyno, _, _ in taken],
        "taken_first": [first for _, first, _ in taken],
        "taken_last": [last for _, _, last in taken],
    }
    calendar = ground_rules.calendar
    if not calendar:
        asked |= {"days": wanted.days, "end": latest + dt.timedelta(days=wanted.days - 1)}
        return [Place(*row) for row in prepared.fetch(FIND_ON_ANY_DAY, asked)]
    stretches = [
        calendar.stretch(first, wanted.days, pauses=pauses)
        for first in DayRange(first_day, latest)
        if not calendar.why_closed(first)
    ]
    stretches = [stretch for stretch in stretches if stretch.days <= LONGEST_STAY]
    if not stretches:
        return []
    asked |= {"starts": [each.first for each in stretches], "ends": [each.last for each in stretches]}
    asked["end"] = max(asked["ends"])
    return [Place(*row) for row in prepared.fetch(FIND_ON_WORKING_DAYS, asked)]


NEAREST = 3
LOOK_BACK, LOOK_AHEAD = dt.timedelta(days=14), dt.timedelta(days=180)


def nearest_places(
    wanted: Wanted,
    near: dt.date,
    *,
    not_before: dt.date | None = None,
    leaving_out: int | None = None,
    taken: Sequence[tuple[int, dt.date, dt.date]] = (),
    limit: int = NEAREST,
) -> list[Place]:
    """The places nearest to a day that was refused, before or after it, none before `not_before`."""
    first = max(near - LOOK_BACK, min(near, not_before)) if not_before else near - LOOK_BACK
    return find_places(
        wanted,
        first_day=first,
        latest=near + LOOK_AHEAD,
        near=near,
        limit=limit,
        leaving_out=leaving_out,
        taken=taken,
    )

"""Reads that decide a booking: the facts that the rulebook judges, and the places where a test would fit.

Both are one SQL statement each, on `Occupancy`, which holds allocations and maintenance alike.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from django.db import connection

from allocations.models import Vehicle
from allocations.rulebook import LONGEST_STAY, CapabilityFacts, DynoFacts, Stay, TestFacts, judge
from dynosite.lib import prepared
from dynosite.lib.days import DayRange

_STAY_COLUMNS = """
    json_build_array(
        CASE WHEN o.window_id IS NULL THEN 'allocation' ELSE 'maintenance' END,
        coalesce(o.window_id, o.allocation_id), o.dyno_id, od.name,
        coalesce(t.name, CASE WHEN w.reason = '' THEN w.kind ELSE w.kind || ': ' || w.reason END),
        o.first_day, o.last_day, o.vehicle_id, coalesce(nullif(ov.tag, ''), ov.vin))
    FROM allocations_occupancy o
    JOIN allocations_dyno od ON od.id = o.dyno_id
    LEFT JOIN allocations_vehicle ov ON ov.id = o.vehicle_id
    LEFT JOIN allocations_allocation a ON a.id = o.allocation_id
    LEFT JOIN allocations_testtype t ON t.id = a.test_type_id
    LEFT JOIN allocations_maintenancewindow w ON w.id = o.window_id
    WHERE o.first_day <= %(last)s AND o.first_day > %(first)s::date - %(longest)s AND o.last_day >= %(first)s
        AND o.allocation_id IS DISTINCT FROM %(leaving_out)s"""

_FACTS = f"""
    SELECT d.name, d.ground_id, d.enabled, d.available_from, d.available_to,
        (SELECT coalesce(json_agg(json_build_array(c.drives, c.weight_classes)), '[]') FROM allocations_capability c
            WHERE c.dyno_id = d.id AND c.test_type_id = t.id),
        v.ground_id, coalesce(nullif(v.tag, ''), v.vin), t.name, coalesce(nullif(%(drive)s, ''), v.drive),
        v.weight_class, t.ground_id,
        ARRAY(SELECT {_STAY_COLUMNS} AND o.dyno_id = d.id),
        ARRAY(SELECT {_STAY_COLUMNS} AND o.vehicle_id = v.id AND o.dyno_id <> d.id)
    FROM allocations_dyno d, allocations_vehicle v, allocations_testtype t
    WHERE d.id = %(dyno)s AND v.id = %(vehicle)s AND t.id = %(test_type)s"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Facts:
    test: TestFacts
    dyno: DynoFacts
    days: DayRange
    stays: tuple[Stay, ...]

    def refusals(self):
        return judge(self.test, self.dyno, self.days, self.stays)


def _stay(row: list) -> Stay:
    kind, id_, dyno_id, dyno, what, first, last, vehicle_id, vehicle = row
    days = DayRange(dt.date.fromisoformat(first), dt.date.fromisoformat(last))
    return Stay(kind, id_, dyno_id, dyno, what, days, vehicle_id, vehicle or "")


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
        _FACTS,
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
        vehicle_ground, vehicle, test_type, tested_as, weight, test_ground, *s,
    ) = found[0]  # fmt: skip
    same_ground = vehicle_ground if vehicle_ground == test_ground else -1
    return Facts(
        TestFacts(same_ground, vehicle_id, vehicle, test_type, tested_as, weight),
        DynoFacts(
            dyno_id, name, ground_id, enabled, start, end,
            tuple(CapabilityFacts(frozenset(drives), frozenset(weights)) for drives, weights in rows),
        ),
        days,
        tuple(_stay(stay) for stays in s for stay in stays),
    )  # fmt: skip


def stays_on(dyno_id: int, days: DayRange, *, leaving_out_window: int | None = None) -> list[Stay]:
    """What takes a dyno on some of the days, allocations and maintenance, save one window."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_STAY_COLUMNS} AND o.dyno_id = %(dyno)s AND o.window_id IS DISTINCT FROM %(window)s",  # noqa: S608
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


def stays_in(ground_id: int, days: DayRange) -> list[Stay]:
    """What takes any dyno of the ground on some of the days."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {_STAY_COLUMNS} AND od.ground_id = %(ground)s",
            {
                "ground": ground_id,
                "first": days.first,
                "last": days.last,
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


_FIND = """
    WITH d AS MATERIALIZED (
        SELECT d.id, d.name, d.sort_key, d.facility_id,
            daterange(greatest(%(first)s, d.available_from), least(d.available_to, %(end)s), '[]') AS span,
            sum(cardinality(c.drives) * cardinality(c.weight_classes)) AS breadth
        FROM allocations_dyno d JOIN allocations_capability c ON c.dyno_id = d.id
        WHERE d.ground_id = %(ground)s AND d.enabled
            AND greatest(%(first)s, d.available_from) <= least(d.available_to, %(end)s)
            AND (%(dynos)s::bigint[] IS NULL OR d.id = ANY(%(dynos)s))
        GROUP BY d.id
        HAVING bool_or(c.test_type_id = %(test_type)s AND c.drives @> ARRAY[%(drive)s]::varchar[]
            AND c.weight_classes @> ARRAY[%(weight)s]::varchar[])
    ), vehicle AS MATERIALIZED (
        SELECT coalesce(range_agg(daterange(o.first_day, o.last_day, '[]')), '{}') AS days
        FROM allocations_occupancy o
        WHERE o.vehicle_id = %(vehicle)s AND o.allocation_id IS DISTINCT FROM %(leaving_out)s
            AND o.first_day <= %(end)s AND o.last_day >= %(first)s
    ), spoken_for AS MATERIALIZED (
        SELECT * FROM unnest(%(taken_dynos)s::bigint[], %(taken_first)s::date[], %(taken_last)s::date[])
            AS taken (dyno_id, first_day, last_day)
    ), gaps AS (
        SELECT d.*, unnest(
            datemultirange(d.span) - (SELECT days FROM vehicle)
            - coalesce((
                SELECT range_agg(daterange(o.first_day, o.last_day, '[]')) FROM allocations_occupancy o
                WHERE o.dyno_id = d.id AND o.first_day <= %(end)s AND o.first_day > %(first)s::date - %(longest)s
                    AND o.last_day >= %(first)s AND o.allocation_id IS DISTINCT FROM %(leaving_out)s), '{}')
            - coalesce((
                SELECT range_agg(daterange(s.first_day, s.last_day, '[]')) FROM spoken_for s
                WHERE s.dyno_id = d.id), '{}')) AS gap
        FROM d
    ), places AS (
        SELECT *, greatest(lower(gap), least(%(wanted)s, upper(gap) - %(days)s)) AS starts,
            upper(gap) - lower(gap) - %(days)s AS slack
        FROM gaps WHERE upper(gap) - lower(gap) >= %(days)s
    )
    SELECT p.id, p.name, f.name, p.starts, p.slack
    FROM places p JOIN allocations_facility f ON f.id = p.facility_id
    WHERE p.starts <= %(latest)s
    ORDER BY abs(p.starts - %(wanted)s), p.breadth, p.slack, p.sort_key, p.starts
    LIMIT %(limit)s"""


@dataclass(frozen=True, slots=True)
class Wanted:
    """A test that looks for a place: what it is, and how many days it takes."""

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
) -> list[Place]:
    """The best places that start from `first_day` to `latest`, best first.

    The best is the start nearest to `near` (without it: the earliest), then the dyno that fits most narrowly, so
    that versatile ones stay free, then the smallest gap left. `dynos` limits the search, `leaving_out` is an
    allocation whose own days count as free, `taken` are (dyno, first, last) that count as taken.
    """
    if latest < first_day or not 1 <= wanted.days <= LONGEST_STAY:
        return []
    rows = prepared.fetch(
        _FIND,
        {
            "ground": wanted.ground_id,
            "vehicle": wanted.vehicle_id,
            "test_type": wanted.test_type_id,
            "drive": wanted.drive,
            "weight": wanted.weight_class,
            "days": wanted.days,
            "first": first_day,
            "latest": latest,
            "end": latest + dt.timedelta(days=wanted.days - 1),
            "wanted": near or first_day,
            "longest": LONGEST_STAY,
            "limit": limit,
            "dynos": None if dynos is None else list(dynos),
            "leaving_out": leaving_out or 0,
            "taken_dynos": [dyno for dyno, _, _ in taken],
            "taken_first": [first for _, first, _ in taken],
            "taken_last": [last for _, _, last in taken],
        },
    )
    length = dt.timedelta(days=wanted.days - 1)
    return [Place(id_, name, facility, start, start + length, slack) for id_, name, facility, start, slack in rows]


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

"""Finding a place among 200 dynos, against a round trip that does nothing and against a loop over days."""

import datetime as dt
import random
import re
import time
from collections.abc import Callable

from django.db import connection
from django.test.utils import CaptureQueriesContext

from allocations.models import Vehicle
from allocations.selectors.availability import PlaceQuery, find_places, nearest_places, query_for
from benchmarks.report import Report, milliseconds
from benchmarks.scratch import DYNO, START, TEST_TYPE, VEHICLE, Site, analyze, build_site, fill

HELP = "the earliest place among 200 dynos with 20,000 and 200,000 allocations, against a round trip and a loop"
DYNOS = 200
ALLOCATIONS = (20_000, 200_000)
STAY, WITHIN = 5, 60
"""Days that are looked for, and how far from the first day a place may start."""

Search = Callable[[PlaceQuery, dt.date], object]


def run(*, seconds: float) -> Report:
    report = Report("find")
    site = build_site(dynos=DYNOS, vehicles=DYNOS)
    present, first = 0, START
    for count in ALLOCATIONS:
        # Five days of seven are taken on every dyno; the two that are left are too few for the stay.
        fill(site, count - present, first=first)
        present, first = count, first + dt.timedelta(days=7 * ((count - present) // DYNOS + 30))
        analyze()
        _measure(report, site, count, seconds)
    report.notes.append(
        f"{DYNOS} dynos that all may run the test, each taken five days of seven; looked for: {STAY} days within "
        f"{WITHIN}. 'gap' has a place somewhere in the window, 'full' none. The loop asks for each day in turn which "
        "dyno has no stay that overlaps, and stops at the first."
    )
    return report


def _measure(report: Report, site: Site, count: int, seconds: float) -> None:
    vehicle = Vehicle.objects.get(pk=VEHICLE)
    target = query_for(vehicle, TEST_TYPE, STAY)
    weeks = count // ALLOCATIONS[0] * 100 - 30
    searches: dict[str, tuple[Search, int]] = {
        "round trip": (_nothing, STAY),
        "find, full": (_find, STAY),
        "loop, full": (_loop, STAY),
        "find, gap": (_find, 2),
        "loop, gap": (_loop, 2),
        "nearest three": (_nearest, STAY),
    }
    middle: dict[str, float] = {}
    for label, (search, days) in searches.items():
        chance = random.Random(7)  # noqa: S311
        adjusted = PlaceQuery(**{name: getattr(target, name) for name in PlaceQuery.__slots__} | {"days": days})
        with CaptureQueriesContext(connection) as queries:
            search(adjusted, START)
        durations: list[float] = []
        end = time.perf_counter() + seconds / 2
        while time.perf_counter() < end or len(durations) < 20:
            day = START + dt.timedelta(days=7 * chance.randrange(max(1, min(weeks, 90))) + chance.randrange(7))
            start = time.perf_counter()
            search(adjusted, day)
            durations.append(time.perf_counter() - start)
        middle[label] = milliseconds(durations, 50)
        report.rows.append(
            {
                "allocations": count,
                "search": label,
                "queries": len(queries),
                "p50 ms": middle[label],
                "p95 ms": milliseconds(durations, 95),
                "p99 ms": milliseconds(durations, 99),
            }
        )
        if search in (_find, _nearest) and len(queries) != 1:
            report.failures.append(f"{label}: {len(queries)} queries")
    for case in ("full", "gap"):
        report.ratios[f"{count:,}: loop / find, {case}"] = middle[f"loop, {case}"] / middle[f"find, {case}"]
        report.ratios[f"{count:,}: find, {case} / round trip"] = middle[f"find, {case}"] / middle["round trip"]
    used, scans = plan(target, START + dt.timedelta(days=70))
    report.notes.append(f"{count:,}: the plan reads the occupancy by {', '.join(sorted(used)) or 'no index'}")
    if scans:
        report.failures.append(f"{count:,}: the plan scans the whole occupancy table")


def _nothing(target: PlaceQuery, day: dt.date) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def _find(target: PlaceQuery, day: dt.date) -> list:
    return find_places(target, first_day=day, latest=day + dt.timedelta(days=WITHIN))


def _nearest(target: PlaceQuery, day: dt.date) -> list:
    return nearest_places(target, day)


def _loop(target: PlaceQuery, day: dt.date) -> list:
    with connection.cursor() as cursor:
        for number in range(WITHIN + 1):
            first = day + dt.timedelta(days=number)
            cursor.execute(
                """
                SELECT d.id FROM allocations_dyno d WHERE d.ground_id = %s AND d.enabled
                    AND NOT EXISTS (SELECT 1 FROM allocations_occupancy o
                        WHERE o.dyno_id = d.id AND o.first_day <= %s AND o.last_day >= %s AND o.first_day > %s)
                    AND NOT EXISTS (SELECT 1 FROM allocations_occupancy o
                        WHERE o.vehicle_id = %s AND o.first_day <= %s AND o.last_day >= %s AND o.first_day > %s)
                ORDER BY d.sort_key LIMIT 1
                """,
                [
                    target.ground_id,
                    *(last := (first + dt.timedelta(days=target.days - 1), first, first - dt.timedelta(days=366))),
                    target.vehicle_id,
                    *last,
                ],
            )
            if rows := cursor.fetchall():
                return [(*rows[0], first)]
    return []


def plan(target: PlaceQuery, day: dt.date) -> tuple[set[str], bool]:
    """The occupancy's indexes in the plan of a search, and whether it reads the whole table anywhere."""
    lines: list[str] = []

    def explain(execute, text, parameters, many, context):
        with connection.connection.cursor() as cursor:
            lines.extend(line for (line,) in cursor.execute(f"EXPLAIN {text}", parameters))
        return execute(text, parameters, many, context)

    with connection.execute_wrapper(explain):
        find_places(target, first_day=day, latest=day + dt.timedelta(days=WITHIN), dynos=[DYNO + 1])
        find_places(target, first_day=day, latest=day + dt.timedelta(days=WITHIN))
    text = "\n".join(lines)
    return set(re.findall(r"(?:using|on) (occupancy_\w+|dyno_day_once|vehicle_day_once)", text)), (
        "Seq Scan on allocations_occupancy" in text
    )

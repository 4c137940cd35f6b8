"""The schedule as the planner's problem, and the planner's answer in terms of the schedule.

The planner counts days from the plan's first day, which is day 0, and knows names only: a dyno is "d<id>", a vehicle
"v<id>", a facility "f<id>", a test "r<id>" for a waiting request and "a<id>" for an allocation that may move.
"""

import datetime as dt
import itertools
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.db.models import Q

from allocations.enums import AllocationStatus, Movable, Priority, RequestStatus
from allocations.models import Allocation, Capability, Dyno, Plan, TestRequest
from allocations.planning import Problem
from allocations.planning.problem.instance import Occupied, Place, Test, Travel
from allocations.rulebook import GroundRules, Stay, too_near
from allocations.selectors.availability import stays_in
from allocations.selectors.ground_rules import rules_of
from allocations.selectors.running import overrunning
from dynosite.lib.days import DayRange
from dynosite.lib.workdays import WorkingCalendar

WEIGHTS = {Priority.LOW: 1, Priority.NORMAL: 2, Priority.HIGH: 5, Priority.URGENT: 12}
"""The cost of one day late, by priority."""

Rows = dict[str, TestRequest | Allocation]


class Kind(NamedTuple):
    """What a capability is about."""

    test_type: int
    drive: str
    weight: str


Runs = dict[Kind, list[str]]
"""The dynos that run each kind, by the problem's names."""


@dataclass(frozen=True)
class PlanningScope:
    """The part of a plan that `problem_of` needs, where there is no plan; everything scheduled becomes a test."""

    ground_id: int
    first_day: dt.date
    last_day: dt.date
    movable: str = Movable.ALL
    frozen_until: dt.date | None = None


Scope = Plan | PlanningScope


class LastDay(NamedTuple):
    """A live allocation of a request, and when it ends."""

    allocation_id: int
    day: dt.date


@dataclass(frozen=True)
class PlanningProblem:
    """A problem, the rows behind its tests by test name, and the requests that cannot be placed at all."""

    problem: Problem
    rows: Rows
    impossible: tuple[TestRequest, ...]


def problem_of(plan: Scope, *, requests: Collection[int] | None = None) -> PlanningProblem:
    """Reads the schedule as a problem.

    Parameters
    ----------
    plan
        A plan, or the scope of one: its ground, its days, and what may move.
    requests
        Ids of the waiting requests to place; None: all that wait.

    Returns
    -------
    PlanningProblem
        The problem. Requests that no dyno may run, or that cannot end within the days, are `impossible` and not tests
        of it. Tests that break a rule where they are now, or are behind a test past its end, stay fixed.
    """
    horizon = (plan.last_day - plan.first_day).days + 1
    rules = rules_of(plan.ground_id)
    waiting = _waiting(plan, requests)
    moving = _moving(plan)
    runs = runs_of(plan)
    tests: list[Test] = []
    rows: Rows = {}
    impossible: list[TestRequest] = []
    places = _places_before([*waiting, *(allocation.request for allocation in moving if allocation.request)])
    movable = {allocation.pk for allocation in moving}
    for request in waiting:
        before, first = _after_what(request, places, movable)
        test = test_of_request(plan, request, runs, rules, first)
        if test is None:
            impossible.append(request)
        else:
            tests.append(replace(test, after=before))
            rows[test.id] = request
    overruns = list(Allocation.objects.filter(overrunning(rules.today), ground_id=plan.ground_id))
    # What runs past its end is no stay here: it holds dyno and vehicle for as long as `_held` says.
    stays = stays_in(plan.ground_id, DayRange(plan.first_day, plan.last_day), today=None, reach=rules.reach)
    fixed = _standing_so(moving, stays, rules) | _behind(overruns, moving)
    stuck = [allocation for allocation in moving if allocation.pk in fixed]
    for allocation in moving:
        test = _test_of_allocation(plan, allocation, runs, rules)
        tests.append(replace(test, fixed=allocation.pk in fixed))
        rows[test.id] = allocation
    named = {test.id for test in tests}
    tests = [test if test.after in named else _without_after(test) for test in tests]
    facilities = dict(Dyno.objects.filter(ground_id=plan.ground_id).values_list("pk", "facility_id"))
    dynos = _dynos(plan, moving)
    names = sorted(f"d{id_}" for id_ in dynos)
    others = [stay for stay in stays if stay.kind != "allocation" or stay.id not in movable]
    occupied = _occupied(plan, dynos, others, stuck, rules.reach)
    occupied += _tails(plan, stuck, rules)
    occupied += _held(plan, overruns, stuck, dynos)
    problem = Problem(
        horizon,
        tuple(names),
        tuple(tests),
        tuple(occupied),
        closed=tuple(
            (day - plan.first_day).days for day in rules.calendar.closed(DayRange(plan.first_day, plan.last_day))
        ),
        facilities={name: f"f{facilities[int(name[1:])]}" for name in names} if rules.travel else {},
        travel=tuple(Travel(f"f{origin}", f"f{to}", days) for (origin, to), days in sorted(rules.travel.items())),
    )
    return PlanningProblem(problem, rows, tuple(impossible))


Places = dict[int, list[LastDay]]


def _places_before(requests: Collection[TestRequest]) -> Places:
    """Of the requests that these come after, each live allocation and its last day."""
    ids = {request.after_id for request in requests if request.after_id}
    rows = Allocation.objects.filter(request__in=ids).exclude(status=AllocationStatus.CANCELLED) if ids else ()
    places: Places = {}
    for row in rows:
        places.setdefault(row.request_id or 0, []).append(LastDay(row.pk, row.last_day))
    return places


def _after_what(request: TestRequest, places: Places, movable: Collection[int]) -> tuple[str | None, dt.date | None]:
    """The test that the request comes after, and the first day after what does not move before it."""
    stays = places.get(request.after_id or 0, [])
    if not stays:
        return (f"r{request.after_id}" if request.after_id else None), None
    moving = [stay.allocation_id for stay in stays if stay.allocation_id in movable]
    fast = [stay.day + dt.timedelta(days=1) for stay in stays if stay.allocation_id not in movable or len(moving) > 1]
    return (f"a{moving[0]}" if len(moving) == 1 else None), max(fast, default=None)


def _waiting(plan: Scope, requests: Collection[int] | None) -> list[TestRequest]:
    query = TestRequest.objects.filter(ground_id=plan.ground_id, status=RequestStatus.WAITING)
    if requests is not None:
        query = query.filter(pk__in=requests)
    return list(query.select_related("vehicle", "test_type").order_by("pk"))


def _moving(plan: Scope) -> list[Allocation]:
    if plan.movable == Movable.NOTHING:
        return []
    start = max(plan.first_day, plan.frozen_until + dt.timedelta(days=1)) if plan.frozen_until else plan.first_day
    return list(
        Allocation.objects.filter(
            ground_id=plan.ground_id,
            status=AllocationStatus.SCHEDULED,
            first_day__gte=start,
            last_day__lte=plan.last_day,
        )
        .select_related("vehicle", "test_type", "request")
        .order_by("pk")
    )


Availability = dict[int, tuple[dt.date | None, dt.date | None]]


def _dynos(plan: Scope, moving: Collection[Allocation]) -> Availability:
    """When each dyno is available. A disabled dyno is included if a movable test is on it, which may stay."""
    in_use = Q(enabled=True) | Q(pk__in={allocation.dyno_id for allocation in moving})
    rows = Dyno.objects.filter(in_use, ground_id=plan.ground_id)
    return {id_: (start, end) for id_, start, end in rows.values_list("pk", "available_from", "available_to")}


def runs_of(plan: Scope) -> Runs:
    """Returns the dynos that run each test type with each drive and weight class; disabled dynos run none."""
    runs: dict[Kind, set[str]] = {}
    rows = Capability.objects.filter(dyno__ground_id=plan.ground_id, dyno__enabled=True)
    for dyno, test_type, drives, weights in rows.values_list("dyno", "test_type", "drives", "weight_classes"):
        for drive in drives:
            for weight in weights:
                runs.setdefault(Kind(test_type, drive, weight), set()).add(f"d{dyno}")
    return {kind: sorted(dynos) for kind, dynos in runs.items()}


def _standing_so(moving: Collection[Allocation], stays: Collection[Stay], rules: GroundRules) -> set[int]:
    """Those that break a rule where somebody put them: they stay there."""
    return (
        {row.pk for row in moving if not _stands_well(row, rules.calendar)}
        | _on_warm_up(moving, stays)
        | _too_near(moving, stays, rules)
    )


def _on_warm_up(moving: Collection[Allocation], stays: Collection[Stay]) -> set[int]:
    windows = [stay for stay in stays if stay.warm_up_days]
    return {
        row.pk
        for row in moving
        for window in windows
        if window.dyno_id == row.dyno_id and window.blocks.overlaps(row.days)
    }


def _too_near(moving: Collection[Allocation], stays: Collection[Stay], rules: GroundRules) -> set[int]:
    """Those too near to another stay of their vehicle for the days that it travels."""
    if not rules.travel:
        return set()
    movable = {row.pk for row in moving}
    by_vehicle: dict[int, list[Stay]] = {row.vehicle_id: [] for row in moving}
    for stay in stays:
        if stay.vehicle_id in by_vehicle:
            by_vehicle[stay.vehicle_id].append(stay)
    near: set[int] = set()
    for of_vehicle in by_vehicle.values():
        for one, other in itertools.combinations(of_vehicle, 2):
            if too_near((one.facility_id, one.days), (other.facility_id, other.days), rules.travel):
                near |= {one.id, other.id}
    return near & movable


def _behind(overruns: Collection[Allocation], moving: Collection[Allocation]) -> set[int]:
    """Those whose dyno or vehicle a test past its end still holds: only people know when that will end."""
    dynos, vehicles = {row.dyno_id for row in overruns}, {row.vehicle_id for row in overruns}
    return {row.pk for row in moving if row.dyno_id in dynos or row.vehicle_id in vehicles}


def _held(
    plan: Scope, overruns: Collection[Allocation], fixed: Collection[Allocation], dynos: Availability
) -> list[Occupied]:
    """The days on which tests past their end hold dyno and vehicle, to the plan's last, without fixed tests there."""
    held = []
    for overrun in overruns:
        on_dyno = [row.days for row in fixed if row.dyno_id == overrun.dyno_id]
        of_vehicle = [row.days for row in fixed if row.vehicle_id == overrun.vehicle_id]
        if overrun.dyno_id in dynos:
            held += [Occupied(*gap, dyno=f"d{overrun.dyno_id}") for gap in _between(plan, overrun, on_dyno)]
        held += [Occupied(*gap, vehicle=f"v{overrun.vehicle_id}") for gap in _between(plan, overrun, of_vehicle)]
    return held


def _between(plan: Scope, overrun: Allocation, stays: Iterable[DayRange]) -> list[tuple[int, int]]:
    """The gaps between the stays, from the day after an overrun's last one, in days from the plan's first."""
    first = max(plan.first_day, overrun.last_day + dt.timedelta(days=1))
    gaps = []
    for stay in sorted(stays):
        if stay.first > first:
            gaps.append((first, stay.first - dt.timedelta(days=1)))
        first = max(first, stay.last + dt.timedelta(days=1))
    gaps.append((first, plan.last_day))
    return [((a - plan.first_day).days, (b - plan.first_day).days) for a, b in gaps if a <= b]


def _stands_well(allocation: Allocation, calendar: WorkingCalendar) -> bool:
    days, pauses = allocation.days, not allocation.test_type.runs_through
    return not calendar.why_closed(days.first) and not (pauses and calendar.why_closed(days.last))


def _tails(plan: Scope, fixed: Collection[Allocation], rules: GroundRules) -> list[Occupied]:
    """Days off that a test that pauses still takes after its last day worked."""
    tails = []
    for allocation in fixed:
        length, pauses = _length(allocation, rules.calendar)
        ends = rules.calendar.stretch(allocation.first_day, length, pauses=pauses).last
        if ends < allocation.last_day:
            first, last = ((day - plan.first_day).days for day in (ends + dt.timedelta(days=1), allocation.last_day))
            tails.append(Occupied(first, last, dyno=f"d{allocation.dyno_id}"))
            tails.append(Occupied(first, last, vehicle=f"v{allocation.vehicle_id}"))
    return tails


def _length(allocation: Allocation, calendar: WorkingCalendar) -> tuple[int, bool]:
    """How many days a placed test takes, and whether it pauses; one that is on days off alone does not."""
    pauses = not allocation.test_type.runs_through and calendar.worked(allocation.days) > 0
    return calendar.length(allocation.days, pauses=pauses), pauses


def test_of_request(
    plan: Scope, request: TestRequest, runs: Runs, rules: GroundRules, not_before: dt.date | None
) -> Test | None:
    """Returns the test of a waiting request.

    Parameters
    ----------
    not_before
        A day before which it may not start, besides its own earliest start.

    Returns
    -------
    Test | None
        None if no dyno may run it, or if it cannot end within the days of the plan.
    """
    kind = Kind(request.test_type_id, request.tested_as, request.vehicle.weight_class)
    dynos = runs.get(kind, [])
    starts = [day for day in (request.earliest_start, not_before) if day]
    earliest = max([0, *((day - plan.first_day).days for day in starts)])
    pauses = not request.test_type.runs_through
    first = plan.first_day + dt.timedelta(days=earliest)
    if not dynos or rules.calendar.stretch(first, request.days, pauses=pauses).last > plan.last_day:
        return None
    due = ((request.due_date or plan.last_day) - plan.first_day).days
    return Test(
        f"r{request.pk}",
        f"v{request.vehicle_id}",
        request.days,
        earliest,
        due,
        WEIGHTS[Priority(request.priority)],
        tuple(dynos),
        after=f"r{request.after_id}" if request.after_id else None,
        pauses=pauses,
    )


def _test_of_allocation(plan: Scope, allocation: Allocation, runs: Runs, rules: GroundRules) -> Test:
    drive = allocation.drive or allocation.vehicle.drive
    kind = Kind(allocation.test_type_id, drive, allocation.vehicle.weight_class)
    dyno = f"d{allocation.dyno_id}"
    request = allocation.request
    first = (allocation.first_day - plan.first_day).days
    earliest_start = request.earliest_start if request else None
    earliest = min(first, max(0, (earliest_start - plan.first_day).days)) if earliest_start else first
    due = (
        (request.due_date - plan.first_day).days if request and request.due_date else first + allocation.days.days - 1
    )
    length, pauses = _length(allocation, rules.calendar)
    return Test(
        f"a{allocation.pk}",
        f"v{allocation.vehicle_id}",
        length,
        earliest,
        max(due, 0),
        WEIGHTS[Priority(request.priority)] if request else WEIGHTS[Priority.NORMAL],
        tuple(sorted({dyno, *runs.get(kind, [])})),
        placed=Place(dyno, first),
        pauses=pauses,
    )


def _without_after(test: Test) -> Test:
    return replace(test, after=None, gap=0)


def _occupied(
    plan: Scope, dynos: Availability, stays: Iterable[Stay], fixed: Collection[Allocation], reach: int
) -> list[Occupied]:
    horizon = (plan.last_day - plan.first_day).days + 1
    occupied = []
    for stay in stays:
        begin, until = (stay.days.first - plan.first_day).days, (stay.days.last - plan.first_day).days
        start, end = max(0, begin), min(horizon - 1, (_blocked_through(stay, fixed) - plan.first_day).days)
        if stay.dyno_id in dynos and start <= end:
            occupied.append(Occupied(start, end, dyno=f"d{stay.dyno_id}"))
        if stay.vehicle_id and reach:
            occupied.append(Occupied(begin, until, vehicle=f"v{stay.vehicle_id}", facility=f"f{stay.facility_id}"))
        elif stay.vehicle_id:
            occupied.append(Occupied(start, min(horizon - 1, until), vehicle=f"v{stay.vehicle_id}"))
    for dyno, (available_from, available_to) in dynos.items():
        if available_from and available_from > plan.first_day:
            occupied.append(Occupied(0, min(horizon, (available_from - plan.first_day).days) - 1, f"d{dyno}"))
        if available_to and available_to < plan.last_day:
            occupied.append(Occupied(max(0, (available_to - plan.first_day).days + 1), horizon - 1, f"d{dyno}"))
    return occupied


def _blocked_through(stay: Stay, fixed: Collection[Allocation]) -> dt.date:
    """The last day that a stay takes of its dyno: of the warm-up only what no fixed test has."""
    if not stay.warm_up_days:
        return stay.days.last
    begun = [row.first_day for row in fixed if row.dyno_id == stay.dyno_id and row.days.overlaps(stay.blocks)]
    return min([stay.blocks.last, *(day - dt.timedelta(days=1) for day in begun)])

"""The schedule as the planner's problem, and the planner's answer in the schedule's words.

The planner counts days from the plan's first day and knows names only: a dyno is "d<id>", a vehicle "v<id>", a test
"r<id>" for a waiting request and "a<id>" for an allocation that may move.
"""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass, replace

from django.db.models import Q

from allocations.enums import AllocationStatus, Movable, Priority, RequestStatus
from allocations.models import Allocation, Capability, Dyno, Occupancy, Plan, TestRequest
from allocations.planning import Problem, Solution
from allocations.planning.problem import Occupied, Test

WEIGHTS = {Priority.LOW: 1, Priority.NORMAL: 2, Priority.HIGH: 5, Priority.URGENT: 12}
"""What a day's lateness costs, by priority."""

Rows = dict[str, TestRequest | Allocation]


@dataclass(frozen=True)
class PlanningProblem:
    """A problem, the rows behind its tests by their ids, and the requests that no dyno may run at all."""

    problem: Problem
    rows: Rows
    impossible: tuple[TestRequest, ...]


def problem_of(plan: Plan, *, requests: Collection[int] | None = None) -> PlanningProblem:
    """The problem of a plan: `requests` that wait (all without it), and what may move for them."""
    horizon = (plan.last_day - plan.first_day).days + 1
    waiting = _waiting(plan, requests)
    moving = _moving(plan)
    runs = _runs(plan)
    tests, rows, impossible = [], {}, []
    for request in waiting:
        test = _test_of_request(plan, request, runs, horizon)
        if test is None:
            impossible.append(request)
        else:
            tests.append(test)
            rows[test.id] = request
    for allocation in moving:
        test = _test_of_allocation(plan, allocation, runs, horizon)
        tests.append(test)
        rows[test.id] = allocation
    named = {test.id for test in tests}
    tests = [test if test.after in named else _without_after(test) for test in tests]
    dynos = tuple(sorted({f"d{id_}" for id_ in _dynos(plan)}))
    occupied = tuple(_occupied(plan, horizon, {allocation.pk for allocation in moving}))
    return PlanningProblem(Problem(horizon, dynos, tuple(tests), occupied), rows, tuple(impossible))


def _waiting(plan: Plan, requests: Collection[int] | None) -> list[TestRequest]:
    query = TestRequest.objects.filter(ground_id=plan.ground_id, status=RequestStatus.WAITING)
    if requests is not None:
        query = query.filter(pk__in=requests)
    return list(query.select_related("vehicle", "test_type").order_by("pk"))


def _moving(plan: Plan) -> list[Allocation]:
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


def _dynos(plan: Plan) -> dict[int, tuple[dt.date | None, dt.date | None]]:
    rows = Dyno.objects.filter(ground_id=plan.ground_id, enabled=True)
    return {id_: (start, end) for id_, start, end in rows.values_list("pk", "available_from", "available_to")}


def _runs(plan: Plan) -> dict[tuple[int, str, str], list[str]]:
    """The dynos that run a test type on a drive and a weight class."""
    runs: dict[tuple[int, str, str], set[str]] = {}
    rows = Capability.objects.filter(dyno__ground_id=plan.ground_id, dyno__enabled=True)
    for dyno, test_type, drives, weights in rows.values_list("dyno", "test_type", "drives", "weight_classes"):
        for drive in drives:
            for weight in weights:
                runs.setdefault((test_type, drive, weight), set()).add(f"d{dyno}")
    return {what: sorted(dynos) for what, dynos in runs.items()}


def _test_of_request(plan: Plan, request: TestRequest, runs: dict, horizon: int) -> Test | None:
    what = (request.test_type_id, request.tested_as, request.vehicle.weight_class)
    dynos = runs.get(what, [])
    earliest = max(0, (request.earliest_start - plan.first_day).days) if request.earliest_start else 0
    if not dynos or earliest + request.days > horizon:
        return None
    due = (request.due_date - plan.first_day).days if request.due_date else horizon - 1
    return Test(
        f"r{request.pk}", f"v{request.vehicle_id}", request.days, earliest, due,
        WEIGHTS[Priority(request.priority)], tuple(dynos),
        after=f"r{request.after_id}" if request.after_id else None,
    )  # fmt: skip


def _test_of_allocation(plan: Plan, allocation: Allocation, runs: dict, horizon: int) -> Test:
    what = (allocation.test_type_id, allocation.drive or allocation.vehicle.drive, allocation.vehicle.weight_class)
    here = f"d{allocation.dyno_id}"
    request = allocation.request
    first = (allocation.first_day - plan.first_day).days
    wanted = request.earliest_start if request else None
    earliest = min(first, max(0, (wanted - plan.first_day).days)) if wanted else first
    due = (
        (request.due_date - plan.first_day).days if request and request.due_date else first + allocation.days.days - 1
    )
    return Test(
        f"a{allocation.pk}", f"v{allocation.vehicle_id}", allocation.days.days, earliest, max(due, 0),
        WEIGHTS[Priority(request.priority)] if request else WEIGHTS[Priority.NORMAL],
        tuple(sorted({here, *runs.get(what, [])})), placed=(here, first),
    )  # fmt: skip


def _without_after(test: Test) -> Test:
    return replace(test, after=None, gap=0)


def _occupied(plan: Plan, horizon: int, moving: set[int]) -> list[Occupied]:
    dynos = _dynos(plan)
    rows = Occupancy.objects.filter(
        Q(allocation__isnull=True) | ~Q(allocation_id__in=moving),
        dyno__ground_id=plan.ground_id,
        first_day__lte=plan.last_day,
        last_day__gte=plan.first_day,
    )
    taken = []
    for dyno, vehicle, first, last in rows.values_list("dyno_id", "vehicle_id", "first_day", "last_day"):
        start, end = max(0, (first - plan.first_day).days), min(horizon - 1, (last - plan.first_day).days)
        if dyno in dynos:
            taken.append(Occupied(start, end, dyno=f"d{dyno}"))
        if vehicle:
            taken.append(Occupied(start, end, vehicle=f"v{vehicle}"))
    for dyno, (available_from, available_to) in dynos.items():
        if available_from and available_from > plan.first_day:
            taken.append(Occupied(0, min(horizon, (available_from - plan.first_day).days) - 1, f"d{dyno}"))
        if available_to and available_to < plan.last_day:
            taken.append(Occupied(max(0, (available_to - plan.first_day).days + 1), horizon - 1, f"d{dyno}"))
    return taken


def reasons_of(plan: Plan, found: PlanningProblem, solution: Solution) -> dict[str, tuple[int, str]]:
    """For each test of the solution its lateness in days, and in words why it stands where it stands."""
    names = dict(Dyno.objects.filter(ground_id=plan.ground_id).values_list("pk", "name"))
    tests = {test.id: test for test in found.problem.tests}
    busy: dict[str, list[tuple[int, int]]] = {}
    for each in found.problem.occupied:
        if each.dyno:
            busy.setdefault(each.dyno, []).append((each.first, each.last))
    for placement in solution.placements:
        busy.setdefault(placement.dyno, []).append((placement.first, placement.last))
    answers = {}
    for placement in solution.placements:
        test = tests[placement.id]
        late = max(0, placement.last - test.due)
        answers[placement.id] = (late, _why(plan, test, placement.first, late, names, busy))
    for id_ in solution.unplaced:
        answers[id_] = (0, f"No place within the days planned: {_runners(tests[id_], names)} have no gap for it.")
    return answers


def _why(plan: Plan, test: Test, first: int, late: int, names: dict, busy: dict) -> str:
    moved = ""
    if test.placed and test.placed[1] != first:
        moved = "Moved to make room. "
    if not late:
        return moved + ("In time." if not moved else "Still in time.")
    last_start = test.due - test.days + 1
    taken_until = max(
        (
            last
            for dyno in test.dynos
            for begin, last in busy.get(dyno, [])
            if begin <= max(last_start, first) and last < first
        ),
        default=None,
    )
    runners = _runners(test, names)
    if taken_until is None:
        start = plan.first_day + dt.timedelta(days=test.earliest)
        return f"{moved}{late} days late: it takes {test.days} days and cannot start before {start}."
    until = plan.first_day + dt.timedelta(days=taken_until)
    return f"{moved}{late} days late: {runners} run it, and they are taken until {until}."


def _runners(test: Test, names: dict[int, str]) -> str:
    each = [names[int(dyno[1:])] for dyno in test.dynos]
    if len(each) > 4:
        return f"{', '.join(each[:3])} and {len(each) - 3} more dynos"
    return " and ".join([", ".join(each[:-1]), each[-1]]) if len(each) > 1 else f"{each[0]} alone"

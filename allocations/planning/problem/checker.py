"""Checks a solution against its problem, by days and sets alone: it shares nothing with the search."""

from __future__ import annotations

from itertools import product
from typing import NamedTuple

from allocations.planning.problem.instance import Problem, Test
from allocations.planning.problem.solution import Placement, Solution


def check(problem: Problem, solution: Solution) -> list[str]:
    """Check a solution against its problem.

    Returns
    -------
    list[str]
        A sentence for each thing that is wrong; an empty list if the solution is valid.
    """
    wrong: list[str] = []
    tests = {t.id: t for t in problem.tests}
    counts: dict[str, int] = {}
    for name in [p.id for p in solution.placements] + list(solution.unplaced):
        counts[name] = counts.get(name, 0) + 1
    wrong += [f"{name} is not among the tests" for name in counts if name not in tests]
    wrong += [f"{name} stands {count} times" for name, count in counts.items() if count > 1]
    wrong += [f"{name} is neither placed nor unplaced" for name in tests if name not in counts]

    places = {p.id: p for p in solution.placements if p.id in tests}
    blocked: dict[tuple[str, str, int], str] = {}
    for o in problem.occupied:
        kind, holder = ("dyno", o.dyno) if o.dyno is not None else ("vehicle", o.vehicle)
        for day in range(max(0, o.first), min(problem.horizon - 1, o.last) + 1):
            blocked[kind, str(holder), day] = "occupied"
    objective = moved = 0
    for place in places.values():
        test = tests[place.id]
        wrong += _length(problem, test, place)
        if place.first < 0 or place.last >= problem.horizon:
            wrong.append(f"{test.id} leaves the horizon")
        stands = test.placed is not None and (place.dyno, place.first) == test.placed
        if test.fixed:
            if not stands:
                wrong.append(f"{test.id} is fixed and was moved")
        else:
            if place.first in problem.closed:
                wrong.append(f"{test.id} starts on day {place.first}, which is closed")
            if place.first < test.earliest:
                wrong.append(f"{test.id} starts on day {place.first}, before its earliest {test.earliest}")
            if place.dyno not in test.dynos:
                wrong.append(f"{test.id} may not run on {place.dyno}")
        for day in range(place.first, place.last + 1):
            for key in (("dyno", place.dyno, day), ("vehicle", test.vehicle, day)):
                if key in blocked:
                    wrong.append(f"{test.id} on day {day}: {key[0]} {key[1]} is taken ({blocked[key]})")
                else:
                    blocked[key] = test.id
        if test.after is not None:
            before = places.get(test.after)
            if before is None and not test.fixed:
                wrong.append(f"{test.id} is placed but {test.after}, which comes before it, is not")
            elif before is not None and place.first - before.last - 1 < test.gap:
                wrong.append(f"{test.id} starts less than {test.gap} days after {test.after}")
        objective += test.weight * max(0, place.last - test.due)
        moved += test.placed is not None and not stands
    wrong += _travel(problem, places)
    wrong += [
        f"{name} is fixed and was left out" for name in solution.unplaced if name in tests and tests[name].fixed
    ]
    objective += moved * problem.weights.move
    if moved != solution.moved:
        wrong.append(f"moved is {solution.moved}, counted {moved}")
    if objective != solution.objective:
        wrong.append(f"objective is {solution.objective}, counted {objective}")
    if solution.bound > solution.objective:
        wrong.append(f"bound {solution.bound} is above the objective {solution.objective}")
    if solution.status not in ("optimal", "feasible"):
        wrong.append(f"status {solution.status!r} is unknown")
    if solution.status == "optimal" and solution.bound != solution.objective:
        wrong.append("optimal, but the bound is below the objective")
    return wrong


def _length(problem: Problem, test: Test, place: Placement) -> list[str]:
    span = range(place.first, place.last + 1)
    days = sum(day not in problem.closed for day in span) if test.pauses else len(span)
    if days != test.days:
        return [f"{test.id} takes {days} days instead of {test.days}"]
    if test.pauses and place.last in problem.closed:
        return [f"{test.id} ends on day {place.last}, which is closed"]
    return []


def _travel(problem: Problem, places: dict[str, Placement]) -> list[str]:
    """A vehicle has its days to travel between any two stays, except between two that were given like that."""
    needs: dict[tuple[str | None, str | None], int] = {(t.origin, t.to): t.days for t in problem.travel}
    stays = _stays(problem, places)
    wrong = []
    for one, other in product(stays, stays):
        days = needs.get((one.facility, other.facility), 0)
        planned = one.is_planned or other.is_planned
        if one.vehicle == other.vehicle and planned and 0 < other.first - one.last <= days:
            way = f"{days} days from {one.facility} to {other.facility}"
            wrong.append(f"{one.vehicle} needs {way}, between {one.name} and {other.name}")
    return wrong


class _Stay(NamedTuple):
    """Where a vehicle is. A stay that is not planned was given."""

    vehicle: str
    facility: str | None
    first: int
    last: int
    name: str
    is_planned: bool


def _stays(problem: Problem, places: dict[str, Placement]) -> list[_Stay]:
    tests = {t.id: t for t in problem.tests}
    return [
        _Stay(tests[p.id].vehicle, problem.facilities.get(p.dyno), p.first, p.last, p.id, not tests[p.id].fixed)
        for p in places.values()
    ] + [
        _Stay(o.vehicle, o.facility, o.first, o.last, "an occupied day", False) for o in problem.occupied if o.vehicle
    ]

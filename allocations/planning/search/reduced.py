"""Parts of a problem for repairs: the free tests alone, among what stays, and their best plan exactly."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from itertools import product
from typing import NamedTuple

from allocations.planning.bounds.columns import UNPLACED, placed_columns, pooled_columns, prune, rows_for
from allocations.planning.bounds.linear import solve_exactly
from allocations.planning.problem.instance import Occupied, Place, Problem, ProblemError, Test, check_fixed
from allocations.planning.problem.model import Model, Plan

MIN_SECONDS = 0.05


def at_index(place: Place | None, index: dict[str, int]) -> tuple[int, int] | None:
    return None if place is None else (index[place.dyno], place.first)


def days_late(problem: Problem, test: Test, place: Place | None) -> int:
    """How many days after it is due a test ends in a place."""
    return 0 if place is None else max(0, problem.last_day(test, place.first) - test.due)


def lateness(problem: Problem, test: Test, place: Place | None) -> int:
    """The same, weighted."""
    return test.weight * days_late(problem, test, place)


def value_of(model: Model, plan: Plan) -> int:
    """Tardiness and the price of what is unplaced, without what moves cost."""
    value = 0
    for t, at in zip(model.problem.tests, plan, strict=True):
        value += model.unplaced_price if at is None else lateness(model.problem, t, Place("", at[1]))
    return value


def ready_for(problem: Problem, displaced: Collection[str]) -> Problem:
    """The problem with a price for what is unplaced that holds for every part of it, and with those fixed that stand
    where they might not be put."""
    _check_displaced(problem, displaced)
    tests = tuple(_with_misfits_fixed(problem, displaced))
    standing = tuple(replace(t, fixed=True, after=None) for t in tests if t.id not in displaced)
    check_fixed(replace(problem, tests=standing))
    return replace(problem, tests=tests).with_weights(move=0, unplaced=_worst(problem) + 1)


def _with_misfits_fixed(problem: Problem, displaced: Collection[str]) -> Iterator[Test]:
    """The tests, without an order that they are not in, and fixed to where they might not be put."""
    names = {t.id: t for t in problem.tests}
    rushed = _rushed(problem, displaced)
    for i, t in enumerate(problem.tests):
        if t.placed is None:
            raise ProblemError(f"tests[{i}].placed", "is missing: a repair is of tests that stand somewhere")
        if t.id not in displaced and not _in_order(problem, t, names.get(t.after or ""), displaced):
            t = replace(t, after=None, gap=0)
        movable = t.id in displaced or (t.id not in rushed and _may_stand(problem, t))
        yield t if movable else replace(t, fixed=True)


def _worst(problem: Problem) -> int:
    """What all tests cost together that end on the last day."""
    return sum(t.weight * max(0, problem.horizon - 1 - t.due) for t in problem.tests)


def _check_displaced(problem: Problem, displaced: Collection[str]) -> None:
    names = {t.id: t for t in problem.tests}
    for name in displaced:
        if name not in names or names[name].fixed:
            raise ProblemError("displaced", f"{name!r} is not among the tests that may move")


def _may_stand(problem: Problem, test: Test) -> bool:
    """Whether a test might be put where it stands: on a dyno of its own, not too early, and within the horizon."""
    dyno, first = test.place
    fits = dyno in test.dynos and test.earliest <= first and first not in problem.closed
    return fits and problem.last_day(test, first) < problem.horizon


def _in_order(problem: Problem, test: Test, before: Test | None, displaced: Collection[str]) -> bool:
    if before is None or before.id in displaced or before.placed is None:
        return True
    return test.place.first > problem.last_day(before, before.place.first) + test.gap


def _rushed(problem: Problem, displaced: Collection[str]) -> set[str]:
    """The tests that are too near to another stay of their vehicle for it to travel between the two."""
    needs: dict[tuple[str | None, str | None], int] = {(way.origin, way.to): way.days for way in problem.travel}
    stays = _stays(problem, displaced) if needs else []
    return {
        id_
        for one, other in product(stays, stays)
        if one.vehicle == other.vehicle
        and one.last < other.first <= one.last + needs.get((one.facility, other.facility), 0)
        for id_ in (one.test, other.test)
    }


class _Stay(NamedTuple):
    """Where a vehicle is, and for which test, if it is for one."""

    vehicle: str
    facility: str | None
    first: int
    last: int
    test: str


def _stays(problem: Problem, displaced: Collection[str]) -> list[_Stay]:
    stays = [_Stay(o.vehicle, o.facility, o.first, o.last, "") for o in problem.occupied if o.vehicle]
    for t in problem.tests:
        if t.placed is not None and t.id not in displaced:
            dyno, first = t.placed
            stays.append(_Stay(t.vehicle, problem.facilities.get(dyno), first, problem.last_day(t, first), t.id))
    return stays


def reduced_to(problem: Problem, free: Collection[str]) -> Problem:
    """The problem of the free tests alone, on the dynos that concern them; of the others only those stay in it that
    share a vehicle or an order with one, the rest is occupied days."""
    mine = [t for t in problem.tests if t.id in free]
    seats = {t.vehicle for t in mine}
    inside = _concerned(problem, free, seats)
    names = {t.id for t in inside}
    dynos = {t.place.dyno for t in inside}.union(*(t.dynos for t in mine))
    return replace(
        _on_dynos(problem, dynos),
        tests=tuple(_as_part(t, free, names) for t in inside),
        occupied=_days_taken(problem, names, dynos, seats),
    )


def _concerned(problem: Problem, free: Collection[str], vehicles: Collection[str]) -> list[Test]:
    """The tests of these vehicles, and those directly before or after a free one."""
    before = {t.after for t in problem.tests if t.id in free}
    return [t for t in problem.tests if t.vehicle in vehicles or t.id in before or t.after in free]


def _on_dynos(problem: Problem, dynos: Collection[str]) -> Problem:
    """The problem with some of its dynos alone."""
    places = {dyno: facility for dyno, facility in problem.facilities.items() if dyno in dynos}
    return replace(problem, dynos=tuple(dyno for dyno in problem.dynos if dyno in dynos), facilities=places)


def _days_taken(
    problem: Problem, inside: Collection[str], dynos: Collection[str], vehicles: Collection[str]
) -> tuple[Occupied, ...]:
    """The occupied days that concern the dynos or vehicles, with those of the tests that are not inside."""
    occupied = [o for o in problem.occupied if o.dyno in dynos or o.vehicle in vehicles]
    occupied += [
        Occupied(t.place.first, problem.last_day(t, t.place.first), dyno=t.place.dyno)
        for t in problem.tests
        if t.id not in inside and t.place.dyno in dynos
    ]
    return tuple(occupied)


def _as_part(test: Test, free: Collection[str], inside: Collection[str]) -> Test:
    """The test in a problem of those inside alone; fixed where it is if it is not free."""
    if test.after not in inside:
        test = replace(test, after=None, gap=0)
    return replace(test, fixed=False) if test.id in free else replace(test, fixed=True, dynos=(test.place.dyno,))


def cheaper_plan(model: Model, below: int, *, seconds: float, keep: str = "") -> tuple[Plan | None, bool]:
    """The best plan that costs less than `below`, if there is one, and whether the search came to its end.

    The test `keep` is not to be left out.
    """
    pooled = pooled_columns(model, below=below)
    if len(set(pooled.test.tolist())) < model.n:
        return None, True
    columns = prune(model, placed_columns(model, pooled), below)
    if keep:
        j = next(j for j, t in enumerate(model.problem.tests) if t.id == keep)
        columns = columns.keep((columns.test != j) | (columns.first != UNPLACED))
    if len(set(columns.test.tolist())) < model.n:
        return None, True
    outcome = solve_exactly(model, columns, rows_for(model, columns), seconds=max(MIN_SECONDS, seconds))
    plan = outcome.plan if outcome.plan is not None and value_of(model, outcome.plan) < below else None
    return plan, outcome.ended


def exact_plan(model: Model, plan: Plan, *, seconds: float) -> tuple[Plan, bool]:
    better, ended = cheaper_plan(model, value_of(model, plan), seconds=seconds)
    return (plan if better is None else better), ended

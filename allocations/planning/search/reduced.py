"""Parts of a problem for repairs: the free tests alone, among what stays, and their best plan exactly."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace

from allocations.planning.bounds.columns import UNPLACED, placed_columns, pooled_columns, prune, rows_for
from allocations.planning.bounds.linear import solve_exactly
from allocations.planning.problem.instance import Occupied, Problem, ProblemError, Test, check_fixed
from allocations.planning.problem.model import Model
from allocations.planning.problem.state import Plan

LEAST_SECONDS = 0.05


def at_index(place: tuple[str, int] | None, index: dict[str, int]) -> tuple[int, int] | None:
    return None if place is None else (index[place[0]], place[1])


def days_late(problem: Problem, test: Test, place: tuple[str, int] | None) -> int:
    """How many days after it is due a test ends in a place."""
    return 0 if place is None else max(0, problem.last_day(test, place[1]) - test.due)


def lateness(problem: Problem, test: Test, place: tuple[str, int] | None) -> int:
    """The same, weighted."""
    return test.weight * days_late(problem, test, place)


def value_of(model: Model, plan: Plan) -> int:
    """Tardiness and the price of what is unplaced, without what moves cost."""
    value = 0
    for t, at in zip(model.problem.tests, plan, strict=True):
        value += model.unplaced_price if at is None else lateness(model.problem, t, ("", at[1]))
    return value


def ready_for(problem: Problem, displaced: Collection[str]) -> Problem:
    """The problem with a price for what is unplaced that holds for every part of it, and with those fixed that stand
    where they might not be put."""
    names = {t.id: t for t in problem.tests}
    for name in displaced:
        if name not in names or names[name].fixed:
            raise ProblemError("displaced", f"{name!r} is not among the tests that may move")
    rushed = _rushed(problem, displaced)
    tests = []
    for i, t in enumerate(problem.tests):
        if t.placed is None:
            raise ProblemError(f"tests[{i}].placed", "is missing: a repair is of tests that stand somewhere")
        if t.id not in displaced and not _in_order(problem, t, names.get(t.after or ""), displaced):
            t = replace(t, after=None, gap=0)
        fits = t.placed[0] in t.dynos and t.earliest <= t.placed[1] and t.placed[1] not in problem.closed
        inside = problem.last_day(t, t.placed[1]) < problem.horizon
        legal = fits and inside and t.id not in rushed
        tests.append(t if t.fixed or t.id in displaced or legal else replace(t, fixed=True))
    worst = sum(t.weight * max(0, problem.horizon - 1 - t.due) for t in tests)
    ready = replace(problem, tests=tuple(tests)).with_weights(move=0, unplaced=worst + 1)
    standing = tuple(replace(t, fixed=True, after=None) for t in tests if t.id not in displaced)
    check_fixed(replace(ready, tests=standing))
    return ready


def _in_order(problem: Problem, test: Test, before: Test | None, displaced: Collection[str]) -> bool:
    if before is None or before.id in displaced or before.placed is None:
        return True
    return test.placed[1] > problem.last_day(before, before.placed[1]) + test.gap


def _rushed(problem: Problem, displaced: Collection[str]) -> set[str]:
    """The tests that stand nearer to another stay of their vehicle than its way between the two takes."""
    needs = {(way.origin, way.to): way.days for way in problem.travel}
    stays = [(o.vehicle, o.facility, o.first, o.last, "") for o in problem.occupied if o.vehicle]
    for t in problem.tests:
        if t.placed is not None and t.id not in displaced:
            last = problem.last_day(t, t.placed[1])
            stays.append((t.vehicle, problem.facilities.get(t.placed[0]), t.placed[1], last, t.id))
    return (
        {
            id_
            for vehicle, origin, _, last, before in stays
            for other, to, first, _, after in stays
            if vehicle == other and last < first <= last + needs.get((origin, to), 0)
            for id_ in (before, after)
        }
        if needs
        else set()
    )


def reduced_to(problem: Problem, free: Collection[str]) -> Problem:
    """The problem of the free tests alone, on the dynos that concern them; of the others only those stay in it that
    share a vehicle or an order with one, the rest is occupied days."""
    mine = [t for t in problem.tests if t.id in free]
    seats = {t.vehicle for t in mine}
    near = {t.after for t in mine} | {t.id for t in problem.tests if t.after in free}
    inside = {t.id for t in problem.tests if t.id in free or t.vehicle in seats or t.id in near}
    dynos = {dyno for t in mine for dyno in t.dynos} | {t.placed[0] for t in problem.tests if t.id in inside}
    occupied = [o for o in problem.occupied if o.dyno in dynos or o.vehicle in seats]
    tests = []
    for t in problem.tests:
        if t.id in inside:
            after = t.after if t.after in inside else None
            own = t.dynos if t.id in free else (t.placed[0],)
            tests.append(replace(t, fixed=t.id not in free, after=after, gap=t.gap if after else 0, dynos=own))
        elif t.placed[0] in dynos:
            occupied.append(Occupied(t.placed[1], problem.last_day(t, t.placed[1]), dyno=t.placed[0]))
    named = tuple(dyno for dyno in problem.dynos if dyno in dynos)
    places = {dyno: facility for dyno, facility in problem.facilities.items() if dyno in dynos}
    return replace(problem, tests=tuple(tests), occupied=tuple(occupied), dynos=named, facilities=places)


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
    outcome = solve_exactly(model, columns, rows_for(model, columns), seconds=max(LEAST_SECONDS, seconds))
    plan = outcome.plan if outcome.plan is not None and value_of(model, outcome.plan) < below else None
    return plan, outcome.ended


def exact_plan(model: Model, plan: Plan, *, seconds: float) -> tuple[Plan, bool]:
    better, ended = cheaper_plan(model, value_of(model, plan), seconds=seconds)
    return (plan if better is None else better), ended

"""What a solution comes to, in figures for people: late tests and days, and how busy dynos are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from allocations.planning.problem.instance import Problem
from allocations.planning.problem.solution import Solution
from allocations.planning.problem.travel import days_mask


@dataclass(frozen=True)
class Lateness:
    """How many tests are late, and by how many days in all: plain, and weighted by the tests' weights."""

    tests: int
    days: int
    weighted: int


def lateness_of(problem: Problem, solution: Solution) -> Lateness:
    """Return the lateness of the tests that have a place."""
    due = {t.id: (t.due, t.weight) for t in problem.tests}
    late = [(max(0, p.last - due[p.id][0]), due[p.id][1]) for p in solution.placements]
    return Lateness(
        sum(1 for days, _ in late if days), sum(days for days, _ in late), sum(days * weight for days, weight in late)
    )


def shortfall_of(problem: Problem, solution: Solution) -> int:
    """Return the weighted days late, where tests without a place count as if they began right after the horizon."""
    out = set(solution.unplaced)
    over = sum(t.weight * max(0, problem.horizon + t.days - 1 - t.due) for t in problem.tests if t.id in out)
    return lateness_of(problem, solution).weighted + over


@dataclass(frozen=True)
class Use:
    """How many days of a dyno are taken by tests, of the days on which it is open."""

    occupied: int
    open: int

    @property
    def percent(self) -> int:
        return round(100 * self.occupied / self.open) if self.open else 0


def use_of_dynos(
    problem: Problem, solution: Solution, away: Mapping[str, Sequence[tuple[int, int]]]
) -> dict[str, Use]:
    """Return the use of each dyno, by name.

    Parameters
    ----------
    away
        By dyno, (first, last) of the days on which it is not available to anyone.
    """
    closed = sum(1 << day for day in set(problem.closed) if day < problem.horizon)
    whole = (1 << problem.horizon) - 1
    occupied = dict.fromkeys(problem.dynos, 0)
    for o in problem.occupied:
        if o.dyno is not None:
            occupied[o.dyno] |= days_mask(max(0, o.first), min(o.last, problem.horizon - 1))
    for p in solution.placements:
        occupied[p.dyno] |= days_mask(p.first, p.last)
    uses = {}
    for dyno in problem.dynos:
        unavailable = closed
        for first, last in away.get(dyno, ()):
            unavailable |= days_mask(max(0, first), min(last, problem.horizon - 1))
        available = whole & ~unavailable
        uses[dyno] = Use((occupied[dyno] & available).bit_count(), available.bit_count())
    return uses


def together(uses: Mapping[str, Use], dynos: Collection[str]) -> Use:
    """Return the use of some dynos added up; names without a use are left out."""
    chosen = [uses[dyno] for dyno in dynos if dyno in uses]
    return Use(sum(use.occupied for use in chosen), sum(use.open for use in chosen))

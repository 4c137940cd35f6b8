"""What a solution comes to, in figures that people know: late tests and days, and how busy dynos are."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from allocations.planning.problem.instance import Problem
from allocations.planning.problem.solution import Solution
from allocations.planning.problem.travel import days_mask


@dataclass(frozen=True)
class Lateness:
    tests: int
    days: int
    weighted: int


def lateness_of(problem: Problem, solution: Solution) -> Lateness:
    due = {t.id: (t.due, t.weight) for t in problem.tests}
    late = [(max(0, p.last - due[p.id][0]), due[p.id][1]) for p in solution.placements]
    return Lateness(
        sum(1 for days, _ in late if days), sum(days for days, _ in late), sum(days * weight for days, weight in late)
    )


def shortfall_of(problem: Problem, solution: Solution) -> int:
    """Give the weighted days late, a test without a place as late as if it began when the days planned are over."""
    out = set(solution.unplaced)
    over = sum(t.weight * max(0, problem.horizon + t.days - 1 - t.due) for t in problem.tests if t.id in out)
    return lateness_of(problem, solution).weighted + over


@dataclass(frozen=True)
class Use:
    """Days on which a dyno is taken by tests, of the days on which it could be."""

    occupied: int
    open: int

    @property
    def percent(self) -> int:
        return round(100 * self.occupied / self.open) if self.open else 0


def use_of_dynos(
    problem: Problem, solution: Solution, away: Mapping[str, Sequence[tuple[int, int]]]
) -> dict[str, Use]:
    """Give the use of each dyno; `away` are the days on which it is there for nobody, by dyno."""
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
    """Add up the use of some dynos."""
    chosen = [uses[dyno] for dyno in dynos if dyno in uses]
    return Use(sum(use.occupied for use in chosen), sum(use.open for use in chosen))

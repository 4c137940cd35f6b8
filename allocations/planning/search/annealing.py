"""Local search against the clock: quick cooling at first, then one slow one over the time there is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

from allocations.planning.problem.model import Model, Plan
from allocations.planning.search.local_search import LocalSearch
from allocations.planning.search.sequence import Sequence, SequenceSearch

SLICE = 0.05
QUICK = 1.0


def heat_for(model: Model) -> tuple[float, float]:
    """Give the hottest and coldest temperature, from what a usual test costs when it is a few days late."""
    movable = [j for j in range(model.n) if not model.fixed[j]] or [0]
    if not model.n:
        return 1.0, 0.1
    weight = sum(model.weight[j] for j in movable) / len(movable)
    days = sum(model.days[j] for j in movable) / len(movable)
    scale = max(0.5, weight * days)
    return 0.5 * scale, 0.02 * scale


class Annealing:
    """A local search with its own clock; `advance` works for a moment and says whether the best has improved."""

    def __init__(self, model: Model, *, seconds: float, seed: int, plan: Plan | None = None):
        self.search = LocalSearch(model, seed=seed, plan=plan)
        self.hot, self.cold = heat_for(model)
        self.began = time.monotonic()
        self.seconds = seconds
        self.rate = 2000.0
        self._phase(min(QUICK, seconds / 4), 0.6)

    def _phase(self, seconds: float, share: float) -> None:
        self.phase_began = time.monotonic()
        self.phase_seconds = max(0.05, seconds)
        self.phase_hot = self.cold + (self.hot - self.cold) * share

    def adopt(self, plan: Plan) -> None:
        """Go on from a plan found elsewhere, cooler than before: it was hard to come by."""
        if self.search.model.plan_cost(plan) < self.search.best_cost:
            self.search.adopt(plan)
            self._phase(self.seconds_left, 0.12)

    @property
    def seconds_left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def advance(self) -> bool:
        """Search for a moment."""
        now = time.monotonic()
        done = (now - self.phase_began) / self.phase_seconds
        if done >= 1.0:
            # Cooled down: again from the best, over half of what is left, not quite so hot.
            self.search.restart()
            self._phase(max(QUICK, self.seconds_left * 0.98), 1.0 if self.phase_seconds <= QUICK else 0.3)
            done = 0.0
        heat = self.phase_hot * (self.cold / self.phase_hot) ** done
        before = self.search.best_cost
        steps = max(10, int(self.rate * SLICE))
        self.search.run(steps, hot=heat, cold=heat * 0.999)
        spent = time.monotonic() - now
        self.rate = 0.5 * self.rate + 0.5 * steps / max(spent, 1e-4)
        return self.search.best_cost < before


class Shaking:
    """The search for one dyno, behind the same face."""

    def __init__(self, sequence: Sequence, *, seconds: float, seed: int, plan: Plan):
        self.search = SequenceSearch(sequence, seed=seed, plan=plan)
        self.began = time.monotonic()
        self.seconds = seconds

    def adopt(self, plan: Plan) -> None:
        """Go on from a better plan found elsewhere."""
        self.search.adopt(plan)

    @property
    def seconds_left(self) -> float:
        """Seconds that are left."""
        return self.seconds - (time.monotonic() - self.began)

    def advance(self) -> bool:
        """Search for a moment."""
        before, until = self.search.best_cost, time.monotonic() + SLICE
        self.search.step()
        while time.monotonic() < until:
            self.search.step()
        return self.search.best_cost < before


def searching(model: Model, *, seconds: float, seed: int, plan: Plan) -> Annealing | Shaking:
    """Choose the search that suits the problem."""
    sequence = Sequence.of(model)
    if sequence is not None:
        return Shaking(sequence, seconds=seconds, seed=seed, plan=plan)
    return Annealing(model, seconds=seconds, seed=seed, plan=plan)


def anneal(model: Model, *, seconds: float, seed: int, latest: Callable[[], Plan]) -> Iterator[Plan]:
    """Search until the time is out and give each better plan."""
    work = searching(model, seconds=seconds, seed=seed, plan=latest())
    while work.seconds_left > 0:
        if work.advance():
            yield list(work.search.best)
        work.adopt(latest())

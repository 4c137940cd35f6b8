"""Repair after an outage: a short list of plans, from the fewest moves to the least lateness.

The displaced tests have to leave their places. The first option moves no other test, and is as little late as that
allows; each further one moves more of the others and is less late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from allocations.planning.bounds.columns import cheapest, pooled_columns
from allocations.planning.problem.instance import Place, Problem
from allocations.planning.problem.model import Model, Plan
from allocations.planning.problem.solution import Placement, Solution
from allocations.planning.search.annealing import heat_for
from allocations.planning.search.greedy import greedy
from allocations.planning.search.local_search import LocalSearch
from allocations.planning.search.reduced import (
    MIN_SECONDS,
    at_index,
    cheaper_plan,
    days_late,
    exact_plan,
    lateness,
    ready_for,
    reduced_to,
    value_of,
)

SECONDS = 1.6
# What a move costs in each search, as multiples of a usual test's weight; the dearest first.
PRICES = (24, 12, 6, 3)
STEPS = 2_500
STEPS_A_TEST = 50  # of a small problem's search
QUICK_STEPS = 400
SLICE = 250
SEARCH_SHARE = 0.7  # of the time; the rest is for the proof
MAX_OPTIONS = 5


@dataclass(frozen=True)
class Option:
    """One way to repair.

    Attributes
    ----------
    whole
        The problem with the outage; `problem` is the part of it that this option solves.
    displaced, moved
        Ids of the tests that have to leave, and of all tests that change places.
    solution
        Its `objective` and `bound` are weighted days late, without a price for moves.
    late, late_days
        Weighted and plain days late of all tests.
    proven
        Whether it is proven that no plan with as few moves places more tests, or as many with less lateness.
    """

    whole: Problem
    displaced: tuple[str, ...]
    solution: Solution
    moved: tuple[str, ...]
    late: int
    late_days: int
    proven: bool

    @cached_property
    def problem(self) -> Problem:
        """The problem that it solves: all tests are fixed that stay, even if the one before it has no place."""
        loose = {*self.displaced, *self.moved}
        return replace(
            self.whole, tests=tuple(t if t.id in loose else replace(t, fixed=True) for t in self.whole.tests)
        )

    @property
    def unplaced(self) -> tuple[str, ...]:
        """The displaced tests that have no place."""
        return self.solution.unplaced


@dataclass(frozen=True)
class Repair:
    """The options, none of them dominated; the first moves the displaced alone. `problem` is what they all solve."""

    problem: Problem
    displaced: tuple[str, ...]
    options: tuple[Option, ...]
    seconds: float


def displaced_of(problem: Problem) -> tuple[str, ...]:
    """Return the ids of the tests that are on an occupied day of their dyno or vehicle and are not fixed."""
    occupied: set[tuple[str, str, int]] = set()
    for o in problem.occupied:
        kind, name = ("dyno", o.dyno) if o.dyno is not None else ("vehicle", str(o.vehicle))
        occupied |= {(kind, str(name), day) for day in range(max(0, o.first), min(o.last, problem.horizon - 1) + 1)}
    return tuple(
        t.id
        for t in problem.tests
        if t.placed is not None
        and not t.fixed
        and any(
            ("dyno", t.placed[0], day) in occupied or ("vehicle", t.vehicle, day) in occupied
            for day in range(t.placed[1], problem.last_day(t, t.placed[1]) + 1)
        )
    )


def repair(
    problem: Problem,
    displaced: Collection[str] | None = None,
    *,
    others: bool = True,
    seconds: float = SECONDS,
    most: int = MAX_OPTIONS,
    seed: int = 0,
    on_option: Callable[[Option], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
) -> Repair:
    """Search options for tests that have to leave their places.

    The same problem and seed give the same options, unless time runs out first or `should_stop()` turns true.

    Parameters
    ----------
    problem
        The schedule with the outage as occupied days. Tests that may move are placed and not fixed.
    displaced
        Ids of the tests that have to leave; None: those on occupied days (`displaced_of`).
    others
        Whether other tests may move. They do not if the outage then adds no lateness.
    seconds
        How long to search. The first option may take a little longer.
    most
        How many options to return, at most.
    on_option
        Called with the first option as soon as it is known.
    should_stop
        Called often; the search ends soon after it returns true.

    Returns
    -------
    Repair
        Fewest moves first, then less lateness with each option.
    """
    work = _Repair(problem, displaced, seconds, seed, should_stop or (lambda: False))
    first = work.displaced_only()
    if on_option is not None:
        on_option(first)
    if others and work.others and work.costs:
        work.search()
        work.prove_one_more()
    return Repair(work.problem, tuple(work.displaced), tuple(work.options(most)), work.spent)


class _Repair:
    def __init__(
        self,
        problem: Problem,
        displaced: Collection[str] | None,
        seconds: float,
        seed: int,
        should_stop: Callable[[], bool],
    ):
        self.began = time.monotonic()
        self.seconds = seconds
        self.seed = seed
        self.should_stop = should_stop
        displaced_ids = set(displaced_of(problem) if displaced is None else displaced)
        self.problem = ready_for(problem, displaced_ids)
        self.displaced = {t.id: None for t in self.problem.tests if t.id in displaced_ids}
        self.others = [t.id for t in self.problem.tests if not t.fixed and t.id not in self.displaced]
        self.standing = {t.id: t.placed for t in self.problem.tests if t.id not in self.displaced}
        self.base = {t.id: lateness(self.problem, t, t.placed) for t in self.problem.tests}
        self.total = sum(self.base.values())
        # By how many others have moved: the cost of the plan, the places of the tests, whether it is proven.
        self.found: dict[int, tuple[int, dict[str, Place], bool]] = {}

    @property
    def spent(self) -> float:
        return time.monotonic() - self.began

    @property
    def seconds_left(self) -> float:
        return 0.0 if self.should_stop() else self.seconds - self.spent

    @property
    def costs(self) -> bool:
        """Whether moving the displaced alone leaves one without a place, or more lateness than before the outage."""
        return self.found[0][0] > self.total

    def displaced_only(self) -> Option:
        """The least late plan in which no other test moves."""
        model = Model(reduced_to(self.problem, set(self.displaced)))
        search = LocalSearch(model, seed=self.seed, plan=greedy(model))
        hot, cold = heat_for(model)
        search.run(QUICK_STEPS, hot=hot, cold=cold)
        plan, proven = exact_plan(model, search.best, seconds=max(MIN_SECONDS, self.seconds_left))
        last = LocalSearch(model, plan=plan)
        last.polish()
        self._keep(0, self._rest(model) + value_of(model, last.best), self._places(model, last.best), proven)
        return self._option(0)

    def search(self) -> None:
        """Search with all tests free, moves cheaper each time, and keep the best plan for each number of moves."""
        usual = self._usual_weight()
        share = self.seconds_left * SEARCH_SHARE / len(PRICES)
        places = self.found[0][1]
        small = reduced_to(self.problem, {*self.displaced, *self.others})
        for i, price in enumerate(PRICES):
            if self.seconds_left <= 0:
                return
            problem = small.with_weights(move=price * usual, stay=1, finish=0, versatile=0)
            model = Model(problem)
            index = {name: d for d, name in enumerate(problem.dynos)}
            start = [at_index(places.get(t.id), index) for t in problem.tests]
            search = _Watched(model, seed=self.seed + i, plan=start)
            hot, cold = heat_for(model)
            steps = max(SLICE, min(STEPS, STEPS_A_TEST * len(self.others)))
            done, until = 0, time.monotonic() + share
            while done < steps and time.monotonic() < until and not self.should_stop():
                fall = [0.3 * hot * (cold / (0.3 * hot)) ** ((done + part) / steps) for part in (0, SLICE)]
                search.run(SLICE, hot=fall[0], cold=fall[1])
                done += SLICE
            for plan in search.found.values():
                self._take(model, plan)
            search.polish()
            self._take(model, search.best)
            places = self._places(model, search.best)

    def _usual_weight(self) -> int:
        weights = [t.weight for t in self.problem.tests]
        return max(1, sum(weights) // max(1, len(weights)))

    def _take(self, model: Model, plan: Plan) -> None:
        places = self._places(model, plan)
        if all(name in places for name in self.others):
            moved = sum(places[name] != self.standing[name] for name in self.others)
            self._keep(moved, self._rest(model) + value_of(model, plan), places, False)

    def prove_one_more(self) -> None:
        """Free each other test in turn beside the displaced: the best plan that moves one more."""
        value = min(self.found[m][0] for m in (0, 1) if m in self.found)
        bounds = self._bounds_below(value)
        if self.seconds_left <= 0:
            return
        for least, name, model, rest in sorted(bounds, key=lambda b: b[:2]):
            if least >= value:
                break
            plan, ended = cheaper_plan(model, value - rest, seconds=self.seconds_left, keep=name)
            if plan is not None:
                places = self._places(model, plan)
                moved = int(places[name] != self.standing[name])
                value = rest + value_of(model, plan)
                self._keep(moved, value, places, False)
            if not ended or self.seconds_left <= 0:
                return
        if 1 in self.found:
            self.found[1] = (*self.found[1][:2], True)

    def _bounds_below(self, value: int) -> list[tuple[int, str, Model, int]]:
        """Return the other tests with which a plan may cost less: (least cost, test id, model, cost of the rest)."""
        bounds = []
        for name in self.others:
            model = Model(reduced_to(self.problem, {*self.displaced, name}))
            rest = self._rest(model)
            least = rest + int(cheapest(model, pooled_columns(model)).sum())
            if least < value:
                bounds.append((least, name, model, rest))
            if self.seconds_left <= 0:
                break
        return bounds

    def _rest(self, model: Model) -> int:
        """Return what the tests cost that a reduced model leaves out."""
        return self.total - sum(self.base[t.id] for t in model.problem.tests)

    def _places(self, model: Model, plan: Plan) -> dict[str, Place]:
        places = {name: at for name, at in self.standing.items() if at is not None}
        for t, at in zip(model.problem.tests, plan, strict=True):
            if at is None:
                places.pop(t.id, None)
            else:
                places[t.id] = Place(model.problem.dynos[at[0]], at[1])
        return places

    def _keep(self, moved: int, value: int, places: dict[str, Place], proven: bool) -> None:
        if moved not in self.found or value < self.found[moved][0]:
            self.found[moved] = (value, places, proven)

    def options(self, most: int) -> list[Option]:
        """The options that no other dominates; if there are too many, those between which the steps are widest."""
        front: list[int] = []
        for moved in sorted(self.found):
            if not front or self.found[moved][0] < self.found[front[-1]][0]:
                front.append(moved)
        while len(front) > max(2, most):
            middle = range(1, len(front) - 1)
            worth = [
                (self.found[front[i - 1]][0] - self.found[front[i]][0]) * (front[i + 1] - front[i]) for i in middle
            ]
            front.pop(1 + worth.index(min(worth)))
        return [self._option(moved) for moved in front[: max(1, most)]]

    def _option(self, moved: int) -> Option:
        _, places, proven = self.found[moved]
        tests = [(t, places.get(t.id)) for t in self.problem.tests]
        moved_ids = tuple(t.id for t, at in tests if at is not None and at != t.placed)
        late = sum(lateness(self.problem, t, at) for t, at in tests)
        status, bound = ("optimal", late) if proven else ("feasible", 0)
        solution = Solution(
            status=status,
            objective=late,
            bound=bound,
            moved=len(moved_ids),
            seconds=self.spent,
            placements=self._placements(places),
            unplaced=tuple(t.id for t, at in tests if at is None),
        )
        days = sum(days_late(self.problem, t, at) for t, at in tests)
        return Option(self.problem, tuple(self.displaced), solution, moved_ids, late, days, proven)

    def _placements(self, places: dict[str, Place]) -> tuple[Placement, ...]:
        return tuple(
            Placement(t.id, at.dyno, at.first, self.problem.last_day(t, at.first))
            for t in self.problem.tests
            if (at := places.get(t.id))
        )


class _Watched(LocalSearch):
    """A search that remembers the best plan for each number of moves that it passes."""

    def __init__(self, model: Model, **options: Any):
        super().__init__(model, **options)
        self.found: dict[int, Plan] = {}
        self.least: dict[int, int] = {}

    def _step(self, heat: float) -> None:
        before = self.cost
        super()._step(heat)
        # The ties count the moves and nothing else here.
        if self.cost != before:
            moves = self.cost % self.model.level
            if self.cost < self.least.get(moves, 1 << 200):
                self.least[moves] = self.cost
                self.found[moves] = list(self.state.at)

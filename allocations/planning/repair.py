"""Repair after an outage: a short list of plans, from the fewest moves to the least lateness.

The displaced tests have to leave their places. The first option moves nobody else, and is as little late as that
allows; each further one moves more of the others and is less late.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from functools import cached_property

from .annealing import heat_for
from .columns import UNPLACED, cheapest, placed_columns, pooled_columns, prune, rows_for
from .greedy import greedy
from .linear import solve_exactly
from .local_search import LocalSearch
from .model import Model
from .problem import Occupied, Problem, ProblemError, Test
from .solution import Solution
from .state import Plan

PRICES = (24, 12, 6, 3)
"""What a move costs in each search, as multiples of a usual test's weight; the dearest first."""
STEPS = 2_500
STEPS_A_TEST = 50
"""Of a small problem's search."""
QUICK_STEPS = 400
SLICE = 250
SEARCH_SHARE = 0.7
"""Of the time; the rest is for the proof."""
MOST = 5
LEAST_SECONDS = 0.05


@dataclass(frozen=True)
class Option:
    """One way to repair.

    `late` is the weighted and `late_days` the plain tardiness of all tests. `proven`: no plan with as few moves
    places more tests, or as many with less lateness. The bound of its solution is meant in the same way.
    """

    solution: Solution
    moved: tuple[str, ...]
    late: int
    late_days: int
    proven: bool

    @property
    def unplaced(self) -> tuple[str, ...]:
        """The displaced tests that find no place."""
        return self.solution.unplaced


@dataclass(frozen=True)
class Repair:
    """The options, none of them dominated; the first moves the displaced alone. `problem` is what they solve."""

    problem: Problem
    displaced: tuple[str, ...]
    options: tuple[Option, ...]
    seconds: float


def displaced_of(problem: Problem) -> tuple[str, ...]:
    """Name the tests that stand on an occupied day of their dyno or vehicle and may be moved."""
    taken: set[tuple[str, str, int]] = set()
    for o in problem.occupied:
        kind, name = ("dyno", o.dyno) if o.dyno is not None else ("vehicle", str(o.vehicle))
        taken |= {(kind, str(name), day) for day in range(o.first, o.last + 1)}
    return tuple(
        t.id
        for t in problem.tests
        if t.placed is not None
        and not t.fixed
        and any(
            ("dyno", t.placed[0], day) in taken or ("vehicle", t.vehicle, day) in taken
            for day in range(t.placed[1], t.placed[1] + t.days)
        )
    )


def repair(
    problem: Problem,
    displaced: Collection[str] | None = None,
    *,
    others: bool = True,
    seconds: float = 1.8,
    most: int = MOST,
    seed: int = 0,
    on_option: Callable[[Option], None] | None = None,
) -> Repair:
    """Give at most `most` options for the `displaced` (those on occupied days without it).

    With `others` false, or where the outage then adds no lateness, only the displaced move. The first option goes to
    `on_option` as soon as it is known. The same problem and seed give the same options, unless the time runs out
    first.
    """
    work = _Repair(problem, displaced, seconds, seed)
    first = work.displaced_only()
    if on_option is not None:
        on_option(first)
    if others and work.others and work.costs:
        work.search()
        work.prove_one_more()
    return Repair(work.problem, tuple(work.displaced), tuple(work.options(most)), work.spent)


class _Repair:
    def __init__(self, problem: Problem, displaced: Collection[str] | None, seconds: float, seed: int):
        self.began = time.monotonic()
        self.seconds = seconds
        self.seed = seed
        wanted = set(displaced_of(problem) if displaced is None else displaced)
        self.problem = _ready(problem, wanted)
        self.displaced = {t.id: None for t in self.problem.tests if t.id in wanted}
        self.others = [t.id for t in self.problem.tests if not t.fixed and t.id not in self.displaced]
        self.standing = {t.id: t.placed for t in self.problem.tests if t.id not in self.displaced}
        self.weight = {t.id: t.weight for t in self.problem.tests}
        # By how many others have moved: what the plan costs, the places of the tests, whether that is proven.
        self.found: dict[int, tuple[int, dict[str, tuple[str, int]], bool]] = {}

    @cached_property
    def whole(self) -> Model:
        return Model(self.problem)

    @property
    def spent(self) -> float:
        return time.monotonic() - self.began

    @property
    def left(self) -> float:
        return self.seconds - self.spent

    @property
    def costs(self) -> bool:
        """Whether moving the displaced alone leaves one without a place, or more lateness than before the outage."""
        return self.found[0][0] > sum(_late(t, t.placed) for t in self.problem.tests)

    def displaced_only(self) -> Option:
        """The least late plan in which nobody else moves."""
        model = Model(_reduced(self.problem, set(self.displaced)))
        search = LocalSearch(model, seed=self.seed, plan=greedy(model))
        hot, cold = heat_for(model)
        search.run(QUICK_STEPS, hot=hot, cold=cold)
        plan, proven = _exactly(model, search.best, seconds=max(LEAST_SECONDS, self.left))
        last = LocalSearch(model, plan=plan)
        last.polish()
        self._keep(0, self._rest(model) + _value(model, last.best), self._places(model, last.best), proven)
        return self._option(0)

    def search(self) -> None:
        """Search with all of them free, moves ever cheaper, and keep the best for each number of moves."""
        usual = max(1, sum(self.weight.values()) // max(1, len(self.weight)))
        share = self.left * SEARCH_SHARE / len(PRICES)
        places = self.found[0][1]
        small = _reduced(self.problem, {*self.displaced, *self.others})
        for i, price in enumerate(PRICES):
            problem = small.with_weights(move=price * usual, stay=1, finish=0, versatile=0)
            model = Model(problem)
            index = {name: d for d, name in enumerate(problem.dynos)}
            start = [_at(places.get(t.id), index) for t in problem.tests]
            search = _Watched(model, seed=self.seed + i, plan=start)
            hot, cold = heat_for(model)
            steps = max(SLICE, min(STEPS, STEPS_A_TEST * len(self.others)))
            done, until = 0, time.monotonic() + share
            while done < steps and time.monotonic() < until:
                fall = [0.3 * hot * (cold / (0.3 * hot)) ** ((done + part) / steps) for part in (0, SLICE)]
                search.run(SLICE, hot=fall[0], cold=fall[1])
                done += SLICE
            for plan in search.found.values():
                self._take(model, plan)
            search.polish()
            self._take(model, search.best)
            places = self._places(model, search.best)

    def _take(self, model: Model, plan: Plan) -> None:
        places = self._places(model, plan)
        if all(name in places for name in self.others):
            moved = sum(places[name] != self.standing[name] for name in self.others)
            self._keep(moved, self._rest(model) + _value(model, plan), places, False)

    def prove_one_more(self) -> None:
        """Free each other test in turn beside the displaced: the best plan that moves one more."""
        value = min(self.found[m][0] for m in (0, 1) if m in self.found)
        bounds = []
        for name in self.others:
            model = Model(_reduced(self.problem, {*self.displaced, name}))
            pooled = pooled_columns(model)
            rest = self._rest(model)
            least = rest + int(cheapest(model, pooled).sum())
            if least < value:
                bounds.append((least, name, model, rest))
            if self.left <= 0:
                return
        for least, name, model, rest in sorted(bounds, key=lambda b: b[:2]):
            if least >= value:
                break
            plan, ended = _better(model, value - rest, seconds=self.left, keep=name)
            if plan is not None:
                places = self._places(model, plan)
                moved = int(places[name] != self.standing[name])
                value = rest + _value(model, plan)
                self._keep(moved, value, places, False)
            if not ended or self.left <= 0:
                return
        if 1 in self.found:
            self.found[1] = (*self.found[1][:2], True)

    def _rest(self, model: Model) -> int:
        """What the tests cost that a reduced model leaves out."""
        inside = {t.id for t in model.problem.tests}
        return sum(_late(t, t.placed) for t in self.problem.tests if t.id not in inside)

    def _places(self, model: Model, plan: Plan) -> dict[str, tuple[str, int]]:
        places = {name: at for name, at in self.standing.items() if at is not None}
        for t, at in zip(model.problem.tests, plan, strict=True):
            if at is None:
                places.pop(t.id, None)
            else:
                places[t.id] = (model.problem.dynos[at[0]], at[1])
        return places

    def _keep(self, moved: int, value: int, places: dict[str, tuple[str, int]], proven: bool) -> None:
        if moved not in self.found or value < self.found[moved][0]:
            self.found[moved] = (value, places, proven)

    def options(self, most: int) -> list[Option]:
        """The found ones that no other dominates; of too many, those between which the steps are widest."""
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
        model = self.whole
        index = {name: d for d, name in enumerate(self.problem.dynos)}
        plan = [_at(places.get(t.id), index) for t in self.problem.tests]
        value = model.plan_cost(plan) // model.level
        solution = model.solution(plan, bound=value if proven else 0, seconds=self.spent)
        tests = [(t, places.get(t.id)) for t in self.problem.tests]
        return Option(
            solution,
            tuple(t.id for t, at in tests if at is not None and at != t.placed),
            sum(_late(t, at) for t, at in tests if at is not None),
            sum(max(0, at[1] + t.days - 1 - t.due) for t, at in tests if at is not None),
            proven,
        )


class _Watched(LocalSearch):
    """A search that remembers the best plan for each number of moves that it passes."""

    def __init__(self, model: Model, **options):
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


def _at(place: tuple[str, int] | None, index: dict[str, int]) -> tuple[int, int] | None:
    return None if place is None else (index[place[0]], place[1])


def _late(test: Test, place: tuple[str, int] | None) -> int:
    return 0 if place is None else test.weight * max(0, place[1] + test.days - 1 - test.due)


def _value(model: Model, plan: Plan) -> int:
    """Tardiness and the price of what is unplaced, without what moves cost."""
    value = 0
    for t, j in zip(model.problem.tests, range(model.n), strict=True):
        at = plan[j]
        value += model.unplaced_price if at is None else _late(t, ("", at[1]))
    return value


def _ready(problem: Problem, displaced: set[str]) -> Problem:
    """The problem with a price for what is unplaced that holds for every part of it, and with those fixed that stand
    where they might not be put."""
    names = {t.id: t for t in problem.tests}
    for name in displaced:
        if name not in names or names[name].fixed:
            raise ProblemError("displaced", f"{name!r} is not among the tests that may move")
    tests = []
    for i, t in enumerate(problem.tests):
        if t.placed is None:
            raise ProblemError(f"tests[{i}].placed", "is missing: a repair is of tests that stand somewhere")
        before = names.get(t.after or "")
        order = (
            before is None
            or before.id in displaced
            or (before.placed is not None and t.placed[1] >= before.placed[1] + before.days + t.gap)
        )
        legal = t.placed[0] in t.dynos and t.earliest <= t.placed[1] <= problem.horizon - t.days and order
        tests.append(t if t.fixed or t.id in displaced or legal else replace(t, fixed=True))
    worst = sum(t.weight * max(0, problem.horizon - 1 - t.due) for t in tests)
    ready = replace(problem, tests=tuple(tests)).with_weights(move=0, unplaced=worst + 1)
    standing = replace(ready, tests=tuple(replace(t, fixed=True, after=None) for t in tests if t.id not in displaced))
    Problem.from_json(standing.to_json())  # raises where two of those that stay are in each other's way
    return ready


def _reduced(problem: Problem, free: set[str]) -> Problem:
    """The problem of the free tests alone; of the others only those stay in it that share a vehicle or an order."""
    tests = {t.id: t for t in problem.tests}
    seats = {tests[name].vehicle for name in free}
    near = {t.after for t in problem.tests if t.id in free} | {t.id for t in problem.tests if t.after in free}
    kept, taken = [], list(problem.occupied)
    inside = {t.id for t in problem.tests if t.id in free or t.vehicle in seats or t.id in near}
    for t in problem.tests:
        if t.id in inside:
            after = t.after if t.after in inside else None
            kept.append(replace(t, fixed=t.id not in free, after=after, gap=t.gap if after else 0))
        else:
            taken.append(Occupied(t.placed[1], t.placed[1] + t.days - 1, dyno=t.placed[0]))
    return replace(problem, tests=tuple(kept), occupied=tuple(taken))


def _better(model: Model, below: int, *, seconds: float, keep: str = "") -> tuple[Plan | None, bool]:
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
    plan = outcome.plan if outcome.plan is not None and _value(model, outcome.plan) < below else None
    return plan, outcome.ended


def _exactly(model: Model, plan: Plan, *, seconds: float) -> tuple[Plan, bool]:
    better, ended = _better(model, _value(model, plan), seconds=seconds)
    return (plan if better is None else better), ended

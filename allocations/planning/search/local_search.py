"""Ruin and recreate: take a handful of neighbouring tests out, put them back in another order, keep what is no worse
than a falling temperature allows."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

from allocations.planning.problem.model import Model, Plan
from allocations.planning.problem.state import State
from allocations.planning.search.greedy import greedy, in_order


class LocalSearch:
    """An anytime search from one plan; the same seed and number of steps give the same plan."""

    def __init__(self, model: Model, *, seed: int = 0, plan: Plan | None = None):
        self.model = model
        self.random = random.Random(seed)  # noqa: S311
        start = plan if plan is not None else greedy(model)
        self.state = State(model, start)
        self.cost = model.plan_cost(self.state.at)
        self.best = list(self.state.at)
        self.best_cost = self.cost
        self.steps = 0
        self.movable = [j for j in range(model.n) if not model.fixed[j]]
        self.vehicle_tests: dict[int, list[int]] = {}
        for j in self.movable:
            self.vehicle_tests.setdefault(model.vehicle[j], []).append(j)
        self.late: list[int] = []
        self.shuffled = {d: list(d) for d in set(model.dynos)}
        self.keys = self._orders()

    def adopt(self, plan: Plan) -> None:
        """Go on from a better plan that another search has found."""
        cost = self.model.plan_cost(plan)
        if cost < self.best_cost:
            self.state = State(self.model, plan)
            self.cost = self.best_cost = cost
            self.best = list(self.state.at)

    def restart(self) -> None:
        """Go back to the best plan."""
        self.state = State(self.model, self.best)
        self.cost = self.best_cost

    def polish(self) -> None:
        """Settle the ties: move single tests of the best plan as long as that is cheaper."""
        self.restart()
        model, state = self.model, self.state
        for _ in range(3):
            before = self.cost
            for j in sorted(self.movable, key=lambda j: (model.horizon if (at := state.at[j]) is None else at[1], j)):
                where = state.at[j]
                if where is None or any(state.at[k] is None for k in model.next[j]):
                    continue
                state.take(j)
                place = state.best(j, model.dynos[j])
                if place is None or model.place_cost(j, *place) >= model.place_cost(j, *where):
                    place = where
                self.cost += model.place_cost(j, *place) - model.place_cost(j, *where)
                state.put(j, *place)
            if self.cost == before:
                break
        self.best, self.best_cost = list(state.at), self.cost

    def _orders(self) -> list[Callable[[int], float]]:
        model, uniform = self.model, self.random.random
        due, weight, days, earliest = model.due, model.weight, model.days, model.earliest
        spread = max(1.0, sum(days) / max(1, len(days)))

        return [
            lambda j: uniform(),
            lambda j: uniform(),
            lambda j: due[j] + 2 * spread * uniform(),
            lambda j: due[j] - days[j] + 2 * spread * uniform(),
            lambda j: -weight[j] / days[j] * (0.5 + uniform()),
            lambda j: -weight[j] * (0.5 + uniform()),
            lambda j: earliest[j] + 2 * spread * uniform(),
            lambda j: -days[j] * (0.5 + uniform()),
        ]

    def run(self, steps: int, *, hot: float, cold: float) -> None:
        """Do some steps while the temperature falls from `hot` to `cold` (in units of the objective)."""
        if not self.movable:
            return
        ratio = math.log(cold / hot) / max(1, steps)
        self._find_late()
        for i in range(steps):
            self._step(hot * math.exp(ratio * i) * self.model.level)
            if i % 64 == 63:
                self._find_late()
        self.steps += steps

    def _find_late(self) -> None:
        model, at = self.model, self.state.at
        level = model.level
        self.late = [j for j in self.movable if (place := at[j]) is None or model.place_cost(j, *place) >= level]

    def _choose(self) -> set[int]:
        """Choose the tests to take out: those in a window of days on a few dynos around a (mostly late) test."""
        model, at, rnd = self.model, self.state.at, self.random.random
        pool = self.late if self.late and rnd() < 0.65 else self.movable
        j = pool[int(rnd() * len(pool))]
        out = {j}
        earliest = model.earliest[j]
        where = at[j]
        until = model.horizon if where is None else where[1]
        first = earliest + int(rnd() * (until - earliest + 1)) if until > earliest else until
        span = 1 + int(rnd() * self.span)
        dynos = model.dynos[j]
        limit = 2 + int(rnd() * 14)
        count = min(len(dynos), 1 + int(rnd() * 6))
        chosen = [dynos[int(rnd() * len(dynos))] for _ in range(count)]
        if where is not None and rnd() < 0.5:
            chosen[0] = where[0]
        begin = max(0, first - int(rnd() * 3))
        self._add_neighbours(out, chosen, begin, first + span, limit)
        if rnd() < 0.3:
            out.update(self.vehicle_tests[model.vehicle[j]])
        return out

    def _add_neighbours(self, tests: set[int], dynos: list[int], begin: int, end: int, limit: int) -> None:
        """Add what stands on the dynos from one day to before another, until there are more tests than the limit."""
        holder = self.state.holder
        for dyno in dynos:
            for k in holder[dyno][begin:end]:
                if k >= 0:
                    tests.add(k)
            if len(tests) > limit:
                break

    def _add_followers(self, tests: set[int]) -> None:
        """Add the tests that come after one of these, directly or not."""
        model = self.model
        if not any(model.next[j] for j in tests):
            return
        todo = list(tests)
        while todo:
            for k in model.next[todo.pop()]:
                if k not in tests and not model.fixed[k]:
                    tests.add(k)
                    todo.append(k)

    def _step(self, heat: float) -> None:
        model, state, rnd = self.model, self.state, self.random.random
        out = self._choose()
        self._add_followers(out)
        tests = list(out)
        places = [state.at[j] for j in tests]
        before = self._ruin(tests)
        order = sorted(tests, key=self.keys[int(rnd() * len(self.keys))])
        if any(model.before[j] >= 0 for j in tests):
            order = in_order(model, order)
        limit = before - heat * math.log(1.0 - rnd())
        after = self._recreate(order, limit)
        if after > limit:
            self._restore(tests, places)
            return
        self.cost += after - before
        if self.cost < self.best_cost:
            self.best_cost = self.cost
            self.best = list(state.at)

    def _ruin(self, tests: list[int]) -> int:
        """Take the tests out of the plan, and give what they cost in it."""
        model, state = self.model, self.state
        cost = 0
        for j in tests:
            place = state.at[j]
            if place is None:
                cost += model.unplaced_cost
            else:
                cost += model.place_cost(j, *place)
                state.take(j)
        return cost

    def _recreate(self, order: list[int], limit: float) -> int:
        """Place the tests one after another until they cost more than the limit, and give what they cost."""
        model, state, rnd = self.model, self.state, self.random.random
        cost = 0
        for j in order:
            dynos: tuple[int, ...] | list[int] = model.dynos[j]
            if rnd() < 0.7:
                dynos = self.shuffled[model.dynos[j]]
                turn = int(rnd() * len(dynos))
                dynos = dynos[turn:] + dynos[:turn]
            place = state.best(j, dynos)
            if place is None:
                cost += model.unplaced_cost
            else:
                state.put(j, *place)
                cost += model.place_cost(j, *place)
            if cost > limit:
                break
        return cost

    def _restore(self, tests: list[int], places: Plan) -> None:
        """Put the tests back to where they stood."""
        state = self.state
        for j in tests:
            if state.at[j] is not None:
                state.take(j)
        for j, place in zip(tests, places, strict=True):
            if place is not None:
                state.put(j, *place)

    @property
    def span(self) -> int:
        """How many days a window spans at most."""
        return 12

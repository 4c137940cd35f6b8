"""Large neighbourhoods: free a few dozen tests, keep the rest, and solve what is left exactly."""

from __future__ import annotations

import random

import numpy as np

from allocations.planning.bounds.columns import UNPLACED, Columns, prune, rows_for
from allocations.planning.bounds.linear import solve_exactly
from allocations.planning.problem.model import Model, Plan


class Neighbourhoods:
    """Improves a plan over the columns that a relaxation left as promising."""

    def __init__(self, model: Model, columns: Columns, *, seed: int, size: int = 40):
        self.model = model
        self.columns = columns
        self.random = random.Random(seed)  # noqa: S311
        self.size = size
        self.vehicle = np.array(model.vehicle)
        self.movable = [j for j in range(model.n) if not model.fixed[j]]

    def choose(self, plan: Plan) -> set[int]:
        """Choose which tests to free: around a (mostly late) test, by days or by dynos."""
        model, rnd = self.model, self.random
        j = rnd.choice(self._mostly_late(plan))
        stands = plan[j]
        middle = model.earliest[j] if stands is None else rnd.randint(min(model.earliest[j], stands[1]), stands[1])
        mine = set(model.dynos[j])
        near = {k: at for k in self.movable if (at := plan[k]) is not None and at[0] in mine}
        if rnd.random() < 0.5:
            nearest = sorted(near, key=lambda k: abs(near[k][1] + model.days[k] / 2 - middle) + 2 * rnd.random())
        else:
            dynos = list(mine)
            rnd.shuffle(dynos)
            nearest = sorted(near, key=lambda k: (dynos.index(near[k][0]), near[k][1]))
        chosen = {j, *nearest[: self.size]}
        for k in list(chosen):
            chosen.update(i for i in model.next[k] if not model.fixed[i])
        self._add_of_some_vehicles(chosen)
        return chosen

    def _mostly_late(self, plan: Plan) -> list[int]:
        """Give the tests that are late or without a place most of the time, else all that may move."""
        model = self.model
        late = [j for j in self.movable if (at := plan[j]) is None or model.place_cost(j, *at) >= model.level]
        return late if late and self.random.random() < 0.8 else self.movable

    def _add_of_some_vehicles(self, tests: set[int]) -> None:
        """Add all tests of the vehicles of a few of these."""
        vehicle = self.model.vehicle
        seats = {vehicle[k] for k in self.random.sample(sorted(tests), min(len(tests), 6))}
        tests.update(k for k in self.movable if vehicle[k] in seats)

    def around(self, plan: Plan, free: set[int]) -> Columns:
        """Give the columns of the freed tests that fit beside the others, and the others where they stand."""
        model, columns = self.model, self.columns
        horizon = model.horizon
        busy_dyno = np.zeros((len(model.free_dyno), horizon + 1), dtype=np.int32)
        busy_vehicle = np.zeros((model.vehicles, horizon + 1), dtype=np.int32)
        stay: list[tuple[int, int, int, int]] = []
        for j, at in enumerate(plan):
            if at is None:
                stay.append((j, -1, UNPLACED, model.unplaced_price))
                continue
            stay.append((j, at[0], at[1], model.place_cost(j, *at) // model.level))
            if j not in free and not model.fixed[j]:
                end = model.ends[j][at[1]] + 1
                busy_dyno[at[0], at[1] + 1 : end + 1] = 1
                busy_vehicle[model.vehicle[j], at[1] + 1 : end + 1] = 1
        busy_dyno, busy_vehicle = busy_dyno.cumsum(axis=1), busy_vehicle.cumsum(axis=1)
        freed = np.zeros(model.n, dtype=bool)
        freed[list(free)] = True
        mine = columns.keep(freed[columns.test] & (columns.first != UNPLACED))
        ends = model.last_days(mine.test, mine.first) + 1
        seat = self.vehicle[mine.test]
        fits = busy_dyno[mine.dyno, ends] == busy_dyno[mine.dyno, mine.first]
        fits &= busy_vehicle[seat, ends] == busy_vehicle[seat, mine.first]
        mine = mine.keep(fits)
        own = np.array(stay, dtype=np.int64)
        joined = np.concatenate([np.stack([mine.test, mine.dyno, mine.first, mine.cost], axis=1), own])
        joined = np.unique(joined, axis=0)
        return Columns(joined[:, 0], joined[:, 1], joined[:, 2], joined[:, 3])

    def step(self, plan: Plan, *, seconds: float) -> Plan | None:
        """Try one neighbourhood; a better plan, or None."""
        model = self.model
        cost = model.plan_cost(plan) // model.level
        columns = prune(model, self.around(plan, self.choose(plan)), cost)
        if len(np.unique(columns.test)) < model.n:
            return None
        outcome = solve_exactly(model, columns, rows_for(model, columns), seconds=seconds)
        if outcome.ended:
            self.size = min(self.size + 1, len(self.movable))
        else:
            self.size = max(10, self.size * 4 // 5)
        if outcome.plan is None or model.plan_cost(outcome.plan) // model.level >= cost:
            return None
        return outcome.plan

"""The problem prepared for search: numbers for names, days as the bits of an integer, one integer for the cost of a
place.

A cost holds the whole objective, with what breaks ties in its low digits: ((tardiness + moves * price + unplaced *
price) * level + ties).
"""

from __future__ import annotations

import math
from functools import cached_property

import numpy as np

from allocations.planning.problem.instance import Problem, reach
from allocations.planning.problem.solution import Placement, Solution
from allocations.planning.problem.stretch import Broken, Stretch
from allocations.planning.problem.travel import Sites, days_mask

MAX_EXACT = 1 << 50
Plan = list[tuple[int, int] | None]
"""For each test its dyno and first day, or None."""


def bits(mask: int) -> list[int]:
    """Return the positions of the bits that are set, lowest first."""
    positions = []
    while mask:
        low = mask & -mask
        positions.append(low.bit_length() - 1)
        mask ^= low
    return positions


class Model:
    """A problem by index; nothing in it changes during a search.

    Tests are numbered 0 to n - 1 as j, dynos as in `Problem.dynos`.

    Attributes
    ----------
    ends
        By test, its last day for each first day.
    window
        By test, the days on which it may begin, as bits.
    before, next
        By test, the one that it comes after or -1, and those that come after it.
    free_dyno, free_vehicle
        Days that are free before anything is planned, as bits: by dyno, and by `seat`.
    cost
        By test, the cost of each first day, without what the dyno adds.
    level
        Costs divided by it are in units of the objective.
    unplaced_price
        The price of a test without a place, in units of the objective.
    grain
        Every objective is a multiple of it.
    """

    def __init__(self, problem: Problem):
        self.problem = problem
        self.horizon = reach(problem)
        self.n = len(problem.tests)
        tests = problem.tests
        dyno_index = {name: i for i, name in enumerate(problem.dynos)}
        self.days = [t.days for t in tests]
        self.earliest = [max(0, t.earliest) for t in tests]
        self.due = [t.due for t in tests]
        self.weight = [t.weight for t in tests]
        self.fixed = [t.fixed for t in tests]
        self._set_placed(dyno_index)
        self._set_stretches()
        self._set_order()
        vehicles = self._set_vehicles()

        self.sites = Sites(problem)
        self._set_free(dyno_index, vehicles)
        self._set_dynos(dyno_index)
        self._set_windows()
        self._set_costs()

    def _set_placed(self, dyno_index: dict[str, int]) -> None:
        """Set the places that tests have now, and those of the fixed tests."""
        places = [
            None if t.placed is None else (dyno_index[t.placed.dyno], t.placed.first) for t in self.problem.tests
        ]
        self.placed: Plan = places
        self.fixed_at = {j: place for j, place in enumerate(places) if place is not None and self.fixed[j]}

    def _set_order(self) -> None:
        """Set for each test the one that it comes after, and those that come after it."""
        tests = self.problem.tests
        index = {t.id: j for j, t in enumerate(tests)}
        self.before = [-1 if t.after is None else index[t.after] for t in tests]
        self.gap = [t.gap for t in tests]
        self.next: list[list[int]] = [[] for _ in tests]
        for j, b in enumerate(self.before):
            if b >= 0:
                self.next[b].append(j)

    def _set_vehicles(self) -> dict[str, int]:
        """Number the vehicles by name, and give each its tests that are not fixed."""
        vehicles: dict[str, int] = {}
        self.vehicle = [vehicles.setdefault(t.vehicle, len(vehicles)) for t in self.problem.tests]
        self.loose_of: list[list[int]] = [[] for _ in vehicles]
        for j, v in enumerate(self.vehicle):
            if not self.fixed[j]:
                self.loose_of[v].append(j)
        return vehicles

    def _set_stretches(self) -> None:
        """Set the days that each test takes, by the first one; tests of the same length share them."""
        closed = frozenset(day for day in self.problem.closed if day < self.horizon)
        by_kind: dict[tuple[int, bool], Stretch] = {}
        for t in self.problem.tests:
            key = (t.days, t.pauses and bool(closed))
            if key not in by_kind:
                by_kind[key] = (
                    Broken(t.days, self.horizon, closed=closed, pauses=t.pauses)
                    if closed
                    else Stretch(t.days, self.horizon)
                )
        self.stretches = list(by_kind.values())
        self.stretch = [by_kind[t.days, t.pauses and bool(closed)] for t in self.problem.tests]
        self.ends = [stretch.ends for stretch in self.stretch]
        self.plain = not closed

    def _set_free(self, dyno_index: dict[str, int], vehicles: dict[str, int]) -> None:
        """Set the days that are free before anything is planned, as bits: by dyno, and by vehicle and site."""
        whole = (1 << self.horizon) - 1
        self.free_dyno = [whole] * len(self.problem.dynos)
        self.free_vehicle = [whole] * len(vehicles) * self.sites.count
        self.vehicles = len(vehicles)
        for o in self.problem.occupied:
            first, last = max(0, o.first), min(self.horizon - 1, o.last)
            if o.dyno is not None:
                self.free_dyno[dyno_index[o.dyno]] &= ~days_mask(first, last)
            elif o.vehicle in vehicles and o.facility is not None:
                self.leave(self.free_vehicle, vehicles[o.vehicle], self.sites.named(o.facility), o.first, o.last)
            elif o.vehicle in vehicles:
                for site in range(self.sites.count):
                    self.free_vehicle[vehicles[o.vehicle] * self.sites.count + site] &= ~days_mask(first, last)
        for j, (dyno, first) in self.fixed_at.items():
            self.free_dyno[dyno] &= ~days_mask(first, self.ends[j][first])
            site = self.sites.of_dyno[dyno]
            self.leave(self.free_vehicle, self.vehicle[j], site, first, self.ends[j][first])

    def leave(self, free_vehicle: list[int], vehicle: int, site: int, first: int, last: int) -> None:
        """Take the days of a stay, and of the travel around it, out of a vehicle's free days."""
        at = vehicle * self.sites.count
        for other, shadow in enumerate(self.sites.shadow(site, first, last)):
            free_vehicle[at + other] &= ~shadow

    def seat(self, j: int, dyno: int) -> int:
        """Return the index in `free_vehicle` of a test's vehicle at the site of a dyno."""
        return self.vehicle[j] * self.sites.count + self.sites.of_dyno[dyno]

    def last_days(self, test: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Return the last days of many tests by their first days, as arrays of one length."""
        last: np.ndarray = (
            first + self._day_counts[test] - 1 if self.plain else self._end_table[self._kinds[test], first]
        )
        return last

    @cached_property
    def _day_counts(self) -> np.ndarray:
        return np.array(self.days, dtype=np.int64)

    @cached_property
    def _kinds(self) -> np.ndarray:
        index = {id(stretch): i for i, stretch in enumerate(self.stretches)}
        return np.array([index[id(stretch)] for stretch in self.stretch], dtype=np.int64)

    @cached_property
    def _end_table(self) -> np.ndarray:
        return np.array([list(stretch.ends) for stretch in self.stretches], dtype=np.int64)

    def _set_dynos(self, dyno_index: dict[str, int]) -> None:
        demand = [0] * len(self.problem.dynos)
        for t in self.problem.tests:
            for name in t.dynos:
                demand[dyno_index[name]] += 1
        # The more tests could run on a dyno, the more versatile it is.
        ranks = {count: rank for rank, count in enumerate(sorted(set(demand)))}
        self.versatility = [ranks[count] for count in demand]
        self.dynos = [
            tuple(sorted((dyno_index[name] for name in t.dynos), key=lambda d: (self.versatility[d], d)))
            for t in self.problem.tests
        ]

    def _set_windows(self) -> None:
        """Set the days on which each test may begin, as bits: by itself, and then narrowed by the order of tests."""
        free: dict[tuple[tuple[int, ...], Stretch], int] = {}
        self.window = [
            1 << self.fixed_at[j][1] if self.fixed[j] else self._own_window(j, free) for j in range(self.n)
        ]
        self._narrow_windows()

    def _narrow_windows(self) -> None:
        """Take out the days that leave no room for the tests before or after."""
        self.order = self._topological()
        for j in self.order:
            b = self.before[j]
            if b >= 0 and not self.fixed[j] and self.window[b]:
                first = self.ends[b][(self.window[b] & -self.window[b]).bit_length() - 1] + 1 + self.gap[j]
                self.window[j] = self.window[j] >> first << first
        for j in reversed(self.order):
            if self.fixed[j] and self.before[j] >= 0 and not self.fixed[self.before[j]]:
                b = self.before[j]
                self.window[b] &= (1 << self.stretch[b].ended_by(self.fixed_at[j][1] - self.gap[j] - 1)) - 1

    def _own_window(self, j: int, free: dict[tuple[tuple[int, ...], Stretch], int]) -> int:
        """Return the days on which a test has a dyno and its vehicle free, as bits; `free` caches those of the
        dynos.
        """
        stretch = self.stretch[j]
        mask = 0
        for dynos in self._by_site(self.dynos[j]):
            key = dynos, stretch
            if key not in free:
                free[key] = 0
                for dyno in dynos:
                    free[key] |= stretch.starts(self.free_dyno[dyno])
            mask |= free[key] & stretch.starts(self.free_vehicle[self.seat(j, dynos[0])])
        return mask & (1 << self.horizon) - 1 >> self.earliest[j] << self.earliest[j]

    def _by_site(self, dynos: tuple[int, ...]) -> list[tuple[int, ...]]:
        """Return the dynos in groups by site."""
        if self.sites.count == 1:
            return [dynos] if dynos else []
        sites = self.sites.of_dyno
        return [tuple(d for d in dynos if sites[d] == site) for site in sorted({sites[d] for d in dynos})]

    def _topological(self) -> list[int]:
        order, todo = [], [j for j in range(self.n) if self.before[j] < 0]
        while todo:
            j = todo.pop()
            order.append(j)
            todo.extend(self.next[j])
        return order

    def _set_costs(self) -> None:
        weights = self.problem.weights
        horizon, n = self.horizon, self.n
        low = weights.versatile * (1 + max(self.versatility, default=0)) * sum(self.days)
        self.finish_unit = (1 << low.bit_length()) if weights.finish else 0
        low += self.finish_unit * weights.finish * n * horizon
        self.stay_unit = (1 << low.bit_length()) if weights.stay else 0
        low += self.stay_unit * weights.stay * n
        self.level = 1 << low.bit_length()
        self.move_cost = weights.move * self.level + self.stay_unit * weights.stay
        self.versatile_unit = weights.versatile
        worst = sum(w * max(0, horizon - 1 - d) for w, d in zip(self.weight, self.due, strict=True))
        # Every objective is a multiple of this.
        self.grain = max(1, math.gcd(*self.weight, weights.move, weights.unplaced or 0))
        self.unplaced_price = weights.unplaced or worst + n * weights.move + self.grain
        # Beyond that, sums of floating-point prices prove nothing, and numpy's integers overflow.
        self.exact = self.unplaced_price * (n + 1) < MAX_EXACT
        self.unplaced_cost = self.unplaced_price * self.level
        finish = self.finish_unit * weights.finish
        self.cost: list[list[int]] = []
        tables: dict[tuple[int, int, Stretch, bool], list[int]] = {}
        for j in range(n):
            w, due, stretch = self.weight[j], self.due[j], self.stretch[j]
            key = (w, due, stretch, self.placed[j] is None)
            if key not in tables:
                base = 0 if self.placed[j] is None else self.move_cost
                tables[key] = [
                    base + w * max(0, last - due) * self.level + last * finish
                    for last in stretch.ends[: stretch.ended_by(horizon - 1)]
                ]
            self.cost.append(tables[key])

    def place_cost(self, j: int, dyno: int, first: int) -> int:
        """Return the whole cost of one test in one place."""
        cost = self.cost[j][first] + self.versatility[dyno] * self.days[j] * self.versatile_unit
        return cost - self.move_cost if self.placed[j] == (dyno, first) else cost

    def plan_cost(self, plan: Plan) -> int:
        """Return the whole cost of a plan."""
        return sum(self.unplaced_cost if at is None else self.place_cost(j, *at) for j, at in enumerate(plan))

    def solution(self, plan: Plan, *, bound: int, seconds: float, steps: int = 0) -> Solution:
        """Return a plan as a solution, with names.

        Parameters
        ----------
        bound
            In units of the objective; like the cost of a plan, it includes the price of unplaced tests.
        seconds, steps
            How long the search has taken.
        """
        tests, names = self.problem.tests, self.problem.dynos
        placements = tuple(
            Placement(tests[j].id, names[at[0]], at[1], self.ends[j][at[1]])
            for j, at in enumerate(plan)
            if at is not None
        )
        unplaced = tuple(tests[j].id for j, at in enumerate(plan) if at is None)
        moved = sum(1 for j, at in enumerate(plan) if at is not None and self.placed[j] not in (None, at))
        value = self.plan_cost(plan) // self.level
        # Among plans that leave as many unplaced, their price is the same.
        penalty = len(unplaced) * self.unplaced_price
        return Solution(
            status="optimal" if bound >= value else "feasible",
            objective=value - penalty,
            bound=min(max(0, bound - penalty), value - penalty),
            moved=moved,
            seconds=seconds,
            placements=placements,
            unplaced=unplaced,
            steps=steps,
        )

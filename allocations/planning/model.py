"""The problem made ready for search: numbers for names, days as the bits of an integer, one cost a place.

A cost holds the whole objective in one integer, the ties in its low digits:
((tardiness + moves * price + unplaced * price) * level + what breaks ties).
"""

from __future__ import annotations

from .problem import Problem
from .solution import Placement, Solution


def starts_for(free: int, days: int) -> int:
    """Give the days on which `days` free days in a row begin, out of the free days as bits."""
    done = 1
    while done < days:
        step = min(done, days - done)
        free &= free >> step
        done += step
    return free


def bits(mask: int) -> list[int]:
    """List the positions of the bits that are set, lowest first."""
    found = []
    while mask:
        low = mask & -mask
        found.append(low.bit_length() - 1)
        mask ^= low
    return found


class Model:
    """A problem by index; nothing in it changes during a search."""

    def __init__(self, problem: Problem):
        self.problem = problem
        self.horizon = horizon = problem.horizon
        self.n = len(problem.tests)
        tests = problem.tests
        dyno_index = {name: i for i, name in enumerate(problem.dynos)}
        test_index = {t.id: j for j, t in enumerate(tests)}
        vehicles: dict[str, int] = {}
        self.vehicle = [vehicles.setdefault(t.vehicle, len(vehicles)) for t in tests]
        self.days = [t.days for t in tests]
        self.earliest = [max(0, t.earliest) for t in tests]
        self.due = [t.due for t in tests]
        self.weight = [t.weight for t in tests]
        self.before = [-1 if t.after is None else test_index[t.after] for t in tests]
        self.gap = [t.gap for t in tests]
        self.next: list[list[int]] = [[] for _ in tests]
        for j, b in enumerate(self.before):
            if b >= 0:
                self.next[b].append(j)
        self.fixed = [t.fixed for t in tests]
        self.placed = [None if t.placed is None else (dyno_index[t.placed[0]], t.placed[1]) for t in tests]

        whole = (1 << horizon) - 1
        self.free_dyno = [whole] * len(problem.dynos)
        self.free_vehicle = [whole] * len(vehicles)
        for o in problem.occupied:
            first, last = max(0, o.first), min(horizon - 1, o.last)
            if last < first:
                continue
            taken = ((1 << (last - first + 1)) - 1) << first
            if o.dyno is not None:
                self.free_dyno[dyno_index[o.dyno]] &= ~taken
            elif o.vehicle in vehicles:
                self.free_vehicle[vehicles[o.vehicle]] &= ~taken
        for j in range(self.n):
            if self.fixed[j]:
                dyno, first = self.placed[j]
                taken = ((1 << self.days[j]) - 1) << first
                self.free_dyno[dyno] &= ~taken
                self.free_vehicle[self.vehicle[j]] &= ~taken
        self._set_dynos(dyno_index)
        self._set_windows(whole)
        self._set_costs()

    def _set_dynos(self, dyno_index: dict[str, int]) -> None:
        wanted = [0] * len(self.problem.dynos)
        for t in self.problem.tests:
            for name in t.dynos:
                wanted[dyno_index[name]] += 1
        # The more tests could run on a dyno, the more versatile it is.
        ranks = {count: rank for rank, count in enumerate(sorted(set(wanted)))}
        self.versatility = [ranks[count] for count in wanted]
        self.dynos = [
            tuple(sorted((dyno_index[name] for name in t.dynos), key=lambda d: (self.versatility[d], d)))
            for t in self.problem.tests
        ]

    def _set_windows(self, whole: int) -> None:
        """Bits of the days on which each test may start, by itself; then through the order of tests."""
        self.window = []
        free: dict[tuple[tuple[int, ...], int], int] = {}
        for j in range(self.n):
            if self.fixed[j]:
                self.window.append(1 << self.placed[j][1])
                continue
            last = self.horizon - self.days[j]
            mask = 0
            if last >= self.earliest[j]:
                mask = (whole >> (self.horizon - last - 1)) >> self.earliest[j] << self.earliest[j]
            mask &= starts_for(self.free_vehicle[self.vehicle[j]], self.days[j])
            key = self.dynos[j], self.days[j]
            if key not in free:
                free[key] = 0
                for dyno in self.dynos[j]:
                    free[key] |= starts_for(self.free_dyno[dyno], self.days[j])
            self.window.append(mask & free[key])
        self.order = self._topological()
        for j in self.order:
            b = self.before[j]
            if b >= 0 and not self.fixed[j] and self.window[b]:
                first = (self.window[b] & -self.window[b]).bit_length() - 1 + self.days[b] + self.gap[j]
                self.window[j] = self.window[j] >> first << first
        for j in reversed(self.order):
            if self.fixed[j] and self.before[j] >= 0 and not self.fixed[self.before[j]]:
                b = self.before[j]
                latest = self.placed[j][1] - self.gap[j] - self.days[b]
                self.window[b] &= (1 << max(0, latest + 1)) - 1

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
        self.unplaced_price = weights.unplaced or worst + n * weights.move + 1
        self.unplaced_cost = self.unplaced_price * self.level
        finish = self.finish_unit * weights.finish
        self.cost: list[list[int]] = []
        tables: dict[tuple[int, int, int, bool], list[int]] = {}
        for j in range(n):
            w, due, days = self.weight[j], self.due[j], self.days[j]
            key = (w, due, days, self.placed[j] is None)
            if key not in tables:
                base = 0 if self.placed[j] is None else self.move_cost
                tables[key] = [
                    base + w * max(0, s + days - 1 - due) * self.level + (s + days - 1) * finish
                    for s in range(horizon - days + 1)
                ]
            self.cost.append(tables[key])

    def place_cost(self, j: int, dyno: int, first: int) -> int:
        """Give the whole cost of one test in one place."""
        cost = self.cost[j][first] + self.versatility[dyno] * self.days[j] * self.versatile_unit
        return cost - self.move_cost if self.placed[j] == (dyno, first) else cost

    def plan_cost(self, plan: list[tuple[int, int] | None]) -> int:
        """Give the whole cost of a plan: for each test its dyno and first day, or None."""
        return sum(self.unplaced_cost if at is None else self.place_cost(j, *at) for j, at in enumerate(plan))

    def solution(self, plan: list[tuple[int, int] | None], *, bound: int, seconds: float, steps: int = 0) -> Solution:
        """Put a plan into names. `bound` is in whole units of the objective and counts unplaced tests too."""
        tests, names = self.problem.tests, self.problem.dynos
        placements = tuple(
            Placement(tests[j].id, names[at[0]], at[1], at[1] + tests[j].days - 1)
            for j, at in enumerate(plan)
            if at is not None
        )
        unplaced = tuple(tests[j].id for j, at in enumerate(plan) if at is None)
        moved = sum(1 for j, at in enumerate(plan) if at is not None and self.placed[j] not in (None, at))
        value = self.plan_cost(plan) // self.level
        # Of plans that leave as many unplaced, the price of those is the same.
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

"""The proof for one dyno: a relaxation by multipliers, finished by dynamic programming over sets.

The bound is Abdul-Razaq and Potts' state-space relaxation: sequences that fill the time but may repeat a test, each
test priced by a multiplier, within Emmons' conditions, and no two neighbours that would be cheaper the other way
round. Its completion bounds then prune the dynamic program over sets of tests; when no set is left that could lead
below the best, the best is proven.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable

import numpy as np

from allocations.planning.bounds.linear import whole
from allocations.planning.problem.model import Plan, bits
from allocations.planning.search.sequence import Sequence

MAX_CELLS = 40_000_000
MAX_SETS = 300_000
MAX_WATCHED = 6


def dominance(days: list[int], weight: list[int], due: list[int]) -> tuple[list[int], list[int]]:
    """Give for each test, as bits, those that some best order has before it, and after it (Emmons' conditions).

    Each pair is added under the ones found before, so that one best order satisfies them all.
    """
    pairs = _Pairs(days, weight, due)
    changed = True
    while changed:
        changed = False
        for i in range(len(days)):
            for j in range(len(days)):
                if not pairs.are_in_order(i, j) and pairs.may_go_first(i, j):
                    pairs.add(i, j)
                    changed = True
    return pairs.before, pairs.after


class _Pairs:
    """The pairs of tests of which one is before the other in some best order."""

    def __init__(self, days: list[int], weight: list[int], due: list[int]):
        self.days, self.weight, self.due = days, weight, due
        self.total = sum(days)
        self.before, self.after = [0] * len(days), [0] * len(days)
        # The days of those.
        self.ahead, self.behind = [0] * len(days), [0] * len(days)

    def are_in_order(self, i: int, j: int) -> bool:
        return i == j or bool(self.before[j] >> i & 1 or self.before[i] >> j & 1)

    def may_go_first(self, i: int, j: int) -> bool:
        """Whether one of Emmons' conditions lets `i` be before `j`."""
        days, weight, due = self.days, self.weight, self.due
        until = self.total - self.behind[i]
        if due[j] >= until:
            return True
        if weight[i] < weight[j]:
            return False
        is_shorter = days[i] <= days[j] and due[i] <= max(due[j], self.ahead[j] + days[j])
        return is_shorter or (due[i] <= due[j] and due[j] >= until - days[j])

    def add(self, i: int, j: int) -> None:
        """Let `i`, and all that is before it, be before `j` and all that is after that."""
        first, last = self.before[i] | 1 << i, self.after[j] | 1 << j
        for k in bits(first):
            self.after[k] |= last
            self.behind[k] = sum(self.days[m] for m in bits(self.after[k]))
        for k in bits(last):
            self.before[k] |= first
            self.ahead[k] = sum(self.days[m] for m in bits(self.before[k]))


class SequenceProof:
    """Bounds by multipliers, then the dynamic program over sets."""

    def __init__(self, sequence: Sequence):
        self.sequence = sequence
        n, self.total = sequence.model.n, int(sequence.days.sum())
        self.n = n
        days, due, weight = sequence.days, sequence.due, sequence.weight
        ends = np.arange(self.total + 1)
        # cost[t, j]: j ends at t
        self.cost = np.maximum(ends[:, None] - due[None, :], 0) * weight[None, :]
        self.before, self.after = dominance(days.tolist(), weight.tolist(), due.tolist())
        self.barred = self._barred(days)
        self.forbidden = self._forbidden(days)
        self.price = np.zeros(n)
        self.tail = np.zeros((self.total + 1, n + 1))
        self.repeated = np.zeros(n)
        # Where the climb stands, beside the best multipliers that it has seen.
        self.going, self.way, self.top = self.price, np.zeros(n), -math.inf
        self.tighten(0)

    @staticmethod
    def fits(sequence: Sequence) -> bool:
        """Whether the tables stay within reason."""
        return int(sequence.days.sum()) * sequence.model.n**2 <= MAX_CELLS

    def _barred(self, days: np.ndarray) -> np.ndarray:
        """Give [t, j]: infinite where j cannot start at t, some tests being before it and some after."""
        table = np.zeros((self.total + 1, self.n))
        for j in range(self.n):
            first = int(days[bits(self.before[j])].sum())
            last = self.total - int(days[bits(self.after[j])].sum()) - int(days[j])
            table[:first, j] = np.inf
            table[last + 1 :, j] = np.inf
        return table

    def _forbidden(self, days: np.ndarray) -> np.ndarray:
        """Give [t, i, j]: infinite where i, ending at t, and then j would strictly be cheaper as j and then i."""
        n, total, cost = self.n, self.total, self.cost
        table = np.zeros((total + 1, n + 1, n), dtype=np.float32)
        for i in range(n):
            for j in range(n):
                if i == j or self.before[i] >> j & 1 or self.after[i] & self.before[j]:
                    table[:, i, j] = np.inf
                    continue
                t = np.arange(days[i], total - days[j] + 1)
                as_is = cost[t, i] + cost[t + days[j], j]
                swapped = cost[t - days[i] + days[j], j] + cost[t + days[j], i]
                table[t[swapped < as_is], i, j] = np.inf
        return table

    def tighten(self, count: int) -> None:
        """From now on watch the tests that were repeated most: the relaxation runs these once and only once."""
        much = self.repeated * self.sequence.days
        self.watched = [int(j) for j in np.argsort(-much, kind="stable")[:count]]
        n, full = self.n, 1 << len(self.watched)
        self.seen = np.zeros(n, dtype=np.int64)
        self.seen[self.watched] = 1 << np.arange(len(self.watched))
        before = np.arange(full)[:, None]
        again = (before & self.seen[None, :]) != 0
        self.onward = (before | self.seen[None, :]) * (n + 1) + np.arange(n)
        self.penalty = np.where(again, np.inf, 0.0)

    def relaxed(self) -> tuple[float, np.ndarray]:
        """Give the bound at the present multipliers, and how often its sequence runs each test."""
        n, total, days = self.n, self.total, self.sequence.days
        states = 1 << len(self.watched)
        width = states * (n + 1)
        tail = np.full((total + 1 + int(days.max()), width), np.inf)
        tail[total, width - n - 1 :] = 0.0
        flat = tail.reshape(-1)
        successors = days * width + self.onward
        ends = np.arange(total + 1)[:, None] + days[None, :]
        step = self.cost[np.minimum(ends, total), np.arange(n)[None, :]] - self.price + self.barred
        choice = np.zeros((total, width), dtype=np.int8)
        forbidden = self.forbidden
        lines = np.arange(width) * n
        work = np.empty((states, n + 1, n))
        for t in range(total - 1, -1, -1):
            ahead = step[t] + flat[successors + t * width] + self.penalty
            np.add(forbidden[t], ahead[:, None, :], out=work)
            pick = work.argmin(axis=2).reshape(-1)
            choice[t] = pick
            tail[t] = work.reshape(-1)[lines + pick]
        self.tail = tail
        used = np.zeros(n)
        t, last, visited = 0, n, 0
        while t < total:
            j = int(choice[t, visited * (n + 1) + last])
            used[j] += 1
            visited |= int(self.seen[j])
            t, last = t + int(days[j]), j
        self.repeated = 0.9 * self.repeated + np.maximum(used - 1, 0)
        return float(tail[0, n] + self.price.sum()), used

    def climb(self, best: Callable[[], int], *, until: float, pace: float) -> tuple[float, float]:
        """Raise the bound by subgradient steps; give it and the pace to go on with.

        Leaves the best multipliers and their completion bounds in place.
        """
        top, top_price, top_tail, stale, way = self.top, self.price, self.tail, 0, self.way
        self.price = self.going
        # A short test can be repeated often: its multiplier moves in proportion to its length.
        scale = self.sequence.days / self.sequence.days.mean()
        while True:
            bound, used = self.relaxed()
            stale = 0 if bound > top + 1e-4 * abs(top) else stale + 1
            if bound > top:
                top, top_price, top_tail = bound, self.price, self.tail
            wrong = (1.0 - used) * scale
            target = best()
            if whole(top) >= target or not wrong.any() or time.monotonic() > until or pace < 0.005:
                break
            if stale >= 10:
                pace, stale = pace * 0.8, 0
            way = 0.6 * wrong + 0.4 * way
            self.price = self.price + pace * max(target - bound, 1.0) * scale * way / (way @ way + 1e-9)
        self.going, self.way = self.price, way
        self.top, self.price, self.tail = top, top_price, top_tail
        return top, pace

    def prove(
        self,
        best: Callable[[], int],
        *,
        report: Callable[[int], bool],
        offer: Callable[[Plan], None],
        until: float,
        seconds: float = 0.5,
        fast: bool = False,
    ) -> None:
        """Raise the bound for a while, try to finish by sets, and so on; `report` says when that is enough."""
        pace, watch = 0.5, 0
        while time.monotonic() < until:
            bound, pace = self.climb(best, until=min(until, time.monotonic() + seconds), pace=pace)
            if report(whole(bound)):
                return
            if fast:
                return
            target = best()
            ended, order = self.complete(target, until=min(until, time.monotonic() + 2 * seconds))
            if ended:
                if order is not None:
                    offer(self.sequence.plan(order))
                report(best())
                return
            seconds *= 1.5
            if pace < 0.005 and watch < MAX_WATCHED:
                watch += 2
                self.tighten(watch)
                pace, self.top, self.going = 0.1, -math.inf, self.price

    def complete(self, best: int, *, until: float) -> tuple[bool, np.ndarray | None]:
        """Run the dynamic program over sets for an order below `best`: whether it ended, and the order if any."""
        n, days = self.n, self.sequence.days
        bit = np.left_shift(np.uint64(1), np.arange(n, dtype=np.uint64))
        needed = np.array(self.before, dtype=np.uint64)
        sets, cost, ends, last = (np.zeros(1, dtype=kind) for kind in (np.uint64, np.int64, np.int64, np.int64))
        last[0] = n
        visited = np.zeros(1, dtype=np.int64)
        self.widest = 0
        missing = np.array([self.price.sum()])
        trail: list[tuple[np.ndarray, np.ndarray]] = []
        for _ in range(n):
            if time.monotonic() > until:
                return False, None
            ready = ((sets[:, None] & bit[None, :]) == 0) & ((~sets[:, None] & needed[None, :]) == 0)
            parent, job = np.nonzero(ready)
            after = ends[parent] + days[job]
            value = cost[parent] + self.cost[after, job]
            remainder = missing[parent] - self.price[job]
            watched = visited[parent] | self.seen[job]
            good = value + self.tail[after, watched * (n + 1) + job] + remainder <= best - 1 + 1e-6
            good &= self.forbidden[ends[parent], last[parent], job] == 0
            parent, job, after, value, remainder, watched = (
                a[good] for a in (parent, job, after, value, remainder, watched)
            )
            extended = sets[parent] | bit[job]
            order = np.lexsort((value, extended))
            extended = extended[order]
            first = np.ones(len(extended), dtype=bool)
            first[1:] = extended[1:] != extended[:-1]
            chosen = order[first]
            if not len(chosen):
                return True, None
            if len(chosen) > MAX_SETS:
                return False, None
            sets, cost, ends, last = extended[first], value[chosen], after[chosen], job[chosen]
            missing = remainder[chosen]
            visited = watched[chosen]
            self.widest = max(self.widest, len(chosen))
            trail.append((parent[chosen], job[chosen]))
        at, backward = int(cost.argmin()), []
        for parents, jobs in reversed(trail):
            backward.append(int(jobs[at]))
            at = int(parents[at])
        return True, np.array(backward[::-1])

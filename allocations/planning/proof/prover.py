"""Bounds and exact answers, from the cheap to the dear: pooled relaxation, placed relaxation, integer programs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from allocations.planning.bounds.columns import Columns, cheapest, placed_columns, pooled_columns, rows_for, stands_in
from allocations.planning.bounds.linear import Priced, relax, solve_exactly, whole
from allocations.planning.problem.model import Model, Plan
from allocations.planning.proof.sequence_proof import SequenceProof
from allocations.planning.search.lns import Neighbourhoods
from allocations.planning.search.rounding import refined, rounded
from allocations.planning.search.sequence import Sequence

# The columns that the placed relaxation can take.
MAX_PLACED = 200_000
# Pooled columns to begin with: up to so many days after where the plan has the test.
LATER = 6
# Placed columns to begin with, per test.
FIRST_PLACED = 60
# So many columns are solved as they are; more of them from the promising ones on.
AT_ONCE = 6_000
FIRST_EXACT = 4_000
# The share of the time left, and the seconds, for a plan made from a relaxation.
REFINING = 0.1
MAX_REFINING = 4.0
# Neighbourhoods before the first integer program over a choice of columns: share of the time, tries in vain.
SEARCH_SHARE = 0.6
PATIENCE = 40
# Columns that the neighbourhoods may use, per test: pooled before the dynos are named, or placed.
NEAR = 12
NEAR_PLACED = 140


class Prover:
    """Works towards a proof; what it finds on the way goes out through `report` (a bound) and `offer` (a plan)."""

    def __init__(
        self,
        model: Model,
        *,
        latest: Callable[[], Plan],
        report: Callable[[int], None],
        offer: Callable[[Plan], None],
        seconds: float,
        seed: int = 0,
    ):
        self.model = model
        self.latest = latest
        self.report = report
        self.offer = offer
        self.until = time.monotonic() + seconds
        self.seed = seed
        self.bound = 0

    @property
    def seconds_left(self) -> float:
        """Seconds that are left."""
        return self.until - time.monotonic()

    def best(self) -> int:
        """Give the cost of the best plan known, in whole units of the objective."""
        return self.model.plan_cost(self.latest()) // self.model.level

    def raise_bound(self, bound: int) -> bool:
        """Take note of a bound; true when it meets the best plan."""
        best = self.best()
        bound = -(-bound // self.model.grain) * self.model.grain
        if min(bound, best) > self.bound:
            self.bound = min(bound, best)
            self.report(self.bound)
        return self.bound >= best

    def run(self, *, relax_only: bool = False) -> None:
        """Go on until proven or out of time."""
        model = self.model
        if not model.exact:
            return
        sequence = Sequence.of(model)
        if sequence is not None and SequenceProof.fits(sequence):
            SequenceProof(sequence).prove(
                self.best, report=self.raise_bound, offer=self.offer, until=self.until, fast=relax_only
            )
            return
        plan = self.latest()
        pooled = self._promising_pooled(plan, is_rounded=not relax_only)
        if pooled is None:
            return
        placed = placed_columns(model, pooled)
        if len(placed) <= MAX_PLACED:
            self._prove_placed(placed, plan, relax_only=relax_only)
        elif not relax_only:
            near = placed_columns(model, pooled.keep(slice(0, NEAR * model.n)))
            self._neighbourhoods(Neighbourhoods(model, near, seed=self.seed), self.seconds_left)

    def _promising_pooled(self, plan: Plan, *, is_rounded: bool) -> Columns | None:
        """Solve the pooled relaxation: the columns that a better plan may have, the promising first, if any may."""
        model = self.model
        pooled = pooled_columns(model, below=self.best())
        if not self._complete(pooled) or self.raise_bound(int(cheapest(model, pooled).sum())):
            self.raise_bound(self.bound)
            return None
        until_day = np.array([model.horizon if at is None else at[1] for at in plan]) + LATER
        priced = self._relaxed(pooled, plan, start=pooled.first <= until_day[pooled.test])
        if priced is None or self.raise_bound(whole(priced.bound)):
            return None
        if is_rounded:
            self._round(pooled, priced.value)
        pooled = self._sorted(pooled, priced.through)[0]
        return pooled if self._complete(pooled) else None

    def _prove_placed(self, placed: Columns, plan: Plan, *, relax_only: bool) -> None:
        """Solve the relaxation with the dynos named, then exactly."""
        start = np.arange(len(placed)) < FIRST_PLACED * self.model.n
        priced = self._relaxed(placed, plan, start=start | stands_in(placed, plan))
        if priced is None or self.raise_bound(whole(priced.bound)) or relax_only:
            return
        self._exact(*self._sorted(placed, priced.through))

    def _relaxed(self, columns: Columns, plan: Plan, *, start: np.ndarray) -> Priced | None:
        return relax(
            self.model,
            columns,
            rows_for(self.model, columns),
            seconds=self.seconds_left,
            start=start,
            chosen=stands_in(columns, plan),
            report=self.raise_bound,
        )

    def _round(self, columns: Columns, value: np.ndarray) -> None:
        """Make a plan of what the relaxation says and better it for a moment."""
        plan = rounded(self.model, columns, value, seed=self.seed)
        self.offer(plan)
        moment = min(MAX_REFINING, self.seconds_left * REFINING, self.model.n / 100)
        if moment > 0:
            self.offer(refined(self.model, plan, seed=self.seed, seconds=moment))

    def _sorted(self, columns: Columns, through: np.ndarray) -> tuple[Columns, np.ndarray]:
        """Keep the columns that can be part of a better plan, the promising ones first."""
        order = np.argsort(through, kind="stable")
        order = order[: np.searchsorted(through[order], self.best() - 1 + 1e-6, side="right")]
        return columns.keep(order), through[order]

    def _complete(self, columns: Columns) -> bool:
        """Whether each test still has a column; if not, no plan is better than the best."""
        if len(np.unique(columns.test)) == self.model.n:
            return True
        self.raise_bound(self.best())
        return False

    def _exact(self, placed: Columns, through: np.ndarray) -> None:
        """Solve over ever more columns, the promising first; one left out costs at least its price."""
        model = self.model
        size = AT_ONCE
        search = Neighbourhoods(model, placed.keep(slice(0, NEAR_PLACED * model.n)), seed=self.seed)
        if len(placed) > AT_ONCE:
            size = FIRST_EXACT
            if self._neighbourhoods(search, self.seconds_left * SEARCH_SHARE, patience=PATIENCE):
                return
        while self.seconds_left > 0.1:
            best = self.best()
            count = int(np.searchsorted(through, best - 1 + 1e-6, side="right"))
            everything = count <= size
            take = min(count, size)
            outside = best if everything else whole(float(through[take]))
            columns = placed.keep(slice(0, take))
            if len(np.unique(columns.test)) < model.n:
                # Every better plan needs a column that was left out.
                inside, ended = outside, True
            else:
                inside, ended = self._solve(columns, self.seconds_left * (1.0 if everything else 0.5))
            if self.raise_bound(min(inside, outside)):
                return
            if ended:
                size *= 2
            elif self._neighbourhoods(search, self.seconds_left):
                return

    def _solve(self, columns: Columns, seconds: float) -> tuple[int, bool]:
        """Solve over these columns and offer the plan: a bound on them, and whether the search came to its end."""
        outcome = solve_exactly(self.model, columns, rows_for(self.model, columns), seconds=seconds)
        if outcome.plan is not None:
            self.offer(outcome.plan)
        return max(0, whole(outcome.bound)), outcome.ended

    def _neighbourhoods(self, search: Neighbourhoods, seconds: float, *, patience: int | None = None) -> bool:
        """Search for some time, or until so many tries in a row were in vain; true when that proves the best."""
        until, vain = time.monotonic() + seconds, 0
        while time.monotonic() < until and (patience is None or vain < patience):
            better = search.step(self.latest(), seconds=min(3.0, until - time.monotonic()))
            vain += 1
            if better is not None:
                vain = 0
                self.offer(better)
                if self.raise_bound(self.bound):
                    return True
        return False

"""Bounds and exact answers, from the cheap to the dear: pooled relaxation, placed relaxation, integer programs."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np

from .columns import cheapest, placed_columns, pooled_columns, rows_for
from .linear import relax, solve_exactly, whole
from .lns import Neighbourhoods
from .model import Model
from .state import Plan

# What an LP can take: columns with a dyno named, and entries of the pooled rows.
MOST_PLACED = 120_000
MOST_FOR_NEIGHBOURHOODS = 400_000
AT_ONCE = 6_000


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
        nodes: int | None = None,
    ):
        self.model = model
        self.latest = latest
        self.report = report
        self.offer = offer
        self.until = time.monotonic() + seconds
        self.seed = seed
        self.nodes = nodes
        self.bound = 0

    @property
    def left(self) -> float:
        """Seconds that are left."""
        return self.until - time.monotonic()

    def best(self) -> int:
        """Give the cost of the best plan known, in whole units of the objective."""
        return self.model.plan_cost(self.latest()) // self.model.level

    def raise_bound(self, bound: int) -> bool:
        """Take note of a bound; true when it meets the best plan."""
        best = self.best()
        if min(bound, best) > self.bound:
            self.bound = min(bound, best)
            self.report(self.bound)
        return self.bound >= best

    def run(self) -> None:
        """Go on until proven or out of time."""
        model = self.model
        best = self.best()
        pooled = pooled_columns(model, below=best)
        if len(np.unique(pooled.test)) < model.n:
            self.raise_bound(best)
            return
        if self.raise_bound(int(cheapest(model, pooled).sum())):
            return
        priced = relax(model, pooled, rows_for(model, pooled), seconds=self.left)
        if priced is None or self.raise_bound(whole(priced.bound)):
            return
        best = self.best()
        chosen = priced.through <= best - 1 + 1e-6
        pooled, through = pooled.keep(chosen), priced.through[chosen]
        placed = placed_columns(model, pooled)
        if len(placed) > MOST_PLACED:
            self._large(pooled, through, priced.bound)
            return
        priced = relax(model, placed, rows_for(model, placed), seconds=self.left)
        if priced is None or self.raise_bound(whole(priced.bound)):
            return
        self._exact(placed, priced.through)

    def _exact(self, placed, through: np.ndarray) -> None:
        """Solve over ever more columns, the promising first; one left out costs at least its price."""
        model = self.model
        size = AT_ONCE
        order = np.argsort(through, kind="stable")
        placed, through = placed.keep(order), through[order]
        search: Neighbourhoods | None = None
        while self.left > 0.1:
            best = self.best()
            count = int(np.searchsorted(through, best - 1 + 1e-6, side="right"))
            if count == 0:
                self.raise_bound(best)
                return
            everything = count <= size
            take = count if everything else size
            columns = placed.keep(slice(0, take))
            outside = best if everything else whole(float(through[take]))
            if len(np.unique(columns.test)) < model.n:
                if self.raise_bound(outside):
                    return
                size *= 2
                continue
            limit = self.left if everything and take <= AT_ONCE else self.left / 2
            outcome = solve_exactly(model, columns, rows_for(model, columns), seconds=limit, nodes=self.nodes)
            if outcome.plan is not None:
                self.offer(outcome.plan)
            inside = whole(outcome.bound) if np.isfinite(outcome.bound) else outside
            if self.raise_bound(min(inside, outside)):
                return
            if self.nodes is not None and not outcome.ended:
                return
            if outcome.ended:
                size *= 2
            elif self.nodes is None:
                search = search or Neighbourhoods(model, placed, seed=self.seed)
                self._neighbourhoods(search, self.left / 2)

    def _large(self, pooled, through: np.ndarray, bound: float) -> None:
        """Too much for an exact answer: neighbourhoods over the promising columns until the time is out."""
        if self.nodes is not None:
            return
        model = self.model
        per_column = max(1.0, float(np.mean([len(d) for d in model.dynos])))
        most = int(MOST_FOR_NEIGHBOURHOODS / per_column)
        order = np.argsort(through, kind="stable")[:most]
        search = Neighbourhoods(model, placed_columns(model, pooled.keep(order)), seed=self.seed)
        self._neighbourhoods(search, self.left)

    def _neighbourhoods(self, search: Neighbourhoods, seconds: float) -> None:
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            better = search.step(self.latest(), seconds=min(3.0, until - time.monotonic()))
            if better is not None:
                self.offer(better)
                if self.raise_bound(self.bound):
                    return

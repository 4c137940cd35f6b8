"""From a relaxation to plans: a test queues by a day on which part of it has begun (an alpha point)."""

from __future__ import annotations

import random
import time

import numpy as np

from allocations.planning.bounds.columns import UNPLACED, Columns
from allocations.planning.problem.model import Model, Plan
from allocations.planning.search.annealing import heat_for
from allocations.planning.search.greedy import filled
from allocations.planning.search.local_search import LocalSearch

TRIES = 60
COOL = 0.06
CHUNK = 200


def _shares(model: Model, columns: Columns, value: np.ndarray) -> list[list[tuple[int, float]]]:
    """Give for each test the days on which the relaxation starts it, in order, with their shares so far."""
    shares: list[list[tuple[int, float]]] = [[] for _ in range(model.n)]
    some = np.flatnonzero(value > 1e-6)
    for i in some[np.argsort(columns.first[some], kind="stable")].tolist():
        j, first = int(columns.test[i]), int(columns.first[i])
        if first == UNPLACED:
            first = model.horizon
        mine = shares[j]
        mine.append((first, float(value[i]) + (mine[-1][1] if mine else 0.0)))
    return shares


def rounded(model: Model, columns: Columns, value: np.ndarray, *, seed: int) -> Plan:
    """Give the best of many plans, each filled in by the order of the days at which a share alpha has begun."""
    rnd = random.Random(seed)  # noqa: S311
    shares = _shares(model, columns, value)
    loose = [j for j in range(model.n) if not model.fixed[j]]
    best: Plan = []
    for k in range(TRIES):
        alpha = rnd.random()
        keys = {}
        for j in loose:
            day = _begun(shares[j], alpha if k % 2 else rnd.random(), model.horizon)
            keys[j] = (day, -model.days[j] if k % 3 else -model.weight[j], rnd.random())
        plan = filled(model, sorted(loose, key=keys.__getitem__))
        if not best or model.plan_cost(plan) < model.plan_cost(best):
            best = plan
    return best


def _begun(shares: list[tuple[int, float]], point: float, horizon: int) -> int:
    """Give the day on which so much of a test has begun."""
    return next((first for first, share in shares if share >= point - 1e-9), horizon)


def refined(model: Model, plan: Plan, *, seed: int, seconds: float) -> Plan:
    """Search on from such a plan, cool from the start: what is right about it is its order."""
    search = LocalSearch(model, seed=seed, plan=plan)
    hot, cold = heat_for(model)
    hot = max(cold, hot * COOL)
    began = time.monotonic()
    while (done := (time.monotonic() - began) / seconds) < 1:
        heat = hot * (cold / hot) ** done
        search.run(CHUNK, hot=heat, cold=heat * 0.999)
    return search.best

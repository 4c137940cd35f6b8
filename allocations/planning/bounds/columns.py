"""The day-indexed model: a column says that a test starts on a day (and on which dyno), a row what room there is.

Two sizes of it. *Pooled* columns leave the dyno open; the rows count, for each day and each union of eligible sets,
the tests that run against the dynos there are. That ignores that a test may not change dynos on the way, so its
optimum is a bound. *Placed* columns name the dyno, and the model is exact.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from allocations.planning.problem.model import Model, Plan, bits
from allocations.planning.problem.stretch import Stretch

UNPLACED = -1
POOLED = -1
MAX_UNIONS = 64


@dataclass
class Columns:
    """Columns as parallel arrays; `first` is UNPLACED for the column that leaves the test out."""

    test: np.ndarray
    dyno: np.ndarray
    first: np.ndarray
    cost: np.ndarray

    def __len__(self) -> int:
        return len(self.test)

    def keep(self, which: np.ndarray | slice) -> Columns:
        """Give the columns chosen by a mask or an index."""
        return Columns(self.test[which], self.dyno[which], self.first[which], self.cost[which])


@dataclass
class Rows:
    """Rows `matrix @ x <= limit`, the matrix as (row, column, value) triples."""

    row: np.ndarray
    column: np.ndarray
    value: np.ndarray
    limit: np.ndarray


def objective_cost(model: Model, j: int, dyno: int, first: int) -> int:
    """Give what one place costs in whole units of the objective."""
    return model.place_cost(j, dyno, first) // model.level


def _columns(items: list[tuple[int, int, int, int]]) -> Columns:
    array = np.array(items, dtype=np.int64).reshape(-1, 4)
    return Columns(array[:, 0], array[:, 1], array[:, 2], array[:, 3])


def pooled_columns(model: Model, *, below: int | None = None) -> Columns:
    """List a column per test and day; only what can be part of a plan cheaper than `below`."""
    items: list[tuple[int, int, int, int]] = []
    for j in range(model.n):
        if model.fixed[j]:
            dyno, first = model.fixed_at[j]
            items.append((j, POOLED, first, objective_cost(model, j, dyno, first)))
            continue
        stands = model.placed[j]
        move = 0 if stands is None else model.move_cost
        for first in bits(model.window[j]):
            cost = model.cost[j][first]
            if stands is not None and stands[1] == first and stands[0] in model.dynos[j]:
                cost -= move
            items.append((j, POOLED, first, cost // model.level))
        items.append((j, POOLED, UNPLACED, model.unplaced_price))
    return prune(model, _columns(items), below)


def cheapest(model: Model, columns: Columns) -> np.ndarray:
    """Give for each test the cost of its cheapest column."""
    least = np.full(model.n, np.iinfo(np.int64).max // (model.n + 1))
    np.minimum.at(least, columns.test, columns.cost)
    return least


def prune(model: Model, columns: Columns, below: int | None) -> Columns:
    """Drop what is too dear for a plan under `below`, all other tests at their cheapest."""
    if below is None:
        return columns
    least = cheapest(model, columns)
    budget = below - 1 - int(least.sum())
    return columns.keep(columns.cost - least[columns.test] <= budget)


def stands_in(columns: Columns, plan: Plan) -> np.ndarray:
    """Mark the columns of a plan; of pooled columns, those of its days."""
    first = np.array([UNPLACED if at is None else at[1] for at in plan], dtype=np.int64)
    dyno = np.array([POOLED if at is None else at[0] for at in plan], dtype=np.int64)
    same: np.ndarray = columns.first == first[columns.test]
    same &= (columns.dyno == POOLED) | (columns.dyno == dyno[columns.test])
    return same


def placed_columns(model: Model, pooled: Columns) -> Columns:
    """Name the dynos: a column per pooled column and dyno on which its days are free."""
    items: list[tuple[int, int, int, int]] = []
    masks: dict[tuple[int, Stretch, int], int] = {}
    apart = model.sites.count > 1
    for j, first in zip(pooled.test.tolist(), pooled.first.tolist(), strict=True):
        if first == UNPLACED:
            items.append((j, POOLED, UNPLACED, model.unplaced_price))
            continue
        if model.fixed[j]:
            items.append((j, model.fixed_at[j][0], first, objective_cost(model, j, *model.fixed_at[j])))
            continue
        stretch = model.stretch[j]
        cost = model.cost[j][first] // model.level
        stands = model.placed[j]
        for dyno in model.dynos[j]:
            # The pooled columns heed the vehicle's days where that does not hang on the dyno.
            seat = model.seat(j, dyno) if apart else -1
            mask = masks.get((dyno, stretch, seat))
            if mask is None:
                mask = stretch.starts(model.free_dyno[dyno])
                mask &= stretch.starts(model.free_vehicle[seat]) if apart else mask
                masks[dyno, stretch, seat] = mask
            if mask >> first & 1:
                at_home = stands == (dyno, first)
                items.append((j, dyno, first, objective_cost(model, j, dyno, first) if at_home else cost))
    return _columns(items)


def _spread(model: Model, columns: Columns, which: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give for each chosen column each day that it takes: (index of the column, day)."""
    length = model.last_days(columns.test[which], columns.first[which]) - columns.first[which] + 1
    column = np.repeat(which, length)
    offset = np.arange(len(column)) - np.repeat(np.cumsum(length) - length, length)
    return column, columns.first[column] + offset


def _squeeze(keys: np.ndarray, column: np.ndarray, limits: np.ndarray) -> list[np.ndarray]:
    """Turn sparse row keys into row numbers, leaving out the rows that cannot be broken."""
    count = np.bincount(keys, minlength=len(limits))
    breakable = count > limits
    number = np.cumsum(breakable) - 1
    chosen = breakable[keys]
    return [number[keys[chosen]], column[chosen], limits[breakable]]


def rows_for(model: Model, columns: Columns) -> Rows:
    """Build the rows for pooled or placed columns: room on dynos, one place a day for a vehicle, order of tests.

    Those for placed columns also keep a vehicle's days on the way; pooled ones do not know between which sites.
    """
    fixed = np.array(model.fixed)
    # The days of fixed tests are already gone from the free days.
    loose = np.flatnonzero((columns.first != UNPLACED) & ~fixed[columns.test])
    column, day = _spread(model, columns, loose)
    parts: list[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]] = []

    def add(row: np.ndarray, col: np.ndarray, limit: np.ndarray, value: np.ndarray | None = None) -> None:
        parts.append((row, col, np.ones(len(row)) if value is None else value, limit))

    pooled = bool(len(columns)) and bool((columns.dyno[loose] == POOLED).all())
    if pooled:
        for keys, cols, limits in _pool_rows(model, columns, column, day):
            add(*_squeeze_three(keys, cols, limits))
    else:
        keys = columns.dyno[column] * model.horizon + day
        add(*_squeeze_three(keys, column, np.ones(len(model.free_dyno) * model.horizon, dtype=np.int64)))
    vehicle = np.array(model.vehicle)
    shared = np.bincount(vehicle[~fixed], minlength=model.vehicles)[vehicle[columns.test[column]]] > 1
    keys = vehicle[columns.test[column[shared]]] * model.horizon + day[shared]
    limits = np.ones(model.vehicles * model.horizon, dtype=np.int64)
    add(*_squeeze_three(keys, column[shared], limits))
    if model.sites.count > 1 and not pooled:
        for way_keys, way_columns in _on_the_way(model, columns, column[shared], day[shared], keys):
            add(*_squeeze_three(way_keys, way_columns, limits))
    for part in _order_rows(model, columns):
        add(*part)

    base, row, col, val, lim = 0, [], [], [], []
    for r, c, v, limit in parts:
        row.append(r + base)
        col.append(c)
        val.append(v)
        lim.append(limit)
        base += len(limit)
    return Rows(np.concatenate(row), np.concatenate(col), np.concatenate(val), np.concatenate(lim).astype(float))


def _squeeze_three(
    keys: np.ndarray, column: np.ndarray, limits: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    row, col, limit = _squeeze(keys, column, limits)
    return row, col, limit


def eligible_unions(model: Model) -> list[frozenset[int]]:
    """List sets of dynos: the eligible sets of the tests that are not fixed, and unions of them."""
    sets = sorted({frozenset(d) for j, d in enumerate(model.dynos) if not model.fixed[j]}, key=len)
    unions = dict.fromkeys(sets[: MAX_UNIONS - 1])
    for s in sets:
        for u in list(unions):
            if len(unions) < MAX_UNIONS - 1:
                unions.setdefault(u | s)
    unions.setdefault(frozenset().union(*sets))
    return list(unions)


def _pool_rows(
    model: Model, columns: Columns, column: np.ndarray, day: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    free = np.array([[mask >> t & 1 for t in range(model.horizon)] for mask in model.free_dyno])
    kinds: dict[frozenset[int], int] = {}
    kind = np.array([kinds.setdefault(frozenset(d), len(kinds)) for d in model.dynos])[columns.test[column]]
    for union in eligible_unions(model):
        inside = np.array([k <= union for k in kinds])
        chosen = inside[kind]
        yield day[chosen], column[chosen], free[sorted(union)].sum(axis=0)


def _order_rows(model: Model, columns: Columns) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Rows that let a test have begun by a day only if the one before it has ended, gap included, by then."""
    for k in range(model.n):
        b = model.before[k]
        if b < 0 or model.fixed[k] or model.fixed[b]:
            continue
        mine = np.flatnonzero((columns.test == k) & (columns.first != UNPLACED))
        theirs = np.flatnonzero((columns.test == b) & (columns.first != UNPLACED))
        ended = model.last_days(columns.test[theirs], columns.first[theirs]) + 1 + model.gap[k]
        starts = np.unique(columns.first[mine])
        if not len(starts):
            continue
        row_m, at_m = np.nonzero(columns.first[mine][None, :] <= starts[:, None])
        row_t, at_t = np.nonzero(ended[None, :] <= starts[:, None])
        value = np.concatenate([np.ones(len(row_m)), -np.ones(len(row_t))])
        yield (
            np.concatenate([row_m, row_t]),
            np.concatenate([mine[at_m], theirs[at_t]]),
            np.zeros(len(starts), dtype=np.int64),
            value,
        )


def _on_the_way(
    model: Model, columns: Columns, column: np.ndarray, day: np.ndarray, keys: np.ndarray
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Rows that let a vehicle be on one site on a day or, too soon after it, on another: (row keys, columns)."""
    site = np.array(model.sites.of_dyno)[columns.dyno[column]]
    for origin, to in np.ndindex(model.sites.count, model.sites.count):
        at_origin, at_target = site == origin, site == to
        for days in range(1, model.sites.days[origin][to] + 1):
            soon = at_target & (day >= days)
            both = np.intersect1d(keys[at_origin], keys[soon] - days)
            first, then = at_origin & np.isin(keys, both), soon & np.isin(keys - days, both)
            yield np.concatenate([keys[first], keys[then] - days]), np.concatenate([column[first], column[then]])

"""Which shortage costs most: what one more dyno for each kind of test would be worth.

The prices come from the linear relaxation with pooled dynos, over every day that a test's own limits leave it, also
those on which all of its dynos are taken: a dyno that is not there would be free on them. The price of a row is what
one more dyno-day lowers the relaxation by, at the most; one more dyno for some tests raises every row that counts one
of them. Where the problem is large, days are taken together in steps and tests begin on the first possible day of
each, so that the prices are an estimate. Either way they rank; what a dyno really saves is found by solving again
`with_one_more`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from allocations.planning.bounds.columns import POOLED, UNPLACED, Columns, Rows, eligible_unions
from allocations.planning.bounds.linear import relax
from allocations.planning.problem.instance import Problem
from allocations.planning.problem.model import Model, bits

MAX_ENTRIES = 2_000_000
"""Of the program's matrix; more of them make the steps longer."""
STEPS = (1, 2, 4, 7, 14, 28)
LEAN = 1e-4
"""Where a price could stand on either of two rows, this little more room puts it on the one with fewer dynos."""
SHARE = 0.9
"""Of a price: the days between which so much of it falls are named."""


@dataclass(frozen=True)
class Shortage:
    """What one more dyno for a group of tests is worth in the relaxation, in weighted days, and when it is wanted."""

    group: str
    price: float
    first: int | None = None
    last: int | None = None


@dataclass(frozen=True)
class Pricing:
    """`step` is 1 where the relaxation is exact; `bound` is its value, tests without a place counted as very late."""

    shortages: tuple[Shortage, ...]
    bound: float
    step: int


def with_one_more(problem: Problem, tests: Collection[str], *, name: str) -> Problem:
    """Give the problem with one more dyno, free on all days, that may run these tests."""
    eligible = set(tests)
    new = tuple(replace(t, dynos=(*t.dynos, name)) if t.id in eligible else t for t in problem.tests)
    beside = next(
        (problem.facilities[d] for t in new if t.id in eligible for d in t.dynos if d in problem.facilities), None
    )
    facilities = {**problem.facilities, name: beside} if beside is not None else problem.facilities
    return replace(problem, dynos=(*problem.dynos, name), tests=new, facilities=facilities)


def price_groups(problem: Problem, groups: Mapping[str, Collection[str]], *, seconds: float) -> Pricing | None:
    """Rank groups of tests by what one more dyno for them is worth, the dearest first; None when time did not do."""
    loose = [t.id for t in problem.tests if not t.fixed]
    if not loose:
        return Pricing(tuple(Shortage(name, 0.0) for name in sorted(groups)), 0.0, 1)
    model = Model(problem)
    wide = Model(with_one_more(problem, loose, name="\0anywhere"))
    step = _step(wide)
    columns = _columns(wide, step)
    rows, labels = _rows(model, columns, step)
    priced = relax(model, columns, rows, seconds=seconds)
    if priced is None:
        return None
    index = {t.id: j for j, t in enumerate(problem.tests)}
    shortages = []
    for name, tests in groups.items():
        kinds = {frozenset(model.dynos[index[id_]]) for id_ in tests if not model.fixed[index[id_]]}
        shortages.append(_shortage(name, kinds, labels, priced.price, step, model.horizon))
    return Pricing(tuple(sorted(shortages, key=lambda s: (-s.price, s.group))), priced.bound, step)


def _step(model: Model) -> int:
    starts = sum(model.window[j].bit_count() * model.days[j] for j in range(model.n) if not model.fixed[j])
    entries = starts * max(1, len(eligible_unions(model)) // 2)
    return next((step for step in STEPS if entries <= MAX_ENTRIES * step * step), STEPS[-1])


def _columns(model: Model, step: int) -> Columns:
    items: list[tuple[int, int, int, int]] = []
    for j in range(model.n):
        if model.fixed[j]:
            items.append((j, POOLED, UNPLACED, 0))
            continue
        starts = bits(model.window[j])
        begun = -1
        for first in starts:
            if first // step != begun:
                begun = first // step
                items.append((j, POOLED, first, model.cost[j][first] // model.level))
        # A test without a place is as late as one that begins when the days planned are over.
        late = model.horizon + model.days[j] - 1 - model.due[j]
        items.append((j, POOLED, UNPLACED, model.weight[j] * max(0, late)))
    array = np.array(items, dtype=np.int64)
    return Columns(array[:, 0], array[:, 1], array[:, 2], array[:, 3])


def _rows(model: Model, columns: Columns, step: int) -> tuple[Rows, list[tuple[frozenset[int], np.ndarray]]]:
    """Rows of room by union of eligible dynos and step, which the labels name in their order, then by vehicle."""
    steps = -(-model.horizon // step)
    step_of = np.arange(model.horizon) // step
    free = np.array([[mask >> t & 1 for t in range(model.horizon)] for mask in model.free_dyno])
    placed = np.flatnonzero(columns.first != UNPLACED)
    length = model.last_days(columns.test[placed], columns.first[placed]) - columns.first[placed] + 1
    column = np.repeat(placed, length)
    day = columns.first[column] + np.arange(len(column)) - np.repeat(np.cumsum(length) - length, length)
    # A column and a step that it takes days of, with how many.
    pair, value = np.unique(column * steps + step_of[day], return_counts=True)
    column, at = pair // steps, pair % steps
    sets = {dynos: frozenset(dynos) for dynos in set(model.dynos)}
    parts, labels = [], []
    for union in eligible_unions(model):
        inside = np.array([sets[dynos] <= union for dynos in model.dynos])[columns.test[column]]
        limits = np.bincount(step_of, free[sorted(union)].sum(axis=0), minlength=steps)
        part, which = _that_matter(at[inside], column[inside], value[inside], limits + LEAN * len(union))
        parts.append(part)
        labels.append((union, which))
    vehicle = np.array(model.vehicle)[columns.test[column]]
    shared = np.array([len(tests) > 1 for tests in model.loose_of])[vehicle]
    limits = np.tile(np.bincount(step_of, minlength=steps), model.vehicles).astype(float)
    parts.append(_that_matter(vehicle[shared] * steps + at[shared], column[shared], value[shared], limits)[0])
    return _joined(parts), labels


def _joined(parts: list[Rows]) -> Rows:
    base = np.cumsum([0, *(len(part.limit) for part in parts)])
    return Rows(
        np.concatenate([part.row + first for part, first in zip(parts, base, strict=False)]),
        np.concatenate([part.column for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.limit for part in parts]),
    )


def _that_matter(
    keys: np.ndarray, column: np.ndarray, value: np.ndarray, limits: np.ndarray
) -> tuple[Rows, np.ndarray]:
    """Number the rows that all of their columns together would break, and say which those are."""
    breakable = np.bincount(keys, value, minlength=len(limits)) > limits
    number = np.cumsum(breakable) - 1
    chosen = breakable[keys]
    rows = Rows(number[keys[chosen]], column[chosen], value[chosen].astype(float), limits[breakable].astype(float))
    return rows, np.flatnonzero(breakable)


def _shortage(
    name: str,
    kinds: set[frozenset[int]],
    labels: list[tuple[frozenset[int], np.ndarray]],
    price: np.ndarray,
    step: int,
    horizon: int,
) -> Shortage:
    worth: dict[int, float] = {}
    at = 0
    for union, steps in labels:
        if any(kind <= union for kind in kinds):
            for which, value in zip(steps.tolist(), price[at : at + len(steps)].tolist(), strict=True):
                days = min(step, horizon - which * step)
                if value > 1e-9:
                    worth[which] = worth.get(which, 0.0) + value * days
        at += len(steps)
    total = sum(worth.values())
    if total <= 0:
        return Shortage(name, 0.0)
    first, last = _most_of(worth, total)
    return Shortage(name, total, first * step, min(last * step + step, horizon) - 1)


def _most_of(worth: Mapping[int, float], total: float) -> tuple[int, int]:
    """Give the first and last step between which most of a price falls, as much left out before as after."""
    aside = total * (1 - SHARE) / 2
    steps = sorted(worth)
    ends = []
    for way in (steps, steps[::-1]):
        passed = 0.0
        for which in way:
            passed += worth[which]
            if passed > aside:
                ends.append(which)
                break
    return ends[0], ends[1]

"""Bounds of the published problems, and plans made from them."""

import numpy as np

from allocations.planning import check
from allocations.planning.bounds.columns import placed_columns, pooled_columns, rows_for
from allocations.planning.bounds.linear import lagrangian, relax, whole
from allocations.planning.problem.model import Model
from allocations.planning.search.greedy import greedy
from allocations.planning.search.rounding import rounded

from . import published


def test_the_placed_relaxation_is_no_weaker_than_the_pooled_and_both_are_true():
    model = Model(published.problem("40x10-1"))
    pooled = pooled_columns(model, below=200)
    loose = relax(model, pooled, rows_for(model, pooled), seconds=30)
    placed = placed_columns(model, pooled)
    tight = relax(model, placed, rows_for(model, placed), seconds=30)
    assert 100 < loose.bound <= tight.bound <= 145
    assert whole(tight.bound) >= 135


def test_any_prices_prove_a_bound():
    model = Model(published.problem("40x10-1"))
    columns = pooled_columns(model)
    rows = rows_for(model, columns)
    for seed in range(5):
        price = np.random.default_rng(seed).random(len(rows.limit))
        assert lagrangian(model, columns, rows, price)[0] <= 145


def test_the_relaxation_bounds_150_tests_and_rounds_to_a_plan():
    problem = published.problem("150x20-1")
    model = Model(problem)
    start = model.plan_cost(greedy(model)) // model.level
    columns = pooled_columns(model, below=start)
    priced = relax(model, columns, rows_for(model, columns), seconds=60)
    assert 230 <= whole(priced.bound) <= 249
    plan = rounded(model, columns, priced.value, seed=0)
    solution = model.solution(plan, bound=whole(priced.bound), seconds=0)
    assert check(problem, solution) == []
    assert solution.objective < start

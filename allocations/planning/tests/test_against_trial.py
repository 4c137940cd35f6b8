"""The solver against trying everything."""

from hypothesis import HealthCheck, given, settings

from allocations.planning import check, solve
from allocations.planning.bounds.columns import placed_columns, pooled_columns, rows_for
from allocations.planning.bounds.linear import relax, whole
from allocations.planning.problem.model import Model
from allocations.planning.solve import _Run

from . import small

slow = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}


@settings(max_examples=120, **slow)
@given(small.problems())
def test_finds_and_proves_the_best_plan(problem):
    solution = small.solve_inside(problem)
    assert check(problem, solution) == []
    assert (len(solution.unplaced), solution.objective) == small.best_by_trial(problem)
    assert solution.status == "optimal"


@settings(max_examples=150, **slow)
@given(small.calendars())
def test_finds_and_proves_the_best_plan_among_closed_days_and_travel(problem):
    solution = small.solve_inside(problem, steps=5)
    assert check(problem, solution) == []
    assert (len(solution.unplaced), solution.objective) == small.best_by_trial(problem)
    assert solution.status == "optimal"


@settings(max_examples=120, **slow)
@given(small.problems() | small.calendars())
def test_relaxations_never_exceed_the_best_plan(problem):
    model = Model(problem)
    out, objective = small.best_by_trial(problem)
    best = out * model.unplaced_price + objective
    pooled = pooled_columns(model)
    for columns in (pooled, placed_columns(model, pooled)):
        priced = relax(model, columns, rows_for(model, columns), seconds=10)
        assert whole(priced.bound) <= best


@settings(max_examples=120, **slow)
@given(small.problems() | small.calendars())
def test_the_first_bound_is_true(problem):
    out, objective = small.best_by_trial(problem)
    run = _Run(problem, 10.0, None, None)
    assert 0 <= run.bound <= out * run.model.unplaced_price + objective


@settings(max_examples=5, **slow)
@given(small.problems() | small.calendars())
def test_the_whole_solver_agrees(problem):
    solution = solve(problem, seconds=60)
    assert check(problem, solution) == []
    assert (len(solution.unplaced), solution.objective) == small.best_by_trial(problem)
    assert solution.status == "optimal"

"""Instances with known optima or known difficulty."""

import pytest

from allocations.planning import check, solve

from . import published


@pytest.mark.parametrize(("name", "optimum"), [("40x10-1", 145), ("40x10-2", 100), ("40x10-3", 271)])
def test_small_problems_are_proven_optimal(name, optimum):
    problem = published.problem(name)
    solution = solve(problem, seconds=120, workers=2)
    assert check(problem, solution) == []
    assert (solution.status, solution.objective, solution.bound) == ("optimal", optimum, optimum)
    assert solution.gap == 0


def test_first_plan_for_500_tests_comes_within_a_second():
    problem = published.problem("500x50-1")
    progress = []
    solution = solve(problem, seconds=60, on_progress=progress.append, should_stop=lambda: bool(progress))
    assert check(problem, solution) == []
    assert solution.unplaced == ()
    assert progress[0].seconds < 1
    assert 939 < solution.objective <= progress[0].objective

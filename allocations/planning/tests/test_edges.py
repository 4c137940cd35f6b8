"""Problems at the edge: nothing to plan, nowhere to go, everything fixed."""

import math

import pytest

from allocations.planning import Problem, check, solve
from allocations.planning.problem.model import Model
from allocations.planning.solve import _Run

from . import small


def item(name, **more):
    return {
        "id": name,
        "vehicle": f"V{name}",
        "days": 2,
        "earliest": 0,
        "due": 3,
        "weight": 2,
        "dynos": ["D0"],
    } | more


@pytest.mark.parametrize(
    ("tests", "dynos", "unplaced", "objective"),
    [
        ([], ["D0"], (), 0),
        ([], [], (), 0),
        ([item("A", dynos=[])], [], ("A",), 0),
        ([item("A", days=7)], ["D0"], ("A",), 0),
        ([item("A", earliest=40)], ["D0"], ("A",), 0),
        ([item("A", earliest=-5, due=-2)], ["D0"], (), 6),
        ([item("A", placed={"dyno": "D0", "first": 4}, fixed=True)], ["D0"], (), 4),
        ([item("A", placed={"dyno": "D0", "first": -3})], ["D0"], (), 0),
        ([item("A", days=9), item("B", after="A")], ["D0"], ("A", "B"), 0),
        ([item("A", weight=10**9, due=0), item("B", weight=0, due=-(10**6))], ["D0"], (), 10**9),
    ],
)
def test_edges_are_answered_and_proven(tests, dynos, unplaced, objective):
    problem = Problem.from_json({"horizon": 6, "dynos": dynos, "tests": tests})
    solution = solve(problem, seconds=60)
    assert check(problem, solution) == []
    assert (solution.status, solution.unplaced, solution.objective) == ("optimal", unplaced, objective)


def test_one_worker_proves_too():
    tests = [item(f"T{i}", due=i, weight=1 + i % 3, earliest=i % 2) for i in range(5)]
    problem = Problem.from_json({"horizon": 12, "dynos": ["D0"], "tests": tests})
    one, two = (solve(problem, seconds=60, workers=workers) for workers in (1, 2))
    assert check(problem, one) == []
    assert (one.status, one.objective) == (two.status, two.objective) == ("optimal", one.bound)


def test_three_workers_agree():
    tests = [item(f"T{i}", due=i, weight=1 + i % 3, dynos=["D0", "D1"], vehicle=f"V{i % 3}") for i in range(6)]
    problem = Problem.from_json({"horizon": 12, "dynos": ["D0", "D1"], "tests": tests})
    solutions = [solve(problem, seconds=60, workers=workers) for workers in (2, 3)]
    assert [check(problem, s) for s in solutions] == [[], []]
    assert solutions[0].status == "optimal"
    assert solutions[0].objective == solutions[1].objective


def far(**more):
    """Few tests and years of days, of which but the first count."""
    tests = [item(f"T{i}", due=i, weight=10 * (1 + i % 3), vehicle=f"V{i % 2}", days=1 + i % 3) for i in range(5)]
    tests[3] |= {"after": "T1", "gap": 4}
    return {
        "horizon": 100_000,
        "dynos": ["D0"],
        "tests": tests,
        "occupied": [{"dyno": "D0", "first": 2, "last": 3}],
    } | more


@pytest.mark.parametrize(
    ("more", "days"),
    [
        ({}, 17),  # day 3 is the last occupied one, 9 the days of all, 4 the gap
        ({"occupied": [{"dyno": "D0", "first": 50, "last": 10**8}]}, 14),
        ({"occupied": [{"dyno": "D0", "first": 50, "last": 99_998}]}, 100_000),
        ({"closed": [20]}, 34),
        ({"horizon": 16}, 16),
    ],
)
def test_days_that_no_plan_needs_are_left_out(more, days):
    assert Model(Problem.from_json(far(**more))).horizon == days


def test_a_horizon_of_any_length_has_the_same_best_plan():
    answers = []
    for horizon in (30, 100_000):
        problem = Problem.from_json(far(horizon=horizon))
        solution = solve(problem, seconds=60)
        assert check(problem, solution) == []
        assert solution.status == "optimal"
        answers.append(solution.objective)
    assert answers[0] == answers[1] == small.best_by_trial(Problem.from_json(far(horizon=30)))[1]


def test_a_bound_is_as_coarse_as_the_objectives():
    run = _Run(Problem.from_json(far()), 0.0, None, None)
    run.raise_bound(run.bound + 1)
    assert run.bound % 10 == 0
    assert run.value % 10 == 0


def test_huge_weights_make_no_false_proof():
    heavy = [item(f"T{i}", weight=10**9 - i, due=-(10**9) + i, vehicle="V") for i in range(6)]
    problem = Problem.from_json({"horizon": 12, "dynos": ["D0"], "tests": heavy})
    solution = small.solve_inside(problem)
    assert check(problem, solution) == []
    assert solution.bound <= small.best_by_trial(problem)[1] <= solution.objective


def test_a_price_for_the_unplaced_holds_on_one_dyno_too():
    tests = [item(f"T{i}", weight=9, due=1, days=4) for i in range(3)]
    data = {"horizon": 12, "dynos": ["D0"], "tests": tests, "weights": {"unplaced": 20}}
    problem = Problem.from_json(data)
    solution = small.solve_inside(problem)
    assert check(problem, solution) == []
    # Each costs 18, 54 or 90 in its turn, or 20 without a place.
    assert (solution.status, len(solution.unplaced), solution.objective) == ("optimal", 2, 18)


def test_steps_are_done_whatever_the_time():
    problem = Problem.from_json(far(horizon=60))
    run = _Run(problem, math.inf, None, None)
    assert run.open
    one, two = (solve(problem, steps=400, seed=3) for _ in range(2))
    assert one.placements == two.placements
    assert (one.steps, two.steps) == (400, 400)

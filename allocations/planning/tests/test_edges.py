"""Problems at the edge: nothing to plan, nowhere to go, everything fixed."""

import pytest

from allocations.planning import Problem, check, solve


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

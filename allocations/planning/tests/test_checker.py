"""The checker finds each way of being wrong."""

from dataclasses import replace

import pytest

from allocations.planning import Placement, Problem, Solution, check

PROBLEM = Problem.from_json(
    {
        "horizon": 12,
        "dynos": ["D0", "D1"],
        "occupied": [{"dyno": "D0", "first": 8, "last": 9}, {"vehicle": "W", "first": 0, "last": 0}],
        "tests": [
            {"id": "A", "vehicle": "V", "days": 2, "earliest": 1, "due": 2, "weight": 3, "dynos": ["D0"]},
            {
                "id": "B",
                "vehicle": "V",
                "days": 1,
                "earliest": 0,
                "due": 5,
                "weight": 2,
                "dynos": ["D0", "D1"],
                "after": "A",
                "gap": 2,
                "placed": {"dyno": "D1", "first": 5},
            },
            {"id": "C", "vehicle": "W", "days": 2, "earliest": 0, "due": 5, "weight": 1, "dynos": ["D0", "D1"]},
        ],
        "weights": {"move": 4},
    }
)
A, B, C = Placement("A", "D0", 1, 2), Placement("B", "D1", 5, 5), Placement("C", "D1", 1, 2)
GOOD = Solution("optimal", 0, 0, 0, 0.1, (A, B, C))


def test_a_sound_plan_passes():
    assert check(PROBLEM, GOOD) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"placements": (A, B)}, "C is neither placed nor unplaced"),
        ({"placements": (A, B, C, C)}, "C stands 2 times"),
        ({"placements": (A, B, C), "unplaced": ("C",)}, "C stands 2 times"),
        ({"placements": (A, B, C), "unplaced": ("X",)}, "X is not among the tests"),
        ({"placements": (A, B, Placement("C", "D0", 2, 3))}, "dyno D0 is taken (A)"),
        ({"placements": (A, B, Placement("C", "D0", 8, 9))}, "dyno D0 is taken (occupied)"),
        ({"placements": (A, B, Placement("C", "D1", 0, 1))}, "vehicle W is taken (occupied)"),
        ({"placements": (A, Placement("B", "D1", 2, 2), C)}, "vehicle V is taken (A)"),
        ({"placements": (A, B, Placement("C", "D1", 11, 12))}, "C leaves the horizon"),
        ({"placements": (A, B, Placement("C", "D1", 1, 3))}, "C takes 3 days instead of 2"),
        ({"placements": (Placement("A", "D1", 3, 4), B, C)}, "A may not run on D1"),
        ({"placements": (Placement("A", "D0", 0, 1), B, C)}, "before its earliest 1"),
        ({"placements": (A, Placement("B", "D1", 4, 4), C)}, "B starts less than 2 days after A"),
        ({"placements": (B, C), "unplaced": ("A",)}, "which comes before it, is not"),
        ({"placements": (A, Placement("B", "D1", 6, 6), C)}, "objective is 0, counted 6"),
        ({"placements": (A, Placement("B", "D0", 5, 5), C)}, "moved is 0, counted 1"),
        ({"bound": 1}, "bound 1 is above the objective 0"),
        ({"status": "done"}, "status 'done' is unknown"),
        ({"objective": 1, "bound": 0}, "optimal, but the bound is below"),
    ],
)
def test_each_fault_is_named(changes, words):
    assert any(words in fault for fault in check(PROBLEM, replace(GOOD, **changes)))


def test_a_fixed_test_must_stay():
    fixed = replace(PROBLEM, tests=(*PROBLEM.tests[:1], replace(PROBLEM.tests[1], fixed=True), PROBLEM.tests[2]))
    moved = replace(GOOD, placements=(A, Placement("B", "D0", 5, 5), C), moved=1, objective=4)
    assert "B is fixed and was moved" in check(fixed, moved)
    assert "B is fixed and was left out" in check(fixed, replace(GOOD, placements=(A, C), unplaced=("B",)))

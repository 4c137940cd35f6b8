"""Reading problems, and refusing malformed ones by the name of the field."""

import copy
import json

import pytest

from allocations.planning import Placement, Problem, ProblemError, Solution

GOOD = {
    "horizon": 10,
    "dynos": ["D0", "D1"],
    "occupied": [{"dyno": "D0", "first": 3, "last": 5}],
    "tests": [
        {"id": "A", "vehicle": "V", "days": 2, "earliest": 0, "due": 4, "weight": 3, "dynos": ["D0"]},
        {
            "id": "B",
            "vehicle": "W",
            "days": 1,
            "earliest": 1,
            "due": 4,
            "weight": 1,
            "dynos": ["D0", "D1"],
            "after": "A",
            "gap": 2,
            "placed": {"dyno": "D1", "first": 6},
            "fixed": True,
        },
    ],
}


def test_a_problem_survives_reading_and_writing():
    problem = Problem.from_json(json.dumps(GOOD))
    assert problem.tests[1].placed == ("D1", 6)
    assert (problem.tests[1].after, problem.tests[1].gap, problem.tests[1].fixed) == ("A", 2, True)
    assert Problem.from_json(problem.to_json()) == problem


@pytest.mark.parametrize(
    ("path", "value", "field"),
    [
        (["horizon"], 0, "horizon"),
        (["horizon"], "ten", "horizon"),
        (["horizon"], None, "horizon"),
        (["dynos"], "D0", "dynos"),
        (["dynos"], ["D0", "D0"], "dynos[1]"),
        (["tests"], {}, "tests"),
        (["tests", 0], 7, "tests[0]"),
        (["tests", 0, "days"], 0, "tests[0].days"),
        (["tests", 0, "days"], 1.5, "tests[0].days"),
        (["tests", 0, "days"], True, "tests[0].days"),
        (["tests", 0, "due"], "soon", "tests[0].due"),
        (["tests", 0, "weight"], -1, "tests[0].weight"),
        (["tests", 0, "weight"], 10**18, "tests[0].weight"),
        (["tests", 0, "days"], float("inf"), "tests[0].days"),
        (["tests", 0, "id"], "\ud800", "tests[0].id"),
        (["tests", 0, "dynos"], ["D9"], "tests[0].dynos[0]"),
        (["tests", 1, "id"], "A", "tests[1].id"),
        (["tests", 1, "after"], "Z", "tests[1].after"),
        (["tests", 0, "after"], "B", "tests[0].after"),
        (["tests", 1, "gap"], -1, "tests[1].gap"),
        (["tests", 1, "placed"], None, "tests[1].fixed"),
        (["tests", 1, "placed"], {"dyno": "D9", "first": 0}, "tests[1].placed.dyno"),
        (["tests", 1, "placed"], {"dyno": "D1"}, "tests[1].placed.first"),
        (["tests", 1, "placed"], {"dyno": "D1", "first": 10}, "tests[1].placed.first"),
        (["tests", 1, "placed"], {"dyno": "D0", "first": 4}, "tests[1].placed"),
        (["tests", 1, "fixed"], "yes", "tests[1].fixed"),
        (["occupied", 0, "dyno"], "D7", "occupied[0].dyno"),
        (["occupied", 0, "last"], 2, "occupied[0].last"),
        (["weights"], {"moves": 3}, "weights.moves"),
        (["weights"], {"move": -3}, "weights.move"),
    ],
)
def test_a_malformed_problem_is_refused_by_field(path, value, field):
    data = copy.deepcopy(GOOD)
    at = data
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    with pytest.raises(ProblemError) as refused:
        Problem.from_json(data)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: ")


@pytest.mark.parametrize("key", ["id", "vehicle", "days", "earliest", "due", "weight", "dynos"])
def test_a_missing_field_is_named(key):
    data = copy.deepcopy(GOOD)
    del data["tests"][0][key]
    with pytest.raises(ProblemError, match=rf"^tests\[0\]\.{key}: is missing$"):
        Problem.from_json(data)


def test_what_is_not_json_is_refused():
    with pytest.raises(ProblemError, match="problem: is not JSON"):
        Problem.from_json("{")


def test_a_solution_is_written_in_its_published_form():
    solution = Solution("feasible", 8, 6, 1, 1.23456, (Placement("A", "D0", 0, 1),), ("B",))
    assert solution.to_json() == {
        "status": "feasible",
        "objective": 8,
        "bound": 6,
        "gap": 0.25,
        "moved": 1,
        "seconds": 1.235,
        "placements": [{"id": "A", "dyno": "D0", "first": 0, "last": 1}],
        "unplaced": ["B"],
    }
    assert Solution.from_json(solution.to_json()).placements == solution.placements

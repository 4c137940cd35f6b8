"""What comes before what: a place for all, tardiness, moves, earlier finish, versatile dynos free."""

from allocations.planning import Problem, check

from . import small


def item(name, *, days=2, due=20, weight=1, dynos=("D0", "D1"), **more):
    return {
        "id": name,
        "vehicle": f"V{name}",
        "days": days,
        "earliest": 0,
        "due": due,
        "weight": weight,
        "dynos": list(dynos),
    } | more


def plan(tests, *, horizon=10, occupied=(), weights=None):
    problem = Problem.from_json(
        {
            "horizon": horizon,
            "dynos": ["D0", "D1"],
            "occupied": list(occupied),
            "tests": tests,
            "weights": weights or {},
        }
    )
    solution = small.solve_inside(problem)
    assert check(problem, solution) == []
    return solution, {p.id: (p.dyno, p.first) for p in solution.placements}


def test_placing_all_comes_before_tardiness():
    # Heavy A in time, on days 0 and 1, would leave no three days in a row for B.
    occupied = [{"dyno": "D0", "first": 3, "last": 3}, {"dyno": "D0", "first": 6, "last": 9}]
    tests = [item("A", due=1, weight=100, dynos=["D0"]), item("B", days=3, dynos=["D0"])]
    solution, where = plan(tests, horizon=10, occupied=occupied)
    assert where == {"A": ("D0", 4), "B": ("D0", 0)}
    assert (solution.unplaced, solution.objective, solution.status) == ((), 400, "optimal")


def test_an_unplaced_test_is_listed():
    solution, where = plan([item("A", days=3), item("B", days=11)], horizon=10)
    assert solution.unplaced == ("B",)
    assert set(where) == {"A"}


def test_moves_break_ties_and_cost_nothing_by_themselves():
    tests = [item("A", placed={"dyno": "D1", "first": 6}), item("B")]
    solution, where = plan(tests)
    assert where["A"] == ("D1", 6)
    assert (solution.objective, solution.moved) == (0, 0)


def test_tardiness_comes_before_moves_unless_moves_have_a_price():
    tests = [item("A", due=1, weight=2, dynos=["D0"], placed={"dyno": "D0", "first": 3})]
    free, where = plan(tests)
    assert (where["A"], free.objective, free.moved) == (("D0", 0), 0, 1)
    dear, where = plan(tests, weights={"move": 7})
    assert (where["A"], dear.objective, dear.moved) == (("D0", 3), 6, 0)
    cheap, where = plan(tests, weights={"move": 5})
    assert (where["A"], cheap.objective, cheap.moved) == (("D0", 0), 5, 1)


def test_earlier_finish_breaks_ties():
    _, where = plan([item("A"), item("B")])
    assert sorted(first for _, first in where.values()) == [0, 0]


def test_versatile_dynos_are_kept_free():
    # D0 can run both, D1 only A.
    tests = [item("A"), item("B", dynos=["D0"], earliest=5)]
    _, where = plan(tests)
    assert where["A"] == ("D1", 0)


def test_an_outage_is_repaired_with_the_fewest_moves_when_moves_are_dear():
    tests = [item(f"T{i}", days=2, due=9, placed={"dyno": f"D{i % 2}", "first": 2 * (i // 2)}) for i in range(6)]
    occupied = [{"dyno": "D0", "first": 0, "last": 1}]
    solution, where = plan(tests, horizon=20, occupied=occupied, weights={"move": 1000})
    assert solution.moved == 1
    assert solution.objective == solution.bound == 1000
    assert where["T0"] not in {("D0", 0)}

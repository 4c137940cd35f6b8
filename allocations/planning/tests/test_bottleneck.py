import pytest
from hypothesis import given

from allocations.planning import Problem, solve
from allocations.planning.bounds import bottleneck
from allocations.planning.bounds.bottleneck import price_groups, with_one_more
from allocations.planning.problem.measures import Lateness, Use, lateness_of, shortfall_of, together, use_of_dynos
from allocations.planning.tests.small import problems


def problem(*tests, horizon=40, dynos=("A", "B"), occupied=()):
    """Tests are (id, days, earliest, due, dynos); each has a vehicle of its own and weight 1."""
    return Problem.from_json(
        {
            "horizon": horizon,
            "dynos": list(dynos),
            "occupied": list(occupied),
            "tests": [
                {
                    "id": id_,
                    "vehicle": f"V{id_}",
                    "days": days,
                    "earliest": earliest,
                    "due": due,
                    "weight": 1,
                    "dynos": list(on),
                }
                for id_, days, earliest, due, on in tests
            ],
        }
    )


CROWDED = problem(
    *((f"a{i}", 3, 0, 2, "A") for i in range(4)),
    ("b", 3, 0, 10, "B"),
)
GROUPS = {"on A": ["a0", "a1", "a2", "a3"], "on B": ["b"]}


def test_the_crowded_group_is_dear_and_the_idle_one_costs_nothing():
    pricing = price_groups(CROWDED, GROUPS, seconds=5)
    assert [shortage.group for shortage in pricing.shortages] == ["on A", "on B"]
    dear, idle = pricing.shortages
    assert (idle.price, idle.first) == (0.0, None)
    assert pricing.step == 1
    # One after the other they are 0 + 3 + 6 + 9 days late; on two dynos 0 + 0 + 3 + 3.
    assert solve(CROWDED, seconds=2).objective == 18
    assert solve(with_one_more(CROWDED, GROUPS["on A"], name="new"), seconds=2).objective == 6
    assert dear.price > 0
    assert (dear.first >= 0, dear.last < 12) == (True, True)


def test_days_on_which_every_dyno_is_taken_are_a_shortage_too():
    """Without the days on which nothing is free the relaxation would see no price at all."""
    waits = problem(("a", 2, 0, 1, "A"), ("b", 2, 0, 1, "B"), occupied=[{"dyno": "A", "first": 0, "last": 19}])
    pricing = price_groups(waits, {"on A": ["a"], "on B": ["b"]}, seconds=5)
    assert [(shortage.group, shortage.price > 0) for shortage in pricing.shortages] == [
        ("on A", True),
        ("on B", False),
    ]
    assert pricing.bound == pytest.approx(20, abs=0.1)
    assert pricing.shortages[0].price >= 20 - 0.1


def test_one_more_dyno_runs_what_the_group_runs_and_nothing_else():
    more = with_one_more(CROWDED, GROUPS["on A"], name="new")
    assert more.dynos == ("A", "B", "new")
    assert {t.id: t.dynos for t in more.tests} == {
        "a0": ("A", "new"),
        "a1": ("A", "new"),
        "a2": ("A", "new"),
        "a3": ("A", "new"),
        "b": ("B",),
    }
    assert CROWDED.dynos == ("A", "B")


def test_coarse_steps_rank_the_same(monkeypatch):
    monkeypatch.setattr(bottleneck, "MAX_ENTRIES", 20)
    pricing = price_groups(CROWDED, GROUPS, seconds=5)
    assert pricing.step > 1
    assert [shortage.group for shortage in pricing.shortages] == ["on A", "on B"]
    assert pricing.shortages[0].price > 0


def test_where_all_is_fixed_there_is_no_shortage():
    fixed = Problem.from_json(
        CROWDED.to_json()
        | {
            "tests": [
                item | {"placed": {"dyno": item["dynos"][0], "first": 3 * i}, "fixed": True}
                for i, item in enumerate(CROWDED.to_json()["tests"])
            ]
        }
    )
    assert [shortage.price for shortage in price_groups(fixed, GROUPS, seconds=5).shortages] == [0.0, 0.0]


@given(problems())
def test_a_price_is_never_less_than_what_one_more_dyno_saves_in_the_relaxation(drawn):
    groups = {test.id: [test.id] for test in drawn.tests if not test.fixed}
    before = price_groups(drawn, groups, seconds=5)
    for shortage in before.shortages[:2]:
        after = price_groups(with_one_more(drawn, groups[shortage.group], name="new"), {}, seconds=5)
        assert before.bound - after.bound <= shortage.price + 0.05


def test_lateness_and_use_in_figures():
    busy = problem(
        ("a", 3, 0, 1, "A"), ("b", 4, 0, 9, "A"), horizon=10, occupied=[{"dyno": "B", "first": 0, "last": 4}]
    )
    solution = solve(busy, seconds=2)
    assert lateness_of(busy, solution) == Lateness(1, 1, 1)
    uses = use_of_dynos(busy, solution, {"B": [(0, 1)], "A": [(8, 20)]})
    assert uses == {"A": Use(7, 8), "B": Use(3, 8)}
    assert (uses["A"].percent, together(uses, ["A", "B"])) == (88, Use(10, 16))


def test_a_test_without_a_place_counts_as_one_that_begins_too_late():
    full = problem(("a", 6, 0, 5, "A"), ("b", 6, 0, 5, "A"), horizon=10)
    solution = solve(full, seconds=2)
    assert len(solution.unplaced) == 1
    assert (lateness_of(full, solution).weighted, shortfall_of(full, solution)) == (0, 10)


def test_closed_days_count_neither_as_taken_nor_as_open():
    closed = Problem.from_json(problem(("a", 4, 0, 9, "A"), horizon=10).to_json() | {"closed": [2, 3]})
    assert use_of_dynos(closed, solve(closed, seconds=2), {})["A"] == Use(2, 8)

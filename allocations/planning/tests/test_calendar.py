"""Closed days and travel in the small: how long a test takes, where a vehicle may be, what the checker says."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from allocations.planning import Placement, Problem, ProblemError, Solution, check, solve
from allocations.planning.bounds.columns import placed_columns, pooled_columns
from allocations.planning.problem.model import Model
from allocations.planning.problem.state import State
from allocations.planning.problem.stretch import Broken, Stretch
from allocations.planning.search.local_search import LocalSearch
from allocations.planning.search.sequence import Sequence

from . import small

# Two weeks from a Monday on; North and South are two days apart, back it is one.
CALENDAR = {
    "horizon": 14,
    "dynos": ["N1", "N2", "S1"],
    "closed": [5, 6, 12, 13],
    "facilities": {"N1": "North", "N2": "North", "S1": "South"},
    "travel": [{"from": "North", "to": "South", "days": 2}, {"from": "South", "to": "North", "days": 1}],
}


def item(name, **more):
    return {"id": name, "vehicle": "V", "days": 2, "earliest": 0, "due": 3, "weight": 2, "dynos": ["N1"]} | more


def problem(*tests, **more):
    return Problem.from_json(CALENDAR | {"tests": list(tests)} | more)


def places(solution):
    return [(p.id, p.dyno, p.first, p.last) for p in solution.placements]


@given(st.integers(1, 8), st.integers(1, 16), st.sets(st.integers(0, 15)), st.booleans(), st.integers(0, 2**16 - 1))
def test_a_stretch_starts_where_all_its_days_are_free(days, horizon, closed, pauses, free):
    free &= (1 << horizon) - 1
    stretch = Broken(days, horizon, closed=frozenset(closed), pauses=pauses)
    ends = {}
    for first in range(horizon):
        remaining, last = days, first - 1
        while remaining:
            last += 1
            remaining -= not (pauses and last in closed)
        ends[first] = last
    starts = {
        first
        for first, last in ends.items()
        if first not in closed and last < horizon and all(free >> day & 1 for day in range(first, last + 1))
    }
    assert {first for first in range(horizon) if stretch.starts(free) >> first & 1} == starts
    assert [min(end, horizon) for end in stretch.ends] == [min(end, horizon) for end in ends.values()]
    for last in range(-1, horizon):
        assert stretch.ended_by(last) == sum(end <= last for end in ends.values())


@given(st.integers(1, 8), st.integers(1, 16), st.integers(0, 2**16 - 1))
def test_without_closed_days_a_stretch_is_plain(days, horizon, free):
    free &= (1 << horizon) - 1
    plain, broken = Stretch(days, horizon), Broken(days, horizon, closed=frozenset(), pauses=True)
    assert plain.starts(free) == broken.starts(free)
    assert [plain.ended_by(last) for last in range(horizon)] == [broken.ended_by(last) for last in range(horizon)]


@given(small.calendars())
def test_a_test_that_is_taken_out_leaves_nothing_behind(problem):
    model = Model(problem)
    state = State(model, LocalSearch(model).best)
    for j in [j for j in range(model.n) if state.at[j] is not None and not model.fixed[j]]:
        state.take(j)
    bare = State(model)
    assert (state.free_dyno, state.free_vehicle, state.holder) == (bare.free_dyno, bare.free_vehicle, bare.holder)


@pytest.mark.parametrize(
    ("more", "first", "last"),
    [
        ({"earliest": 3, "days": 4}, 3, 6),
        ({"earliest": 3, "days": 4, "pauses": True}, 3, 8),
        ({"earliest": 5}, 7, 8),
        ({"earliest": 4, "pauses": True}, 4, 7),
        ({"earliest": 4, "pauses": True, "days": 7}, None, None),
        ({"earliest": 4, "days": 7}, 4, 10),
        ({"days": 10, "pauses": True}, 0, 11),
        ({"days": 11, "pauses": True}, None, None),
    ],
)
def test_tests_begin_on_working_days_and_pause_or_run_through(more, first, last):
    planned = problem(item("A", **more))
    solution = solve(planned, seconds=60, workers=1)
    assert check(planned, solution) == []
    assert solution.status == "optimal"
    assert places(solution) == ([] if first is None else [("A", "N1", first, last)])


def test_a_test_that_pauses_keeps_its_dyno_over_the_weekend():
    planned = problem(item("A", days=3, earliest=3, pauses=True), item("B", vehicle="W", earliest=4, days=1))
    solution = solve(planned, seconds=60, workers=1)
    assert check(planned, solution) == []
    assert sorted(places(solution)) == [("A", "N1", 3, 7), ("B", "N1", 8, 8)] or sorted(places(solution)) == [
        ("A", "N1", 7, 9),
        ("B", "N1", 4, 4),
    ]
    assert solution.objective == min(2 * (7 - 3) + 2 * (8 - 3), 2 * (9 - 3) + 2 * (4 - 3))


@pytest.mark.parametrize(
    ("north", "south", "south_first"),
    [({"due": 1}, {"due": 1, "weight": 1}, 4), ({"due": 1, "weight": 1}, {"due": 1, "weight": 3}, 0)],
)
def test_a_vehicle_has_its_days_on_the_way(north, south, south_first):
    planned = problem(item("A", **north), item("B", dynos=["S1"], **south))
    solution = solve(planned, seconds=60, workers=2)
    assert check(planned, solution) == []
    assert solution.status == "optimal"
    first_days = {p.id: p.first for p in solution.placements}
    # Two days from North to South, one back.
    assert first_days == ({"A": 0, "B": 4} if south_first else {"A": 3, "B": 0})


def test_what_is_fixed_and_where_a_vehicle_is_otherwise_count_as_stays():
    placed = item("F", dynos=["S1"], placed={"dyno": "S1", "first": 4}, fixed=True, days=1)
    away = [{"vehicle": "V", "first": 8, "last": 8, "facility": "South"}]
    planned = problem(item("A", days=1, dynos=["N1", "N2"]), placed, occupied=away)
    model = Model(planned)
    assert [first for first in range(14) if model.window[0] >> first & 1] == [0, 1, 10, 11]
    placed = placed_columns(model, pooled_columns(model))
    assert sorted(set(placed.first[placed.test == 0].tolist()) - {-1}) == [0, 1, 10, 11]
    elsewhere = replace(planned, occupied=(replace(planned.occupied[0], facility=None),))
    assert [first for first in range(14) if Model(elsewhere).window[0] >> first & 1] == [0, 1, 7, 9, 10, 11]


def test_placed_columns_leave_out_the_sites_that_a_vehicle_cannot_reach():
    fixed = item("F", dynos=["S1"], placed={"dyno": "S1", "first": 4}, fixed=True, days=1)
    model = Model(problem(item("A", days=1, dynos=["N1", "S1"]), fixed))
    columns = placed_columns(model, pooled_columns(model))
    mine = (columns.test == 0) & (columns.first >= 0)
    assert {d: sorted(columns.first[mine & (columns.dyno == d)].tolist()) for d in (0, 2)} == {
        0: [0, 1, 7, 8, 9, 10, 11],
        2: [0, 1, 2, 3, 7, 8, 9, 10, 11],
    }


def test_one_dyno_with_closed_days_is_no_plain_sequence():
    tests = [item(f"T{i}", vehicle=f"V{i}", days=2) for i in range(3)]
    assert Sequence.of(Model(problem(*tests))) is None
    assert Sequence.of(Model(problem(*tests, closed=[99]))) is not None


def test_two_that_were_given_too_near_one_another_stay():
    fixed = [
        item("A", placed={"dyno": "N1", "first": 5}, fixed=True),
        item("B", dynos=["S1"], placed={"dyno": "S1", "first": 7}, fixed=True),
    ]
    planned = problem(*fixed)
    solution = solve(planned, seconds=60)
    assert check(planned, solution) == []
    assert places(solution) == [("A", "N1", 5, 6), ("B", "S1", 7, 8)]


SOUND = problem(
    item("A", days=3, earliest=3, pauses=True, weight=0),
    item("B", dynos=["S1"], weight=0),
    item("C", vehicle="W", weight=0, dynos=["N2"], days=4),
)
A, B, C = Placement("A", "N1", 3, 7), Placement("B", "S1", 0, 1), Placement("C", "N2", 3, 6)
GOOD = Solution("optimal", 0, 0, 0, 0.1, (A, B, C))


@pytest.mark.parametrize(
    ("placements", "fault"),
    [
        ((A, B, C), None),
        ((Placement("A", "N1", 3, 5), B, C), "A takes 2 days instead of 3"),
        ((Placement("A", "N1", 8, 12), Placement("B", "S1", 0, 1), C), "A takes 4 days instead of 3"),
        ((Placement("A", "N1", 9, 12), Placement("B", "S1", 0, 1), C), "A ends on day 12, which is closed"),
        ((A, B, Placement("C", "N2", 5, 8)), "C starts on day 5, which is closed"),
        ((A, Placement("B", "S1", 2, 3), C), "B on day 3: vehicle V is taken"),
        ((A, Placement("B", "S1", 9, 10), C), "V needs 2 days from North to South, between A and B"),
        ((Placement("A", "N1", 4, 8), Placement("B", "S1", 2, 3), C), "V needs 1 days from South to North"),
        ((A, Placement("B", "S1", 10, 11), C), None),
    ],
)
def test_the_checker_counts_working_days_and_travel(placements, fault):
    faults = check(SOUND, replace(GOOD, placements=placements))
    assert faults == [] if fault is None else any(fault in sentence for sentence in faults), faults


def test_a_calendar_survives_reading_and_writing_and_is_left_out_where_there_is_none():
    away = [{"vehicle": "V", "first": 8, "last": 8, "facility": "South"}]
    planned = problem(item("A", pauses=True), item("B"), occupied=away)
    assert Problem.from_json(planned.to_json()) == planned
    assert planned.to_json()["tests"][0]["pauses"] is True
    assert (planned.closed, planned.tests[1].pauses) == ((5, 6, 12, 13), False)
    plain = Problem.from_json({"horizon": 9, "dynos": ["N1"], "tests": [item("A")]}).to_json()
    assert sorted(plain) == ["dynos", "horizon", "occupied", "tests", "weights"]
    assert "pauses" not in plain["tests"][0]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"closed": 5}, "closed"),
        ({"closed": ["Sat"]}, "closed[0]"),
        ({"closed": [1, -1]}, "closed[1]"),
        ({"facilities": {"X": "North"}}, "facilities.X"),
        ({"facilities": {"N1": 3}}, "facilities.N1"),
        ({"travel": {}}, "travel"),
        ({"travel": [{"from": "North", "days": 1}]}, "travel[0].to"),
        ({"travel": [{"from": "North", "to": "North", "days": 1}]}, "travel[0]"),
        ({"travel": CALENDAR["travel"][:1] * 2}, "travel[1]"),
        ({"travel": [{"from": "North", "to": "South", "days": -1}]}, "travel[0].days"),
        ({"tests": [item("A", pauses=1)]}, "tests[0].pauses"),
        (
            {"tests": [item("A", days=3, pauses=True, placed={"dyno": "N1", "first": 10}, fixed=True)]},
            "tests[0].placed.first",
        ),
    ],
)
def test_a_wrong_calendar_is_refused_by_the_name_of_the_field(changes, field):
    with pytest.raises(ProblemError) as refused:
        problem(**changes)
    assert refused.value.field == field

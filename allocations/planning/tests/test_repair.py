"""Repairs after an outage: proof, steps and honesty, on small problems by trial and on a published one."""

import io
import json
from dataclasses import replace

import pytest
from django.core.management import call_command
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from allocations.planning import Placement, Problem, ProblemError, Solution, check, displaced_of, repair, solve
from allocations.planning.problem.instance import Occupied, Place

from . import published, small

slow = {"deadline": None, "suppress_health_check": list(HealthCheck)}
FIRST, LAST = 5, 18


@pytest.fixture(scope="module")
def outage() -> Problem:
    """A plan of 150 tests on 20 dynos, and then one dyno of it fails for 14 days."""
    problem = published.problem("150x20-1")
    plan = solve(problem, seconds=120, steps=3_000, should_stop=None)
    return with_outage(standing(problem, plan), "D019", FIRST, LAST)


def standing(problem: Problem, plan) -> Problem:
    at = {place.id: Place(place.dyno, place.first) for place in plan.placements}
    tests = tuple(replace(t, placed=at[t.id], fixed=False) for t in problem.tests if t.id in at)
    return replace(problem, tests=tests)


def with_outage(problem: Problem, dyno: str, first: int, last: int) -> Problem:
    return replace(problem, occupied=(*problem.occupied, Occupied(first, last, dyno=dyno)))


def test_six_displaced_are_repaired_with_proof_and_further_options(outage):
    assert len(displaced_of(outage)) == 6
    offered = []
    repaired = repair(outage, seconds=30, on_option=offered.append)
    assert repaired.displaced == displaced_of(outage)
    first, *more = repaired.options
    assert offered[0].moved == first.moved
    assert set(first.moved) == set(repaired.displaced)
    assert first.proven
    assert first.solution.status == "optimal"
    assert 2 <= len(repaired.options) <= 5
    assert more[0].late <= first.late - 100
    assert (len(more[0].moved), more[0].proven) == (7, True)
    for before, after in zip(repaired.options, more, strict=False):
        assert len(before.moved) < len(after.moved)
        assert before.late > after.late
    for option in repaired.options:
        assert check(option.problem, option.solution) == []
        assert option.late == option.solution.objective
        assert option.unplaced == ()


def test_the_same_problem_gives_the_same_options(outage):
    once, again = (repair(outage, seconds=60).options for _ in range(2))
    assert [(o.moved, o.late, o.solution.placements) for o in once] == [
        (o.moved, o.late, o.solution.placements) for o in again
    ]


def test_the_first_option_comes_first_even_without_time(outage):
    repaired = repair(outage, seconds=0.01)
    assert set(repaired.options[0].moved) == set(repaired.displaced)
    assert check(repaired.options[0].problem, repaired.options[0].solution) == []


def test_told_to_stop_it_gives_the_first_option_alone(outage):
    offered = []
    repaired = repair(outage, seconds=300, on_option=offered.append, should_stop=lambda: bool(offered))
    assert [set(option.moved) for option in repaired.options] == [set(repaired.displaced)]
    assert repaired.options[0].proven


def test_the_displaced_alone_move_where_that_is_asked(outage):
    repaired = repair(outage, others=False)
    assert [set(option.moved) for option in repaired.options] == [set(repaired.displaced)]
    assert repaired.options[0].proven


def tiny(**changes) -> Problem:
    a = {"id": "A", "vehicle": "V1", "days": 3, "earliest": 0, "due": 2, "weight": 2, "dynos": ["D1"]}
    b = {"id": "B", "vehicle": "V2", "days": 3, "earliest": 0, "due": 7, "weight": 1, "dynos": ["D1", "D2"]}
    a |= {"placed": {"dyno": "D1", "first": 0}}
    b |= {"placed": {"dyno": "D1", "first": 3}}
    occupied = [{"dyno": "D1", "first": 0, "last": 2}]
    return Problem.from_json({"horizon": 9, "dynos": ["D1", "D2"], "tests": [a, b], "occupied": occupied} | changes)


def test_one_more_move_saves_lateness():
    repaired = repair(tiny())
    assert repaired.displaced == ("A",)
    # A waits behind B until day 6, 6 days late twice over; or B makes room on the other dyno.
    assert [(o.moved, o.late, o.late_days, o.proven) for o in repaired.options] == [
        (("A",), 12, 6, True),
        (("A", "B"), 6, 3, True),
    ]


def test_a_displaced_test_without_a_place_is_told():
    repaired = repair(tiny(horizon=8), others=False)
    assert [(o.moved, o.unplaced) for o in repaired.options] == [((), ("A",))]
    assert check(repaired.options[0].problem, repaired.options[0].solution) == []


def test_moving_others_places_what_else_has_no_place():
    repaired = repair(tiny(horizon=8))
    assert [(o.moved, o.unplaced) for o in repaired.options] == [((), ("A",)), (("A", "B"), ())]


def test_what_stands_where_it_might_not_be_put_stays():
    problem = tiny()
    b = replace(problem.tests[1], earliest=5)
    repaired = repair(replace(problem, tests=(problem.tests[0], b)))
    assert [(o.moved, o.late) for o in repaired.options] == [(("A",), 12)]


@pytest.mark.parametrize("displaced", [["X"], ["B"]])
def test_only_what_may_move_is_displaced(displaced):
    problem = tiny()
    problem = replace(problem, tests=(problem.tests[0], replace(problem.tests[1], fixed=True)))
    with pytest.raises(ProblemError, match=f"displaced: '{displaced[0]}'"):
        repair(problem, displaced)


def test_a_test_without_a_place_is_no_matter_of_repair():
    problem = tiny()
    with pytest.raises(ProblemError, match=r"tests\[1\]\.placed"):
        repair(replace(problem, tests=(problem.tests[0], replace(problem.tests[1], placed=None))))


@st.composite
def broken_plans(draw) -> Problem:
    """A small problem, planned, and then a dyno of it fails."""
    problem = draw(st.one_of(small.problems(most=5), small.calendars()))
    problem = standing(problem, small.solve_inside(problem, steps=20))
    standing_ids = {t.id for t in problem.tests}
    problem = replace(
        problem, tests=tuple(t if t.after in standing_ids else replace(t, after=None) for t in problem.tests)
    )
    first = draw(st.integers(0, problem.horizon - 1))
    broken = with_outage(problem, draw(st.sampled_from(problem.dynos)), first, first + draw(st.integers(0, 4)))
    assume(displaced_of(broken))
    return broken


def travels(problem: Problem, at: dict[str, tuple[str, int, int]]) -> bool:
    placements = tuple(Placement(id_, *place) for id_, place in at.items())
    wrong = check(problem, Solution("feasible", 0, 0, 0, 0.0, placements))
    return not any(" days from " in sentence for sentence in wrong)


def best_by_trial(problem: Problem, displaced: set[str], others: int) -> tuple[int, int]:
    """Try every plan that moves at most so many others; the fewest unplaced, and with these the least lateness."""
    blocked = {
        ("dyno", o.dyno, d) if o.dyno else ("vehicle", o.vehicle, d)
        for o in problem.occupied
        for d in range(o.first, o.last + 1)
    }
    best = (len(problem.tests) + 1, 0)
    at: dict[str, tuple[str, int, int]] = {}

    def visit(i: int, ends: dict[str, int], out: int, late: int, moves_left: int) -> None:
        nonlocal best
        if (out, late) >= best:
            return
        if i == len(problem.tests):
            if travels(problem, at):
                best = (out, late)
            return
        t = problem.tests[i]
        places = [(d, s) for d in t.dynos for s in range(t.earliest, problem.horizon - t.days + 1)]
        if t.fixed or (t.id not in displaced and not moves_left):
            places = [t.placed]
        for dyno, first in places:
            last = problem.last_day(t, first)
            if last >= problem.horizon or (first in problem.closed and (dyno, first) != t.placed):
                continue
            stays = t.id not in displaced and (dyno, first) == t.placed
            if t.after and t.after not in ends and not stays:
                continue
            if t.after in ends and first <= ends[t.after] + t.gap:
                continue
            mine = {(k, n, d) for k, n in (("dyno", dyno), ("vehicle", t.vehicle)) for d in range(first, last + 1)}
            if mine & blocked:
                continue
            moved = t.id not in displaced and (dyno, first) != t.placed
            blocked.update(mine)
            cost = t.weight * max(0, last - t.due)
            at[t.id] = (dyno, first, last)
            visit(i + 1, ends | {t.id: last}, out, late + cost, moves_left - moved)
            del at[t.id]
            blocked.difference_update(mine)
        if t.id in displaced:
            visit(i + 1, ends, out + 1, late, moves_left)

    visit(0, {}, 0, 0, others)
    return best


@settings(max_examples=200, **slow)
@given(broken_plans())
def test_options_hold_and_what_is_proven_is_the_best_by_trial(problem):
    repaired = repair(problem, seconds=60)
    displaced = set(repaired.displaced)
    assert repaired.options[0].proven
    for option in repaired.options:
        assert check(option.problem, option.solution) == []
        others = len(set(option.moved) - displaced)
        reached = (len(option.unplaced), option.late)
        best = best_by_trial(repaired.problem, displaced, others)
        assert reached >= best
        if option.proven:
            assert reached == best
    first = repaired.options[0]
    before = sum(t.weight * max(0, problem.last_day(t, t.placed[1]) - t.due) for t in repaired.problem.tests)
    if (first.unplaced or first.late > before) and all(len(set(o.moved) - displaced) != 1 for o in repaired.options):
        # The list leaves out one move more only where it gains nothing.
        assert best_by_trial(repaired.problem, displaced, 1) >= (len(first.unplaced), first.late)


def test_the_command_lists_the_options(tmp_path):
    path = tmp_path / "outage.json"
    path.write_text(json.dumps(tiny().to_json()))
    out, err = io.StringIO(), io.StringIO()
    call_command("solve", str(path), "--repair", stdout=out, stderr=err)
    lines = out.getvalue().splitlines()
    assert lines[0] == "1 moved, 12 late (weighted), 6 days late, 0 unplaced, proven"
    assert lines[-1].startswith("1 displaced, 2 options, ")
    assert "the displaced only: 12 late" in err.getvalue()


def test_the_command_gives_json(tmp_path):
    path = tmp_path / "outage.json"
    path.write_text(json.dumps(tiny().to_json()))
    out = io.StringIO()
    call_command("solve", str(path), "--repair", "--displaced-only", "--json", stdout=out)
    answer = json.loads(out.getvalue())
    assert answer["displaced"] == ["A"]
    assert [(o["moved"], o["late"], o["proven"]) for o in answer["options"]] == [(["A"], 12, True)]

"""Edits made in the problem of a ground: what each of them changes, and that nothing else changes."""

import pytest

from allocations.enums import Movable
from allocations.exceptions import Refused
from allocations.models import TestRequest
from allocations.selectors.scenario_edits import in_words, read_edit
from allocations.selectors.scenario_facts import PlanningScope, facts_of, names_for, pinned, problem_of
from allocations.selectors.scenario_problem import edited, groups_of, runners_by_type
from allocations.tests.boards import maintain
from allocations.tests.world import day


@pytest.fixture
def ground(world):
    world.book("412W101", "NPG 1", 2, 5)
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W102"], test_type=world.tests["4K Certification"], days=2
    )
    # No dyno runs emissions on heavy vehicles.
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Emission"], days=1
    )
    return world


def edited_by(world, *data, movable=Movable.NOTHING):
    scope = PlanningScope(world.north.pk, day(0), day(29))
    planning = pinned(problem_of(scope), movable=movable, frozen_until=None)
    facts = facts_of(scope)
    before = planning.problem.to_json()
    result = edited(planning, [read_edit(edit) for edit in data], facts)
    assert planning.problem.to_json() == before
    return result, facts


def dynos_of(result, world, vehicle, test="Brake"):
    names = {f"v{world.vehicles[vehicle].pk}": vehicle}
    kind = world.tests[test].pk
    (problem_test,) = (
        candidate
        for candidate in result.problem.tests
        if names.get(candidate.vehicle) and result.kinds[candidate.id][0] == kind
    )
    return sorted(result.dynos[dyno] for dyno in problem_test.dynos)


def test_without_edits_it_is_todays_schedule_and_what_waits(ground):
    result, facts = edited_by(ground)
    assert dynos_of(result, ground, "412W103") == ["NPG 1"]
    booked = next(test for test in result.problem.tests if test.placed)
    assert (booked.fixed, booked.placed) == (True, (f"d{ground.dynos['NPG 1'].pk}", 2))
    assert (len(result.problem.tests), result.impossible, result.problem.closed) == (3, 1, ())
    assert sorted(groups_of(result, facts)) == ["4K Certification, AWD, <10K", "Brake, 2WD, >10K"]
    assert len(runners_by_type(result, facts)["Brake"]) == 2


def test_what_may_move_does_not_stand_fixed(ground):
    result, _ = edited_by(ground, movable=Movable.ALL)
    assert [test.fixed for test in result.problem.tests] == [False, False, False]


def test_a_dyno_more_like_another_runs_what_that_one_runs(ground):
    result, _ = edited_by(ground, {"do": "add-dyno", "like": ground.dynos["NPG 1"].pk, "count": 2})
    added = ["New 1 (like NPG 1)", "New 2 (like NPG 1)"]
    assert dynos_of(result, ground, "412W103") == ["NPG 1", *added]
    assert dynos_of(result, ground, "412W102", "4K Certification") == ["NPG 1", "NPG 2", *added]
    assert set(result.problem.dynos) >= {"new1", "new2"}


def test_a_dyno_of_a_new_kind_makes_possible_what_was_not(ground):
    runs = {"test_type": ground.tests["Emission"].pk, "drives": ["2WD"], "weights": [">10K"]}
    result, _ = edited_by(ground, {"do": "add-dyno", "runs": [runs]})
    assert dynos_of(result, ground, "412W103", "Emission") == ["New 1"]
    assert result.impossible == 0


def test_a_dyno_less_leaves_its_bookings_without_a_place(ground):
    result, _ = edited_by(ground, {"do": "remove-dyno", "dyno": ground.dynos["NPG 1"].pk})
    assert dynos_of(result, ground, "412W103") == []
    booked = next(test for test in result.problem.tests if test.vehicle == f"v{ground.vehicles['412W101'].pk}")
    assert (booked.fixed, booked.placed) == (False, None)
    assert [result.dynos[dyno] for dyno in booked.dynos] == ["NPG 21"]
    assert "NPG 1" not in result.dynos.values()


def test_a_capability_more(ground):
    runs = {"test_type": ground.tests["Brake"].pk, "drives": ["2WD"], "weights": [">10K"]}
    result, _ = edited_by(ground, {"do": "add-capability", "dyno": ground.dynos["NPG 3"].pk, "runs": runs})
    assert dynos_of(result, ground, "412W103") == ["NPG 1", "NPG 3"]


def blocked(result, world, dyno):
    name = f"d{world.dynos[dyno].pk}"
    return [(block.first, block.last) for block in result.problem.occupied if block.dyno == name]


def test_maintenance_more_less_and_moved(ground):
    window = maintain(ground.dynos["NPG 2"], day(4), day(6))
    dyno = ground.dynos["NPG 2"].pk
    assert blocked(edited_by(ground)[0], ground, "NPG 2") == [(4, 6)]
    result, _ = edited_by(ground, {"do": "remove-maintenance", "window": window.pk})
    assert (blocked(result, ground, "NPG 2"), result.away[f"d{dyno}"]) == ([], [])
    result, _ = edited_by(ground, {"do": "move-maintenance", "window": window.pk, "first_day": day(10)})
    assert blocked(result, ground, "NPG 2") == [(10, 12)]
    result, _ = edited_by(ground, {"do": "add-maintenance", "dyno": dyno, "first_day": day(20), "last_day": day(90)})
    assert blocked(result, ground, "NPG 2") == [(4, 6), (20, 29)]


def test_maintenance_that_hits_a_booking_lets_it_look_elsewhere(ground):
    dyno = ground.dynos["NPG 1"].pk
    result, _ = edited_by(ground, {"do": "add-maintenance", "dyno": dyno, "first_day": day(5), "last_day": day(6)})
    assert [test.fixed for test in result.problem.tests if test.vehicle == f"v{ground.vehicles['412W101'].pk}"] == [
        False
    ]


def test_fifty_more_tests_in_a_month_are_as_those_that_there_are(ground):
    brake = ground.tests["Brake"].pk
    result, _ = edited_by(ground, {"do": "more-tests", "test_type": brake, "count": 50, "month": "2026-12-01"})
    added = [test for test in result.problem.tests if test.id.startswith("x")]
    # Days count from 16 November; December is from 15 to 45.
    assert {(test.earliest, test.due, test.days) for test in added} == {(15, 45, 4)}
    assert len({test.vehicle for test in added}) == 50
    kinds = [result.kinds[test.id][1:] for test in added]
    assert (kinds.count(("2WD", "<10K")), kinds.count(("2WD", ">10K"))) == (25, 25)
    heavy = next(test for test in added if result.kinds[test.id][2] == ">10K")
    assert [result.dynos[dyno] for dyno in heavy.dynos] == ["NPG 1"]


def test_more_tests_of_a_type_that_nothing_is_of_take_its_usual_days(ground):
    emission = ground.tests["Emission"]
    result, _ = edited_by(ground, {"do": "more-tests", "test_type": emission.pk, "count": 2, "month": "2026-12-01"})
    added = [test for test in result.problem.tests if test.id.startswith("x")]
    assert [test.days for test in added] == [emission.default_days] * 2


def test_weekends_closed(ground):
    result, _ = edited_by(ground, {"do": "close-weekends"})
    assert result.problem.closed[:4] == (5, 6, 12, 13)
    assert {test.pauses for test in result.problem.tests if not test.fixed} == {True}
    result, _ = edited_by(ground, {"do": "close-weekends", "pause": False})
    assert {test.pauses for test in result.problem.tests} == {False}


@pytest.mark.parametrize(
    "data",
    [
        {"do": "nothing"},
        {"do": "add-dyno"},
        {"do": "add-dyno", "like": 1, "count": 0},
        {"do": "more-tests", "test_type": 1, "count": 501, "month": "2026-12-01"},
        {"do": "add-maintenance", "dyno": 1, "first_day": "2026-12-02", "last_day": "2026-12-01"},
        {"do": "remove-dyno", "dyno": 1, "shell": "rm"},
    ],
)
def test_an_edit_that_makes_no_sense_is_refused(data):
    with pytest.raises(Refused, match="makes no sense"):
        read_edit(data)


def test_edits_in_words(world):
    window = maintain(world.dynos["NPG 2"], day(4), day(6))
    names = names_for(world.north.pk)
    brake, dyno = world.tests["Brake"].pk, world.dynos["NPG 1"].pk
    runs = {"test_type": brake, "drives": ["AWD"], "weights": ["<10K", ">10K"]}
    sentences = [
        in_words(read_edit(data), names)
        for data in (
            {"do": "add-dyno", "like": dyno, "count": 2},
            {"do": "remove-dyno", "dyno": dyno},
            {"do": "add-capability", "dyno": dyno, "runs": runs},
            {"do": "move-maintenance", "window": window.pk, "first_day": day(10)},
            {"do": "more-tests", "test_type": brake, "count": 50, "month": "2027-05-01", "drive": "AWD"},
            {"do": "close-weekends"},
            {"do": "remove-dyno", "dyno": 10**9},
        )
    ]
    assert sentences == [
        "2 more dynos, like NPG 1",
        "Without NPG 1",
        "NPG 1 also runs Brake (AWD; <10K, >10K)",
        "NPG 2: Planned 20 – 22 Nov 2026: from 26 Nov 2026 on instead",
        "50 more tests Brake, AWD, in May 2027",
        "Weekends closed, tests pause over them",
        "Without one that is gone",
    ]

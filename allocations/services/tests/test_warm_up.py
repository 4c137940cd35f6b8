"""A dyno that warms up after maintenance, at every door that places a test."""

import pytest

from allocations.enums import DisplacedTo, MaintenanceKind, Movable, RefusalCode
from allocations.exceptions import Refused
from allocations.models import Allocation
from allocations.selectors.availability import find_places, query_for
from allocations.selectors.dynos import dyno_list
from allocations.selectors.fit import fits
from allocations.selectors.maintenance import Answer, fallout
from allocations.selectors.plan_problem import problem_of
from allocations.selectors.repairs import repairs
from allocations.services.booking import move
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.plans import ask_for_plan
from allocations.tests.world import allocation_of, day, window_of
from dynosite.lib.days import DayRange


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(0))


@pytest.fixture
def warming(world):
    """NPG 1, which takes no test for a day after maintenance."""
    dyno = world.dynos["NPG 1"]
    dyno.warm_up_days = 1
    dyno.save()
    return dyno


def set_window(world, first, last, **more):
    return set_maintenance(
        world.dynos["NPG 1"].pk,
        first_day=day(first),
        last_day=day(last),
        kind=MaintenanceKind.OUTAGE,
        actor=world.actor("admin"),
        **more,
    )


def test_booking_on_the_day_of_warm_up_is_refused(world, warming):
    set_window(world, 1, 3)
    with pytest.raises(Refused) as refused:
        world.book("412W101", "NPG 1", 4, 6)
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.WARM_UP]
    world.book("412W101", "NPG 1", 5, 6)


def test_dyno_without_warm_up_takes_tests_on_the_next_day(world):
    set_window(world, 1, 3)
    world.book("412W101", "NPG 1", 4, 6)


def test_moving_onto_the_day_of_warm_up_is_refused(world, warming):
    set_window(world, 1, 3)
    allocation = allocation_of(world.book("412W101", "NPG 1", 7, 8))
    with pytest.raises(Refused) as refused:
        move(allocation.pk, first_day=day(4), last_day=day(5), actor=world.actor())
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.WARM_UP]


def test_search_and_fit_pass_over_the_day_of_warm_up(world, warming):
    set_window(world, 1, 3)
    vehicle, brake = world.vehicles["412W101"], world.tests["Brake"]
    query = query_for(vehicle, brake.pk, 2)
    places = find_places(query, first_day=day(1), latest=day(9), dynos=[warming.pk])
    assert [place.first_day for place in places] == [day(5)]
    days = DayRange(day(4), day(6))
    (fit,) = fits(world.north, user=world.users["viewer"], days=days, test_type=brake, vehicle=vehicle, dyno=warming)
    assert ([refusal.code for refusal in fit.refusals], fit.free) == (
        [RefusalCode.WARM_UP],
        (DayRange(day(5), day(6)),),
    )


def test_window_hits_what_stands_on_its_day_of_warm_up(world, warming):
    allocation = allocation_of(world.book("412W101", "NPG 1", 4, 6))
    (hit,) = fallout(warming.pk, DayRange(day(1), day(3)), user=world.users["admin"])
    assert hit.allocation == allocation
    with pytest.raises(Refused) as refused:
        set_window(world, 1, 3)
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.FALLOUT_UNANSWERED]
    too_soon = Answer(DisplacedTo.MOVE, warming.pk, day(4))
    with pytest.raises(Refused):
        set_window(world, 1, 3, answers={allocation.pk: too_soon})
    set_window(world, 1, 3, answers={allocation.pk: Answer(DisplacedTo.MOVE, warming.pk, day(5))})
    assert Allocation.objects.get(pk=allocation.pk).days == DayRange(day(5), day(7))


def test_test_that_began_while_the_dyno_warmed_up_stays_when_the_outage_is_recorded(world, warming):
    allocation = allocation_of(world.book("412W101", "NPG 1", 4, 6))
    Allocation.objects.filter(pk=allocation.pk).update(status="running")
    assert fallout(warming.pk, DayRange(day(1), day(3)), user=world.users["admin"]) == []
    set_window(world, 1, 3)
    assert Allocation.objects.get(pk=allocation.pk).days == DayRange(day(4), day(6))


def test_next_free_day_comes_after_the_warm_up(world, warming):
    set_window(world, 0, 3)
    dynos = dyno_list(world.north, user=world.users["viewer"])
    assert (dynos.get(pk=warming.pk).next_free, dynos.get(name="NPG 2").next_free) == (day(5), day(0))


def test_what_was_displaced_comes_back_when_the_window_is_lifted(world, warming):
    allocation = allocation_of(world.book("412W101", "NPG 1", 4, 6))
    change = set_window(world, 1, 3, answers={allocation.pk: Answer(DisplacedTo.MOVE, warming.pk, day(5))})
    window = window_of(change)
    back = list(window.displacements.values_list("pk", flat=True))
    lift_maintenance(window.pk, bring_back=back, actor=world.actor("admin"))
    assert Allocation.objects.get(pk=allocation.pk).days == DayRange(day(4), day(6))


def test_planner_leaves_a_test_that_stands_on_the_day_of_warm_up(world, warming):
    allocation = allocation_of(world.book("412W101", "NPG 1", 4, 6))
    warming.warm_up_days = 0
    warming.save()
    set_window(world, 1, 3)
    warming.warm_up_days = 2
    warming.save()
    plan = ask_for_plan(world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(20), movable=Movable.ALL)
    problem = problem_of(plan).problem
    (test,) = [test for test in problem.tests if test.id == f"a{allocation.pk}"]
    blocks = [(block.first, block.last) for block in problem.occupied if block.dyno == f"d{warming.pk}"]
    assert (test.fixed, blocks) == (True, [(1, 3)])


def test_planner_and_repairs_keep_the_day_of_warm_up_free(world, warming):
    set_window(world, 1, 3)
    plan = ask_for_plan(world.north.pk, actor=world.actor("scheduler"), first_day=day(0), last_day=day(20))
    occupied_days = [
        (block.first, block.last) for block in problem_of(plan).problem.occupied if block.dyno == f"d{warming.pk}"
    ]
    assert (1, 4) in occupied_days
    world.book("412W101", "NPG 1", 9, 10)
    options = repairs(warming.pk, DayRange(day(7), day(8)), user=world.users["admin"], seconds=1).options
    assert options, "what stands on the day of warm-up is displaced too"
    moves = [move for option in options for move in option.moves]
    assert [move.days.first for move in moves if move.dyno == warming and move.days.first <= day(9)] == []

import datetime as dt

import pytest

from allocations.enums import AllocationStatus, Movable, PlanState, Priority, RequestStatus
from allocations.exceptions import NotAllowed, NotFound, Refused
from allocations.models import Allocation, Dyno, TestRequest
from allocations.services import booking
from allocations.services.plans import apply_plan, ask_for_plan, solve_and_store
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day


def wants(world, vehicle, days, *, test="Brake", **more):
    return TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles[vehicle], test_type=world.tests[test], days=days, **more
    )


def plan_of(world, *, last=20, by="scheduler", **more):
    plan = ask_for_plan(
        world.north.pk, actor=world.actor(by), first_day=day(0), last_day=day(last), seconds=2, **more
    )
    return solve_and_store(plan, steps=200)


def places(plan):
    return {
        (item.request or item.allocation).vehicle.tag: (item.dyno.name, item.first_day, item.late)
        for item in plan.items.exclude(dyno=None)
    }


def test_waiting_requests_get_places_that_the_rules_allow(world):
    world.book("412W101", "NPG 1", 0, 4)
    wants(world, "412W103", 3, earliest_start=day(0), due_date=day(4))
    wants(world, "412W102", 2, test="4K Certification")
    plan = plan_of(world)
    assert (plan.state, plan.objective) == (PlanState.READY, 3 * 2)
    assert plan.bound <= plan.objective
    assert places(plan)["412W103"] == ("NPG 1", day(5), 3)
    assert places(plan)["412W102"] == ("NPG 2", day(0), 0)
    late = plan.items.get(late=3)
    assert late.reason == "3 days late: NPG 1 alone runs Brake 2WD >10K, and it is taken until 20 Nov 2026."
    assert plan.curve


def test_a_plan_writes_nothing_until_it_is_applied_and_is_undone_as_one(world):
    wants(world, "412W103", 3)
    wants(world, "412W102", 2, test="4K Certification")
    plan = plan_of(world)
    assert Allocation.objects.filter(ground=world.north).count() == 0
    change = apply_plan(plan.pk, actor=world.actor())
    assert Allocation.objects.filter(ground=world.north, status="scheduled").count() == 2
    assert set(TestRequest.objects.values_list("status", flat=True)) == {RequestStatus.PLACED}
    plan.refresh_from_db()
    assert (plan.state, plan.applied) == (PlanState.APPLIED, change)
    undo(change.pk, actor=world.actor())
    assert set(TestRequest.objects.values_list("status", flat=True)) == {RequestStatus.WAITING}
    assert Allocation.objects.filter(ground=world.north, status="scheduled").count() == 0
    with pytest.raises(Refused):
        apply_plan(plan.pk, actor=world.actor())


def test_a_plan_may_move_what_is_scheduled_and_says_so(world):
    moved = allocation_of(world.book("412W101", "NPG 1", 0, 4))
    wants(world, "412W103", 3, earliest_start=day(0), due_date=day(2), priority=Priority.URGENT)
    plan = plan_of(world, movable=Movable.ALL)
    assert places(plan) == {"412W103": ("NPG 1", day(0), 0), "412W101": ("NPG 21", day(0), 0)}
    apply_plan(plan.pk, actor=world.actor())
    moved.refresh_from_db()
    assert (moved.dyno.name, moved.status) == ("NPG 21", AllocationStatus.SCHEDULED)


def test_what_stands_on_a_disabled_dyno_may_stay_and_takes_in_nothing_new(world):
    world.book("412W101", "NPG 1", 0, 4)
    Dyno.objects.filter(name="NPG 1").update(enabled=False)
    wants(world, "412W103", 3, earliest_start=day(0), due_date=day(2), priority=Priority.URGENT)
    plan = plan_of(world, movable=Movable.ALL)
    assert plan.state == PlanState.READY
    assert [(item.request.vehicle.tag, item.dyno) for item in plan.items.all()] == [("412W103", None)]


def test_what_runs_or_is_frozen_stays(world, monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(0))
    booking.start(allocation_of(world.book("412W101", "NPG 1", 0, 4)).pk, actor=world.actor())
    wants(world, "412W103", 3, earliest_start=day(0), due_date=day(2), priority=Priority.URGENT)
    assert places(plan_of(world, movable=Movable.ALL)) == {"412W103": ("NPG 1", day(5), 5)}


def test_frozen_days_are_not_touched(world):
    world.book("412W101", "NPG 1", 0, 4)
    wants(world, "412W103", 3, earliest_start=day(0), due_date=day(2), priority=Priority.URGENT)
    plan = plan_of(world, movable=Movable.LATER, frozen_until=day(3))
    assert places(plan) == {"412W103": ("NPG 1", day(5), 5)}


def test_a_plan_that_the_schedule_has_overtaken_is_refused_whole(world):
    wants(world, "412W103", 3, earliest_start=day(0))
    wants(world, "412W102", 2, test="4K Certification")
    plan = plan_of(world)
    world.book("412W101", "NPG 1", 1, 1)
    with pytest.raises(Refused) as refused:
        apply_plan(plan.pk, actor=world.actor())
    assert "NPG 1 is taken by 412W101 (Brake): 17 Nov 2026." in refused.value.sentence
    assert Allocation.objects.filter(ground=world.north).count() == 1
    assert TestRequest.objects.filter(status=RequestStatus.WAITING).count() == 2


def test_a_request_that_no_dyno_may_run_is_said_and_not_dropped(world):
    wants(world, "412W103", 3, test="Emission")
    (item,) = plan_of(world).items.all()
    assert (item.dyno, item.reason) == (None, "No dyno may run it.")


def test_only_some_of_a_plan_may_be_applied(world):
    wants(world, "412W103", 3)
    wants(world, "412W102", 2, test="4K Certification")
    plan = plan_of(world)
    chosen = plan.items.get(request__vehicle__tag="412W102")
    apply_plan(plan.pk, actor=world.actor(), items=[chosen.pk])
    assert Allocation.objects.filter(ground=world.north).values_list("vehicle__tag", flat=True).get() == "412W102"


def test_dyno_availability_and_maintenance_are_kept(world):
    dyno = world.dynos["NPG 1"]
    type(dyno).objects.filter(pk=dyno.pk).update(available_from=day(4), available_to=day(9))
    wants(world, "412W103", 3, earliest_start=day(0))
    assert places(plan_of(world)) == {"412W103": ("NPG 1", day(4), 0)}


def test_rights(world):
    wants(world, "412W103", 3)
    with pytest.raises(NotAllowed):
        plan_of(world, by="viewer")
    with pytest.raises(NotFound):
        plan_of(world, by="outsider")
    plan = plan_of(world)
    with pytest.raises(NotAllowed):
        apply_plan(plan.pk, actor=world.actor("viewer"))
    with pytest.raises(NotFound):
        apply_plan(plan.pk, actor=world.actor("outsider"))
    with pytest.raises(Refused):
        ask_for_plan(world.north.pk, actor=world.actor(), first_day=day(2), last_day=day(2) - dt.timedelta(1))


def test_a_vehicle_that_is_on_another_dyno_is_not_planned_for_these_days(world):
    world.book("412W101", "NPG 21", 0, 4)
    wants(world, "412W101", 3, test="4K Certification", earliest_start=day(0), due_date=day(4))
    plan = plan_of(world)
    assert places(plan)["412W101"][1:] == (day(5), 3)
    apply_plan(plan.pk, actor=world.actor())


def test_a_request_that_begins_after_the_days_planned_is_said_so(world):
    wants(world, "412W103", 3, earliest_start=day(19))
    (item,) = plan_of(world).items.all()
    assert (item.dyno, item.reason) == (
        None,
        "It starts on 5 Dec 2026 at the earliest; that is too late for these days.",
    )

"""What ran stays in the records: moving, cutting, completing and ending a test that runs."""

import pytest

from allocations.enums import AllocationStatus, DisplacedTo, RefusalCode
from allocations.exceptions import Refused
from allocations.models import Allocation, Capability, Displacement, Facility, MaintenanceWindow, TestRequest, Travel
from allocations.selectors.maintenance import Answer, fallout
from allocations.selectors.running import open_days, progress_of
from allocations.services import booking
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day
from dynosite.lib import clock
from dynosite.lib.days import DayRange


@pytest.fixture
def running(world):
    """412W101 runs on NPG 1 from day 0 to day 8; today is day 5, so that five of its nine days are over."""
    with clock.day_is(day(0)):
        stay = allocation_of(world.book("412W101", "NPG 1", 0, 8))
        booking.start(stay.pk, actor=world.actor())
    with clock.day_is(day(5)):
        stay.refresh_from_db()
        yield stay


def refused(call):
    with pytest.raises(Refused) as caught:
        call()
    return caught.value


def sentence(call):
    error = refused(call)
    assert [refusal.code for refusal in error.refusals] == [RefusalCode.WRONG_STATUS]
    return error.sentence


def stands(world):
    return [
        (row.dyno.name, (row.first_day - day(0)).days, (row.last_day - day(0)).days, row.status)
        for row in Allocation.objects.filter(ground=world.north)
        .exclude(status="cancelled")
        .order_by("first_day", "pk")
    ]


def to(world, name):
    return {"dyno_id": world.dynos[name].pk, "actor": world.actor()}


def test_moved_to_another_dyno_it_is_cut_at_yesterday_and_its_rest_goes_on(world, running):
    change = booking.move(running.pk, **to(world, "NPG 21"))
    assert stands(world) == [("NPG 1", 0, 4, "completed"), ("NPG 21", 5, 8, "running")]
    assert change.summary == ("412W101 to NPG 21, 21 – 24 Nov 2026: Brake; on NPG 1 it ran until 20 Nov 2026")
    undo(change.pk, actor=world.actor())
    assert stands(world) == [("NPG 1", 0, 8, "running")]


@pytest.mark.parametrize(
    ("changes", "rest"),
    [
        ({"first_day": 0}, (5, 8, "running")),
        ({"first_day": 7}, (7, 10, "scheduled")),
        ({"last_day": 11}, (5, 11, "running")),
        ({"first_day": 6, "last_day": 6}, (6, 6, "scheduled")),
    ],
)
def test_the_rest_begins_when_it_is_asked_to(world, running, changes, rest):
    booking.move(running.pk, **{name: day(number) for name, number in changes.items()}, **to(world, "NPG 21"))
    assert stands(world) == [("NPG 1", 0, 4, "completed"), ("NPG 21", *rest)]


def test_the_rest_does_not_begin_in_the_past(world, running):
    message = sentence(lambda: booking.move(running.pk, first_day=day(3), **to(world, "NPG 21")))
    assert message == "It has run since 16 Nov 2026; its rest can begin today, 21 Nov 2026, at the earliest."


@pytest.mark.parametrize("number", [-1, 1, 5, 9])
def test_the_first_day_of_a_running_test_stays(world, running, number):
    message = sentence(lambda: booking.move(running.pk, first_day=day(number), actor=world.actor()))
    assert message == "It has run since 16 Nov 2026; its first day cannot be changed."
    assert stands(world) == [("NPG 1", 0, 8, "running")]


def test_the_vehicle_has_its_days_on_the_way(world, running):
    npg, annex = (Facility.objects.get(ground=world.north, name=name) for name in ("NPG", "Annex"))
    Travel.objects.create(ground=world.north, origin=npg, to=annex, days=2)
    booking.move(running.pk, **to(world, "NPG 21"))
    assert stands(world) == [("NPG 1", 0, 4, "completed"), ("NPG 21", 7, 10, "scheduled")]


def test_a_test_that_began_today_has_nothing_to_leave_behind(world, running):
    with clock.day_is(day(0)):
        booking.move(running.pk, **to(world, "NPG 21"))
    assert stands(world) == [("NPG 21", 0, 8, "running")]


def test_past_its_end_nothing_is_left_to_move_but_by_a_new_last_day(world, running):
    with clock.day_is(day(10)):
        message = sentence(lambda: booking.move(running.pk, **to(world, "NPG 21")))
        assert message == (
            "It should have ended on 24 Nov 2026 and has no days left to move: say its new last day too, or "
            "complete it."
        )
        booking.move(running.pk, last_day=day(12), **to(world, "NPG 21"))
    assert stands(world) == [("NPG 1", 0, 9, "completed"), ("NPG 21", 10, 12, "running")]


def test_a_refused_move_offers_the_rest_and_never_the_place_that_it_has(world, running):
    world.dyno("NPG 5", (world.tests["Brake"], ["2WD"], ["<10K"]))
    with clock.day_is(day(0)):
        world.book("412W103", "NPG 2", 5, 6, test="4K Certification")
    error = refused(lambda: booking.move(running.pk, **to(world, "NPG 2")))
    assert [str(place) for place in error.places] == [
        "NPG 5, 21 – 24 Nov 2026",
        "NPG 21, 21 – 24 Nov 2026",
    ]


def test_a_refused_move_of_what_is_scheduled_does_not_offer_its_own_place(world):
    with clock.day_is(day(0)):
        stay = allocation_of(world.book("412W101", "NPG 1", 3, 5))
        world.book("412W103", "NPG 1", 7, 9)
        error = refused(lambda: booking.move(stay.pk, first_day=day(5), actor=world.actor()))
    assert "NPG 1, 19 – 21 Nov 2026" not in [str(place) for place in error.places]
    assert len(error.places) == 3


def close(world, how):
    dyno = world.dynos["NPG 1"]
    if how == "disabled":
        dyno.enabled = False
    elif how == "no longer available":
        dyno.available_to = day(4)
    elif how == "test not run":
        Capability.objects.filter(dyno=dyno).delete()
    else:
        Capability.objects.filter(dyno=dyno).update(drives=["AWD"])
    dyno.save()


HOW = ["disabled", "no longer available", "test not run", "drive not taken"]


@pytest.mark.parametrize("how", HOW)
def test_what_ended_is_completed_whatever_its_dyno_has_become(world, running, how):
    close(world, how)
    booking.complete(running.pk, last_day=day(5), actor=world.actor())
    assert stands(world) == [("NPG 1", 0, 5, "completed")]


@pytest.mark.parametrize("how", HOW)
def test_what_runs_is_cut_short_whatever_its_dyno_has_become(world, running, how):
    close(world, how)
    booking.move(running.pk, last_day=day(6), actor=world.actor())
    assert stands(world) == [("NPG 1", 0, 6, "running")]
    error = refused(lambda: booking.move(running.pk, last_day=day(9), actor=world.actor()))
    assert RefusalCode.WRONG_STATUS not in [refusal.code for refusal in error.refusals]


def test_order_and_the_future_are_still_asked_of_what_ended(world, running):
    early = refused(lambda: booking.complete(running.pk, last_day=day(-1), actor=world.actor()))
    assert [refusal.code for refusal in early.refusals] == [RefusalCode.DAYS_ORDER]
    message = sentence(lambda: booking.complete(running.pk, last_day=day(6), actor=world.actor()))
    assert message == "22 Nov 2026 has not come yet; say the last day that the test ran."
    message = sentence(lambda: booking.move(running.pk, last_day=day(3), actor=world.actor()))
    assert message == "It is running; if it ended on 19 Nov 2026, complete it with that last day."


def test_it_is_known_how_much_of_it_has_run(world, running):
    assert (progress_of(running).run, progress_of(running).booked) == (5, 9)


def asked_for(world, days):
    return TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W101"], test_type=world.tests["Brake"], days=days
    )


def test_the_days_that_a_request_asks_and_a_move_leaves_can_wait(world):
    request = asked_for(world, 9)
    with clock.day_is(day(0)):
        stay = allocation_of(world.book("412W101", "NPG 1", 3, 11, request_id=request.pk))
        assert open_days(stay) == 0
        error = refused(lambda: booking.move(stay.pk, last_day=day(8), actor=world.actor()))
        assert [refusal.code for refusal in error.refusals] == [RefusalCode.FEWER_DAYS]
        booking.move(stay.pk, last_day=day(8), rest_waits=True, actor=world.actor())
    rest = TestRequest.objects.exclude(pk=request.pk).get()
    assert (rest.status, rest.days, rest.earliest_start, rest.after) == ("waiting", 3, day(9), request)
    request.refresh_from_db()
    assert (request.status, request.days) == ("placed", 6)


def test_the_days_that_ran_elsewhere_count_for_its_request(world):
    request = asked_for(world, 9)
    with clock.day_is(day(0)):
        stay = allocation_of(world.book("412W101", "NPG 1", 0, 8, request_id=request.pk))
        booking.start(stay.pk, actor=world.actor())
    with clock.day_is(day(5)):
        error = refused(lambda: booking.move(stay.pk, last_day=day(7), **to(world, "NPG 21")))
        assert [refusal.code for refusal in error.refusals] == [RefusalCode.FEWER_DAYS]
        booking.move(stay.pk, last_day=day(7), rest_waits=True, **to(world, "NPG 21"))
    assert stands(world) == [("NPG 1", 0, 4, "completed"), ("NPG 21", 5, 7, "running")]
    assert TestRequest.objects.exclude(pk=request.pk).get().days == 1


def window(world, first, last, running, answer):
    return set_maintenance(
        world.dynos["NPG 1"].pk,
        first_day=day(first),
        last_day=day(last),
        kind="outage",
        actor=world.actor("admin"),
        answers={running.pk: answer},
    )


@pytest.mark.parametrize("answer", [DisplacedTo.WAIT, DisplacedTo.CANCEL, DisplacedTo.MOVE])
def test_maintenance_cuts_a_running_test_and_takes_nothing_of_it_away(world, running, answer):
    (hit,) = fallout(world.dynos["NPG 1"].pk, DayRange(day(5), day(6)), user=world.users["admin"])
    assert hit.answers == (DisplacedTo.SHORTEN,)
    error = refused(lambda: window(world, 5, 6, running, Answer(answer, world.dynos["NPG 21"].pk, day(5))))
    assert [refusal.code for refusal in error.refusals] == [RefusalCode.BAD_ANSWER]
    window(world, 5, 6, running, Answer(DisplacedTo.SHORTEN))
    assert stands(world) == [("NPG 1", 0, 4, "completed")]
    assert TestRequest.objects.get().days == 4
    lift_maintenance(
        MaintenanceWindow.objects.get().pk, bring_back=[Displacement.objects.get().pk], actor=world.actor("admin")
    )
    assert stands(world) == [("NPG 1", 0, 8, "running")]


def test_cut_for_maintenance_to_come_it_still_runs(world, running):
    window(world, 7, 9, running, Answer(DisplacedTo.SHORTEN))
    assert stands(world) == [("NPG 1", 0, 6, AllocationStatus.RUNNING.value)]

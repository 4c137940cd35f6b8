"""What a request asks of its place, at the doors of booking, moving, plans and undoing."""

import datetime as dt

import pytest

from allocations.enums import RefusalCode as Code
from allocations.enums import RequestStatus, Weight
from allocations.exceptions import Refused
from allocations.models import Allocation, TestRequest
from allocations.services import booking
from allocations.services.plans import PlanOvertaken, apply_plan, ask_for_plan, solve_and_store
from allocations.services.requests import create_request
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day
from dynosite.lib import clock


def wish(world, *, vehicle="412W101", days=3, **more) -> TestRequest:
    change = create_request(
        world.vehicles[vehicle].pk, test_type_id=world.tests["Brake"].pk, days=days, actor=world.actor(), **more
    )
    return TestRequest.objects.get(pk=change.items[0]["id"])


def refused(call) -> tuple[list[Code], list[str]]:
    with pytest.raises(Refused) as info:
        call()
    refusals = info.value.refusals
    assert info.value.to_confirm == {refusal.code for refusal in refusals}
    return [refusal.code for refusal in refusals], [refusal.sentence for refusal in refusals]


def test_each_code_has_a_weight_and_only_these_can_be_confirmed():
    assert {code for code in Code if code.weight is Weight.ASKS} == {
        Code.BEFORE_EARLIEST_START,
        Code.BEFORE_PREDECESSOR,
        Code.FEWER_DAYS,
        Code.LONG_PAST,
        Code.FAR_AHEAD,
    }
    assert {code for code in Code if code.weight is Weight.SAYS} == {Code.PAST_DUE}


def test_before_its_earliest_start_is_asked_about_and_booked_when_confirmed(world):
    request = wish(world, earliest_start=day(5))
    codes, sentences = refused(lambda: world.book("412W101", "NPG 1", 2, 4, request_id=request.pk))
    assert codes == [Code.BEFORE_EARLIEST_START]
    assert sentences == ["The request starts on 21 Nov 2026 at the earliest; this is 18 Nov 2026."]
    assert not Allocation.objects.filter(ground=world.north).exists()
    world.book("412W101", "NPG 1", 2, 4, request_id=request.pk, confirmed=["before-earliest-start"])
    request.refresh_from_db()
    assert request.status == RequestStatus.PLACED


def test_confirming_one_thing_does_not_confirm_another(world):
    request = wish(world, earliest_start=day(5), days=4)
    codes, _ = refused(
        lambda: world.book("412W101", "NPG 1", 2, 4, request_id=request.pk, confirmed=["before-earliest-start"])
    )
    assert codes == [Code.FEWER_DAYS]


def test_before_its_predecessor_ends_is_asked_about_from_both_sides(world):
    first = wish(world)
    second = wish(world, after_id=first.pk)
    codes, sentences = refused(lambda: world.book("412W101", "NPG 1", 5, 7, request_id=second.pk))
    assert codes == [Code.BEFORE_PREDECESSOR]
    assert sentences == ["The request comes after Brake of 412W101, which has no place yet."]
    later = world.book("412W101", "NPG 1", 5, 7, request_id=second.pk, confirmed=["before-predecessor"])
    codes, sentences = refused(lambda: world.book("412W101", "NPG 21", 9, 11, request_id=first.pk))
    assert (codes, sentences) == (
        [Code.BEFORE_PREDECESSOR],
        ["Brake of 412W101 comes after it and starts on 21 Nov 2026."],
    )
    world.book("412W101", "NPG 21", 2, 4, request_id=first.pk)
    codes, sentences = refused(
        lambda: booking.move(allocation_of(later).pk, first_day=day(0), last_day=day(1), actor=world.actor())
    )
    assert codes == [Code.BEFORE_PREDECESSOR, Code.FEWER_DAYS]
    assert sentences[0] == "The request comes after Brake of 412W101, which ends on 20 Nov 2026."


def test_order_of_what_was_cancelled_is_not_asked_about(world):
    first = wish(world)
    second = wish(world, after_id=first.pk)
    placed = world.book("412W101", "NPG 1", 5, 7, request_id=first.pk)
    booking.cancel(allocation_of(placed).pk, actor=world.actor(), keep_request=False)
    world.book("412W101", "NPG 1", 0, 2, request_id=second.pk)


def test_fewer_days_are_asked_about_and_the_rest_can_go_on_waiting(world):
    request = wish(world, days=10, due_date=day(40), priority="high", step="Phase 2")
    codes, sentences = refused(lambda: world.book("412W101", "NPG 1", 0, 2, request_id=request.pk))
    assert codes == [Code.FEWER_DAYS]
    assert sentences == ["The request asks for 10 days; this is 7 days fewer."]
    change = world.book("412W101", "NPG 1", 0, 2, request_id=request.pk, rest_waits=True)
    request.refresh_from_db()
    rest = TestRequest.objects.exclude(pk=request.pk).get()
    assert (request.status, request.days) == (RequestStatus.PLACED, 3)
    assert (rest.status, rest.days, rest.earliest_start, rest.due_date, rest.priority, rest.step, rest.after_id) == (
        RequestStatus.WAITING,
        7,
        day(3),
        day(40),
        "high",
        "Phase 2",
        request.pk,
    )
    undo(change.pk, actor=world.actor())
    request.refresh_from_db()
    rest.refresh_from_db()
    assert (request.status, request.days, rest.status) == (RequestStatus.WAITING, 10, RequestStatus.CANCELLED)


def test_moving_asks_only_about_what_becomes_worse(world):
    request = wish(world, days=5, earliest_start=day(4))
    confirmed = ["fewer-days", "before-earliest-start"]
    stay = allocation_of(world.book("412W101", "NPG 1", 2, 5, request_id=request.pk, confirmed=confirmed))
    booking.move(stay.pk, first_day=day(3), actor=world.actor())
    booking.move(stay.pk, dyno_id=world.dynos["NPG 21"].pk, actor=world.actor())
    assert refused(lambda: booking.move(stay.pk, first_day=day(1), actor=world.actor()))[0] == [
        Code.BEFORE_EARLIEST_START
    ]
    assert refused(lambda: booking.move(stay.pk, last_day=day(5), actor=world.actor()))[0] == [Code.FEWER_DAYS]
    stay.refresh_from_db()
    assert (stay.dyno, stay.first_day, stay.last_day) == (world.dynos["NPG 21"], day(3), day(6))


def test_past_its_due_date_is_booked(world):
    request = wish(world, due_date=day(3))
    world.book("412W101", "NPG 1", 5, 7, request_id=request.pk)


def test_pausing_test_is_asked_for_days_worked(world):
    world.north.days_off = [5, 6]
    world.north.save()
    world.tests["Brake"].runs_through = False
    world.tests["Brake"].save()
    request = wish(world, days=5)
    codes, sentences = refused(lambda: world.book("412W101", "NPG 1", 2, 7, request_id=request.pk))
    assert (codes, sentences) == ([Code.FEWER_DAYS], ["The request asks for 5 days; this is 1 day fewer."])
    world.book("412W101", "NPG 1", 2, 8, request_id=request.pk)


@pytest.mark.parametrize(
    ("ago", "code"), [(dt.timedelta(days=-32), Code.LONG_PAST), (dt.timedelta(days=732), Code.FAR_AHEAD)]
)
def test_first_day_far_from_today_is_asked_about(world, far_days, ago, code):
    with clock.day_is(day(0)):
        first = (day(0) + ago - day(0)).days
        codes, _ = refused(lambda: world.book("412W101", "NPG 1", first, first))
        assert codes == [code]
        nearer = first + 1 if first < 0 else first - 1
        stay = allocation_of(world.book("412W101", "NPG 1", nearer, nearer))
        assert refused(lambda: booking.move(stay.pk, first_day=day(first), actor=world.actor()))[0] == [code]
        world.book("412W102", "NPG 1", first, first, confirmed=[code])


def test_year_that_was_mistyped_is_asked_about_by_auto_booking_too(world, far_days):
    params = {"test_type_id": world.tests["Brake"].pk, "days": 2, "actor": world.actor()}
    first = dt.date(1990, 1, 1)
    call = lambda **more: booking.auto_book(world.vehicles["412W101"].pk, first_day=first, **params, **more)  # noqa: E731
    codes, sentences = refused(call)
    assert codes == [Code.LONG_PAST]
    assert sentences[0].startswith("It would start on 1 Jan 1990, ")
    assert allocation_of(call(confirmed=["long-past"])).first_day == first


def test_plan_keeps_the_order_to_what_has_its_place_and_to_its_own(world):
    with clock.day_is(day(0)):
        first = wish(world, days=4)
        second = wish(world, days=2, after_id=first.pk)
        third = wish(world, days=2, after_id=second.pk)
        world.book("412W101", "NPG 1", 3, 6, request_id=first.pk)
        waiting_plan = ask_for_plan(
            world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(60), seconds=5
        )
        plan = solve_and_store(waiting_plan, steps=50)
        only_last = plan.items.get(request=third)
        with pytest.raises(PlanOvertaken) as overtaken:
            apply_plan(plan.pk, actor=world.actor(), items=[only_last.pk])
        assert [refusal.code for refusal in overtaken.value.refusals] == [Code.BEFORE_PREDECESSOR]
        apply_plan(plan.pk, actor=world.actor())
        days = dict(Allocation.objects.filter(status="scheduled").values_list("request", "first_day"))
        assert day(6) < days[second.pk] < days[third.pk]

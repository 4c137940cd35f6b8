"""Note, drive, owner, due date and priority of what has its place."""

import pytest

from allocations.enums import Drive, RefusalCode
from allocations.exceptions import NotAllowed, NotFound, Refused, Stale
from allocations.models import Allocation, TestRequest
from allocations.services import booking
from allocations.services.details import change_booking
from allocations.services.requests import change_request, create_request
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day


@pytest.fixture
def placed(world):
    """A booking on NPG 21 (2WD only), and the request behind it."""
    change = create_request(
        world.vehicles["412W101"].pk, test_type_id=world.tests["Brake"].pk, days=3, actor=world.actor()
    )
    request = TestRequest.objects.get(pk=change.items[0]["id"])
    return allocation_of(world.book("412W101", "NPG 21", 0, 2, request_id=request.pk)), request


def test_note_drive_and_owner_of_a_booking_are_changed_and_undone(world, placed):
    stay, request = placed
    booking.move(stay.pk, dyno_id=world.dynos["NPG 1"].pk, actor=world.actor())
    admin = world.users["admin"]
    values = {"note": "Bring the trailer", "drive": Drive.ALL_WHEEL, "created_by_id": admin.pk}
    change = change_booking(stay.pk, version=2, actor=world.actor(), **values)
    stay.refresh_from_db()
    request.refresh_from_db()
    assert (stay.note, stay.drive, stay.created_by, stay.version) == ("Bring the trailer", "AWD", admin, 3)
    assert (stay.first_day, stay.last_day, request.drive) == (day(0), day(2), "AWD")
    with pytest.raises(Stale):
        change_booking(stay.pk, version=2, actor=world.actor(), note="Other")
    undo(change.pk, actor=world.actor())
    stay.refresh_from_db()
    request.refresh_from_db()
    assert (stay.note, stay.drive, stay.created_by, request.drive) == ("", "", world.users["scheduler"], "")


def test_drive_that_the_dyno_does_not_take_is_refused_at_both_doors(world, placed):
    stay, request = placed
    for call in (
        lambda: change_booking(stay.pk, drive=Drive.ALL_WHEEL, actor=world.actor()),
        lambda: change_request(request.pk, drive=Drive.ALL_WHEEL, actor=world.actor()),
    ):
        with pytest.raises(Refused) as refused:
            call()
        assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.DRIVE_NOT_TAKEN]
    booking.complete(stay.pk, last_day=day(1), actor=world.actor())
    change_booking(stay.pk, drive=Drive.ALL_WHEEL, note="It was tested so", actor=world.actor())
    assert Allocation.objects.get(pk=stay.pk).drive == "AWD"


def test_cancelled_booking_and_strangers_are_refused(world, placed):
    stay, _ = placed
    with pytest.raises(NotAllowed):
        change_booking(stay.pk, note="x", actor=world.actor("viewer"))
    with pytest.raises(NotFound):
        change_booking(stay.pk, created_by_id=world.users["outsider"].pk, actor=world.actor())
    booking.cancel(stay.pk, actor=world.actor())
    with pytest.raises(Refused):
        change_booking(stay.pk, note="x", actor=world.actor())


def test_due_date_priority_note_and_owner_of_a_placed_request_are_changed_and_undone(world, placed):
    stay, request = placed
    values = {"due_date": day(9), "priority": "urgent", "note": "n", "created_by_id": world.users["admin"].pk}
    change = change_request(request.pk, version=2, actor=world.actor(), days=3, **values)
    request.refresh_from_db()
    assert (request.due_date, request.priority, request.note, request.status) == (day(9), "urgent", "n", "placed")
    assert request.created_by == world.users["admin"]
    undo(change.pk, actor=world.actor())
    request.refresh_from_db()
    assert (request.due_date, request.priority, request.created_by) == (None, "normal", world.users["scheduler"])
    change_request(request.pk, drive=Drive.TWO_WHEEL, actor=world.actor())
    assert Allocation.objects.get(pk=stay.pk).drive == "2WD"


def test_days_and_order_of_a_placed_request_stay(world, placed):
    _, request = placed
    with pytest.raises(Refused) as refused:
        change_request(request.pk, days=9, earliest_start=day(1), actor=world.actor())
    assert refused.value.refusals[0].sentence == (
        "The request has its place: its days and earliest start can be changed only while it waits."
    )

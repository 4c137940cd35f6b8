"""A key ends with what it made, whoever ended it."""

import pytest

from allocations.enums import DisplacedTo, MaintenanceKind
from allocations.exceptions import Invalid, KeyReused, Stale
from allocations.models import Allocation, Change, Dyno, MaintenanceWindow, TestRequest, Vehicle
from allocations.services import booking, fleet, maintenance, requests
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day, window_of


def cancelled(world, change):
    return booking.cancel(allocation_of(change).pk, actor=world.actor("admin"))


def undone(world, change):
    return undo(change.pk, actor=world.actor("admin"))


def shut(world, *, first=5, last=8, **more):
    return maintenance.set_maintenance(
        world.dynos["NPG 1"].pk,
        first_day=day(first),
        last_day=day(last),
        kind=MaintenanceKind.PLANNED,
        actor=world.actor("admin"),
        **more,
    )


@pytest.mark.parametrize("end", [cancelled, undone])
def test_booking_that_was_ended_is_booked_again_under_its_key(world, end):
    first = world.book("412W101", "NPG 1", 0, 2, key="k")
    end(world, first)
    again = world.book("412W101", "NPG 1", 0, 2, key="k")
    assert again.pk != first.pk
    assert list(Allocation.objects.filter(ground=world.north).order_by("pk").values_list("status", flat=True)) == [
        "cancelled",
        "scheduled",
    ]
    assert world.book("412W101", "NPG 1", 0, 2, key="k").pk == again.pk
    assert list(Change.objects.filter(idempotency_key="k")) == [again]


def test_booking_that_maintenance_put_aside_is_booked_again(world):
    first = world.book("412W101", "NPG 1", 5, 6, key="k")
    answer = maintenance.Answer(DisplacedTo.WAIT)
    window = shut(world, answers={allocation_of(first).pk: answer})
    maintenance.lift_maintenance(window_of(window).pk, actor=world.actor("admin"))
    assert world.book("412W101", "NPG 1", 5, 6, key="k").pk != first.pk


def test_booking_that_was_moved_since_stands_under_its_key(world):
    first = world.book("412W101", "NPG 1", 0, 2, key="k")
    booking.move(allocation_of(first).pk, first_day=day(3), actor=world.actor())
    assert world.book("412W101", "NPG 1", 0, 2, key="k").pk == first.pk


def test_key_of_what_ended_serves_another_request(world):
    cancelled(world, world.book("412W101", "NPG 1", 0, 2, key="k"))
    standing = world.book("412W101", "NPG 1", 0, 3, key="k")
    with pytest.raises(KeyReused):
        world.book("412W101", "NPG 1", 0, 2, key="k")
    assert Change.objects.get(idempotency_key="k") == standing


@pytest.mark.parametrize("by_undo", [False, True])
def test_request_that_was_ended_is_asked_again(world, by_undo):
    params = {"test_type_id": world.tests["Brake"].pk, "days": 3, "actor": world.actor(), "key": "k"}
    first = requests.create_request(world.vehicles["412W101"].pk, **params)
    assert requests.create_request(world.vehicles["412W101"].pk, **params) == first
    if by_undo:
        undone(world, first)
    else:
        requests.cancel_request(first.items[0]["id"], actor=world.actor())
    again = requests.create_request(world.vehicles["412W101"].pk, **params)
    assert sorted(TestRequest.objects.values_list("status", flat=True)) == ["cancelled", "waiting"]
    assert again.pk != first.pk


def test_window_that_was_lifted_is_set_again(world):
    first = shut(world, key="k")
    assert shut(world, key="k") == first
    maintenance.lift_maintenance(window_of(first).pk, actor=world.actor("admin"))
    shut(world, key="k")
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 1


def test_window_that_displaced_ends_with_the_window_though_the_rest_waits_on(world):
    stay = allocation_of(world.book("412W101", "NPG 1", 4, 6))
    answers = {stay.pk: maintenance.Answer(DisplacedTo.SHORTEN)}
    first = shut(world, answers=answers, key="k")
    maintenance.lift_maintenance(window_of(first).pk, actor=world.actor("admin"))
    assert TestRequest.objects.get().status == "waiting"
    assert shut(world, answers=answers, key="k").pk != first.pk
    assert MaintenanceWindow.objects.filter(lifted_at=None).count() == 1


def test_move_that_was_moved_away_again_is_stale_and_not_said_done(world):
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    params = {"first_day": day(3), "version": 1, "actor": world.actor(), "key": "k"}
    first = booking.move(stay.pk, **params)
    assert booking.move(stay.pk, **params) == first
    booking.move(stay.pk, first_day=day(7), actor=world.actor("admin"))
    with pytest.raises(Stale):
        booking.move(stay.pk, **params)
    stay.refresh_from_db()
    assert stay.first_day == day(7)


def test_cancelling_that_was_undone_is_done_again(world):
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    undone(world, booking.cancel(stay.pk, actor=world.actor(), key="k"))
    booking.cancel(stay.pk, actor=world.actor(), key="k")
    stay.refresh_from_db()
    assert stay.status == "cancelled"


def test_vehicle_that_was_deleted_is_added_again(world):
    params = {"actor": world.actor("admin"), "key": "k", "tag": "900W1", "drive": "2WD", "weight_class": "<10K"}
    first = fleet.add_vehicle(world.north.pk, **params)
    assert fleet.add_vehicle(world.north.pk, **params) == first
    fleet.delete_vehicle(first.items[0]["id"], actor=world.actor("admin"))
    again = fleet.add_vehicle(world.north.pk, **params)
    assert Vehicle.objects.get(tag="900W1").pk == again.items[0]["id"]
    with pytest.raises(Invalid):
        fleet.add_vehicle(world.north.pk, **params | {"key": "other"})


def test_change_of_a_dyno_that_was_changed_since_is_done_again(world):
    dyno = world.dynos["NPG 1"]
    fleet.set_enabled([dyno.pk], False, actor=world.actor("admin"), key="k")
    fleet.set_enabled([dyno.pk], True, actor=world.actor("admin"))
    fleet.set_enabled([dyno.pk], False, actor=world.actor("admin"), key="k")
    assert not Dyno.objects.get(pk=dyno.pk).enabled

import datetime as dt

import pytest

from allocations.enums import AllocationStatus, RefusalCode, RequestStatus, Role
from allocations.exceptions import KeyReused, NotAllowed, NotFound, Refused, Stale
from allocations.models import Allocation, Change, MaintenanceWindow, Occupancy, TestRequest
from allocations.services import booking
from allocations.services.details import change_booking
from allocations.tests.world import allocation_of, day


def codes(refused) -> list[RefusalCode]:
    return [refusal.code for refusal in refused.value.refusals]


def test_book_writes_allocation_occupancy_and_change(world):
    change = world.book("412W101", "NPG 1", 0, 2)
    allocation = allocation_of(change)
    assert (allocation.vehicle.tag, allocation.dyno.name, allocation.first_day, allocation.last_day) == (
        "412W101",
        "NPG 1",
        day(0),
        day(2),
    )
    assert (allocation.status, allocation.source, allocation.created_by) == (
        "scheduled",
        "form",
        world.users["scheduler"],
    )
    assert Occupancy.objects.filter(allocation=allocation).values_list("first_day", "last_day").get() == (
        day(0),
        day(2),
    )
    assert change.summary == "412W101 on NPG 1, 16 – 18 Nov 2026: Brake"


def test_taken_dyno_is_refused_with_the_name_of_who_has_it_and_places(world):
    world.book("412W101", "NPG 1", 0, 2)
    with pytest.raises(Refused) as refused:
        world.book("412W103", "NPG 1", 2, 4)
    assert codes(refused) == [RefusalCode.DYNO_TAKEN]
    assert refused.value.sentence == "NPG 1 is taken by 412W101 (Brake): 16 – 18 Nov 2026. Booked by scheduler."
    assert [str(place) for place in refused.value.places] == ["NPG 1, 19 – 21 Nov 2026"]


def test_vehicle_elsewhere_is_refused(world):
    world.book("412W101", "NPG 1", 0, 2)
    with pytest.raises(Refused) as refused:
        world.book("412W101", "NPG 21", 1, 1)
    assert codes(refused) == [RefusalCode.VEHICLE_ELSEWHERE]
    assert "412W101 is on NPG 1 already (Brake): 16 – 18 Nov 2026." in refused.value.sentence


@pytest.mark.parametrize(
    ("vehicle", "dyno", "test", "expected"),
    [
        ("412W101", "NPG 2", "Brake", RefusalCode.TEST_TYPE_NOT_RUN),
        ("412W102", "NPG 21", "Brake", RefusalCode.DRIVE_NOT_TAKEN),
        ("412W103", "NPG 21", "Brake", RefusalCode.WEIGHT_NOT_TAKEN),
    ],
)
def test_capability_is_asked(world, vehicle, dyno, test, expected):
    with pytest.raises(Refused) as refused:
        world.book(vehicle, dyno, 0, 0, test=test)
    assert codes(refused) == [expected]


def test_days_that_end_before_they_begin_are_refused(world):
    with pytest.raises(Refused) as refused:
        world.book("412W101", "NPG 1", 2, 1)
    assert codes(refused) == [RefusalCode.DAYS_ORDER]


def test_viewer_may_not_book_and_outsider_sees_nothing(world):
    with pytest.raises(NotAllowed):
        world.book("412W101", "NPG 1", 0, 2, by="viewer")
    with pytest.raises(NotFound):
        world.book("412W101", "NPG 1", 0, 2, by="outsider")
    with pytest.raises(NotFound):
        world.book("365W201", "NPG 1", 10, 12)
    assert Allocation.objects.filter(ground=world.north).count() == 0


def test_same_key_gives_same_answer_and_one_row(world):
    first = world.book("412W101", "NPG 1", 0, 2, key="k1")
    again = world.book("412W101", "NPG 1", 0, 2, key="k1")
    assert again.pk == first.pk
    assert Allocation.objects.filter(ground=world.north).count() == 1
    with pytest.raises(KeyReused):
        world.book("412W101", "NPG 1", 0, 3, key="k1")


def test_auto_book_takes_the_narrowest_dyno(world):
    change = booking.auto_book(
        world.vehicles["412W101"].pk,
        test_type_id=world.tests["Brake"].pk,
        first_day=day(0),
        days=3,
        actor=world.actor(),
    )
    assert allocation_of(change).dyno.name == "NPG 21"


def test_auto_book_without_backup_stays_on_the_day(world):
    world.book("412W101", "NPG 1", 0, 2)
    params = {"test_type_id": world.tests["Brake"].pk, "first_day": day(0), "days": 2, "actor": world.actor()}
    with pytest.raises(Refused) as refused:
        booking.auto_book(world.vehicles["412W103"].pk, **params)
    assert codes(refused) == [RefusalCode.NO_PLACE]
    assert next(str(place) for place in refused.value.places) == "NPG 1, 19 – 20 Nov 2026"
    change = booking.auto_book(world.vehicles["412W103"].pk, backup=True, **params)
    assert allocation_of(change).first_day == day(3)
    with pytest.raises(Refused):
        booking.auto_book(world.vehicles["412W101"].pk, backup=True, max_backup_days=0, **params)


def test_move_keeps_length_and_raises_version(world):
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    booking.move(allocation.pk, actor=world.actor(), first_day=day(1), version=1)
    allocation.refresh_from_db()
    assert (allocation.first_day, allocation.last_day, allocation.version) == (day(1), day(3), 2)
    with pytest.raises(Stale):
        booking.move(allocation.pk, actor=world.actor(), first_day=day(5), version=1)


def test_move_onto_taken_days_is_refused_and_changes_nothing(world):
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    world.book("412W103", "NPG 1", 5, 6)
    with pytest.raises(Refused) as refused:
        booking.move(allocation.pk, actor=world.actor(), first_day=day(4))
    assert codes(refused) == [RefusalCode.DYNO_TAKEN]
    assert str(refused.value.places[0]) == "NPG 21, 20 – 22 Nov 2026"
    allocation.refresh_from_db()
    assert (allocation.first_day, allocation.version) == (day(0), 1)


def test_cancel_frees_the_place_and_lets_the_request_wait_again(world):
    request = TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W101"], test_type=world.tests["Brake"], days=3
    )
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 2, request_id=request.pk))
    request.refresh_from_db()
    assert request.status == RequestStatus.PLACED
    booking.cancel(allocation.pk, actor=world.actor())
    request.refresh_from_db()
    allocation.refresh_from_db()
    assert (request.status, allocation.status) == (RequestStatus.WAITING, AllocationStatus.CANCELLED)
    world.book("412W103", "NPG 1", 0, 2)


def test_complete_early_frees_the_rest(world, monkeypatch):
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(2))
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 5))
    booking.start(allocation.pk, actor=world.actor())
    with pytest.raises(Refused):
        booking.complete(allocation.pk, actor=world.actor())
    booking.complete(allocation.pk, actor=world.actor(), last_day=day(2))
    allocation.refresh_from_db()
    assert (allocation.status, allocation.last_day) == (AllocationStatus.COMPLETED, day(2))
    world.book("412W103", "NPG 1", 3, 3)


def test_history_carries_user_door_and_change(world):
    change = world.book("412W101", "NPG 1", 0, 2)
    event = allocation_of(change).events.get()
    assert event.pgh_context["user"] == world.users["scheduler"].pk
    assert (event.pgh_context["door"], event.pgh_context["change"]) == ("form", str(change.pk))


def test_change_items_hold_before_and_after(world):
    allocation = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    booking.move(allocation.pk, actor=world.actor(), last_day=day(4))
    item = Change.objects.latest("at").items[0]
    assert (item["before"]["last_day"], item["after"]["last_day"]) == ("2026-11-18", "2026-11-20")
    assert dt.date.fromisoformat(item["after"]["first_day"]) == day(0)


def test_places_leave_out_maintenance(world):
    MaintenanceWindow.objects.create(
        ground=world.north, dyno=world.dynos["NPG 21"], first_day=day(0), last_day=day(9), kind="planned"
    )
    change = booking.auto_book(
        world.vehicles["412W101"].pk,
        test_type_id=world.tests["Brake"].pk,
        first_day=day(0),
        days=3,
        actor=world.actor(),
    )
    assert allocation_of(change).dyno.name == "NPG 1"


def test_refusal_says_whose_booking_is_in_the_way(world):
    mia = world.user("mia", north=Role.SCHEDULER)
    mia.first_name, mia.last_name = "Mia", "Keller"
    mia.save()
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 2, by="mia"))

    def refusals() -> list[tuple[str, str]]:
        with pytest.raises(Refused) as refused:
            world.book("412W101", "NPG 1", 1, 4)
        with pytest.raises(Refused) as elsewhere:
            world.book("412W101", "NPG 21", 2, 2)
        return [
            (str(refusal.code), refusal.sentence)
            for error in (refused, elsewhere)
            for refusal in error.value.refusals
        ]

    dyno = ("dyno-taken", "NPG 1 is taken by 412W101 (Brake): 16 – 18 Nov 2026.")
    vehicle = ("vehicle-elsewhere", "412W101 is on NPG 1 already (Brake): 16 – 18 Nov 2026.")
    assert refusals() == [(code, f"{sentence} Booked by Mia Keller.") for code, sentence in (dyno, vehicle)]
    change_booking(stay.pk, created_by_id=world.users["admin"].pk, actor=world.actor())
    assert refusals() == [(code, f"{sentence} Booked by admin.") for code, sentence in (dyno, vehicle)]
    Allocation.objects.filter(pk=stay.pk).update(created_by=None)
    assert refusals() == [dyno, vehicle]

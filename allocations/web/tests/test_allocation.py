"""The page of an allocation: moving, starting, completing, cancelling, history and undo."""

import re

import pytest
from django.urls import reverse

from allocations.enums import AllocationStatus
from allocations.models import Allocation, Change
from allocations.services.booking import cancel, move
from allocations.tests.world import allocation_of, day
from allocations.web.tests.conftest import waiting
from dynosite.tests.markup import markup


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


@pytest.fixture
def booked(world) -> Allocation:
    return allocation_of(world.book("412W101", "NPG 1", 0, 2))


def address(name: str, booked: Allocation) -> str:
    return reverse(f"allocations:allocation-{name}", args=[booked.pk])


def text(response) -> str:
    return markup(response)


def to(world, dyno: str, first: int, last: int, version: int = 1) -> dict:
    return {"dyno": world.dynos[dyno].pk, "first_day": day(first), "last_day": day(last), "version": version}


def test_page_shows_facts_and_checks(scheduler, booked):
    page = text(scheduler.get(address("detail", booked)))
    assert "<h1>412W101</h1>" in page
    assert "Mon 16 Nov 2026 – Wed 18 Nov 2026" in page
    checks = re.findall(r'<li class="holds">.*?</svg> ?(.*?)</li>', page)
    assert checks == [
        "Runs Brake",
        "Takes 2WD",
        "Takes &lt;10K",
        "NPG 1 is there for it",
        "Vehicle nowhere else",
        "Starts and ends on days that are worked",
    ]


def test_check_that_no_longer_holds_says_why(scheduler, world, booked):
    world.dynos["NPG 1"].capabilities.all().delete()
    page = text(scheduler.get(address("detail", booked)))
    assert "NPG 1 does not run the test type Brake." in page


def test_move_of_a_cancelled_booking_says_why_not(scheduler, world, booked):
    cancel(booked.pk, actor=world.actor())
    answer = scheduler.post(address("move", booked), to(world, "NPG 21", 3, 5, version=2))
    assert answer.status_code == 422
    assert "It is cancelled and can no longer be moved." in text(answer)


def test_move_by_form(scheduler, world, booked):
    scheduler.post(address("move", booked), to(world, "NPG 21", 4, 8))
    booked.refresh_from_db()
    assert (booked.dyno, booked.first_day, booked.last_day) == (world.dynos["NPG 21"], day(4), day(8))


def test_refused_move_keeps_what_was_typed_and_offers_places(scheduler, world, booked):
    world.book("412W103", "NPG 1", 5, 6)
    response = scheduler.post(address("move", booked), to(world, "NPG 1", 4, 6))
    page = text(response)
    assert response.status_code == 422
    assert "NPG 1 is taken by 412W103 (Brake): 21 – 22 Nov 2026." in page
    assert f'name="first_day" value="{day(4)}"' in page
    places = re.findall(r'name="place" value="([^"]+)"', page)
    assert places[0] == f"{world.dynos['NPG 21'].pk}/{day(4)}"
    scheduler.post(address("move", booked), {"place": places[0], "version": 1, "days": 3})
    booked.refresh_from_db()
    assert (booked.dyno.name, booked.first_day, booked.last_day) == ("NPG 21", day(4), day(6))


def test_move_of_what_somebody_else_has_moved_is_refused(scheduler, world, booked):
    move(booked.pk, first_day=day(1), actor=world.actor("admin"))
    response = scheduler.post(address("move", booked), to(world, "NPG 21", 4, 8, version=1))
    assert response.status_code == 409
    assert "Somebody else has changed this in the meantime" in text(response)
    booked.refresh_from_db()
    assert (booked.dyno.name, booked.first_day) == ("NPG 1", day(1))


def test_move_to_another_grounds_dyno_is_no_choice(scheduler, world, booked):
    response = scheduler.post(address("move", booked), to(world, "STC #1", 10, 12))
    assert (response.status_code, "Select a valid choice." in text(response)) == (422, True)


def test_start_and_complete_early(scheduler, world, booked):
    assert "Start" in text(scheduler.get(address("detail", booked)))
    scheduler.post(address("start", booked), {"version": 1})
    booked.refresh_from_db()
    assert booked.status == AllocationStatus.RUNNING
    late = scheduler.post(address("complete", booked), {"last_day": day(2), "version": 2})
    assert (late.status_code, "18 Nov 2026 has not come yet" in text(late)) == (422, True)
    scheduler.post(address("complete", booked), {"last_day": day(0), "version": 2})
    booked.refresh_from_db()
    assert (booked.status, booked.last_day) == (AllocationStatus.COMPLETED, day(0))
    assert "/cancel/" not in text(scheduler.get(address("detail", booked)))


def test_cancelling_says_first_what_it_will_do(scheduler, world):
    wish = waiting(world, 1)[0]
    booked = allocation_of(world.book("500W000", "NPG 1", 0, 1, request_id=wish.pk))
    page = text(scheduler.get(address("cancel", booked)))
    assert "Its test request goes back to the waiting ones, unless you cancel that too." in page
    booked.refresh_from_db()
    assert booked.status == AllocationStatus.SCHEDULED
    scheduler.post(address("cancel", booked), {"version": 1, "reason": "Engine is out"})
    booked.refresh_from_db()
    wish.refresh_from_db()
    assert (booked.status, wish.status) == (AllocationStatus.CANCELLED, "waiting")
    history = text(scheduler.get(address("detail", booked)))
    assert "<q>Engine is out</q>" in history
    assert "<dt>Status</dt><dd><del>Scheduled</del>" in history


def test_cancelling_can_take_the_request_along(scheduler, world):
    wish = waiting(world, 1)[0]
    booked = allocation_of(world.book("500W000", "NPG 1", 0, 1, request_id=wish.pk))
    scheduler.post(address("cancel", booked), {"version": 1, "cancel_request": "on"})
    wish.refresh_from_db()
    assert wish.status == "cancelled"


def test_history_tells_before_and_after_and_undoes(scheduler, world, booked):
    scheduler.post(address("move", booked), to(world, "NPG 21", 4, 6))
    page = text(scheduler.get(address("detail", booked)))
    assert re.search(r"<dt>Dyno</dt><dd><del>NPG 1</del>.*?<ins>NPG 21</ins>", page)
    assert re.search(r"<dt>Days</dt><dd><del>16 – 18 Nov 2026</del>.*?<ins>20 – 22 Nov 2026</ins>", page)
    # Only the last change of the row can be undone: one button, not two.
    undo = re.findall(r'action="(/g/NORTH/changes/[^"]+/undo/)"', page)
    assert len(undo) == 1
    answer = scheduler.post(undo[0], {"next": address("detail", booked)})
    assert answer["Location"] == address("detail", booked)
    booked.refresh_from_db()
    assert (booked.dyno.name, booked.first_day) == ("NPG 1", day(0))
    assert "Undone" in text(scheduler.get(address("detail", booked)))


def test_changes_offer_to_undo_only_what_nobody_has_touched_since(scheduler, world, booked):
    scheduler.post(address("move", booked), to(world, "NPG 21", 4, 6))
    page = text(scheduler.get(reverse("allocations:change-list")))
    booking, moved = Change.objects.get(action="book", ground=world.north), Change.objects.get(action="move")
    assert f"/changes/{moved.pk}/undo/" in page
    assert f"/changes/{booking.pk}/undo/" not in page


def test_what_reaches_far_asks_before_it_is_undone(scheduler, world, booked):
    change = Change.objects.get(action="book", ground=world.north)
    change.items *= 4
    change.save()
    page = text(scheduler.get(address("detail", booked)))
    assert f'<a class="button small ghost" href="/g/NORTH/changes/{change.pk}/undo/"' in page
    question = text(scheduler.get(reverse("allocations:change-undo", args=[change.pk])))
    assert "4 bookings" in question
    booked.refresh_from_db()
    assert booked.status == AllocationStatus.SCHEDULED
    scheduler.post(reverse("allocations:change-undo", args=[change.pk]))
    booked.refresh_from_db()
    assert booked.status == AllocationStatus.CANCELLED


def test_undo_that_is_refused_says_why_and_goes_back_to_this_site_only(scheduler, world, booked):
    scheduler.post(address("move", booked), to(world, "NPG 21", 4, 6))
    world.book("412W103", "NPG 1", 0, 2)
    last = Change.objects.get(action="move")
    answer = scheduler.post(
        reverse("allocations:change-undo", args=[last.pk]), {"next": "https://elsewhere.example/"}
    )
    assert answer["Location"] == reverse("allocations:change-list")
    assert "Not undone. NPG 1 is taken by 412W103 (Brake)" in text(scheduler.get(answer["Location"]))
    booked.refresh_from_db()
    assert booked.dyno.name == "NPG 21"

"""Every toast of a change offers to take it back, by one press, and names what was done in plain words."""

import re

import pytest
from django.urls import reverse

from allocations.models import Allocation, Change
from allocations.services.undo import undo
from allocations.tests.world import allocation_of, day


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def toast(response) -> tuple[str, str, str]:
    """The words of the one toast, its button and where that leads."""
    page = response.content.decode()
    (body,) = re.findall(r'<div class="toast success" data-toast>(.*?)</div>', page, re.S)
    (target,) = re.findall(r'<form method="post" action="([^"]+)">', body)
    (button,) = re.findall(r'<button class="link">(\w+)</button>', body)
    words = " ".join(re.sub(r"<form.*</form>|<button.*</button>|<[^>]+>", " ", body, flags=re.S).split())
    return words, button, target


def cancel(client, allocation: Allocation):
    address = reverse("allocations:allocation-cancel", args=[allocation.pk])
    return client.post(address, {"version": allocation.version, "key": "k1"}, follow=True)


def test_cancelling_is_taken_back_by_the_toast_and_done_again(scheduler, world):
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 4))
    words, button, target = toast(cancel(scheduler, stay))
    assert (words, button) == (f"{stay} cancelled.", "Undo")
    words, button, target = toast(scheduler.post(target, {"key": "k2"}, follow=True))
    assert (words, button) == (f"Undone: {stay} cancelled.", "Redo")
    stay.refresh_from_db()
    assert stay.status == "scheduled"
    words, button, target = toast(scheduler.post(target, {"key": "k3"}, follow=True))
    assert (words, button) == (f"Redone: {stay} cancelled.", "Undo")
    stay.refresh_from_db()
    assert stay.status == "cancelled"


def test_words_of_an_undone_undo_do_not_pile_up(world):
    change = world.book("412W101", "NPG 1", 0, 4)
    summaries = []
    for _ in range(4):
        change = undo(change.pk, actor=world.actor())
        summaries.append(change.summary.partition(": ")[0])
    assert summaries == ["Undone", "Redone", "Undone", "Redone"]
    assert {row.summary.count("one: ") for row in Change.objects.filter(action="undo")} == {1}


def test_moving_offers_to_undo(scheduler, world):
    stay = allocation_of(world.book("412W101", "NPG 1", 0, 4))
    response = scheduler.post(
        reverse("allocations:allocation-move", args=[stay.pk]),
        {"dyno": stay.dyno_id, "first_day": day(7), "last_day": "", "version": stay.version, "key": "k1"},
        follow=True,
    )
    words, _, target = toast(response)
    assert words.startswith("Moved: 412W101 to NPG 1")
    scheduler.post(target, {"key": "k2"})
    stay.refresh_from_db()
    assert stay.first_day == day(0)

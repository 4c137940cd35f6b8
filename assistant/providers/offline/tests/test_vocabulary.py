"""What the page in view points at, as the offline model is told of it."""

import uuid

import pytest

from allocations.tests.world import World, allocation_of
from assistant.providers.offline.page_in_view import NOWHERE, PageInView
from assistant.providers.offline.vocabulary import vocabulary_of
from assistant.tools.caller import Caller, Ctx


def page_of(world: World, page: dict) -> PageInView:
    return vocabulary_of(Caller(Ctx(world.users["scheduler"].pk, world.north.pk, uuid.uuid4(), page=page))).page


def test_what_is_selected_counts_before_what_the_page_is_about(world, wednesday):
    booked = allocation_of(world.book("412W101", "NPG 1", 7, 9))
    dyno, vehicle = world.dynos["NPG 21"].pk, world.vehicles["412W102"].pk
    assert page_of(world, {"page": "dyno-detail", "id": str(dyno)}) == PageInView(dyno="NPG 21")
    assert page_of(world, {"page": "vehicle-detail", "id": str(vehicle)}) == PageInView(vehicle="412W102")
    picked = PageInView("412W101", "NPG 1", booked.pk)
    assert page_of(world, {"page": "allocation-detail", "id": str(booked.pk)}) == picked
    assert page_of(world, {"page": "dyno-detail", "id": str(dyno), "selected": {"allocation": booked.pk}}) == picked


@pytest.mark.parametrize(
    "page",
    [
        {},
        {"page": "schedule"},
        {"page": "dyno-detail", "id": "0"},
        {"selected": {"allocation": 10**18}},
        {"selected": {"maintenance_window": 1}},
    ],
)
def test_what_is_not_there_is_nowhere(world, wednesday, page):
    assert page_of(world, page) == NOWHERE


def test_another_grounds_things_are_nowhere(world, wednesday):
    assert page_of(world, {"page": "vehicle-detail", "id": str(world.vehicles["365W201"].pk)}) == NOWHERE
    assert page_of(world, {"page": "dyno-detail", "id": str(world.dynos["STC #1"].pk)}) == NOWHERE

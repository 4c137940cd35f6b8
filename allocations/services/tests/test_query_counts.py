"""A write takes as many statements on a full schedule as on an empty one."""

from collections.abc import Callable

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from allocations.models import TestRequest
from allocations.selectors.availability import find_places, query_for
from allocations.services import booking
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, World, allocation_of, day


def statements(call: Callable) -> int:
    """Those sent, without the savepoint that stands for the transaction in a test."""
    with CaptureQueriesContext(connection) as captured:
        call()
    return sum("SAVEPOINT" not in query["sql"] for query in captured.captured_queries)


@pytest.fixture(params=[1, 30], ids=["one stay", "thirty stays"])
def busy(world: World, request) -> World:
    """A world whose dynos already have that many stays, before the days that are asked about."""
    for number in range(request.param):
        world.vehicle(f"B{number}")
        world.dyno(f"B{number}", (world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT))
        world.book(f"B{number}", f"B{number}", 0, 1)
        world.book(f"B{number}", "NPG 1", 2 + number, 2 + number)
    return world


def test_book(busy):
    assert statements(lambda: busy.book("412W101", "NPG 1", 100, 102)) == 7


def test_book_for_a_request(busy):
    test = TestRequest.objects.create(
        ground=busy.north, vehicle=busy.vehicles["412W101"], test_type=busy.tests["Brake"], days=3
    )
    assert statements(lambda: busy.book("412W101", "NPG 1", 100, 102, request_id=test.pk)) == 10


def test_book_with_a_key(busy):
    assert statements(lambda: busy.book("412W101", "NPG 1", 100, 102, key="k")) == 8
    assert statements(lambda: busy.book("412W101", "NPG 1", 100, 102, key="k")) == 2  # the change, and that it stands


def test_auto_book(busy):
    def auto_book():
        booking.auto_book(
            busy.vehicles["412W101"].pk,
            test_type_id=busy.tests["Brake"].pk,
            first_day=day(0),
            days=3,
            backup=True,
            actor=busy.actor(),
        )

    assert statements(auto_book) == 11


def test_move(busy):
    allocation = allocation_of(busy.book("412W101", "NPG 1", 100, 102))
    dyno = busy.dynos["NPG 21"].pk
    assert statements(lambda: booking.move(allocation.pk, actor=busy.actor(), dyno_id=dyno)) == 9


def test_find_places(busy):
    query = query_for(busy.vehicles["412W101"], busy.tests["Brake"].pk, 3)
    assert statements(lambda: find_places(query, first_day=day(0), latest=day(60), limit=99)) == 2

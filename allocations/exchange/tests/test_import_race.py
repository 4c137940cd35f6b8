"""Imports at the same moment as each other and as bookings: one has the place, the others are told who."""

import threading
from functools import partial

import pytest

from allocations.enums import Door, Drive, Role
from allocations.exchange import importing as exchange
from allocations.exchange.importing import carry_out
from allocations.exchange.tests.books import book, day, row
from allocations.models import Allocation, Dyno, Membership, ProvingGround, TestRequest
from allocations.services import importing as services
from allocations.services.booking import book as book_place
from allocations.services.unit_of_work import Actor
from allocations.tests.invariants import expect_sound
from allocations.tests.racing import CLIENTS, ROUNDS, race, refusals, winners
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT
from dynosite.accounts.models import User

pytestmark = pytest.mark.race


@pytest.fixture
def crowd(committed_world):
    """Eight vehicles `111A000` to `111A007` and the dyno `Race 1`."""
    world = committed_world
    for number in range(CLIENTS):
        world.vehicle(f"111A00{number}", drive=Drive.TWO_WHEEL)
    world.dyno("Race 1", (world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT), facility="Race")
    yield world
    expect_sound()


def bring(world, number: int, start: int):
    """A workbook with one claim on Race 1."""
    claim = row(f"111A00{number}", start + number % 3, 4, facility="Race", dyno=1, test="Brake")
    data = book([claim], rules=[("Brake", "any", "any", "Race 1")])
    return carry_out(data, world.north, actor=world.actor("admin", Door.IMPORT))


def book_it(world, number: int, start: int):
    return book_place(
        world.vehicles[f"111A00{number}"].pk,
        world.dynos["Race 1"].pk,
        test_type_id=world.tests["Brake"].pk,
        first_day=day(start).date(),
        last_day=day(start + 3).date(),
        actor=world.actor(),
    )


def test_of_eight_imports_one_gets_the_place(crowd):
    for number in range(ROUNDS):
        outcomes = race([partial(bring, crowd, n, number * 10) for n in range(CLIENTS)])
        reports = winners(outcomes)
        assert len(reports) == CLIENTS
        assert sorted((report.booked, report.waiting) for report in reports) == [(0, 1)] * 7 + [(1, 0)]
        held = Allocation.objects.get(dyno=crowd.dynos["Race 1"], first_day__gte=day(number * 10))
        reasons = {wait.reason for report in reports for wait in report.waits}
        assert reasons == {f"Race 1 is already booked for {held.vehicle.tag} on {held.days}"}


def test_imports_and_bookings_share_no_day(crowd):
    for number in range(ROUNDS):
        calls = [partial((bring, book_it)[n % 2], crowd, n, number * 10) for n in range(CLIENTS)]
        outcomes = race(calls)
        reports = winners(outcomes[::2])
        booked = winners(outcomes[1::2])
        assert sum(report.booked for report in reports) + len(booked) == 1
        assert len(refusals(outcomes)) == 4 - len(booked)
        assert Allocation.objects.filter(dyno=crowd.dynos["Race 1"]).count() == number + 1


def test_the_same_workbook_eight_times_at_once_comes_in_once(transactional_db):
    user = User.objects.create(username="importer")
    data = book(
        [row(f"2{n:02}A111", n % 4, dyno=1 + n % 3) for n in range(12)], maintenance=[("Track", day(0), day(2))]
    )
    for number in range(5):
        ground = ProvingGround.objects.create(code=f"G{number}", name="New")
        Membership.objects.create(user=user, ground=ground, role=Role.ADMIN)
        outcomes = race([partial(carry_out, data, ground, actor=Actor(user, Door.IMPORT)) for _ in range(CLIENTS)])
        reports = winners(outcomes)
        assert sorted(report.already_there for report in reports) == [0] + [12] * 7
        assert {(report.booked, report.waiting) for report in reports} == {(3, 9)}
        assert TestRequest.objects.filter(ground=ground).count() == 12
        assert Dyno.objects.filter(ground=ground).count() == 16
    expect_sound()


def test_without_the_locks_the_race_is_there_and_only_the_guard_stops_it(crowd, monkeypatch):
    """The negative control: all eight see the place free, so seven claim what the first one has."""
    barrier = threading.Barrier(CLIENTS)
    resolve = exchange._resolve

    def resolved_together(*args):
        outcome = resolve(*args)
        barrier.wait(timeout=30)
        return outcome

    monkeypatch.setattr(services, "_lock_everything", lambda work: None)
    monkeypatch.setattr(exchange, "_resolve", resolved_together)
    outcomes = race([partial(bring, crowd, n, 0) for n in range(CLIENTS)])
    (report,) = winners(outcomes)
    assert report.booked == 1
    assert len(refusals(outcomes)) == 7
    assert Allocation.objects.filter(dyno=crowd.dynos["Race 1"]).count() == 1
    assert TestRequest.objects.count() == 1

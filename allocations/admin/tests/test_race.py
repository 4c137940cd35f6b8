"""Many at once through the administration: eight clients with connections of their own, on committed data."""

import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections
from django.db.models import F
from django.test import Client

from allocations.admin.tests.conftest import Cast, add_staff
from allocations.models import Allocation, MaintenanceWindow, Occupancy
from allocations.tests.world import World, day
from dynosite.lib.days import DayRange

CLIENTS, ROUNDS = 8, 20
BOOK = "/admin/allocations/allocation/add/"
MAINTAIN = "/admin/allocations/maintenancewindow/add/"

pytestmark = pytest.mark.race


@pytest.fixture
def racers(committed_world, monkeypatch) -> tuple[World, list[Client]]:
    monkeypatch.setattr("allocations.models.ProvingGround.today", lambda self: day(0))
    cast: Cast = add_staff(committed_world)
    for number in range(CLIENTS):
        committed_world.vehicle(f"R{number}")
    return committed_world, [cast.client("keeper") for _ in range(CLIENTS)]


def at_once(calls: list[Callable[[], Any]]) -> list[Any]:
    """Runs the calls in threads that start together; gives what each returned or raised."""
    barrier = threading.Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(number: int) -> None:
        try:
            connection.ensure_connection()
            barrier.wait(timeout=30)
            outcomes[number] = calls[number]()
        except Exception as error:
            outcomes[number] = error
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert not any(isinstance(outcome, Exception) for outcome in outcomes), outcomes
    return outcomes


def booking(world: World, vehicle: str, first: int) -> dict[str, Any]:
    return {
        "vehicle": world.vehicles[vehicle].pk,
        "dyno": world.dynos["NPG 1"].pk,
        "drive": "",
        "request": "",
        "test_type": world.tests["Brake"].pk,
        "first_day": f"{day(first)}",
        "last_day": f"{day(first + 2)}",
        "note": "",
    }


def window(world: World, first: int) -> dict[str, Any]:
    return {
        "dyno": world.dynos["NPG 1"].pk,
        "first_day": f"{day(first)}",
        "last_day": f"{day(first + 3)}",
        "kind": "outage",
        "reason": "",
        "reference": "",
    }


def sentences(answer) -> list[str]:
    return [sentence for errors in answer.context["adminform"].form.errors.values() for sentence in errors]


def overlaps(world: World) -> int:
    """Pairs of stays that share a dyno and a day, counted without the help of the guard."""
    rows = list(Allocation.objects.exclude(status="cancelled").values_list("dyno_id", "first_day", "last_day"))
    rows += MaintenanceWindow.objects.filter(lifted_at=None).values_list("dyno_id", "first_day", "last_day")
    pairs = ((one, other) for number, one in enumerate(rows) for other in rows[:number])
    return sum(one[0] == other[0] and one[1] <= other[2] and other[1] <= one[2] for one, other in pairs)


def test_eight_bookings_of_one_place_have_one_winner(racers):
    world, clients = racers
    for number in range(ROUNDS):
        first = 10 * number
        answers = at_once(
            [partial(client.post, BOOK, booking(world, f"R{index}", first)) for index, client in enumerate(clients)]
        )
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [302]
        winner = Allocation.objects.get(dyno=world.dynos["NPG 1"], first_day=day(first))
        sentence = f"NPG 1 is taken by {winner.vehicle.tag} (Brake): {winner.days}. Booked by {winner.created_by}."
        for answer in answers:
            if answer.status_code == 200:
                assert sentence in sentences(answer)
                assert any(line.startswith("The nearest places that would do: ") for line in sentences(answer))
    assert Allocation.objects.filter(ground=world.north).count() == ROUNDS
    assert Occupancy.objects.filter(dyno=world.dynos["NPG 1"]).count() == ROUNDS
    assert overlaps(world) == 0


def test_window_against_bookings_has_one_side_win(racers):
    """Either the window stands and every booking is refused, or one is booked and the window leads to its page."""
    world, clients = racers
    won = {"window": 0, "booking": 0}
    for number in range(ROUNDS):
        first = 10 * number
        calls = [partial(clients[0].post, MAINTAIN, window(world, first))]
        for index, client in enumerate(clients[1:]):
            calls.append(partial(client.post, BOOK, booking(world, f"R{index}", first + 1)))
        answers = at_once(calls)
        stands = MaintenanceWindow.objects.filter(dyno=world.dynos["NPG 1"], first_day=day(first)).exists()
        booked = Allocation.objects.filter(dyno=world.dynos["NPG 1"], first_day=day(first + 1)).count()
        assert (stands, booked) in ((True, 0), (False, 1))
        won["window" if stands else "booking"] += 1
        opened = answers[0]
        if stands:
            assert (opened.status_code, opened["Location"]) == (302, MAINTAIN.removesuffix("add/"))
            sentence = f"NPG 1 is in maintenance (outage): {DayRange(day(first), day(first + 3))}."
            assert [sentence in sentences(answer) for answer in answers[1:]] == [True] * 7
        else:
            assert (opened.status_code, opened["Location"].split("?")[0]) == (302, "/g/NORTH/maintenance/new/")
            assert [answer.status_code for answer in answers[1:]].count(302) == 1
    assert sum(won.values()) == ROUNDS
    assert overlaps(world) == 0
    assert not Allocation.objects.filter(last_day__lt=F("first_day")).exists()

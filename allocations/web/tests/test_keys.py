"""Back, and the button pressed again: what is said is what was done."""

import re
import threading

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from allocations.models import Allocation, MaintenanceWindow, TestRequest, Vehicle
from allocations.services import booking, maintenance, requests
from allocations.services.maintenance import lift_maintenance, set_maintenance
from allocations.services.unit_of_work import _lock_statement
from allocations.tests.racing import CLIENTS, ROUNDS
from allocations.tests.world import day, window_of


def url(name: str, *args) -> str:
    return reverse(f"allocations:{name}", args=args)


def key_in(page) -> str:
    return re.search(r'name="key" value="([^"]+)"', page.content.decode())[1]


@pytest.fixture
def user(client, world):
    client.force_login(world.users["admin"])
    return client


def booked(world, user):
    page = user.get(
        url("allocation-create"),
        {"vehicle": "412W101", "test_type": world.tests["Brake"].pk, "first_day": day(1), "days": 3},
    )
    return url("allocation-create"), {
        "vehicle": "412W101",
        "test_type": world.tests["Brake"].pk,
        "first_day": day(1),
        "days": 3,
        "place": f"{world.dynos['NPG 1'].pk}/{day(1)}",
        "key": key_in(page),
    }


def new_request(world, user):
    data = {"vehicle": "412W101", "test_type": world.tests["Brake"].pk, "days": 5, "priority": "high"}
    return url("request-create"), data | {"key": key_in(user.get(url("request-create")))}


def shut(world, user):
    data = {"dyno": world.dynos["NPG 1"].pk, "first_day": day(3), "last_day": day(4), "kind": "planned"}
    data |= {"others": "move"}
    return url("window-create"), data | {"key": key_in(user.get(url("window-create"), data))}


def vehicle(world, user):
    data = {"tag": "900W1", "drive": "2WD", "weight_class": "<10K"}
    return url("vehicle-create"), data | {"key": key_in(user.get(url("vehicle-create")))}


def end(world, row) -> None:
    if isinstance(row, Allocation):
        booking.cancel(row.pk, actor=world.actor())
    elif isinstance(row, TestRequest):
        requests.cancel_request(row.pk, actor=world.actor())
    else:
        maintenance.lift_maintenance(row.pk, actor=world.actor("admin"))


@pytest.mark.parametrize(
    ("form", "model", "live"),
    [
        (booked, Allocation, {"status": "scheduled", "vehicle__tag": "412W101"}),
        (new_request, TestRequest, {"status": "waiting"}),
        (shut, MaintenanceWindow, {"lifted_at": None}),
    ],
)
def test_form_pressed_again_after_what_it_made_was_ended_makes_it_again(world, user, form, model, live):
    address, data = form(world, user)
    assert user.post(address, data).status_code == 302
    assert user.post(address, data).status_code == 302
    row = model.objects.get(**live)
    end(world, row)
    assert model.objects.filter(**live).count() == 0
    again = user.post(address, data)
    assert again.status_code == 302
    assert model.objects.get(**live).pk != row.pk


def test_form_gone_back_to_and_filled_in_otherwise_is_another_request(world, user):
    address, data = new_request(world, user)
    user.post(address, data)
    answer = user.post(address, data | {"days": 6})
    assert answer.status_code == 302
    assert sorted(TestRequest.objects.values_list("days", flat=True)) == [5, 6]


def test_place_gone_back_to_with_other_days_says_why_not(world, user):
    address, data = booked(world, user)
    user.post(address, data)
    answer = user.post(address, data | {"days": 4})
    assert answer.status_code == 422
    assert "idempotency" not in answer.content.decode().lower()
    assert "NPG 1 is taken by 412W101 (Brake)" in answer.content.decode()


def test_second_of_two_presses_for_a_new_vehicle_answers_like_the_first(world, user):
    address, data = vehicle(world, user)
    first, second = user.post(address, data), user.post(address, data)
    new_vehicle = Vehicle.objects.get(tag="900W1")
    assert first["Location"] == second["Location"] == url("vehicle-detail", new_vehicle.pk)


def test_every_form_that_writes_carries_a_key(world, user):
    stay = booking.book(
        world.vehicles["412W101"].pk,
        world.dynos["NPG 1"].pk,
        test_type_id=world.tests["Brake"].pk,
        first_day=day(0),
        last_day=day(2),
        actor=world.actor(),
    ).items[0]["id"]
    wish = requests.create_request(
        world.vehicles["412W101"].pk, test_type_id=world.tests["Brake"].pk, days=2, actor=world.actor()
    ).items[0]["id"]
    window = window_of(_window(world, 20)).pk
    pages = [
        url("vehicle-create"),
        url("dyno-create"),
        url("request-create"),
        url("request-edit", wish),
        url("request-cancel", wish),
        url("allocation-cancel", stay),
        url("allocation-detail", stay),
        url("window-lift", window),
        url("vehicle-edit", world.vehicles["412W101"].pk),
        f"{url('request-change-many')}?request={wish}&priority=high",
        f"{url('request-cancel-many')}?request={wish}",
    ]
    for address in pages:
        body = user.get(address).content.decode()
        main = body[body.index("<main") : body.index("</main>")]
        assert main.count('method="post"') == main.count('name="key"') > 0, address


def _window(world, first: int):
    return set_maintenance(
        world.dynos["NPG 1"].pk,
        first_day=day(first),
        last_day=day(first + 1),
        kind="planned",
        actor=world.actor("admin"),
    )


def lifted_at_once(world, clients, first: int) -> list[int]:
    window = window_of(_window(world, first))
    barrier, answers = threading.Barrier(CLIENTS), [0] * CLIENTS

    def post(number: int) -> None:
        try:
            barrier.wait(timeout=20)
            answers[number] = clients[number].post(url("window-lift", window.pk), {"version": 1}).status_code
        finally:
            connections.close_all()

    threads = [threading.Thread(target=post, args=(number,)) for number in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    return sorted(answers)


@pytest.fixture
def admins(committed_world):
    clients = [Client() for _ in range(CLIENTS)]
    for client in clients:
        client.force_login(committed_world.users["admin"])
    return clients


@pytest.mark.race
def test_window_lifted_eight_times_at_once_is_lifted_once(committed_world, admins):
    for number in range(ROUNDS // 2):
        answers = lifted_at_once(committed_world, admins, 10 * number)
        assert answers.count(302) == 1
        assert set(answers) <= {302, 409, 422}


@pytest.mark.race
def test_without_locks_a_window_is_lifted_more_than_once(committed_world, admins, monkeypatch):
    """The negative control: versions alone, read without a lock, let several through."""
    monkeypatch.setattr("django.db.models.query.QuerySet.select_for_update", lambda query, **options: query)
    _lock_statement.cache_clear()
    try:
        won = [lifted_at_once(committed_world, admins, 10 * number).count(302) for number in range(ROUNDS)]
    finally:
        _lock_statement.cache_clear()
    assert max(won) > 1


def test_what_is_ended_already_is_refused_to_a_press_and_led_on_from_a_link(world, user):
    window = window_of(_window(world, 20))
    lift_maintenance(window.pk, actor=world.actor("admin"))
    assert user.get(url("window-lift", window.pk)).status_code == 302
    answer = user.post(url("window-lift", window.pk), {})
    assert answer.status_code == 422
    assert "This window is lifted already." in answer.content.decode()
    change = world.book("412W101", "NPG 1", 0, 2)
    stay = change.items[0]["id"]
    booking.cancel(stay, actor=world.actor())
    assert user.get(url("allocation-cancel", stay)).status_code == 302
    answer = user.post(url("allocation-cancel", stay), {"reason": ""})
    assert answer.status_code == 422
    assert "It is cancelled and cannot be cancelled." in answer.content.decode()

"""The booking form: what it asks, what it shows, what it books, and what it says when it cannot."""

import re
import threading

import pytest
from django.db import connections
from django.test import Client
from django.urls import reverse

from allocations.enums import RequestStatus
from allocations.models import Allocation, Change, Occupancy, ProvingGround, TestRequest, TestType
from allocations.services.requests import create_request
from allocations.tests.world import MONDAY, World, allocation_of, day
from dynosite.tests.markup import markup

NEW = reverse("allocations:allocation-create")
FRAGMENT = {"HX-Request": "true", "HX-Target": "div#booking", "HX-Request-Type": "partial"}


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world) -> Client:
    client.force_login(world.users["scheduler"])
    return client


def form_data(world: World, **more) -> dict:
    return {
        "vehicle": "412W101",
        "test_type": world.tests["Brake"].pk,
        "first_day": MONDAY.isoformat(),
        "days": 3,
    } | more


def at(world: World, dyno: str, number: int = 0) -> str:
    return f"{world.dynos[dyno].pk}/{day(number)}"


def offered(response) -> list[str]:
    return re.findall(r'name="place" value="([^"]+)"', markup(response))


def stays() -> list[tuple]:
    rows = Allocation.objects.filter(ground__code="NORTH").order_by("pk")
    return [(row.vehicle.tag, row.dyno.name, row.first_day, row.last_day) for row in rows]


def test_days_of_a_test_that_pauses_are_days_worked(scheduler, world):
    ProvingGround.objects.filter(pk=world.north.pk).update(days_off=[5, 6])
    TestType.objects.filter(pk=world.tests["Brake"].pk).update(runs_through=False)
    friday = form_data(world, first_day=day(4).isoformat())
    response = scheduler.get(NEW, friday)
    assert offered(response) == [at(world, "NPG 21", 4), at(world, "NPG 1", 4), "auto"]
    page = " ".join(response.content.decode().split())
    assert "3 days worked" in page
    assert "from Fri 20 Nov it would be done on Tue 24 Nov 2026, after 5 days of which 2 are off." in page
    assert '<input type="hidden" name="days" value="3">' in page
    wrong = scheduler.get(NEW, friday | {"last_day": day(8).isoformat(), "days": 5, "find": 1})
    assert "That makes 3 days worked, not 5: clear one of the two." in wrong.content.decode()
    saturday = scheduler.get(NEW, form_data(world, first_day=day(5).isoformat(), dyno=world.dynos["NPG 1"].pk))
    assert "No test starts on 21 Nov 2026 (Saturday), which is a day off." in saturday.content.decode()
    scheduler.post(NEW, friday | {"place": at(world, "NPG 21", 4)})
    assert stays() == [("412W101", "NPG 21", day(4), day(8))]


def test_places_come_best_first(scheduler, world):
    # NPG 21 takes one kind of vehicle and test, NPG 1 almost everything: the versatile one stays free.
    response = scheduler.get(NEW, form_data(world))
    assert offered(response) == [at(world, "NPG 21"), at(world, "NPG 1"), "auto"]
    assert "On the day asked; fits most narrowly, versatile dynos stay free" in response.content.decode()


def test_a_place_is_booked_with_its_button(scheduler, world):
    response = scheduler.post(NEW, form_data(world, place=at(world, "NPG 1", 2), note="With ballast", key="k"))
    booked = Allocation.objects.get(ground=world.north)
    assert response["Location"] == f"/allocations/{booked.pk}/"
    assert stays() == [("412W101", "NPG 1", day(2), day(4))]
    assert (booked.note, booked.created_by, booked.source) == ("With ballast", world.users["scheduler"], "form")


def test_a_second_click_books_nothing_more(scheduler, world):
    first, second = (scheduler.post(NEW, form_data(world, place=at(world, "NPG 1"), key="k")) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert len(stays()) == 1


def test_another_place_with_the_same_form_is_another_booking(scheduler, world):
    for number in (0, 10):
        scheduler.post(NEW, form_data(world, place=at(world, "NPG 1", number), key="k"))
    assert [first for _, _, first, _ in stays()] == [day(0), day(10)]


def test_a_clash_says_why_and_offers_the_nearest_places(scheduler, world):
    world.book("412W103", "NPG 1", 1, 5)
    response = scheduler.post(NEW, form_data(world, place=at(world, "NPG 1"), key="k"))
    page = response.content.decode()
    assert response.status_code == 422
    assert "NPG 1 is taken by 412W103 (Brake): 17 – 21 Nov 2026." in page
    assert offered(response)[0] == at(world, "NPG 21")
    assert (len(offered(response)), offered(response)[-1]) == (3, "auto")
    again = scheduler.post(NEW, form_data(world, place=offered(response)[0], key="k"))
    assert again.status_code == 302
    assert stays()[-1] == ("412W101", "NPG 21", day(0), day(2))


def test_a_clash_for_htmx_is_the_part_alone(scheduler, world):
    world.book("412W103", "NPG 1", 1, 5)
    response = scheduler.post(NEW, form_data(world, place=at(world, "NPG 1")), headers=FRAGMENT)
    assert response.status_code == 422
    assert response.content.decode().lstrip().startswith('<div class="booking" id="booking">')


def test_given_dyno_is_judged_first(scheduler, world):
    response = scheduler.get(NEW, form_data(world, dyno=world.dynos["NPG 2"].pk))
    assert "NPG 2 does not run the test type Brake." in response.content.decode()
    free = scheduler.get(NEW, form_data(world, dyno=world.dynos["NPG 1"].pk))
    assert "NPG 1 is free on 16 – 18 Nov 2026" in free.content.decode()
    assert offered(free)[0] == at(world, "NPG 1")


def test_days_may_come_from_the_last_day_or_the_test_type(scheduler, world):
    scheduler.post(NEW, form_data(world, days="", last_day=day(9), place=at(world, "NPG 1")))
    world.tests["Brake"].default_days = 4
    world.tests["Brake"].save()
    scheduler.post(NEW, form_data(world, days="", first_day=day(20), place=at(world, "NPG 1", 20)))
    assert [(first, last) for _, _, first, last in stays()] == [(day(0), day(9)), (day(20), day(23))]


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        (
            {"vehicle": "412W1"},
            "No vehicle here has the tag or VIN 412W1. Do you mean 412W101 or 412W102 or 412W103?",
        ),
        ({"vehicle": "365W201"}, "No vehicle here has the tag or VIN 365W201."),
        ({"vehicle": ""}, "This field is required."),
        ({"first_day": "23.11.2026"}, "This is not a date; write it like 2026-11-16."),
        ({"days": "0"}, "Ensure this value is greater than or equal to 1."),
        ({"days": "400"}, "Ensure this value is less than or equal to 366."),
        ({"last_day": day(-1)}, "The last day is before the first."),
        ({"last_day": day(4)}, "That makes 5 days, not 3: clear one of the two."),
        ({"test_type": "999999"}, "Select a valid choice."),
    ],
)
def test_what_is_wrong_stands_beside_its_field_and_stays_typed(scheduler, world, wrong, says):
    response = scheduler.post(NEW, form_data(world, place=at(world, "NPG 1"), **wrong))
    (name, typed), page = next(iter(wrong.items())), response.content.decode()
    assert response.status_code == 422
    field = page[page.index(f'name="{name}"') :]
    assert says in re.sub(r"\s+", " ", field[: field.index("</div>\n") + 600])
    assert f'value="{typed}"' in page or not typed or name == "test_type"
    assert stays() == []


def test_another_grounds_test_type_and_dyno_are_no_choice(scheduler, world):
    for wrong in ({"test_type": world.tests["South brake"].pk}, {"dyno": world.dynos["STC #1"].pk}):
        response = scheduler.post(NEW, form_data(world, place=at(world, "NPG 1"), **wrong))
        assert "Select a valid choice." in response.content.decode()
    assert scheduler.post(NEW, form_data(world, place=at(world, "STC #1"))).status_code == 404
    assert stays() == []


def test_automatic_booking_takes_the_best_or_the_next_days(scheduler, world):
    world.book("412W103", "NPG 1", 0, 3)
    world.book("412W102", "NPG 3", 0, 0, test="Emission")
    refused = scheduler.post(NEW, form_data(world, vehicle="412W102", place="auto", key="a"))
    assert refused.status_code == 422
    assert (
        "No dyno that may run Brake for 412W102 has 3 days free starting on 16 Nov 2026." in refused.content.decode()
    )
    booked = scheduler.post(NEW, form_data(world, vehicle="412W102", place="auto", backup="7", key="b"))
    assert booked.status_code == 302
    assert stays()[-1] == ("412W102", "NPG 1", day(4), day(6))


def test_request_fills_the_form_and_gets_its_place(scheduler, world):
    change = create_request(
        world.vehicles["412W103"].pk,
        test_type_id=world.tests["Brake"].pk,
        days=4,
        earliest_start=day(2),
        actor=world.actor(),
    )
    wish = TestRequest.objects.get(pk=change.items[0]["id"])
    page = scheduler.get(NEW, {"request": wish.pk})
    assert offered(page) == [at(world, "NPG 1", 2), "auto"]
    answer = scheduler.post(
        NEW, {"request": wish.pk, "first_day": day(2), "days": 4, "place": at(world, "NPG 1", 2), "key": "k"}
    )
    booked = allocation_of(Change.objects.latest("at"))
    wish.refresh_from_db()
    assert answer["Location"] == f"/allocations/{booked.pk}/"
    assert (wish.status, booked.request_id) == (RequestStatus.PLACED, wish.pk)


def test_form_cannot_put_another_vehicle_on_a_request(scheduler, world):
    change = create_request(
        world.vehicles["412W103"].pk, test_type_id=world.tests["Brake"].pk, days=3, actor=world.actor()
    )
    wish = change.items[0]["id"]
    scheduler.post(NEW, form_data(world, request=wish, vehicle="412W101", place=at(world, "NPG 1")))
    assert [tag for tag, *_ in stays()] == ["412W103"]


@pytest.mark.race
def test_eight_at_once_through_the_form_one_books_and_seven_are_told_why(committed_world):
    world = committed_world
    for number in range(8):
        world.vehicle(f"700W{number}")
    clients = [Client() for _ in range(8)]
    for client in clients:
        client.force_login(world.users["scheduler"])
    place_of = [at(world, "NPG 1", 10 * turn) for turn in range(20)]
    form = {"test_type": world.tests["Brake"].pk, "days": 3}
    for turn, place in enumerate(place_of):
        barrier = threading.Barrier(8)
        answers: list = [None] * 8

        def post(number: int, *, barrier=barrier, answers=answers, place=place, turn=turn) -> None:
            try:
                data = form | {"vehicle": f"700W{number}", "first_day": day(10 * turn), "place": place}
                barrier.wait(timeout=20)
                answers[number] = clients[number].post(NEW, data)
            finally:
                connections.close_all()

        threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(timeout=60)
        statuses = sorted(answer.status_code for answer in answers)
        assert statuses == [302] + [422] * 7, f"round {turn}"
        refused = [answer.content.decode() for answer in answers if answer.status_code == 422]
        winner = Allocation.objects.get(dyno=world.dynos["NPG 1"], first_day=day(10 * turn))
        says = f"NPG 1 is taken by {winner.vehicle.tag} (Brake): {winner.days}."
        assert [says in page for page in refused] == [True] * 7
        assert all('name="place" value="' in page for page in refused)
    assert Occupancy.objects.filter(dyno=world.dynos["NPG 1"]).count() == 20

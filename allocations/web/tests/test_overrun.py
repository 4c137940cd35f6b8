"""Pages of tests that run: extend and complete, move with the length kept, cancel."""

import re

import pytest
from django.urls import reverse

from allocations.models import Allocation, TestRequest
from allocations.services import booking
from allocations.tests.world import allocation_of, day
from dynosite.lib import clock

SENTENCE = "NPG 1 still runs 412W101 (Brake), which should have ended on 18 Nov 2026; extend or complete it first."


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


@pytest.fixture
def overrun(world):
    """412W101 runs on NPG 1 and was to end on day 2; today is day 4."""
    with clock.day_is(day(0)):
        stay = allocation_of(world.book("412W101", "NPG 1", 0, 2))
        booking.start(stay.pk, actor=world.actor())
    with clock.day_is(day(4)):
        stay.refresh_from_db()
        yield stay


def address(name, row):
    return reverse(f"allocations:allocation-{name}", args=[row.pk])


def text(response):
    return re.sub(r"\s+", " ", response.content.decode())


def test_extend_and_complete_are_one_press_on_card_page_and_lists(scheduler, world, overrun):
    pages = [
        address("card", overrun),
        address("detail", overrun),
        reverse("allocations:dyno-detail", args=[overrun.dyno_id]),
        reverse("allocations:vehicle-detail", args=[overrun.vehicle_id]),
    ]
    for page in pages:
        body = text(scheduler.get(page))
        assert (page, f'action="/g/NORTH{address("extend", overrun)}"' in body) == (page, True)
        assert (page, "Completed on 18 Nov" in body) == (page, True)
    scheduler.post(address("extend", overrun), {"version": overrun.version})
    overrun.refresh_from_db()
    assert (overrun.last_day, overrun.status) == (day(4), "running")
    scheduler.post(address("extend", overrun), {"version": overrun.version, "days": 3})
    overrun.refresh_from_db()
    assert overrun.last_day == day(7)


def test_who_only_looks_has_no_such_buttons_and_may_not(client, world, overrun):
    client.force_login(world.users["viewer"])
    for page in (address("card", overrun), reverse("allocations:dyno-detail", args=[overrun.dyno_id])):
        assert "/extend/" not in text(client.get(page))
    assert client.post(address("extend", overrun), {"version": overrun.version}).status_code == 403
    client.force_login(world.users["outsider"])
    assert client.post(address("extend", overrun), {"version": overrun.version}).status_code == 404


def test_the_board_and_the_list_of_dynos_show_it(scheduler, world, overrun):
    board = text(scheduler.get(reverse("allocations:schedule"), {"from": day(3), "to": day(9)}))
    (bar,) = re.findall(rf'<a class="([^"]+)" id="a{overrun.pk}"[^>]*style="([^"]+)"', board)
    assert (bar[0].split(), "--s:-3;--n:5;" in bar[1], bar[1].endswith("--o:2")) == (
        ["bar", "status-overrun", "d2", "over"],
        True,
        True,
    )
    dynos = text(scheduler.get(reverse("allocations:dyno-list")))
    row = re.search(r"<tr>(?:(?!</tr>).)*NPG 1</a>.*?</tr>", dynos)[0]
    assert "Overrun" in row
    assert "Free</span>" not in row
    free = text(scheduler.get(reverse("allocations:dyno-list"), {"state": "free"}))
    assert "NPG 1</a>" not in free


def test_its_place_is_not_offered_and_not_booked_by_the_form(scheduler, world, overrun):
    params = {"vehicle": "412W103", "test_type": world.tests["Brake"].pk, "first_day": day(4), "days": 2}
    page = scheduler.get(reverse("allocations:allocation-create"), params | {"dyno": overrun.dyno_id, "find": 1})
    assert SENTENCE in text(page)
    assert f'value="{overrun.dyno_id}/' not in text(page)
    booked = scheduler.post(
        reverse("allocations:allocation-create"), params | {"place": f"{overrun.dyno_id}/{day(5)}", "key": "k"}
    )
    assert (booked.status_code, SENTENCE in text(booked)) == (422, True)


@pytest.fixture
def asked_for(world):
    """A request of nine days with its place on NPG 1 from day 3 on; today is day 0."""
    request = TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W101"], test_type=world.tests["Brake"], days=9
    )
    with clock.day_is(day(0)):
        yield allocation_of(world.book("412W101", "NPG 1", 3, 11, request_id=request.pk))


def form(row, **more):
    return {"dyno": row.dyno_id, "first_day": row.first_day, "last_day": "", "version": row.version} | more


def test_a_first_day_takes_the_last_one_along(scheduler, asked_for):
    page = text(scheduler.get(address("detail", asked_for)))
    assert "Left empty, the last day follows the first: it keeps its 9 days." in page
    assert re.search(r'name="last_day"(?![^>]*value=)', page)
    scheduler.post(address("move", asked_for), form(asked_for, first_day=day(10)))
    asked_for.refresh_from_db()
    assert (asked_for.first_day, asked_for.last_day) == (day(10), day(18))


@pytest.mark.parametrize(("answer", "waiting"), [("rest", [(2, day(10))]), ("confirm", [])])
def test_fewer_days_than_asked_is_said_first_and_the_rest_may_wait(scheduler, world, asked_for, answer, waiting):
    posted = form(asked_for, last_day=day(9))
    page = scheduler.post(address("move", asked_for), posted)
    assert "The request asks for 9 days; this is 2 days fewer." in text(page)
    asked_for.refresh_from_db()
    assert asked_for.last_day == day(11)
    scheduler.post(address("move", asked_for), posted | {answer: "fewer-days"})
    asked_for.refresh_from_db()
    assert asked_for.last_day == day(9)
    rest = TestRequest.objects.filter(status="waiting").values_list("days", "earliest_start")
    assert list(rest) == waiting


def test_a_running_test_leaves_what_ran_and_goes_to_the_page_of_its_rest(scheduler, world, overrun):
    with clock.day_is(day(1)):
        page = text(scheduler.get(address("detail", overrun) + "?places=1"))
        places = re.findall(r'name="place" value="([^"]+)"', page)
        assert places
        assert {place.split("/")[0] for place in places} == {str(world.dynos["NPG 21"].pk)}
        answer = scheduler.post(address("move", overrun), {"place": places[0], "days": 2, "version": overrun.version})
    rows = Allocation.objects.filter(ground=world.north).order_by("pk")
    assert [(row.dyno.name, row.first_day, row.last_day, row.status) for row in rows] == [
        ("NPG 1", day(0), day(0), "completed"),
        ("NPG 21", day(1), day(2), "running"),
    ]
    assert answer["Location"] == address("detail", rows[1])


def test_past_its_end_the_places_are_for_a_day_more(scheduler, world, overrun):
    page = text(scheduler.get(address("detail", overrun) + "?places=1"))
    assert "the rest goes there from today on, until the last day that you give." in page
    place = f"{world.dynos['NPG 21'].pk}/{day(4)}"
    assert re.findall(r'name="place" value="([^"]+)"', page) == [place]
    (days,) = re.findall(r'name="days" value="(\d+)"', page)
    scheduler.post(address("move", overrun), {"place": place, "days": days, "version": overrun.version})
    rows = Allocation.objects.filter(ground=world.north).order_by("pk")
    assert [(row.dyno.name, row.first_day, row.last_day, row.status) for row in rows] == [
        ("NPG 1", day(0), day(3), "completed"),
        ("NPG 21", day(4), day(4), "running"),
    ]


def test_without_another_place_the_page_says_why(scheduler, world, asked_for):
    world.dynos["NPG 21"].enabled = False
    world.dynos["NPG 21"].save()
    world.dynos["NPG 1"].available_to = day(11)
    world.dynos["NPG 1"].save()
    with clock.day_is(day(3)):
        page = text(scheduler.get(address("detail", asked_for) + "?places=1"))
    assert "No other place is free within a year" in page
    assert "NPG 21 is disabled." in page
    assert 'name="place"' not in page


def test_cancelling_what_runs_offers_completing_and_says_what_has_run(scheduler, overrun):
    with clock.day_is(day(1)):
        page = text(scheduler.get(address("cancel", overrun)))
    assert "It is running: 1 of 3 days have run." in page
    assert f'href="/g/NORTH{address("detail", overrun)}#complete"' in page
    assert "2 days of NPG 1 become free for others at once." in page


def test_the_card_of_what_is_over_opens_its_page_and_offers_no_edit(scheduler, world, overrun):
    booking.complete(overrun.pk, actor=world.actor())
    card = text(scheduler.get(address("card", overrun)))
    assert ("Edit" in card, "Open</a>" in card, "#move" in card) == (False, True, False)

"""Every list: search, sort, pages, CSV, what an empty one says, and queries that do not grow with the rows."""

import csv
import datetime as dt
import io
import re
import zoneinfo
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from allocations.enums import Role
from allocations.models import Change, ProvingGround, Vehicle
from allocations.services.booking import book
from allocations.services.requests import cancel_request
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, MONDAY, allocation_of, day
from allocations.web.fleet import vehicles
from allocations.web.tests.conftest import waiting
from dynosite.lib.connections import given_back
from dynosite.lib.ground_address import in_ground
from dynosite.tests.markup import markup

LISTS = ("request-list", "vehicle-list", "dyno-list", "change-list")
FRAGMENT = {"HX-Request": "true", "HX-Target": "section#list", "HX-Request-Type": "partial"}


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def address(name: str) -> str:
    return reverse(f"allocations:{name}")


def linked(response) -> list[str]:
    return re.findall(r'class="row-link"[^>]*>([^<]+)</a>', response.content.decode())


def table(response) -> list[list[str]]:
    return list(csv.reader(io.StringIO(b"".join(response.streaming_content).decode("utf-8-sig"))))


def grow(world, number: int, *, begin: int = 0) -> None:
    """Dynos, vehicles, requests and bookings, so many of each."""
    brake = world.tests["Brake"]
    for wish in waiting(world, number, begin=begin):
        dyno = world.dyno(f"DY-{wish.pk}", (brake, ANY_DRIVE, ANY_WEIGHT))
        book(
            wish.vehicle_id,
            dyno.pk,
            test_type_id=brake.pk,
            first_day=MONDAY,
            last_day=day(1),
            actor=world.actor(),
            request_id=wish.pk,
        )


def queries(client, url: str) -> int:
    with CaptureQueriesContext(
        connection,
    ) as captured:
        assert client.get(in_ground(url, "NORTH"), {"status": "all"}).status_code == 200
    return len(captured)


def test_queries_do_not_grow_with_the_rows(scheduler, world):
    grow(world, 1)
    pages = [address(name) for name in LISTS] + [address("import")]
    scheduler.get(pages[0])  # the session remembers the ground from here on
    before = {url: queries(scheduler, url) for url in pages}
    grow(world, 29, begin=1)
    after = {url: queries(scheduler, url) for url in pages}
    assert after == before
    assert max(before.values()) <= 13  # one of them for the proposals that wait


def test_queries_of_single_pages_do_not_grow_with_their_history(scheduler, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    pages = [
        reverse("allocations:allocation-detail", args=[booked.pk]),
        reverse("allocations:vehicle-detail", args=[booked.vehicle_id]),
        reverse("allocations:dyno-detail", args=[booked.dyno_id]),
    ]
    scheduler.get(pages[0])  # the session remembers the ground from here on
    before = [queries(scheduler, url) for url in pages]
    for number in range(6):
        scheduler.post(
            reverse("allocations:allocation-move", args=[booked.pk]),
            {
                "dyno": booked.dyno_id,
                "first_day": day(number + 1),
                "last_day": day(number + 3),
                "version": number + 1,
            },
        )
    world.book("412W101", "NPG 1", 30, 31)
    assert [queries(scheduler, url) for url in pages] == before
    booked.refresh_from_db()
    assert booked.version == 7


def test_requests_are_narrowed_searched_and_sorted(scheduler, world):
    first, second, third = waiting(world, 3)
    cancel_request(third.pk, actor=world.actor())
    assert linked(scheduler.get(address("request-list"))) == [str(first.vehicle), str(second.vehicle)]
    assert linked(scheduler.get(address("request-list"), {"status": "cancelled"})) == [str(third.vehicle)]
    assert linked(scheduler.get(address("request-list"), {"status": "all", "sort": "-vehicle"})) == [
        "500W002",
        "500W001",
        "500W000",
    ]
    assert linked(scheduler.get(address("request-list"), {"q": "500w001 brake"})) == ["500W001"]
    # Two days long: due on the first day it is late, on the second it can still be made.
    assert linked(scheduler.get(address("request-list"), {"late": "1"})) == ["500W000"]
    assert "Late" in scheduler.get(address("request-list"), {"q": "500W000"}).content.decode()


def test_most_urgent_request_comes_first(scheduler, world):
    second = waiting(world, 2)[1]
    type(second).objects.filter(pk=second.pk).update(priority="urgent")
    assert linked(scheduler.get(address("request-list"))) == ["500W001", "500W000"]
    type(second).objects.update(priority="urgent")
    assert linked(scheduler.get(address("request-list"))) == ["500W000", "500W001"], "then the one due first"


def test_vehicles_say_where_they_are_and_what_waits(scheduler, world):
    world.book("412W101", "NPG 1", 0, 2)
    world.book("412W102", "NPG 1", 5, 6)
    rows = table(scheduler.get(address("vehicle-list"), {"format": "csv", "sort": "tag"}))
    columns = {row[0]: row[-3:] for row in rows[1:]}
    assert columns == {"412W101": ["NPG 1", "", "0"], "412W102": ["", "2026-11-21", "0"], "412W103": ["", "", "0"]}
    assert linked(scheduler.get(address("vehicle-list"), {"show": "now"})) == ["412W101"]
    assert linked(scheduler.get(address("vehicle-list"), {"weight": ">10K"})) == ["412W103"]


def test_dynos_say_what_is_on_them_and_when_they_are_free(scheduler, world):
    world.book("412W101", "NPG 1", 0, 2)
    world.book("412W102", "NPG 1", 3, 4)
    world.dyno("Old", enabled=False)
    world.dyno("New", available_from=day(9))
    rows = table(scheduler.get(address("dyno-list"), {"format": "csv"}))
    columns = {row[0]: (row[6], row[8]) for row in rows[1:]}
    assert columns == {
        "NPG 1": ("412W101", "2026-11-21"),
        "NPG 2": ("", "2026-11-16"),
        "NPG 3": ("", "2026-11-16"),
        "NPG 21": ("", "2026-11-16"),
        "Old": ("", "2026-11-16"),
        "New": ("", "2026-11-25"),
    }
    assert linked(scheduler.get(address("dyno-list"), {"state": "taken"})) == ["NPG 1"]
    assert linked(scheduler.get(address("dyno-list"), {"state": "disabled"})) == ["Old"]
    assert linked(scheduler.get(address("dyno-list"), {"runs": world.tests["Emission"].pk})) == ["NPG 3"]
    # By number, not by letter.
    names = ["New", "NPG 1", "NPG 2", "NPG 3", "NPG 21", "Old"]
    assert linked(scheduler.get(address("dyno-list"), {"sort": "name"})) == names


def test_changes_are_narrowed_by_who_door_and_action(scheduler, world):
    world.book("412W101", "NPG 1", 0, 2)
    scheduler.post(address("vehicle-create"), {"tag": "900W1", "drive": "2WD", "weight_class": "<10K"})

    def summaries(**query):
        rows = table(scheduler.get(address("change-list"), {"format": "csv", **query}))
        return [row[4] for row in rows[1:]]

    booked = "412W101 on NPG 1, 16 – 18 Nov 2026: Brake"
    assert summaries() == ["Vehicle 900W1 added", booked]
    assert summaries(action="book") == [booked]
    assert summaries(door="api") == []
    assert summaries(q="npg 1") == [booked]
    assert summaries(user=world.users["admin"].pk) == []


def test_a_list_has_pages_that_keep_the_search(scheduler, world):
    waiting(world, 31)
    first = scheduler.get(address("request-list"), {"q": "500W", "sort": "vehicle"})
    assert len(linked(first)) == 30
    assert "1–30 of 31" in first.content.decode()
    address_of_next = re.search(r'rel="next" href="([^"]+)"', markup(first))[1].replace("&amp;", "&")
    assert linked(scheduler.get(address("request-list") + address_of_next)) == ["500W030"]
    assert len(linked(scheduler.get(address("request-list"), {"page": "no", "sort": "no;drop"}))) == 30


@pytest.mark.parametrize("name", LISTS)
def test_a_fragment_is_the_list_alone(name, scheduler, world):
    answer = scheduler.get(address(name), headers=FRAGMENT).content.decode()
    assert answer.lstrip().startswith('<section class="card" id="list"')
    assert "<html" not in answer


@pytest.mark.parametrize("name", LISTS)
def test_a_search_without_a_match_says_so_and_leads_back(name, scheduler, world):
    answer = scheduler.get(address(name), {"q": "no such thing <b>"}).content.decode()
    assert " matches</h2>" in answer
    assert "<b>" not in answer.split("<main")[1].split("</main>")[0].replace('value="no such thing <b>', "")


def test_empty_lists_say_what_comes_here(client, world):
    user = world.user("newcomer")
    ground = type(world.north).objects.create(code="EMPTY", name="Empty Ground")
    user.memberships.create(ground=ground, role="scheduler")
    client.force_login(user)
    titles = [
        re.search(r'class="empty">.*?<h2>([^<]+)', client.get(address(n)).content.decode(), re.S) for n in LISTS
    ]
    assert [title[1] for title in titles] == [
        "No test waits for a place",
        "No vehicles yet",
        "No dynos yet",
        "Nothing has happened yet",
    ]


def test_csv_holds_nothing_that_a_spreadsheet_would_run(scheduler, world):
    world.vehicle("=1+1", team="@SUM(A1)")
    rows = table(scheduler.get(address("vehicle-list"), {"format": "csv", "q": "1+1"}))
    assert (rows[1][0], rows[1][7]) == ("'=1+1", "'@SUM(A1)")


def test_viewer_sees_no_way_to_write(client, world):
    booked = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    wish = waiting(world, 1)[0]
    client.force_login(world.users["viewer"])
    pages = [address(name) for name in LISTS]
    pages += [
        reverse("allocations:allocation-detail", args=[booked.pk]),
        reverse("allocations:request-detail", args=[wish.pk]),
        reverse("allocations:vehicle-detail", args=[booked.vehicle_id]),
        reverse("allocations:dyno-detail", args=[booked.dyno_id]),
    ]
    for url in pages:
        main = client.get(url).content.decode().split("<main")[1].split("</main>")[0]
        assert 'method="post"' not in main, url
        links = re.findall(r'href="[^"]*(?:/new/|/change/|/cancel/|/lift/|/move/)[^"]*"', main)
        assert links == [], url
    assert Change.objects.filter(user=world.users["viewer"]).count() == 0


def test_times_are_said_as_the_clock_of_the_ground_has_them(scheduler, world):
    world.book("412W101", "NPG 1", 0, 2)
    at = dt.datetime(2026, 11, 17, 3, 30, tzinfo=dt.UTC)
    Change.objects.update(at=at)
    ProvingGround.objects.filter(pk=world.north.pk).update(time_zone="America/Detroit")
    assert "16 Nov 2026 22:30" in scheduler.get(address("change-list")).content.decode()
    assert timezone.get_current_timezone_name() == "UTC"


def test_clock_of_a_ground_ends_with_a_refused_request_too(scheduler, world):
    """A page for 405 is written by an outer layer than the page that was asked for."""
    assert world.north.time_zone != "UTC"
    with timezone.override(None):
        refused = scheduler.post(in_ground(address("schedule"), "NORTH"))
        assert (refused.status_code, timezone.get_current_timezone_name()) == (405, "UTC")
        assert f'data-time-zone="{world.north.time_zone}"' in refused.content.decode()


def _listen_once(client, *address) -> None:
    with given_back():
        client.get(*address, headers={"Accept": "text/event-stream"})


def test_tab_left_open_does_not_change_the_ground_that_was_chosen_since(client, committed_world):
    client.force_login(committed_world.user("both", north=Role.SCHEDULER, south=Role.SCHEDULER))
    schedule = reverse("allocations:schedule")
    client.get(schedule, {"ground": "SOUTH"})
    client.get(reverse("allocations:schedule-rows"), {"ground": "NORTH"}, headers=FRAGMENT)
    stream = (reverse("allocations:schedule-stream"), {"ground": "NORTH"})
    # In a thread of its own: this one may have the loop of a browser that another test drives.
    with ThreadPoolExecutor(1) as thread:
        thread.submit(_listen_once, client, *stream).result()
    assert client.session["ground"] == "SOUTH"
    client.get(schedule, {"ground": "NORTH"})
    assert client.session["ground"] == "NORTH"


def test_times_of_an_export_are_those_of_the_ground(scheduler, world):
    world.book("412W101", "NPG 1", 0, 2)
    Change.objects.update(at=dt.datetime(2026, 11, 17, 3, 30, tzinfo=dt.UTC))
    lines = b"".join(scheduler.get(address("change-list"), {"format": "csv"}).streaming_content).decode()
    assert "2026-11-16T22:30-05:00" in lines


def test_what_turns_the_direction_of_a_text_is_shown(scheduler, world):
    vehicle = world.vehicle("900W2")
    Vehicle.objects.filter(pk=vehicle.pk).update(
        notes="safe \u202esuoicilam\u202c end \u2067x\u2069", team="A\u202eB"
    )
    page = scheduler.get(reverse("allocations:vehicle-detail", args=[vehicle.pk])).content.decode()
    assert "safe [U+202E]suoicilam[U+202C] end [U+2067]x[U+2069]" in page
    assert "A[U+202E]B" in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069]", page)


def test_page_of_a_vehicle_says_that_it_shows_only_some_bookings(scheduler, world, monkeypatch):
    monkeypatch.setattr(vehicles, "FEW", 2)
    bookings = [allocation_of(world.book("412W101", "NPG 1", first, first + 1)) for first in (0, 4, 8)]
    url = reverse("allocations:vehicle-detail", args=[bookings[0].vehicle_id])
    few = scheduler.get(url)
    assert [row.first_day for row in few.context["allocations"].rows] == [day(8), day(4)]
    assert "The latest 2 of 3 bookings" in few.content.decode()
    assert 'href="?all=1"' in few.content.decode()
    everything = scheduler.get(url, {"all": "1"})
    assert [row.first_day for row in everything.context["allocations"].rows] == [day(8), day(4), day(0)]
    assert "Show all" not in everything.content.decode()


def test_figures_of_the_header_are_those_of_the_ground(scheduler, world):
    waiting(world, 1)
    answer = scheduler.get(reverse("allocations:figures"))
    assert '<span data-figure="requests"><span class="count">1<' in markup(answer)
    assert '<span data-figure="unseen"></span>' in markup(answer)


def test_times_name_the_zone_of_their_ground(scheduler, world):
    change = Change.objects.get(pk=world.book("412W101", "NPG 1", 0, 2).pk)
    zone = zoneinfo.ZoneInfo(world.north.time_zone)
    page = scheduler.get(address("change-list")).content.decode()
    local = change.at.astimezone(zone)
    assert f"{local.day} {local:%b %Y %H:%M} {local.tzname()}" in page

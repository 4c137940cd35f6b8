"""The search of the header: every kind of thing, any words in any fields, of the page's ground only."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from allocations.models import Allocation
from allocations.selectors.search import ALLOCATION_FIELDS, every_word, has_every_word
from allocations.services.requests import create_request
from allocations.tests.world import day

DROPDOWN = {"HX-Request": "true", "HX-Target": "div#search-results", "HX-Request-Type": "partial"}


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


@pytest.fixture
def stocked(world):
    world.vehicle("365W400", program="V610", model_year=2027, team="Durability")
    world.vehicle("365W401", program="V610", model_year=2026)
    world.book("412W101", "NPG 1", 0, 4)
    create_request(
        world.vehicles["365W400"].pk,
        test_type_id=world.tests["4K Certification"].pk,
        days=9,
        step="5K-75K",
        due_date=day(60),
        actor=world.actor(),
    )
    return world


def hits(response) -> dict[str, list[str]]:
    """Titles by the name of their kind."""
    sections = re.findall(
        r'<section class="search-group" aria-labelledby="hits-(\w+)">(.*?)</section>', response.content.decode(), re.S
    )
    return {kind: re.findall(r"<b>([^<]*)</b>", body) for kind, body in sections}


def look(client, text: str, **more):
    return client.get(reverse("allocations:search"), {"q": text, **more})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("npg 21", {"dynos": ["NPG 21"]}),
        ("V610 2027", {"vehicles": ["365W400"], "requests": ["365W400: 4K Certification"]}),
        ("2027 v610", {"vehicles": ["365W400"], "requests": ["365W400: 4K Certification"]}),
        ("75K 365w400", {"requests": ["365W400: 4K Certification"]}),
        ("w101 brake", {"bookings": ["412W101: Brake"]}),
        ("certification npg", {}),
        ("brake", {"bookings": ["412W101: Brake"], "tests": ["Brake"]}),
        ("100%", {}),
        ("_", {}),
        ("  ", {}),
        ("\\", {}),
    ],
)
def test_search_takes_every_word_in_any_field(scheduler, stocked, text, expected):
    assert hits(look(scheduler, text)) == expected


def test_search_says_where_a_booking_is_and_since_when_a_request_waits(scheduler, stocked):
    page = look(scheduler, "365W400").content.decode()
    assert "5K-75K · 9 days · waits since" in page
    assert "due Fri 15 Jan 2027" in page
    assert "on NPG 1 · 16 – 20 Nov 2026 · scheduled" in look(scheduler, "412W101").content.decode()


def test_search_of_the_other_ground_finds_nothing_here(scheduler, stocked):
    assert hits(look(scheduler, "365W201")) == {}
    assert hits(look(scheduler, "STC")) == {}


def test_search_ranks_what_is_named_so_before_what_begins_so(scheduler, world):
    for tag in ("W7000", "XW700", "W700"):
        world.vehicle(tag)
    assert hits(look(scheduler, "w700"))["vehicles"] == ["W700", "W7000", "XW700"]


def test_dropdown_is_short_and_leads_to_all_of_a_kind(scheduler, world):
    for number in range(40):
        world.vehicle(f"LONG{number:02}")
    dropdown = scheduler.get(reverse("allocations:search"), {"q": "long"}, headers=DROPDOWN)
    assert len(hits(dropdown)["vehicles"]) == 4
    assert "<html" not in dropdown.content.decode()
    assert "36 more in vehicles" in dropdown.content.decode()
    second = look(scheduler, "long", kind="vehicles", page=2)
    assert hits(second)["vehicles"] == [f"LONG{number:02}" for number in range(30, 40)]


def test_search_asks_as_many_queries_for_one_hit_as_for_many(scheduler, world):
    def queries() -> int:
        with CaptureQueriesContext(connection) as captured:
            look(scheduler, "many")
        return len(captured)

    world.vehicle("MANY0")
    look(scheduler, "many")
    one = queries()
    for number in range(1, 6):
        world.vehicle(f"MANY{number}")
    assert queries() == one


def test_schedule_finds_a_dyno_by_its_name_and_two_words_in_two_fields(scheduler, stocked):
    board = scheduler.get(reverse("allocations:schedule"), {"q": "npg 21"})
    assert [row.name for row in board.context["calendar"].rows] == ["NPG 21"]
    board = scheduler.get(reverse("allocations:schedule"), {"q": "brake w101"})
    assert [row.name for row in board.context["calendar"].rows] == ["NPG 1"]


def test_words_mean_the_same_in_the_database_and_on_the_board(stocked):
    values = ("412W101", "Brake", "NPG 1")
    for text in ("brake 412", "npg w101 BRAKE", "brake 413"):
        in_database = Allocation.objects.filter(every_word(text, ALLOCATION_FIELDS), vehicle__tag="412W101").exists()
        assert has_every_word(text, values) is in_database

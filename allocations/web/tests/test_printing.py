"""The schedule on paper: what it is, when it was printed, every row, and bars cut by their sheet; and lists."""

import datetime as dt
import html
import re

import pytest
from django.urls import reverse

from allocations.services.booking import book
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, MONDAY, day
from allocations.web import listing
from allocations.web.schedule.printing import DAYS_A_SHEET, parts_of
from allocations.web.tests.conftest import waiting
from dynosite.lib.days import DayRange


@pytest.fixture(autouse=True)
def _today(_monday):
    pass


@pytest.fixture
def viewer(client, world):
    client.force_login(world.users["viewer"])
    return client


def sheets(client, **query):
    return client.get(reverse("allocations:schedule-print"), query)


def test_sheet_says_whose_days_and_filters_it_shows(viewer, world):
    page = sheets(viewer, **{"from": MONDAY, "to": day(13), "drive": "AWD"}).content.decode()
    words = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "North Proving Ground 16 – 29 Nov 2026" in words
    assert "Only: dynos that take AWD (3 of 4 dynos)." in words
    assert re.search(r"Printed \d+ \w+ \d{4}, \d\d:\d\d \(America/Detroit\) for viewer", words)


def test_bar_that_began_before_the_sheet_keeps_its_name(viewer, world):
    world.book("412W101", "NPG 1", 0, 9)
    response = sheets(viewer, **{"from": day(7), "to": day(20)})
    (sheet,) = response.context["sheets"]
    (bar,) = [bar for _, rows in sheet.groups for row in rows for bar in row.bars]
    assert (bar.start, bar.length, bar.text, bar.from_before) == (0, 3, "412W101 · Brake", True)


def test_long_view_is_cut_into_sheets_that_meet(viewer, world):
    world.book("412W101", "NPG 1", DAYS_A_SHEET - 2, DAYS_A_SHEET + 1)
    response = sheets(viewer, **{"from": MONDAY, "to": day(2 * DAYS_A_SHEET)})
    assert [sheet.days.days for sheet in response.context["sheets"]] == [DAYS_A_SHEET, DAYS_A_SHEET, 1]
    bars = [
        (bar.start, bar.length, bar.from_before, bar.goes_on)
        for sheet in response.context["sheets"]
        for _, rows in sheet.groups
        for row in rows
        for bar in row.bars
    ]
    assert bars == [(DAYS_A_SHEET - 2, 2, False, True), (0, 2, True, False)]


@pytest.mark.parametrize("length", [1, DAYS_A_SHEET, DAYS_A_SHEET + 1, 400])
def test_parts_cover_every_day_once(length):
    whole = DayRange.starting(MONDAY, length)
    days = [part.first + dt.timedelta(days=number) for part in parts_of(whole) for number in range(part.days)]
    assert days == [MONDAY + dt.timedelta(days=number) for number in range(length)]


def test_every_dyno_is_on_paper_however_many(viewer, world):
    for number in range(70):
        world.dyno(f"DY-{number}")
    response = sheets(viewer)
    names = [row.name for _, rows in response.context["sheets"][0].groups for row in rows]
    assert len(names) == len(set(names)) == 74


@pytest.mark.parametrize("name", ["request-list", "vehicle-list", "dyno-list", "change-list", "late-list"])
def test_list_links_to_all_rows_of_its_filter(client, world, name):
    """A list of more than its page, in whatever filter, is printed whole."""
    client.force_login(world.users["scheduler"])
    for wish in waiting(world, 40):
        dyno = world.dyno(f"DY-{wish.pk}", (world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT))
        book(
            wish.vehicle_id,
            dyno.pk,
            test_type_id=world.tests["Brake"].pk,
            first_day=day(0),
            last_day=day(90),
            actor=world.actor(),
            request_id=wish.pk,
        )
    address, query = reverse(f"allocations:{name}"), {"status": "all", "page": "2"}
    page = client.get(address, query)
    number = page.context["page_obj"].paginator.count
    assert number >= 40 > len(page.context["page_obj"])
    link = html.unescape(re.search(r'href="([^"]+)"\s+data-print-list', page.content.decode())[1])
    whole = client.get(address + link)
    assert len(whole.context["page_obj"]) == number
    assert 'rel="next"' not in whole.content.decode()


def test_list_too_long_for_a_page_says_so(client, world, monkeypatch):
    monkeypatch.setattr(listing, "MAX_AT_ONCE", 2)
    client.force_login(world.users["viewer"])
    page = client.get(reverse("allocations:vehicle-list"), {"all": "1"})
    assert "These are rows 1 to 2. The CSV has all of them." in " ".join(page.content.decode().split())
    page = client.get(reverse("allocations:vehicle-list"), {"all": "1", "page": "2"})
    assert "These are rows 3 to 3." in " ".join(page.content.decode().split())
    assert "The CSV has all" not in client.get(reverse("allocations:vehicle-list")).content.decode()

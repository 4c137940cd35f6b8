"""The schedule on paper: what it is, when it was printed, every row, and bars that begin before their sheet."""

import datetime as dt
import re

import pytest
from django.urls import reverse

from allocations.tests.world import MONDAY, day
from allocations.web.printing import DAYS_A_SHEET, parts_of
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

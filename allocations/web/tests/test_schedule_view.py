"""The calendar's view is there again for who comes back, and a bar that is looked for is marked."""

import re

import pytest
from django.urls import reverse

from allocations.models import Allocation, ProvingGround
from allocations.tests.world import MONDAY, day

BOARD = "/g/NORTH/schedule/"
VIEW = {"zoom": "month", "drive": "AWD", "from": day(50).isoformat()}
FRAGMENT = {"HX-Request": "true", "HX-Target": "div#schedule", "HX-Request-Type": "partial"}


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@pytest.fixture
def scheduler(client, world):
    client.force_login(world.users["scheduler"])
    return client


def query_after_redirects(client) -> str:
    """Where opening the calendar leads to; nothing where it opens as it is."""
    return client.get(BOARD, follow=True).wsgi_request.META["QUERY_STRING"]


@pytest.mark.parametrize("headers", [None, FRAGMENT])
def test_zoom_days_and_filters_are_there_again(scheduler, headers):
    assert query_after_redirects(scheduler) == ""
    scheduler.get(BOARD, VIEW, headers=headers)
    assert query_after_redirects(scheduler) == f"zoom=month&drive=AWD&from={day(50)}"
    page = scheduler.get(BOARD, follow=True).content.decode()
    assert 'data-zoom="month"' in page
    assert f'data-first-day="{day(50)}"' in page
    assert '<input type="checkbox" name="drive" value="AWD" checked>' in page


def test_clearing_and_today_change_what_is_come_back_to(scheduler):
    scheduler.get(BOARD, VIEW)
    page = scheduler.get(BOARD, VIEW).content.decode()
    today = re.search(r'id="cal-now" href="([^"]+)"', page)[1].replace("&amp;", "&")
    scheduler.get(BOARD + today)
    assert query_after_redirects(scheduler) == "zoom=month&drive=AWD"
    page = scheduler.get(BOARD, {"drive": "AWD"}).content.decode()
    clear = re.search(r'<a class="chip" href="([^"]+)"[^>]*>.{0,200}Clear</a>', page, re.DOTALL)[1]
    assert clear == "?zoom=week"
    scheduler.get(BOARD + clear)
    assert query_after_redirects(scheduler) == "zoom=week"


def test_each_ground_and_each_user_has_its_own(scheduler, client, world):
    scheduler.get(BOARD, VIEW)
    client.force_login(world.users["viewer"])
    assert query_after_redirects(client) == ""
    client.force_login(world.users["outsider"])
    assert client.get("/g/SOUTH/schedule/").status_code == 200


def test_a_search_or_a_bar_looked_up_is_no_view(scheduler, world):
    scheduler.get(BOARD, VIEW)
    scheduler.get(BOARD, {"q": "412", "zoom": "day"})
    scheduler.get(BOARD, {"mark": "1", "from": day(2).isoformat()})
    assert query_after_redirects(scheduler) == f"zoom=month&drive=AWD&from={day(50)}"


def test_on_the_schedule_keeps_the_zoom_and_leads_to_the_bar(scheduler, world):
    world.book("412W101", "NPG 1", 2, 4)
    booked = Allocation.objects.get(vehicle__tag="412W101")
    scheduler.get(BOARD, VIEW)
    page = scheduler.get(reverse("allocations:allocation-detail", args=[booked.pk]), follow=True).content.decode()
    address = re.search(r'href="([^"]*/schedule/[^"]*#a\d+)"', page)[1].replace("&amp;", "&")
    assert address == f"{BOARD}?from={day(2)}&mark=1&whole=1#a{booked.pk}"
    board = scheduler.get(address.partition("#")[0]).content.decode()
    assert 'data-zoom="month"' in board
    assert f'id="a{booked.pk}"' in board

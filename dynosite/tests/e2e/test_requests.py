"""The Requests list in a browser: ticks by Shift-click, the page between, and going through the list to the next."""

import re

import pytest
from playwright.sync_api import expect

from allocations.models import Allocation, ProvingGround, TestRequest
from allocations.services.requests import create_request
from allocations.tests.world import MONDAY, World, day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@pytest.fixture
def six(committed_world: World) -> World:
    """Six requests that wait, in the order of their due dates."""
    for number in range(6):
        vehicle = committed_world.vehicle(f"500W{number:03}")
        create_request(
            vehicle.pk,
            test_type_id=committed_world.tests["Brake"].pk,
            days=2,
            due_date=day(20 + number),
            actor=committed_world.actor(),
        )
    return committed_world


def tick(page, number: int):
    return page.get_by_role("checkbox", name=f"Tick Brake of 500W{number:03}")


def test_range_is_ticked_and_changed_together(browser_page, six):
    page = browser_page
    page.sign_in(six.users["scheduler"])
    page.goto("/requests/")
    expect(page.locator("[data-pick-count]")).to_have_text("0 of 6")
    page.get_by_role("button", name="All on this page").click()
    expect(page.locator("[data-pick-count]")).to_have_text("6 of 6")
    page.get_by_role("button", name="None").click()
    tick(page, 1).click()
    tick(page, 4).click(modifiers=["Shift"])
    expect(page.locator("[data-pick-count]")).to_have_text("4 of 6")
    page.get_by_role("button", name="Change ticked").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Change 4 requests")
    page.get_by_label("Priority").select_option("urgent")
    expect(page.locator("#many")).to_contain_text("4 requests will be changed: priority Urgent.")
    page.get_by_role("button", name="Change 4 requests").click()
    expect(page.locator("#toasts")).to_contain_text("4 requests changed: priority Urgent.")
    expect(page.locator(".row-link").first).to_have_text("500W001")
    assert TestRequest.objects.filter(priority="urgent").count() == 4
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone")
    assert TestRequest.objects.filter(priority="urgent").count() == 0


def test_ticks_stay_while_others_change_the_list(browser_page, six):
    page = browser_page
    page.sign_in(six.users["scheduler"])
    with page.expect_response(lambda answer: "/schedule/stream/" in answer.url):
        page.goto("/requests/")
    tick(page, 1).check()
    tick(page, 3).check()
    create_request(six.vehicles["412W101"].pk, test_type_id=six.tests["Brake"].pk, days=2, actor=six.actor("admin"))
    page.locator("#live-line").get_by_role("button", name="Show").click()
    expect(page.locator("[data-pick-count]")).to_have_text("2 of 7")
    expect(tick(page, 1)).to_be_checked()
    expect(tick(page, 2)).not_to_be_checked()


def test_each_place_leads_to_the_next_request(browser_page, six):
    page = browser_page
    page.sign_in(six.users["scheduler"])
    page.goto("/requests/?sort=-vehicle")
    page.get_by_role("link", name="Find a place for Brake of 500W002").click()
    for vehicle, remaining in (("500W002", "2 more requests"), ("500W001", "1 more request")):
        expect(page.locator(".page-header")).to_contain_text(f"Brake of {vehicle}")
        expect(page.locator(".page-header")).to_contain_text(f"{remaining} in the list.")
        page.get_by_role("button", name=re.compile("and go to the next request")).first.click()
    expect(page.locator(".page-header")).to_contain_text("The last request of the list.")
    page.get_by_role("button", name=re.compile("and go to the next request")).first.click()
    expect(page).to_have_url(re.compile(r"/requests/\?sort=-vehicle$"))
    expect(page.locator("#toasts")).to_contain_text("That was the last request of the list.")
    assert sorted(Allocation.objects.filter(ground=six.north).values_list("vehicle__tag", flat=True)) == [
        "500W000",
        "500W001",
        "500W002",
    ]


PAGES = (
    "/requests/",
    "/requests/change/?{ids}&priority=urgent",
    "/requests/cancel/?{ids}",
    "/allocations/new/?request={first}&list=status%3Dwaiting",
)


@pytest.mark.parametrize("address", PAGES)
@pytest.mark.parametrize("look", [{"viewport": "phone"}, {"color_scheme": "dark"}])
def test_pages_have_no_fault_and_no_sideways_scroll(browser, asgi_server, six, address, look):
    ids = list(TestRequest.objects.order_by("pk").values_list("pk", flat=True))
    path = address.format(ids="&".join(f"request={pk}" for pk in ids), first=ids[0])
    with open_page(browser, asgi_server.url, **look) as page:
        page.sign_in(six.users["scheduler"])
        page.goto(path)
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0


def test_paper_has_all_rows_of_the_filter_without_buttons(browser_page, committed_world):
    world, page = committed_world, browser_page
    for number in range(34):
        vehicle = world.vehicle(f"600W{number:03}", program="Falcon")
        create_request(vehicle.pk, test_type_id=world.tests["Brake"].pk, days=2, actor=world.actor(), priority="high")
    create_request(world.vehicles["412W101"].pk, test_type_id=world.tests["Brake"].pk, days=2, actor=world.actor())
    page.sign_in(world.users["scheduler"])
    page.goto("/requests/?q=falcon&priority=high")
    expect(page.locator(".row-link")).to_have_count(30)
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    page.emulate_media(media="print")
    expect(page.locator(".row-link:visible")).to_have_count(34)
    expect(page.locator(".list-print-head")).to_contain_text("North Proving Ground · Waiting · “falcon” · High")
    expect(page.locator(".page :is(.button, .filter-bar, input):visible")).to_have_count(0)
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    page.emulate_media(media="screen")
    expect(page.locator(".row-link")).to_have_count(30)
    expect(page.locator(".list-print-head")).to_have_count(0)
    expect(page.get_by_role("button", name="Change ticked")).to_be_visible()

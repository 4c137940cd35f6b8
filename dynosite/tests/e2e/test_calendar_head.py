"""What stands above the calendar's rows, where there is little room for it: on a phone, and beside the assistant."""

import pytest
from playwright.sync_api import Page, expect

from allocations.tests.boards import fill_board
from allocations.tests.world import MONDAY, World, day
from dynosite.lib import clock
from dynosite.tests.browsing import open_page

ADDRESS = f"/g/NORTH/schedule/?from={MONDAY}&to={day(48)}"
PHONE = {"viewport": "phone", "has_touch": True, "is_mobile": True}

HIDDEN_CHIPS = """() => [...document.querySelectorAll("#schedule-filters > .chip")].filter((chip) => {
  const { left, top, width, height } = chip.getBoundingClientRect();
  return !chip.contains(document.elementFromPoint(left + width / 2, top + height / 2));
}).map((chip) => chip.textContent.trim())"""


@pytest.fixture(autouse=True)
def _today():
    with clock.day_is(day(2)):
        yield


@pytest.fixture
def world(committed_world: World) -> World:
    fill_board(committed_world, dynos=4, per_dyno=2, days=3, first=day(1))
    return committed_world


def top_of(page: Page, selector: str) -> float:
    return page.locator(selector).first.bounding_box()["y"]


def test_on_a_phone_the_days_and_the_ways_through_them_are_one_line(browser, asgi_server, world):
    with open_page(browser, asgi_server.url, **PHONE) as page:
        page.sign_in(world.users["scheduler"])
        page.goto(ADDRESS)
        heading, today = page.locator(".cal-range summary").bounding_box(), page.locator("#cal-now").bounding_box()
        assert today["y"] < heading["y"] + heading["height"]
        assert heading["y"] < today["y"] + today["height"]
        assert top_of(page, ".cal-row") < 300


def test_menu_of_the_account_lies_above_the_assistant_s_sheet_on_a_phone(browser, asgi_server, world):
    with open_page(browser, asgi_server.url, **PHONE) as page:
        page.sign_in(world.users["scheduler"])
        page.goto("/g/NORTH/requests/")
        page.locator(".dock").get_by_text("Assistant").click()
        expect(page.locator("#ai-talk")).to_be_visible()
        page.locator(".site-header .avatar-button").click()
        page.get_by_role("button", name="Sign out").click(trial=True)


def test_beside_the_assistant_every_filter_can_be_reached(browser_page, world):
    page = browser_page
    page.set_viewport_size({"width": 1440, "height": 900})
    page.sign_in(world.users["scheduler"])
    page.goto(ADDRESS)
    page.keyboard.press("/")
    expect(page.locator("#ai-talk")).to_be_visible()
    assert page.locator("#schedule-filters > .chip").count() >= 9
    assert page.evaluate(HIDDEN_CHIPS) == []

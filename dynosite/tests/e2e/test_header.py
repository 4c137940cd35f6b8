"""The header at every width: whatever it holds can be reached, and the search finds from any page."""

import re

import pytest
from playwright.sync_api import Page, expect

from allocations.models import ProvingGround
from allocations.tests.world import MONDAY

WIDTHS = (320, 390, 700, 701, 820, 1024, 1152, 1180, 1181, 1260, 1340, 1341, 1440)

OUTSIDE = """() => {
  const header = document.querySelector(".site-header");
  const shown = [...header.querySelectorAll("a, button, summary, input, label")].filter(
    (element) => element.offsetParent && !element.closest(".menu-list") && !element.closest(".search-results"));
  return shown.filter((element) => {
    const { left, right } = element.getBoundingClientRect();
    return left < -0.5 || right > innerWidth + 0.5;
  }).map((element) => element.textContent.trim() || element.id);
}"""


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


def reachable(page: Page, name: str):
    """The header's control of that accessible name, as one that a pointer reaches (trial click)."""
    control = (
        page.locator(".site-header")
        .get_by_label(re.compile(name))
        .or_(page.locator(".site-header").get_by_role("link", name=re.compile(name)))
        .locator("visible=true")
        .first
    )
    control.click(trial=True)
    return control


@pytest.mark.parametrize("path", ["/schedule/", "/requests/"])
def test_header_keeps_all_it_holds_inside_the_window(browser_page, committed_world, path):
    page, world = browser_page, committed_world
    page.sign_in(world.users["admin"])
    page.goto(path)
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate(OUTSIDE) == [], width
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), width
        reachable(page, "Switch to the dark theme")
        page.locator(".site-header .avatar-button").click(trial=True)
        page.locator("label[for=schedule-search]").click(trial=True)


def test_tabs_without_room_are_in_a_menu(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    page.set_viewport_size({"width": 1024, "height": 800})
    page.goto("/plans/")
    page.locator(".tabs-more summary").click()
    page.locator(".tabs-more").get_by_role("link", name="Vehicles").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Vehicles")


def test_search_opens_on_a_phone_and_leads_to_a_dyno(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.set_viewport_size({"width": 390, "height": 844})
    page.sign_in(world.users["viewer"])
    page.goto("/requests/")
    page.locator("label[for=schedule-search]").click()
    field = page.locator("#schedule-search")
    expect(field).to_be_focused()
    assert field.bounding_box()["width"] > 120
    field.press_sequentially("npg 21")
    page.locator("#search-results").get_by_role("link", name="NPG 21").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("NPG 21")


def test_results_are_walked_by_arrow_keys_and_left_by_escape(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    page.goto("/schedule/")
    page.keyboard.press("Control+k")
    page.keyboard.type("412w")
    results = page.locator("#search-results")
    expect(results.get_by_role("link", name="412W101")).to_be_visible()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(results.locator(":focus")).to_contain_text("412W102")
    page.keyboard.press("Escape")
    expect(page.locator("#schedule-search")).to_be_focused()
    page.keyboard.press("Escape")
    expect(results).to_be_hidden()


def test_search_without_javascript_is_a_page(browser_page, committed_world, asgi_server, browser):
    world = committed_world
    context = browser.new_context(base_url=asgi_server.url, java_script_enabled=False)
    context.add_cookies(browser_page.context.cookies())
    browser_page.sign_in(world.users["viewer"])
    context.add_cookies(browser_page.context.cookies())
    page = context.new_page()
    page.goto("/requests/")
    page.locator("#schedule-search").fill("npg")
    page.locator("#schedule-search").press("Enter")
    expect(page.locator(".search-page")).to_contain_text("NPG 21")
    context.close()


def test_single_keys_work_but_not_while_something_is_typed(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    page.goto("/g/NORTH/schedule/?from=2027-03-01")
    page.keyboard.press("?")
    keys = page.locator("#keys")
    expect(keys).to_be_visible()
    page.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    page.locator("#schedule-search").click()
    page.keyboard.type("nt?")
    expect(page.locator("#schedule-search")).to_have_value("nt?")
    page.locator("#schedule-search").fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator(".cal-range h1")).to_contain_text("2026")
    page.keyboard.press("n")
    expect(page.get_by_role("heading", level=1)).to_contain_text("New booking")

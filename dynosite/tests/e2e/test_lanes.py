"""Lanes alike in a browser: folded and unfolded, live, by keyboard, without JavaScript, accessible."""

import re
from itertools import pairwise

import pytest
from playwright.sync_api import Page, expect

from allocations.models import ProvingGround
from allocations.services.fleet import set_enabled
from allocations.tests.boards import add_lanes, maintain
from allocations.tests.world import MONDAY, World, day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

ADDRESS = f"/g/NORTH/schedule/?from={MONDAY}&to={day(48)}"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(4))


@pytest.fixture
def track(committed_world: World) -> World:
    world = committed_world
    add_lanes(world, 6)
    world.book("412W102", "NPG 1", 7, 9)
    world.book("412W101", "Track 1", 6, 12)
    world.book("412W103", "Track 3", 8, 9)
    maintain(world.dynos["Track 2"], day(5), day(30), reason="Resurfacing")
    return world


@pytest.fixture
def schedule(browser_page: Page, track: World) -> Page:
    browser_page.sign_in(track.users["scheduler"])
    browser_page.goto(ADDRESS)
    expect(browser_page.locator("#cal-live")).to_have_attribute("data-state", "live")
    return browser_page


def lanes_row(page: Page):
    return page.locator(".cal-lanes")


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")


def test_lanes_unfold_into_their_rows_and_fold_again(schedule, track):
    expect(schedule.locator(".cal-row")).to_have_count(5)
    expect(lanes_row(schedule).locator(".bar")).to_have_count(3)
    lanes_row(schedule).get_by_role("link", name="Track", exact=True).press("Enter")
    expect(schedule.locator(".cal-row")).to_have_count(11)
    expect(schedule.locator(f"#dyno-{track.dynos['Track 3'].pk} .bar")).to_contain_text("412W103")
    expect(lanes_row(schedule).locator(".bar")).to_have_count(0)
    link = lanes_row(schedule).get_by_role("link", name="Track", exact=True)
    expect(link).to_be_focused()
    expect(link).to_have_attribute("aria-expanded", "true")
    schedule.get_by_role("link", name="Month").click()
    expect(schedule.locator(".calendar")).to_have_attribute("data-zoom", "month")
    expect(schedule.locator(".cal-row")).to_have_count(11)
    lanes_row(schedule).get_by_role("link", name="Track", exact=True).click()
    expect(schedule.locator(".cal-row")).to_have_count(5)


def test_bars_of_lanes_stand_below_one_another_within_their_row(schedule):
    boxes = [bar.bounding_box() for bar in lanes_row(schedule).locator(".bar").all()]
    row = lanes_row(schedule).bounding_box()
    strip = lanes_row(schedule).locator(".cal-taken").bounding_box()
    tops = [box["y"] for box in boxes]
    assert tops == sorted(set(tops))
    assert all(above["y"] + above["height"] <= below["y"] for above, below in pairwise(boxes))
    assert boxes[0]["y"] >= row["y"]
    assert boxes[-1]["y"] + boxes[-1]["height"] <= strip["y"] + 1
    assert strip["y"] + strip["height"] <= row["y"] + row["height"]


def test_what_others_do_on_a_lane_appears_in_the_row(schedule, track):
    track.vehicle("412W104")
    track.book("412W104", "Track 6", 20, 24, by="admin")
    added = lanes_row(schedule).locator(".bar", has_text="412W104 Brake · Track 6")
    expect(added).to_be_visible()
    expect(lanes_row(schedule).locator(".bar")).to_have_count(4)
    expect(schedule.locator("#cal-counts")).to_contain_text("4 bookings")


def test_what_others_do_on_an_unfolded_lane_appears_there_and_in_the_head(schedule, track):
    lanes_row(schedule).get_by_role("link", name="Track", exact=True).click()
    expect(schedule.locator(".cal-row")).to_have_count(11)
    expect(lanes_row(schedule).locator(".cal-taken i")).to_have_text(["1", "2 of 6", "3 of 6", "2 of 6", "1 of 6"])
    track.vehicle("412W104")
    track.book("412W104", "Track 6", 31, 34, by="admin")
    expect(schedule.locator(f"#dyno-{track.dynos['Track 6'].pk} .bar")).to_contain_text("412W104")
    expect(lanes_row(schedule).locator(".cal-taken i").last).to_have_attribute(
        "style", re.compile(r"^--s:13;\s*--n:22;\s*--v:17\s*$")
    )


def test_a_lane_that_is_no_longer_alike_gets_a_row_of_its_own(schedule, track):
    lane = track.dynos["Track 1"].pk
    set_enabled([lane], False, actor=track.actor("admin"))
    expect(schedule.locator(f"#dyno-{lane}")).to_be_visible()
    expect(lanes_row(schedule).locator(".cal-capacity")).to_contain_text("5 lanes")
    set_enabled([lane], True, actor=track.actor("admin"))
    expect(lanes_row(schedule).locator(".cal-capacity")).to_contain_text("6 lanes")
    expect(schedule.locator(f"#dyno-{lane}")).to_have_count(0)


def test_keys_walk_into_the_row_and_to_a_free_lane(schedule, track):
    schedule.locator(".bar", has_text="412W102").focus()
    schedule.keyboard.press("ArrowDown")
    assert focused(schedule) == "412W103 Brake · Track 3"
    schedule.keyboard.press("Home")
    assert focused(schedule) == "Resurfacing · Track 2"
    schedule.keyboard.press("Enter")
    expect(schedule.locator("#card h2")).to_have_text("Resurfacing")
    schedule.keyboard.press("Escape")
    schedule.locator(".bar", has_text="412W103").focus()
    schedule.keyboard.press("Shift+ArrowRight")
    assert focused(schedule) == "Book Track from Thu 26 Nov"
    # The first lane is booked then, the second in maintenance.
    free = f"/g/NORTH/allocations/new/?dyno={track.dynos['Track 3'].pk}&first_day={day(10)}"
    expect(schedule.locator(".cal-free")).to_have_attribute("href", free)


def test_a_day_is_taken_when_every_lane_is(schedule, track):
    for number in (1, 3, 4, 5, 6):
        maintain(track.dynos[f"Track {number}"], day(13), day(15))
    schedule.reload()
    schedule.locator(".bar", has_text="412W101").focus()
    schedule.keyboard.press("Shift+ArrowRight")
    assert focused(schedule) == "Book Track from Wed 2 Dec"


def test_lanes_unfold_without_javascript(browser, asgi_server, track):
    with open_page(browser, asgi_server.url, java_script_enabled=False) as page:
        page.sign_in(track.users["viewer"])
        page.goto(ADDRESS)
        expect(page.locator(".cal-row")).to_have_count(5)
        lanes_row(page).get_by_role("link", name="Track", exact=True).click()
        expect(page.locator(".cal-row")).to_have_count(11)
        page.get_by_role("link", name="Later").click()
        expect(page.locator(".cal-row")).to_have_count(11)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_no_fault(browser, asgi_server, track, look):
    options = {"viewport": "phone"} if look == "phone" else {"color_scheme": look}
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(track.users["scheduler"])
        page.goto(ADDRESS)
        expect(lanes_row(page).locator(".bar")).to_have_count(3)
        assert violations(page) == []
        lanes_row(page).get_by_role("link", name="Track", exact=True).click()
        expect(page.locator(".cal-row")).to_have_count(11)
        assert violations(page) == []

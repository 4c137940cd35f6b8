"""Maintenance that repeats, in the browser: chosen, looked at, set, lifted from one window on."""

import re

import pytest
from playwright.sync_api import expect

from allocations.models import MaintenanceWindow, ProvingGround
from allocations.tests.world import day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def calibration(committed_world, monkeypatch):
    """The address of the form, for a day of calibration on a Monday; the second time hits a booking."""
    world = committed_world
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(0))
    world.book("412W101", "NPG 1", 104, 106)
    dyno = world.dynos["NPG 1"].pk
    return f"/maintenance/new/?dyno={dyno}&first_day=2026-12-07&last_day=2026-12-07&kind=calibration&preview=1"


def test_a_series_is_chosen_set_and_lifted_from_one_window_on(browser_page, committed_world, calibration):
    page = browser_page
    page.sign_in(committed_world.users["admin"])
    page.goto(calibration)
    expect(page.get_by_label("How many times")).to_be_hidden()
    page.get_by_label("Repeats").select_option(label="By months, same weekday")
    expect(page.get_by_text("Say how many times, or until which day.")).to_be_visible()
    page.get_by_label("Every").fill("3")
    page.get_by_label("How many times").fill("3")
    page.get_by_label("How many times").press("Tab")
    expect(page.get_by_text("It comes every 3 months on the first Monday.")).to_be_visible()
    boxes = page.get_by_role("checkbox", name=re.compile("^NPG 1 ·"))
    expect(boxes).to_have_count(3)
    boxes.nth(2).uncheck()
    page.get_by_label("Reason").fill("Yearly calibration")
    page.get_by_label("Reason").press("Tab")
    expect(page).to_have_url(re.compile("reason=Yearly"))
    expect(boxes.nth(2)).not_to_be_checked()
    page.get_by_text("On other dynos too").click()
    page.get_by_role("checkbox", name="NPG 2", exact=True).check()
    expect(page.get_by_role("checkbox", name=re.compile("^NPG 2 ·"))).to_have_count(3)
    expect(boxes.nth(2)).not_to_be_checked()
    page.get_by_role("button", name="Set the windows and carry out").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("5 windows")
    expect(page.get_by_text("Every 3 months on the first Monday, 1 of 2")).to_be_visible()
    page.get_by_role("link", name="Lift").first.click()
    page.get_by_role("link", name="This and 1 later one").click()
    page.get_by_role("button", name="Lift the windows").click()
    expect(page.locator("#toasts")).to_contain_text("and 1 later one of its series")
    standing = MaintenanceWindow.objects.filter(lifted_at=None).values_list("dyno__name", flat=True)
    assert list(standing) == ["NPG 2"] * 3


@pytest.mark.parametrize(
    ("look", "options"),
    [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", {"viewport": "phone"})],
)
def test_axe_finds_no_fault_and_nothing_sticks_out(look, options, asgi_server, browser, committed_world, calibration):
    also = committed_world.dynos["NPG 2"].pk
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(committed_world.users["admin"])
        page.goto(f"{calibration}&repeat=month-weekday&every=3&times=3&also={also}")
        expect(page.get_by_role("checkbox", name=re.compile("^NPG 1 ·"))).to_have_count(3)
        assert [*violations(page), page.evaluate(OVERHANG)] == [0]
        page.get_by_role("button", name="Set the windows and carry out").click()
        page.get_by_role("link", name="Lift").first.click()
        page.get_by_role("link", name="This and 2 later ones").click()
        expect(page.get_by_role("heading", name="Lift 3 maintenance windows?")).to_be_visible()
        assert [*violations(page), page.evaluate(OVERHANG)] == [0]

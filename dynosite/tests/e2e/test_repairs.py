"""Repairing an outage in the browser: the quick option at once, the others when found, by keyboard, undone."""

import re

import pytest
from playwright.sync_api import expect

from allocations.enums import Drive
from allocations.models import Allocation, ProvingGround
from allocations.services import booking
from allocations.tests.world import ANY_WEIGHT, allocation_of, day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def outage(committed_world, monkeypatch):
    """What NPG 1 failing on five days breaks; the address of the form."""
    world = committed_world
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(0))
    world.dyno("NPG 4", (world.tests["Brake"], [Drive.TWO_WHEEL], ANY_WEIGHT))
    hit = allocation_of(world.book("412W102", "NPG 1", 5, 8))
    other = allocation_of(world.book("412W101", "NPG 1", 9, 19))
    dyno = world.dynos["NPG 1"].pk
    return f"/maintenance/new/?dyno={dyno}&first_day={day(4)}&last_day={day(8)}&kind=outage&preview=1", hit, other


def first_days(*rows: Allocation):
    for row in rows:
        row.refresh_from_db()
    return [row.first_day for row in rows]


def test_options_come_one_is_chosen_by_keyboard_and_undone(browser_page, committed_world, outage):
    page, (address, hit, other) = browser_page, outage
    page.sign_in(committed_world.users["admin"])
    page.goto(address)
    repairs = page.get_by_role("group", name="How to repair the schedule")
    expect(repairs.get_by_role("radio", name=re.compile("The displaced only"))).to_be_checked()
    more = repairs.get_by_role("radio", name="1 other makes room")
    expect(more).to_be_visible()
    expect(repairs.get_by_role("status")).to_have_count(0)
    expect(repairs.get_by_text("15 days late")).to_be_visible()
    repairs.get_by_role("radio", name=re.compile("The displaced only")).focus()
    page.keyboard.press("ArrowDown")
    expect(more).to_be_checked()
    expect(repairs.get_by_text("15 days late")).to_be_hidden()
    expect(repairs.get_by_text("Makes room. In time.")).to_be_visible()
    expect(page.get_by_text("Back to the waiting requests")).to_be_hidden()
    page.get_by_role("button", name="Set the window and carry out").press("Enter")
    expect(page.locator("#toasts")).to_contain_text("1 displaced (1 moves), 1 moved to make room")
    assert first_days(hit, other) == [day(9), day(9)]
    page.locator("#toasts").get_by_role("button", name="Undo").click()
    expect(page.locator("#toasts")).to_contain_text("Undone")
    assert first_days(hit, other) == [day(5), day(9)]


def test_each_booking_is_answered_by_itself(browser_page, committed_world, outage):
    page, (address, hit, _) = browser_page, outage
    page.sign_in(committed_world.users["admin"])
    page.goto(address)
    expect(page.get_by_role("radio", name="1 other makes room")).to_be_visible()
    page.get_by_role("radio", name="Choose for each yourself").check()
    page.get_by_role("radio", name="Back to the waiting requests").check()
    page.get_by_role("button", name="Set the window and carry out").click()
    expect(page.locator("#toasts")).to_contain_text("1 displaced")
    hit.refresh_from_db()
    assert hit.status == "cancelled"


def test_what_is_chosen_while_others_are_looked_for_stays_chosen(browser_page, committed_world, outage):
    page, (address, *_) = browser_page, outage
    page.sign_in(committed_world.users["admin"])
    held = []
    page.route(re.compile("repair=more"), lambda route: held.append(route))
    with page.expect_request(re.compile("repair=more")):
        page.goto(address)
    one_by_one = page.get_by_role("radio", name="Choose for each yourself")
    one_by_one.check()
    expect(page.get_by_role("radio", name="1 other makes room")).to_have_count(0)
    held[0].continue_()
    more = page.get_by_role("radio", name="1 other makes room")
    expect(more).to_be_visible()
    expect(one_by_one).to_be_checked()
    expect(one_by_one).to_be_focused()
    more.check()
    page.get_by_label("Reason").fill("Bearing")
    page.get_by_label("Reason").press("Tab")
    expect(page).to_have_url(re.compile("reason=Bearing.*repair=1"))
    expect(more).to_be_checked()


def test_the_chosen_option_lies_over_the_calendar_and_leads_back(browser_page, committed_world, outage):
    page, (address, hit, other) = browser_page, outage
    page.sign_in(committed_world.users["admin"])
    page.goto(f"{address}&reason=Bearing&repair=more")
    page.get_by_role("radio", name="1 other makes room").check()
    page.get_by_role("link", name="On the calendar").locator("visible=true").click()
    moved = page.locator("a.cal-ghost.moved", has_text="412W102")
    expect(moved).to_have_attribute("title", re.compile("Proposed: NPG 1, 25 – 28 Nov instead of NPG 1, 21 – 24 Nov"))
    expect(page.locator("a.cal-ghost.moved", has_text="412W101")).to_have_count(1)
    expect(page.locator(".cal-ghost.from")).to_have_count(2)
    expect(page.locator("a.cal-ghost.window")).to_have_attribute("title", "Maintenance to be set: 20 – 24 Nov 2026")
    page.get_by_role("link", name="Back to the options").click()
    expect(page.get_by_role("radio", name="1 other makes room")).to_be_checked()
    expect(page.get_by_label("Reason")).to_have_value("Bearing")
    assert first_days(hit, other) == [day(5), day(9)]


def test_other_days_bring_other_options(browser_page, committed_world, outage):
    page, (address, *_) = browser_page, outage
    page.sign_in(committed_world.users["admin"])
    page.goto(address)
    expect(page.get_by_role("radio", name="1 other makes room")).to_be_visible()
    page.get_by_label("First day").fill(day(9).isoformat())
    page.get_by_label("Last day").fill(day(10).isoformat())
    expect(page.get_by_role("rowheader", name=re.compile("412W101"))).to_be_visible()
    expect(page.get_by_role("radio", name="1 other makes room")).to_have_count(0)


@pytest.mark.parametrize(
    ("look", "options"),
    [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", {"viewport": "phone"})],
)
def test_axe_finds_no_fault_and_nothing_sticks_out(look, options, asgi_server, browser, committed_world, outage):
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(committed_world.users["admin"])
        page.goto(f"{outage[0]}&repair=more")
        assert [*violations(page), page.evaluate(OVERHANG)] == [0]
        page.get_by_role("link", name="On the calendar").locator("visible=true").click()
        expect(page.get_by_role("heading", name="A repair")).to_be_visible()
        assert [*violations(page), page.evaluate(OVERHANG)] == [0]
    booking.cancel(outage[1].pk, actor=committed_world.actor("admin"))
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(committed_world.users["scheduler"])
        page.goto("/notices/")
        expect(page.get_by_text("412W102, Brake: off NPG 1")).to_be_visible()
        assert [*violations(page), page.evaluate(OVERHANG)] == [0]
        page.get_by_role("button", name="Mark all as seen").click()
        expect(page.get_by_role("button", name="Mark all as seen")).to_have_count(0)
        assert [*violations(page), page.evaluate(OVERHANG)] == [0]

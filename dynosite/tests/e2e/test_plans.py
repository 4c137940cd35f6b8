"""Plans in a browser: picking requests, ghost bars over the calendar, applying from there, accessibility."""

import re

import pytest
from playwright.sync_api import Page, expect

from allocations.models import Allocation, Plan, ProvingGround, TestRequest
from allocations.services.plans import ask_for_plan, solve_and_store
from allocations.tests.world import MONDAY, World, day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@pytest.fixture
def waiting(committed_world: World) -> World:
    world = committed_world
    world.book("412W101", "NPG 1", 8, 12)
    for vehicle, test, more in (
        ("412W103", "Brake", {"earliest_start": day(8), "due_date": day(10), "priority": "urgent"}),
        ("412W102", "4K Certification", {}),
        ("412W102", "Emission", {"due_date": day(1)}),
    ):
        TestRequest.objects.create(
            ground=world.north, vehicle=world.vehicles[vehicle], test_type=world.tests[test], days=3, **more
        )
    return world


def thought(world: World, **more) -> Plan:
    plan = ask_for_plan(
        world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(30), movable="all", seconds=1, **more
    )
    return solve_and_store(plan, steps=50)


def calendar_of(plan: Plan, **more) -> str:
    return f"/g/NORTH/schedule/?from={MONDAY}&plan={plan.pk}"


def ghost(page: Page, vehicle: str):
    return page.locator("a.cal-ghost", has_text=vehicle)


def test_requests_are_searched_and_ticked_without_losing_ticks(browser_page, waiting, celery_worker):
    page = browser_page
    page.sign_in(waiting.users["scheduler"])
    page.goto("/plans/new/")
    expect(page.locator("[data-pick-count]")).to_be_hidden()
    page.get_by_label("Only those I tick").check()
    page.get_by_role("button", name="None").click()
    page.get_by_label("Search the requests").fill("412w103")
    expect(page.locator("[data-pick-row]:visible")).to_have_count(1)
    page.get_by_role("button", name="All", exact=True).click()
    page.get_by_label("Search the requests").fill("")
    expect(page.locator("[data-pick-row]:visible")).to_have_count(3)
    expect(page.locator("[data-pick-count]")).to_have_text("1 of 3")
    page.get_by_label("Time limit in seconds").fill("1")
    page.get_by_role("button", name="Find a plan").click()
    expect(page.get_by_role("heading", name="What it would do")).to_be_visible()
    expect(page.locator("[data-pick-count]")).to_have_text("1 of 1")
    ticked = TestRequest.objects.get(vehicle__tag="412W103")
    assert Plan.objects.get().chosen == [ticked.pk]


def test_ghosts_lie_over_the_calendar_through_zoom_and_are_applied_in_part(browser_page, waiting):
    page, plan = browser_page, thought(waiting)
    page.sign_in(waiting.users["scheduler"])
    page.goto(calendar_of(plan))
    expect(ghost(page, "412W101")).to_have_attribute("title", re.compile("instead of NPG 1, 24 – 28 Nov"))
    assert page.locator(".cal-ghost.from").count() == 1
    page.get_by_role("navigation", name="Zoom").get_by_text("Month").click()
    expect(page.locator('.calendar[data-zoom="month"]')).to_be_visible()
    expect(ghost(page, "412W102").first).to_be_visible()
    rows = page.locator(".cal-plan [data-pick-row]")
    expect(page.locator("[data-pick-count]")).to_have_text("4 of 4")
    rows.filter(has_text="412W102").get_by_role("checkbox").nth(0).uncheck()
    expect(page.locator("[data-pick-count]")).to_have_text("3 of 4")
    page.get_by_role("button", name="Apply what is ticked").click()
    expect(page.locator("#toasts")).to_contain_text("applied: 2 placed, 1 moved")
    expect(page.locator(".cal-ghost")).to_have_count(0)
    assert Allocation.objects.filter(ground=waiting.north).exclude(status="cancelled").count() == 3


def test_ghosts_are_walked_by_the_keyboard_and_lead_to_their_reason(browser_page, waiting):
    page, plan = browser_page, thought(waiting)
    page.sign_in(waiting.users["scheduler"])
    page.goto(calendar_of(plan))
    new = ghost(page, "412W103")
    new.focus()
    page.keyboard.press("ArrowLeft")
    expect(new).not_to_be_focused()
    page.keyboard.press("ArrowRight")
    expect(new).to_be_focused()
    page.keyboard.press("Enter")
    item = plan.items.get(request__vehicle__tag="412W103")
    expect(page).to_have_url(re.compile(f"#change-{item.pk}$"))
    expect(page.locator(f"#change-{item.pk}")).to_be_in_viewport()


def test_a_plan_is_applied_without_javascript(asgi_server, browser, waiting):
    plan = thought(waiting)
    with open_page(browser, asgi_server.url, java_script_enabled=False) as page:
        page.sign_in(waiting.users["scheduler"])
        page.goto(calendar_of(plan))
        expect(ghost(page, "412W103")).to_be_visible()
        page.get_by_role("button", name="Apply what is ticked").click()
        expect(page.locator("#toasts")).to_contain_text("applied: 3 placed, 1 moved")
        page.goto(f"/plans/{plan.pk}/")
        page.get_by_role("button", name="Undo all of it").click()
        expect(page.get_by_text("undone by scheduler")).to_be_visible()
    assert TestRequest.objects.filter(ground=waiting.north, status="waiting").count() == 3


@pytest.mark.parametrize(
    ("look", "options"),
    [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", {"viewport": "phone"})],
)
def test_axe_finds_no_fault_and_nothing_sticks_out(look, options, asgi_server, browser, waiting):
    first, second = thought(waiting, name="As it is"), thought(waiting)
    pages = [
        "/plans/",
        "/plans/?q=nothing+like+it",
        "/plans/new/",
        f"/plans/{first.pk}/",
        calendar_of(first),
        f"/plans/compare/?plan={first.pk}&plan={second.pk}",
        "/plans/compare/",
    ]
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(waiting.users["admin"])
        problems = {}
        for address in pages:
            page.goto(address)
            if address == "/plans/new/":
                page.get_by_label("Only those I tick").check()
            faults = violations(page)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if faults or wide > 0:
                problems[address] = [*faults, *([f"{wide} px too wide"] if wide > 0 else [])]
    assert problems == {}

"""What if, in a browser: edits by the keyboard, the answer as it comes, the list, accessibility."""

import re

import pytest
from playwright.sync_api import expect

from allocations.enums import Priority, ScenarioState
from allocations.models import Allocation, ProvingGround, Scenario, TestRequest
from allocations.services import scenarios
from allocations.services.scenario_answer import answer
from allocations.tests.world import MONDAY, day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

OVERHANG = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


@pytest.fixture
def crowded(committed_world, monkeypatch):
    """Four heavy brake tests that only NPG 1 runs, all due at once."""
    world = committed_world
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)
    for number in range(4):
        vehicle = world.vehicle(f"700W{number}", weight_class=">10K")
        TestRequest.objects.create(
            ground=world.north,
            vehicle=vehicle,
            test_type=world.tests["Brake"],
            days=3,
            earliest_start=day(0),
            due_date=day(2),
            priority=Priority.LOW,
        )
    return world


def new_scenario(world, *edits, name):
    scenario = scenarios.make_scenario(
        world.north.pk, actor=world.actor(), name=name, first_day=day(0), last_day=day(40), seconds=1
    )
    for data in edits:
        scenario = scenarios.add_edit(scenario.pk, actor=world.actor(), data=data)
    return scenario


def answered(world, *edits, name):
    scenario = new_scenario(world, *edits, name=name)
    scenario.result, scenario.state = answer(scenario, steps=50), ScenarioState.READY
    scenario.save()
    return scenario


def like(world, dyno="NPG 1"):
    return {"do": "add-dyno", "like": world.dynos[dyno].pk}


def test_an_edit_is_added_by_keyboard_and_the_answer_comes_with_its_forms(browser_page, crowded):
    page, world = browser_page, crowded
    scenario = new_scenario(world, name="One more")
    page.sign_in(world.users["scheduler"])
    page.goto(f"/plans/what-if/{scenario.pk}/")
    page.get_by_text("A dyno more, like another").focus()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_label("Like", exact=True)).to_be_focused()
    page.get_by_label("Like", exact=True).select_option(label="NPG 1")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_text("1 more dyno, like NPG 1")).to_be_visible()
    Scenario.objects.filter(pk=scenario.pk).update(state=ScenarioState.SOLVING)
    page.reload()
    expect(page.get_by_role("heading", name="The planner is working")).to_be_visible()
    expect(page.get_by_text("A dyno more, like another")).to_have_count(0)
    scenario.refresh_from_db()
    result = answer(scenario, steps=50)
    Scenario.objects.filter(pk=scenario.pk).update(state=ScenarioState.READY, result=result)
    expect(page.get_by_role("heading", name="12 fewer days late than today’s plan")).to_be_visible()
    expect(page.get_by_text("A dyno more, like another")).to_be_visible()
    assert Allocation.objects.filter(ground=world.north).count() == 0


def test_scenarios_are_sorted_searched_and_compared(browser_page, crowded):
    page, world = browser_page, crowded
    answered(world, like(world), name="One more")
    answered(world, name="As it is")
    new_scenario(world, name="Not asked")
    page.sign_in(world.users["viewer"])
    page.goto("/plans/what-if/")
    names = page.locator("tbody th")
    page.get_by_role("link", name="Days late").click()
    expect(names).to_have_text(["One more", "As it is", "Not asked"])
    page.get_by_role("link", name="Days late").click()
    expect(names).to_have_text(["As it is", "One more", "Not asked"])
    page.get_by_label("Compare One more").check()
    page.get_by_label("Compare As it is").check()
    page.get_by_role("button", name="Compare what is ticked").click()
    late = page.get_by_role("row", name="Days late")
    expect(late.get_by_role("cell")).to_have_text(["18", "18", "6 -12"])
    page.goto("/plans/what-if/")
    page.get_by_label("Search the scenarios").fill("asked")
    expect(names).to_have_text(["Not asked"])
    expect(page.get_by_role("link", name="CSV")).to_have_attribute("href", re.compile("q=asked.*format=csv"))


@pytest.mark.parametrize(
    ("look", "options"),
    [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", {"viewport": "phone"})],
)
def test_axe_finds_no_fault_and_nothing_sticks_out(look, options, asgi_server, browser, crowded):
    first = answered(crowded, like(crowded), name="One more")
    second = answered(crowded, {"do": "close-weekends", "pause": True}, name="Weekends closed, as they were before")
    draft = new_scenario(crowded, name="Not asked")
    pages = [
        "/plans/what-if/",
        "/plans/what-if/?q=nothing+like+it",
        "/plans/what-if/new/",
        f"/plans/what-if/{draft.pk}/",
        f"/plans/what-if/{first.pk}/",
        "/plans/what-if/compare/",
        f"/plans/what-if/compare/?scenario={first.pk}&scenario={second.pk}",
    ]
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(crowded.users["scheduler"])
        problems = {}
        for address in pages:
            page.goto(address)
            if str(draft.pk) in address:
                page.get_by_text("A dyno more, of a new kind").click()
            faults, wide = violations(page), page.evaluate(OVERHANG)
            if faults or wide > 0:
                problems[address] = [*faults, *([f"{wide} px too wide"] if wide > 0 else [])]
    assert problems == {}

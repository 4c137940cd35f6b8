"""The pages beside the calendar in a browser: booking with and without JavaScript, import, accessibility."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from allocations import exchange
from allocations.models import Allocation, Change, ProvingGround
from allocations.services.maintenance import set_maintenance
from allocations.services.requests import create_request
from allocations.tests.world import MONDAY, World, allocation_of, day, window_of
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

SAMPLE = Path(exchange.__file__).parent / "sample" / "forecast_sample.xlsx"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


def stays() -> list[tuple]:
    rows = Allocation.objects.filter(ground__code="NORTH").order_by("pk")
    return [(row.vehicle.tag, row.dyno.name, row.first_day) for row in rows]


def place(page: Page, dyno: str):
    return page.get_by_role("button").filter(has=page.locator(".place-where b", has_text=re.compile(f"^{dyno}$")))


def test_places_appear_as_the_form_is_filled_and_one_is_booked(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    page.goto("/allocations/new/")
    page.get_by_label("Vehicle").fill("412W101")
    page.get_by_label("Days").fill("3")
    page.get_by_label("Test type").select_option(label="Brake")
    expect(place(page, "NPG 21")).to_be_visible()
    # What was typed stays, the address says what is shown, and nothing is booked by looking.
    expect(page.get_by_label("Vehicle")).to_have_value("412W101")
    expect(page).to_have_url(re.compile(r"vehicle=412W101&test_type=\d+&first_day=2026-11-16&days=3"))
    assert stays() == []
    place(page, "NPG 21").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("412W101")
    expect(page.locator("#toasts")).to_contain_text("Booked: 412W101 on NPG 21")
    assert stays() == [("412W101", "NPG 21", MONDAY)]


def test_clash_is_told_in_place_and_its_nearest_place_is_one_click(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    test_type = world.tests["Brake"].pk
    page.goto(f"/allocations/new/?vehicle=412W101&test_type={test_type}&first_day={MONDAY}&days=3")
    expect(place(page, "NPG 1")).to_be_visible()
    world.book("412W103", "NPG 1", 1, 5, by="admin")
    place(page, "NPG 1").click()
    refused = page.get_by_role("alert")
    expect(refused).to_contain_text("NPG 1 is taken by 412W103 (Brake): 17 – 21 Nov 2026.")
    expect(page.get_by_label("Vehicle")).to_have_value("412W101")
    page.console_errors.clear()
    place(page, "NPG 21").first.click()
    expect(page.locator("#toasts")).to_contain_text("Booked: 412W101 on NPG 21")
    assert stays()[-1] == ("412W101", "NPG 21", MONDAY)


def test_double_click_books_once(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    test_type = world.tests["Brake"].pk
    page.goto(f"/allocations/new/?vehicle=412W101&test_type={test_type}&first_day={MONDAY}&days=3")
    place(page, "NPG 21").dblclick()
    expect(page.get_by_role("heading", level=1)).to_have_text("412W101")
    assert (len(stays()), Change.objects.filter(ground=world.north, action="book").count()) == (1, 1)


def test_booking_without_javascript(asgi_server, browser, committed_world):
    world = committed_world
    with open_page(browser, asgi_server.url, java_script_enabled=False) as page:
        page.sign_in(world.users["scheduler"])
        page.goto("/allocations/new/")
        page.get_by_label("Vehicle").fill("412W101")
        page.get_by_label("Test type").select_option(label="Brake")
        page.get_by_label("Days").fill("3")
        page.get_by_role("button", name="Find places").click()
        world.book("412W103", "NPG 1", 1, 5, by="admin")
        place(page, "NPG 1").click()
        expect(page.get_by_role("alert")).to_contain_text("NPG 1 is taken by 412W103")
        page.console_errors.clear()
        place(page, "NPG 21").first.click()
        expect(page.get_by_role("heading", level=1)).to_have_text("412W101")
    assert stays()[-1] == ("412W101", "NPG 21", MONDAY)


def test_booking_with_the_keyboard_alone(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    page.goto(f"/allocations/new/?dyno={world.dynos['NPG 1'].pk}&first_day={day(3)}")
    page.get_by_label("Vehicle").focus()
    page.keyboard.type("412W101")
    page.keyboard.press("Tab")
    page.keyboard.type("Brake")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Book NPG 1")).to_be_visible()
    page.get_by_role("button", name="Book NPG 1").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#toasts")).to_contain_text("Booked: 412W101 on NPG 1, 19 – ")
    assert stays() == [("412W101", "NPG 1", day(3))]


@pytest.mark.parametrize(
    ("address", "label", "next_id"),
    [
        ("/allocations/new/", "First day", "id_days"),
        ("/maintenance/new/", "Reason", "id_reference"),
    ],
)
def test_form_half_filled_in_does_not_take_the_focus(browser_page, committed_world, address, label, next_id):
    page = browser_page
    page.sign_in(committed_world.users["admin"])
    page.goto(address)
    page.get_by_label(label).fill("2026-11-19" if label == "First day" else "Broken")
    with page.expect_response(lambda answer: address in answer.url):
        page.get_by_label(label).blur()
        page.locator(f"#{next_id}").focus()
    expect(page.locator(f"#{next_id}")).to_be_focused()
    expect(page.get_by_label(label)).to_have_value("2026-11-19" if label == "First day" else "Broken")


def test_list_narrows_while_typing(browser_page, committed_world):
    page, world = browser_page, committed_world
    page.sign_in(world.users["scheduler"])
    page.goto("/vehicles/")
    page.get_by_label("Search the vehicles").fill("w103")
    expect(page.locator(".row-link")).to_have_text(["412W103"])
    expect(page).to_have_url(re.compile(r"q=w103"))
    expect(page.get_by_label("Search the vehicles")).to_be_focused()


def test_move_and_undo(browser_page, committed_world):
    page, world = browser_page, committed_world
    booked = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    page.sign_in(world.users["scheduler"])
    page.goto(f"/allocations/{booked.pk}/")
    page.get_by_role("link", name="Show free places").click()
    place(page, "NPG 21").first.click()
    expect(page.locator(".lead")).to_contain_text("Brake on NPG 21")
    page.get_by_role("button", name=re.compile("^Undo")).first.click()
    expect(page.locator(".lead")).to_contain_text("Brake on NPG 1,")
    booked.refresh_from_db()
    assert booked.dyno.name == "NPG 1"


def test_workbook_is_brought_in_with_progress(browser_page, committed_world, celery_worker):
    page, world = browser_page, committed_world
    page.sign_in(world.users["admin"])
    page.goto("/import/")
    page.get_by_label("Workbook", exact=True).set_input_files(SAMPLE)
    page.get_by_role("button", name="Check the workbook").click()
    page.get_by_role("button", name="Bring it in").click(timeout=60_000)
    expect(page.get_by_text("The workbook is in")).to_be_visible(timeout=90_000)
    assert Allocation.objects.filter(ground=world.north).count() > 200


def addresses(world: World) -> list[str]:
    """One of every page, with something on it."""
    booked = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    change = create_request(
        world.vehicles["412W102"].pk,
        test_type_id=world.tests["Brake"].pk,
        days=3,
        due_date=day(1),
        actor=world.actor(),
    )
    wish = change.items[0]["id"]
    admin = world.actor("admin")
    window = window_of(
        set_maintenance(world.dynos["NPG 2"].pk, first_day=day(3), last_day=day(4), kind="outage", actor=admin)
    )
    dyno, vehicle, test_type = world.dynos["NPG 1"].pk, booked.vehicle_id, world.tests["Brake"].pk
    return [
        f"/allocations/new/?vehicle=412W103&test_type={test_type}&first_day={MONDAY}&days=3&dyno={dyno}",
        "/allocations/new/?find=1",
        f"/allocations/{booked.pk}/?places=1",
        f"/allocations/{booked.pk}/cancel/",
        "/requests/",
        "/requests/new/",
        f"/requests/{wish}/",
        f"/requests/{wish}/cancel/",
        "/vehicles/",
        f"/vehicles/{vehicle}/",
        f"/vehicles/{vehicle}/change/",
        "/dynos/",
        f"/dynos/{dyno}/",
        f"/dynos/{dyno}/change/",
        f"/maintenance/new/?dyno={dyno}&first_day={MONDAY}&last_day={day(1)}",
        f"/maintenance/{window.pk}/",
        f"/maintenance/{window.pk}/change/",
        f"/maintenance/{window.pk}/lift/",
        "/changes/",
        "/changes/?q=nothing+like+it",
        "/import/",
    ]


@pytest.mark.parametrize(
    ("look", "options"),
    [("light", {}), ("dark", {"color_scheme": "dark"}), ("phone", {"viewport": "phone"})],
)
def test_axe_finds_no_fault_and_nothing_sticks_out(look, options, asgi_server, browser, committed_world):
    pages = addresses(committed_world)
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(committed_world.users["admin"])
        problems = {}
        for address in pages:
            page.goto(address)
            faults = violations(page)
            wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
            if faults or wide > 0:
                problems[address] = [*faults, *([f"{wide} px too wide"] if wide > 0 else [])]
    assert problems == {}

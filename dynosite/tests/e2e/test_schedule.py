"""The calendar in a browser: live rows, keyboard, card, filters, no JavaScript, accessibility."""

import re

import pytest
from playwright.sync_api import Page, expect

from allocations.models import Allocation, ProvingGround
from allocations.services.booking import move
from allocations.tests.boards import fill_board, maintain
from allocations.tests.world import MONDAY, World, allocation_of, day
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

ADDRESS = f"/g/NORTH/schedule/?from={MONDAY}&to={day(48)}"


@pytest.fixture(autouse=True)
def _today(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(4))


@pytest.fixture
def booked(committed_world: World) -> World:
    world = committed_world
    world.book("412W101", "NPG 1", 1, 4)
    world.book("412W102", "NPG 1", 7, 9, test="4K Certification")
    world.book("412W103", "NPG 2", 6, 12, test="4K Certification")
    world.book("412W101", "NPG 21", 20, 20)
    maintain(world.dynos["NPG 3"], day(8), day(11), reason="Roller service")
    return world


@pytest.fixture
def schedule(browser_page: Page, booked: World) -> Page:
    browser_page.sign_in(booked.users["scheduler"])
    browser_page.goto(ADDRESS)
    expect(browser_page.locator("#cal-live")).to_have_attribute("data-state", "live")
    return browser_page


def bar(page: Page, vehicle: str, dyno: str):
    name = page.locator(".cal-name > :first-child").get_by_text(dyno, exact=True)
    return page.locator(".cal-row").filter(has=name).locator(".bar", has_text=vehicle)


def focused(page: Page) -> str:
    return page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")


def test_booking_of_another_user_appears_within_two_seconds(schedule, booked):
    booked.vehicle("412W104")
    booked.book("412W104", "NPG 1", 12, 15, by="admin")
    expect(bar(schedule, "412W104", "NPG 1")).to_be_visible()
    expect(schedule.locator("#cal-counts")).to_contain_text("5 bookings")


def test_move_takes_the_bar_from_one_row_to_the_other_and_keeps_the_focus(schedule, booked):
    allocation = Allocation.objects.get(vehicle__tag="412W102")
    bar(schedule, "412W102", "NPG 1").focus()
    scrolled = schedule.evaluate("document.getElementById('cal-scroll').scrollLeft")
    move(
        allocation.pk,
        dyno_id=booked.dynos["NPG 2"].pk,
        first_day=day(14),
        version=allocation.version,
        actor=booked.actor("admin"),
    )
    expect(bar(schedule, "412W102", "NPG 2")).to_be_visible()
    expect(bar(schedule, "412W102", "NPG 1")).to_have_count(0)
    assert schedule.evaluate("document.getElementById('cal-scroll').scrollLeft") == scrolled
    assert focused(schedule) == "412W102 4K Certification"


def test_filtered_page_stays_filtered_when_it_is_refreshed(schedule, booked):
    schedule.goto(ADDRESS + "&q=412W101")
    expect(schedule.locator("#cal-live")).to_have_attribute("data-state", "live")
    expect(schedule.locator(".cal-row")).to_have_count(2)
    booked.book("412W101", "NPG 2", 30, 31, test="4K Certification", by="admin")
    expect(bar(schedule, "412W101", "NPG 2")).to_be_visible()
    expect(schedule.locator(".cal-row")).to_have_count(3)
    expect(bar(schedule, "412W103", "NPG 2")).to_have_class(re.compile(r"\bdim\b"))


def test_arrows_walk_the_bars_and_enter_opens_the_card(schedule):
    bar(schedule, "412W101", "NPG 1").focus()
    walked = []
    for key in ("ArrowRight", "ArrowDown", "ArrowUp", "Home", "End"):
        schedule.keyboard.press(key)
        walked.append(focused(schedule))
    assert walked == [
        "412W102 4K Certification",
        "412W103 4K Certification",
        "412W102 4K Certification",
        "412W101 Brake",
        "412W102 4K Certification",
    ]
    assert schedule.locator('.cal-body [tabindex="0"]').count() == 1
    schedule.keyboard.press("Enter")
    card = schedule.locator("#card")
    expect(card).to_be_visible()
    expect(card.locator("h2")).to_have_text("412W102")
    schedule.keyboard.press("Escape")
    expect(card).to_be_hidden()
    assert focused(schedule) == "412W102 4K Certification"


def test_tab_passes_the_board_in_one_step(schedule):
    schedule.locator("#cal-scroll").focus()
    schedule.keyboard.press("Tab")
    schedule.keyboard.press("Tab")
    assert schedule.evaluate("Boolean(document.activeElement.closest('.cal-row'))")
    schedule.keyboard.press("Tab")
    assert not schedule.evaluate("Boolean(document.activeElement.closest('.cal-row'))")


def test_free_day_is_reached_by_keyboard_and_leads_to_the_booking_form(schedule, booked):
    dyno = booked.dynos["NPG 1"].pk
    bar(schedule, "412W101", "NPG 1").focus()
    schedule.keyboard.press("Shift+ArrowRight")
    assert focused(schedule) == "Book NPG 1 from Sat 21 Nov"
    schedule.keyboard.press("ArrowRight")
    schedule.keyboard.press("ArrowRight")
    assert focused(schedule) == "Book NPG 1 from Thu 26 Nov"
    schedule.keyboard.press("Enter")
    schedule.wait_for_url(f"**/g/NORTH/allocations/new/?dyno={dyno}&first_day=2026-11-26")


def test_click_on_a_free_day_leads_to_the_booking_form(schedule, booked):
    dyno = booked.dynos["NPG 2"].pk
    lane = schedule.locator(f"#dyno-{dyno} .cal-lane")
    width = schedule.evaluate("document.querySelector('.cal-axis').getBoundingClientRect().width / 49")
    lane.click(position={"x": width * 4.5, "y": 20})
    schedule.wait_for_url(f"**/g/NORTH/allocations/new/?dyno={dyno}&first_day=2026-11-20")


def test_filters_change_the_board_and_the_address_and_going_back_undoes_it(schedule):
    schedule.get_by_label("Dynos that run Brake").check(force=True)
    expect(schedule.locator(".cal-row")).to_have_count(2)
    assert schedule.url.endswith("runs=brake") or "runs=brake&" in schedule.url
    schedule.locator("#schedule-search").fill("w102")
    expect(schedule.locator(".cal-row")).to_have_count(1)
    expect(schedule.locator("#schedule-search")).to_be_focused()
    assert "q=w102" in schedule.url
    schedule.go_back()
    expect(schedule.locator(".cal-row")).to_have_count(2)
    schedule.reload()
    expect(schedule.locator(".cal-row")).to_have_count(2)


def test_zoom_and_days_change_without_a_new_page(schedule):
    schedule.evaluate("window.samePage = true")
    schedule.get_by_role("link", name="Quarter").click()
    expect(schedule.locator(".calendar")).to_have_attribute("data-zoom", "quarter")
    schedule.get_by_role("link", name="Week", exact=True).click()
    expect(schedule.locator(".calendar")).to_have_attribute("data-zoom", "week")
    schedule.get_by_role("link", name="Later").click()
    expect(schedule.locator("h1")).to_have_text("14 Dec 2026 – 31 Jan 2027")
    assert schedule.evaluate("window.samePage") is True


def test_short_range_fills_the_width(schedule):
    schedule.goto(f"/g/NORTH/schedule/?from={MONDAY}&to={day(6)}")
    board, axis = (schedule.locator(name).bounding_box() for name in ("#cal-scroll", ".cal-axis"))
    assert axis["x"] + axis["width"] == pytest.approx(board["x"] + board["width"], abs=1)
    assert 1280 - board["x"] - board["width"] == pytest.approx(board["x"], abs=1)


def test_facility_that_is_folded_stays_folded(schedule):
    fold = schedule.get_by_role("button", name="NPG", exact=True)
    fold.click()
    expect(fold).to_have_attribute("aria-expanded", "false")
    expect(bar(schedule, "412W101", "NPG 1")).to_be_hidden()
    schedule.reload()
    expect(bar(schedule, "412W101", "NPG 1")).to_be_hidden()
    schedule.get_by_role("button", name="NPG", exact=True).click()
    expect(bar(schedule, "412W101", "NPG 1")).to_be_visible()


def test_rows_load_when_they_come_near(browser_page, booked):
    fill_board(booked, dynos=120, per_dyno=2, days=40, first=MONDAY)
    browser_page.sign_in(booked.users["viewer"])
    browser_page.goto(ADDRESS)
    assert 20 <= browser_page.locator(".cal-row").count() <= 60
    browser_page.evaluate("document.getElementById('cal-scroll').scrollTop = 1e6")
    expect(browser_page.locator(".cal-row", has_text="DY-119").locator(".bar")).to_have_count(2)
    assert browser_page.locator(".cal-later").count() >= 1


def test_paper_has_every_row_however_it_is_printed(browser_page, booked):
    fill_board(booked, dynos=120, per_dyno=1, days=40, first=MONDAY)
    browser_page.sign_in(booked.users["viewer"])
    browser_page.goto(ADDRESS)
    assert browser_page.locator(".cal-later").count() >= 1
    browser_page.evaluate("dispatchEvent(new Event('beforeprint'))")
    browser_page.emulate_media(media="print")
    names = browser_page.locator(".sheet tbody .sheet-side")
    expect(names).to_have_count(124)
    assert {"DY-000X", "DY-119X", "NPG 21"} <= {name.split("\n")[0].strip() for name in names.all_inner_texts()}
    expect(browser_page.locator(".sheet-title")).to_contain_text("North Proving Ground")
    assert browser_page.locator(".site-header").is_hidden()
    assert browser_page.locator(".cal-board").is_hidden()
    browser_page.evaluate("dispatchEvent(new Event('afterprint'))")
    browser_page.emulate_media(media="screen")
    expect(browser_page.locator(".sheet")).to_have_count(0)
    expect(browser_page.locator(".cal-board")).to_be_visible()


def test_theme_is_switched_at_once_and_kept(schedule):
    schedule.get_by_role("button", name="Switch to the dark theme").click()
    assert schedule.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 16, 22)"
    schedule.reload()
    assert schedule.evaluate("document.documentElement.dataset.theme") == "dark"


def test_expired_session_moves_the_page_to_sign_in(schedule):
    schedule.context.clear_cookies()
    schedule.get_by_role("link", name="Month").click()
    schedule.wait_for_url("**/accounts/sign-in/?next=*")
    expect(schedule.get_by_role("heading", name="Sign in")).to_be_visible()


def test_lost_right_ends_the_stream(schedule, booked, monkeypatch):
    from dynosite.lib import sse

    monkeypatch.setattr(sse, "HEARTBEAT", 0.2)
    monkeypatch.setattr(sse, "CHECKED_EVERY", 0.2)
    schedule.reload()
    expect(schedule.locator("#cal-live")).to_have_attribute("data-state", "live")
    booked.users["scheduler"].memberships.all().delete()
    expect(schedule.locator("#cal-live")).to_contain_text("You may no longer look at this proving ground")
    schedule.console_errors.clear()  # the 404 that says so


def test_everything_works_without_javascript(browser, asgi_server, booked):
    with open_page(browser, asgi_server.url, java_script_enabled=False) as page:
        page.sign_in(booked.users["scheduler"])
        page.goto(ADDRESS)
        expect(page.locator(".bar")).to_have_count(5)
        page.get_by_label("Dynos that run Brake").check(force=True)
        page.get_by_role("button", name="Apply").last.click()
        expect(page.locator(".cal-row")).to_have_count(2)
        page.get_by_role("link", name="Month").click()
        expect(page.locator(".calendar")).to_have_attribute("data-zoom", "month")
        expect(page.locator(".cal-row")).to_have_count(2)
        page.get_by_role("button", name="Switch to the dark theme").click()
        expect(page.locator("html")).to_have_attribute("data-theme", "dark")
        booking = Allocation.objects.get(dyno=booked.dynos["NPG 21"])
        expect(page.locator(f"#a{booking.pk}")).to_have_attribute("href", f"/g/NORTH/allocations/{booking.pk}/")
        expect(page.locator("#cal-live")).to_contain_text("As of")


def test_deferred_rows_are_a_link_without_javascript(browser, asgi_server, booked):
    fill_board(booked, dynos=90, per_dyno=1, days=40, first=MONDAY)
    with open_page(browser, asgi_server.url, java_script_enabled=False) as page:
        page.sign_in(booked.users["viewer"])
        page.goto(ADDRESS)
        page.locator(".cal-later a").last.click()
        expect(page.locator(".cal-row", has_text="DY-089")).to_have_count(1)
        expect(page.locator(".cal-later")).to_have_count(0)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_no_fault(browser, asgi_server, booked, look):
    booked.book("412W102", "NPG 2", 30, 31, test="4K Certification")
    running = allocation_of(booked.book("412W103", "NPG 2", 2, 5, test="4K Certification"))
    Allocation.objects.filter(pk=running.pk).update(status="running")
    options = {"viewport": "phone"} if look == "phone" else {"color_scheme": look}
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(booked.users["scheduler"])
        page.goto(ADDRESS)
        expect(page.locator(".bar.status-running")).to_have_count(1)
        assert violations(page) == []
        page.locator(".bar.status-running").click()
        expect(page.locator("#card h2")).to_have_text("412W103")
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Filter").click()
        expect(page.locator("#filter-menu")).to_be_visible()
        assert violations(page) == []


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
@pytest.mark.parametrize("address", ["/accounts/sign-in/", "/schedule/?ground=SOUTH", "/schedule/?q=nothing+like+it"])
def test_axe_finds_no_fault_on_pages_round_it(browser, asgi_server, booked, look, address):
    options = {"viewport": "phone"} if look == "phone" else {"color_scheme": look}
    with open_page(browser, asgi_server.url, **options) as page:
        if "sign-in" not in address:
            page.sign_in(booked.users["viewer"])
        page.goto(address)
        assert violations(page) == []
        page.console_errors.clear()  # the 404 itself


@pytest.mark.parametrize("width", [1440, 390])
def test_every_bar_of_a_week_shows_its_vehicle_at_the_widest_zoom(browser_page: Page, booked: World, width):
    browser_page.set_viewport_size({"width": width, "height": 800})
    browser_page.sign_in(booked.users["scheduler"])
    browser_page.goto(f"/g/NORTH/schedule/?zoom=quarter&from={MONDAY}")
    item = bar(browser_page, "412W103", "NPG 2")
    fits = item.evaluate("""bar => {
        const box = bar.getBoundingClientRect(), words = bar.querySelector("b").getBoundingClientRect();
        const inside = words.top >= box.top && words.bottom <= box.bottom && words.right <= box.right;
        return [inside, words.width > 20, getComputedStyle(bar.firstElementChild).opacity];
    }""")
    assert fits == [True, True, "1"]
    tip = "412W101, Brake. Scheduled, 6 Dec"
    single = bar(browser_page, "412W101", "NPG 21")
    expect(single).to_have_attribute("title", tip)
    browser_page.keyboard.press("Tab")
    single.focus()
    assert single.evaluate("bar => getComputedStyle(bar, '::before').content") == f'"{tip}"'

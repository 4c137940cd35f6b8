"""Lists that keep up with what others do, and what the live light says when it may not listen."""

import datetime as dt
import re
import zoneinfo

import pytest
from playwright.sync_api import expect

from allocations.enums import Role
from allocations.models import Allocation, ProvingGround, Vehicle
from allocations.services.booking import move
from allocations.services.fleet import add_vehicle
from allocations.services.requests import create_request
from allocations.tests.world import World, allocation_of, day
from dynosite.lib import sse

SCHEDULE = "/g/NORTH/schedule/"


def ask_for(world: World, vehicle: str, days: int = 3) -> None:
    create_request(
        world.vehicles[vehicle].pk, test_type_id=world.tests["Brake"].pk, days=days, actor=world.actor("admin")
    )


@pytest.fixture
def listening(browser_page, committed_world):
    """Opens a page as the scheduler and returns it once its stream is open."""
    browser_page.sign_in(committed_world.users["scheduler"])

    def start(address: str):
        with browser_page.expect_response(lambda answer: "/schedule/stream/" in answer.url):
            browser_page.goto(address)
        return browser_page

    return start


def test_list_shows_by_itself_what_another_asks_for(listening, committed_world):
    page = listening("/requests/")
    ask_for(committed_world, "412W101")
    expect(page.locator(".row-link")).to_have_text(["412W101"])
    expect(page.locator("#list tr.is-new")).to_have_count(1)
    expect(page.locator("#live-line")).to_be_empty()


def test_list_in_use_stays_as_it_is_and_offers_what_is_new(listening, committed_world):
    ask_for(committed_world, "412W101")
    page = listening("/requests/")
    link = page.get_by_role("link", name="Find a place")
    link.focus()
    ask_for(committed_world, "412W102")
    expect(page.locator("#live-line")).to_contain_text("This list has changed.")
    expect(link).to_be_focused()
    expect(page.locator(".row-link")).to_have_text(["412W101"])
    page.get_by_role("button", name="Show").click()
    expect(page.locator(".row-link")).to_have_text(["412W101", "412W102"])
    expect(page.locator("#live-line")).to_be_empty()
    expect(page.locator("#list")).to_be_focused()


def test_a_tab_keeps_its_ground_whatever_another_chooses(browser_page, committed_world):
    """The scenario of a scheduler of two grounds with a tab for each."""
    world = committed_world
    browser_page.sign_in(world.user("both", north=Role.SCHEDULER, south=Role.SCHEDULER))
    with browser_page.expect_response(lambda answer: "/schedule/stream/" in answer.url):
        browser_page.goto("/vehicles/?ground=NORTH")
    expect(browser_page).to_have_url(re.compile(r"/g/NORTH/vehicles/$"))
    other = browser_page.context.new_page()
    other.goto("/schedule/?ground=SOUTH")
    expect(other.locator(".ground-name").first).to_have_text("South Test Centre")
    browser_page.bring_to_front()
    add_vehicle(world.north.pk, actor=world.actor("admin"), tag="777W001", drive="AWD", weight_class="<10K")
    expect(browser_page.locator("#list")).to_contain_text("777W001")
    expect(browser_page.locator("#list")).to_contain_text("412W101")
    expect(browser_page.locator("#list")).not_to_contain_text("365W201")
    browser_page.get_by_role("link", name="Program").click()
    expect(browser_page).to_have_url(re.compile(r"/g/NORTH/vehicles/\?sort=program$"))
    expect(browser_page.locator("#list")).not_to_contain_text("365W201")
    browser_page.get_by_role("link", name="New vehicle").click()
    browser_page.get_by_label("Tag").fill("777W002")
    browser_page.locator("#id_drive").select_option("AWD")
    browser_page.locator("#id_weight_class").select_option("<10K")
    browser_page.get_by_role("button", name="Add", exact=False).click()
    expect(browser_page.locator("h1")).to_have_text("777W002")
    assert Vehicle.objects.get(tag="777W002").ground == world.north


def test_filtered_list_stays_filtered(listening, committed_world):
    page = listening("/vehicles/?q=w103")
    ask_for(committed_world, "412W101")
    ask_for(committed_world, "412W103")
    expect(page.locator("#list tbody tr")).to_have_count(1)
    expect(page.locator("#list tbody tr")).to_contain_text("1")


def shift(booked: Allocation, dyno: str, first: int, world: World) -> None:
    booked.refresh_from_db()
    move(
        booked.pk,
        dyno_id=world.dynos[dyno].pk,
        first_day=day(first),
        version=booked.version,
        actor=world.actor("admin"),
    )


def test_page_of_a_vehicle_and_notices_keep_up(listening, committed_world, monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(0))
    world = committed_world
    booked = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    page = listening(f"/vehicles/{booked.vehicle_id}/")
    shift(booked, "NPG 21", 4, world)
    expect(page.locator("#list")).to_contain_text("NPG 21")
    page = listening("/notices/")
    shift(booked, "NPG 1", 9, world)
    expect(page.locator(".notice")).to_have_count(2)


def test_hidden_tab_gives_its_connection_back_and_catches_up(listening, browser_page, committed_world):
    browser_page.clock.install()
    page = listening(SCHEDULE)
    expect(page.locator("#cal-live")).to_have_attribute("data-state", "live")
    look = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    look += " document.dispatchEvent(new Event('visibilitychange')); }"
    with page.expect_event("requestfailed", lambda request: "/stream/" in request.url):
        page.evaluate(look, True)
        page.clock.fast_forward(11_000)
    booked = allocation_of(committed_world.book("412W101", "NPG 1", 0, 2, by="admin"))
    expect(page.locator(f"#a{booked.pk}")).to_have_count(0)
    page.evaluate(look, False)
    expect(page.locator(f"#a{booked.pk}")).to_be_visible()


@pytest.fixture
def stuck(browser_page):
    """Lets no stream open any more, as a server that stands still; what is called with it lets them open again."""
    streams = "**/schedule/stream/*"
    waiting = []

    def start():
        browser_page.route(streams, lambda route: waiting.append(route))

        return lambda: browser_page.unroute(streams)

    return start


@pytest.mark.parametrize(("address", "line"), [(SCHEDULE, "#cal-live"), ("/requests/", "#live-line")])
def test_silence_is_said_and_ended(listening, browser_page, committed_world, stuck, address, line):
    browser_page.clock.install()
    page = listening(address)
    end = stuck()
    with page.expect_request("**/schedule/stream/*"):
        page.clock.fast_forward(16_000)
    expect(page.locator(line)).to_have_text(re.compile(r"^\s*Nothing heard since \d\d:\d\d\s*$"))
    end()
    with page.expect_response(lambda answer: "/schedule/stream/" in answer.url):
        page.clock.fast_forward(16_000)
    expect(page.locator(line)).to_have_text(re.compile(r"^\s*Live" if address == SCHEDULE else r"^\s*$"))
    ask_for(committed_world, "412W101")
    if address != SCHEDULE:
        expect(page.locator(".row-link")).to_have_text(["412W101"])
    page.console_errors.clear()


def test_beats_keep_the_light_on(browser_page, listening, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT", 0.1)
    browser_page.clock.install()
    browser_page.add_init_script("""
        const Native = EventSource;
        window.EventSource = class extends Native {
          constructor(address) {
            super(address);
            this.addEventListener("beat", () => (document.documentElement.dataset.beat = "heard"));
          }
        };""")
    page = listening(SCHEDULE)
    for _ in range(3):
        page.clock.fast_forward(10_000)
        page.evaluate("document.documentElement.dataset.beat = ''")
        expect(page.locator("html")).to_have_attribute("data-beat", "heard")
    expect(page.locator("#cal-live")).to_have_attribute("data-state", "live")


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(404, "You may no longer look at this proving ground"), (429, "Too many live pages: trying again")],
)
def test_live_light_says_why_it_may_not_listen(browser_page, committed_world, status, sentence):
    page = browser_page
    page.sign_in(committed_world.users["scheduler"])
    page.route("**/schedule/stream/*", lambda route: route.fulfill(status=status, body=""))
    page.goto(SCHEDULE)
    expect(page.locator("#cal-live")).to_have_text(sentence)
    page.console_errors.clear()


def test_figures_of_the_header_follow_others(listening, committed_world):
    page = listening("/vehicles/")
    tab = page.locator(".tabs [data-figure=requests]")
    expect(tab).to_be_empty()
    ask_for(committed_world, "412W102")
    expect(tab).to_have_text("1 waiting")


@pytest.fixture
def before_midnight(browser_page, monkeypatch):
    """A minute before the proving ground's midnight; what it gives turns the day when it is called."""
    date = dt.datetime.combine(day(4), dt.time(23, 59), tzinfo=zoneinfo.ZoneInfo("America/Detroit"))
    monkeypatch.setattr(ProvingGround, "today", lambda ground: day(4))
    browser_page.clock.install(time=date)

    def turn():
        monkeypatch.setattr(ProvingGround, "today", lambda ground: day(5))
        browser_page.clock.fast_forward(90_000)

    return turn


def test_midnight_turns_the_calendar(listening, committed_world, before_midnight):
    booked = allocation_of(committed_world.book("412W101", "NPG 1", 4, 6))
    page = listening(f"{SCHEDULE}?from={day(0)}&to={day(48)}")
    bar, board = page.locator(f"#a{booked.pk}"), page.locator(".calendar")
    expect(bar).not_to_have_class(re.compile("status-unstarted"))
    before = int(board.get_attribute("data-today"))
    before_midnight()
    expect(bar).to_have_class(re.compile("status-unstarted"))
    expect(board).to_have_attribute("data-today", f"{before + 1}")


def test_midnight_turns_a_list(listening, committed_world, before_midnight):
    committed_world.book("412W101", "NPG 1", 5, 6)
    page = listening("/dynos/")
    row = page.locator("#list tr", has=page.get_by_role("link", name="NPG 1", exact=True))
    expect(row).to_contain_text("Free")
    before_midnight()
    expect(row).to_contain_text("412W101")


def test_page_that_slept_through_midnight_turns_when_it_is_looked_at(listening, committed_world, before_midnight):
    booked = allocation_of(committed_world.book("412W101", "NPG 1", 4, 6))
    page = listening(SCHEDULE)
    look = "(hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    look += " document.dispatchEvent(new Event('visibilitychange')); }"
    page.evaluate(look, True)
    before_midnight()
    expect(page.locator(f"#a{booked.pk}")).not_to_have_class(re.compile("status-unstarted"))
    page.evaluate(look, False)
    expect(page.locator(f"#a{booked.pk}")).to_have_class(re.compile("status-unstarted"))

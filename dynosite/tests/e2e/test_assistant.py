"""The assistant's panel in a browser, with a real worker: the offline model, and Gemini played by a stub."""

import re
import threading

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect

from allocations.models import Allocation
from allocations.services.requests import create_request
from allocations.tests.world import MONDAY, World, allocation_of, day
from assistant import streams
from assistant.models import Conversation, Feedback, Proposal, Run
from assistant.providers.tests import gemini_stub
from assistant.turns import running
from dynosite.lib import clock
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations
from dynosite.tests.servers import wait_until

SCHEDULE = f"/g/NORTH/schedule/?from={MONDAY}&to={day(48)}"
BOOK = "Allocate 412W101 for a 4K certification next Monday for 3 days"


@pytest.fixture(autouse=True)
def _today():
    with clock.day_is(day(2)):
        yield


@pytest.fixture
def world(committed_world: World) -> World:
    return committed_world


def booked() -> list[tuple[str, str, str]]:
    allocations = Allocation.objects.filter(ground__code="NORTH").exclude(status="cancelled").order_by("pk")
    return [(row.vehicle.tag, str(row.first_day), str(row.last_day)) for row in allocations.select_related("vehicle")]


def start(page: Page, world: World, user: str = "scheduler", address: str = SCHEDULE) -> Page:
    page.sign_in(world.users[user])
    page.goto(address)
    page.keyboard.press("/")
    expect(page.locator("#ai-talk")).to_be_visible()
    return page


def ask(page: Page, text: str) -> None:
    page.locator("#ai-text").fill(text)
    page.keyboard.press("Enter")


def settled(page: Page) -> None:
    expect(page.locator(".ai-turn[data-status]")).not_to_have_count(0)
    expect(page.locator(".ai-turn[data-events]")).to_have_count(0)


def focused(page: Page) -> str:
    return page.evaluate(
        "(document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent).trim()"
    )


@pytest.fixture
def offline(browser_page, world, offline_worker) -> Page:
    return start(browser_page, world)


@pytest.fixture
def hosted(browser_page, world, hosted_worker, settings) -> Page:
    settings.ASSISTANT_MODELS = ["google_genai:gemini-2.5-flash"]
    return start(browser_page, world)


def test_a_booking_from_the_question_to_the_calendar_and_back(offline):
    page = offline
    ask(page, BOOK)
    card = page.locator(".ai-card.is-waiting")
    expect(card.locator("h4")).to_have_text(re.compile(r"Book 412W101 on NPG \d"))
    expect(card).to_contain_text("23 – 25 Nov 2026 (3 days)")
    expect(page.locator(".bar-proposal")).to_contain_text("412W101")
    expect(page.locator(".header-end [data-ai-waiting]")).to_contain_text("1")
    assert booked() == []
    card.get_by_role("button", name="Approve").click()
    expect(page.locator(".ai-card.is-approved")).to_contain_text("Approved")
    expect(page.locator(".calendar a.bar", has_text="412W101")).to_be_visible()
    expect(page.locator(".bar-proposal")).to_have_count(0)
    expect(page.locator(".header-end [data-ai-waiting]")).to_be_hidden()
    assert booked() == [("412W101", "2026-11-23", "2026-11-25")]
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".ai-card.is-undone")).to_contain_text("Undone")
    expect(page.locator(".calendar a.bar", has_text="412W101")).to_have_count(0)
    assert booked() == []


def test_everything_is_in_place_after_a_reload_and_in_another_tab(offline):
    page = offline
    ask(page, BOOK)
    expect(page.locator(".ai-card.is-waiting")).to_be_visible()
    settled(page)
    page.locator("#ai-talk").get_by_text("Looked for a place").click()
    page.reload()
    expect(page.locator(".ai-said p")).to_have_text(BOOK)
    expect(page.locator(".ai-card.is-waiting")).to_be_visible()
    expect(page.locator(".bar-proposal")).to_have_count(1)
    other = page.context.new_page()
    other.goto("/vehicles/")
    expect(other.locator(".ai-card.is-waiting")).to_be_visible()
    other.get_by_role("button", name="Approve").click()
    expect(other.locator(".ai-card.is-approved")).to_be_visible()
    expect(page.locator(".ai-card.is-approved")).to_be_visible()
    expect(page.locator(".bar-proposal")).to_have_count(0)
    assert booked() == [("412W101", "2026-11-23", "2026-11-25")]


def test_first_words_do_not_wait_for_the_answers_end(hosted, stub):
    page = hosted
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("NPG 1 ", go_on, "is free."))
    ask(page, "Is NPG 1 free?")
    expect(page.locator(".ai-live")).to_have_text("NPG 1 ")
    go_on.set()
    expect(page.locator(".ai-answer .ai-prose")).to_have_text("NPG 1 is free.")
    expect(page.locator(".ai-live")).to_have_count(0)
    expect(page.locator(".ai-by")).to_have_text("gemini-2.5-flash")
    expect(page.locator("#ai-say")).to_have_text("NPG 1 is free.")


def test_a_model_that_is_silent_is_told_of_until_it_speaks(hosted, stub):
    page = hosted
    go_on = threading.Event()
    stub.answers(gemini_stub.steps(go_on, "NPG 1 ", "is free."))
    ask(page, "Is NPG 1 free?")
    working = page.locator("[data-ai-working]")
    wait_until(lambda: stub.requests, "a call of the model")
    streams.publish(Run.objects.get().pk, "status", status="running", sentence=running.SILENT)
    expect(working).to_have_text("The model has not answered for 10 s; still waiting…")
    expect(page.locator("#ai-say")).to_have_text("The model has not answered for 10 s; still waiting…")
    go_on.set()
    expect(page.locator(".ai-answer .ai-prose")).to_have_text("NPG 1 is free.")
    expect(working).to_have_count(0)


def test_an_answer_that_breaks_off_says_so(hosted, stub):
    page = hosted
    stub.answers(gemini_stub.finishing("MAX_TOKENS", "The free dynos are ", "NPG 1, NPG"))
    ask(page, "Which dynos are free?")
    expect(page.locator(".ai-answer .ai-cut")).to_have_text("The answer breaks off here.")
    expect(page.locator(".ai-note")).to_contain_text("it reached the longest that the model may write at once")
    settled(page)


def test_a_row_of_a_plan_s_card_is_unticked(offline, world):
    page = offline
    for tag in ("412W101", "412W102"):
        create_request(
            world.vehicles[tag].pk,
            test_type_id=world.tests["Brake"].pk,
            days=3,
            actor=world.actor(),
        )
    ask(page, "place the 30 most urgent")
    card = page.locator(".ai-card.is-waiting")
    expect(card.locator("h4")).to_have_text("Place 2 waiting requests")
    card.get_by_role("link", name="Edit").click()
    page.get_by_role("checkbox", name="412W102, Brake").uncheck()
    page.get_by_role("button", name="Check the change").click()
    fresh = page.locator(".ai-card.is-waiting")
    expect(fresh.locator("h4")).to_have_text("Place 1 waiting request")
    expect(fresh).to_contain_text("412W101, Brake")


def test_a_reload_in_mid_run_comes_back_to_what_was_said_and_goes_on(hosted, stub):
    page = hosted
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("NPG 1 ", go_on, "is free."))
    ask(page, "Is NPG 1 free?")
    expect(page.locator(".ai-live")).to_have_text("NPG 1 ")
    page.reload()
    expect(page.locator(".ai-live")).to_have_text("NPG 1 ")
    expect(page.get_by_role("button", name="Stop").last).to_be_visible()
    other = page.context.new_page()
    other.goto("/vehicles/")
    expect(other.locator(".ai-live")).to_have_text("NPG 1 ")
    go_on.set()
    for tab in (page, other):
        expect(tab.locator(".ai-answer .ai-prose")).to_have_text("NPG 1 is free.")
        expect(tab.locator(".ai-live")).to_have_count(0)
    assert Run.objects.count() == 1


def test_stop_ends_the_answer_and_keeps_what_was_said(hosted, stub):
    page = hosted
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("All dynos ", go_on, "are free."), gemini_stub.text("None."))
    ask(page, "Which dynos are free?")
    expect(page.locator(".ai-live")).to_have_text("All dynos ")
    page.locator(".ai-composer").get_by_role("button", name="Stop").click()
    expect(page.locator(".ai-note")).to_contain_text("You stopped this here.")
    go_on.set()
    expect(page.locator(".ai-answer .ai-prose")).to_have_text("All dynos")
    expect(page.locator(".ai-composer").get_by_role("button", name="Send")).to_be_focused()
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".ai-answer .ai-prose").last).to_have_text("None.")
    settled(page)
    assert [run.status for run in Run.objects.order_by("created_at")] == ["stopped", "done"]


def test_half_an_answer_is_dropped_when_another_model_takes_over(hosted, stub):
    page = hosted
    stub.answers(gemini_stub.cut_after("Half an ans"), gemini_stub.text("The whole answer."))
    ask(page, "Which dynos are free?")
    expect(page.locator(".ai-answer .ai-prose")).to_have_text("The whole answer.")
    settled(page)
    expect(page.locator("#ai-log")).not_to_contain_text("Half an ans")


def test_hostile_words_of_a_model_load_and_lead_nowhere(hosted, stub):
    page = hosted
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    words = "<img src=x onerror=alert(1)> ![p](https://evil.example/p.png) [go](javascript:alert(1)) [own](/dynos/)"
    stub.answers(gemini_stub.text(words))
    ask(page, "hello")
    expect(page.locator(".ai-answer a")).to_have_text(["own"])
    settled(page)
    assert page.locator(".ai-answer img").count() == 0
    assert [url for url in urls if "evil.example" in url] == []


def test_words_are_drawn_as_they_come_and_lead_nowhere(hosted, stub):
    page = hosted
    go_on = threading.Event()
    hostile = "<img src=x onerror=alert(1)> [go](//evil.example/)"
    first = f"**NPG 1** is free:\n\n- `Monday`\n- {hostile}\n\n| Dyno |\n|---|\n| NP"
    stub.answers(gemini_stub.steps(first, go_on, "G 2 |\n"))
    ask(page, "Which dynos are free?")
    live = page.locator(".ai-live")
    expect(live.locator("strong")).to_have_text("NPG 1")
    expect(live.locator("li")).to_have_text(["Monday", "<img src=x onerror=alert(1)> go"])
    expect(live.locator("td")).to_have_text("NP")
    assert live.locator("img, a").count() == 0
    streamed_names = live.locator("*").evaluate_all("all => all.map(({ localName }) => localName)")
    go_on.set()
    expect(page.locator(".ai-answer td")).to_have_text("NPG 2")
    settled(page)
    final_names = page.locator(".ai-answer .ai-prose *").evaluate_all("all => all.map(({ localName }) => localName)")
    assert streamed_names == [name for name in final_names if name != "a"]


def test_the_whole_way_by_keyboard(offline, world):
    page = offline
    assert focused(page) == "Message the assistant"
    page.keyboard.type(BOOK)
    page.keyboard.press("Enter")
    expect(page.locator(".ai-card.is-waiting")).to_be_visible()
    settled(page)
    expect(page.locator("#ai-say")).to_contain_text("A change needs your approval.")
    for _ in range(20):
        page.keyboard.press("Shift+Tab")
        if focused(page) == "Approve":
            break
    assert focused(page) == "Approve"
    page.keyboard.press("Enter")
    expect(page.locator(".ai-card.is-approved")).to_be_visible()
    expect(page.get_by_role("button", name="Undo")).to_be_focused()
    expect(page.locator("#ai-say")).to_contain_text("Approved")
    page.keyboard.press("Enter")
    expect(page.locator(".ai-card.is-undone")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("#assistant")).to_be_hidden()
    assert booked() == []


def test_slash_opens_escape_closes_and_ctrl_k_searches(browser_page, world):
    page = browser_page
    page.sign_in(world.users["viewer"])
    page.goto(SCHEDULE)
    expect(page.locator("#assistant")).to_be_hidden()
    page.keyboard.press("/")
    expect(page.locator("#ai-text")).to_be_focused()
    page.keyboard.type("a/b")
    expect(page.locator("#ai-text")).to_have_value("a/b")
    page.keyboard.press("Escape")
    expect(page.locator("#assistant")).to_be_hidden()
    page.keyboard.press("Control+k")
    expect(page.locator("#schedule-search")).to_be_focused()
    toggle = page.get_by_role("button", name="Assistant", exact=True)
    expect(toggle).to_have_attribute("aria-expanded", "false")
    toggle.click()
    expect(toggle).to_have_attribute("aria-expanded", "true")


def test_width_is_changed_by_key_and_pointer_and_comes_from_the_server_again(browser_page, world):
    page = start(browser_page, world)
    handle = page.get_by_role("separator", name="Width of the assistant")
    handle.focus()
    page.keyboard.press("ArrowLeft")
    expect(handle).to_have_attribute("aria-valuenow", "388")
    box = handle.bounding_box()
    page.mouse.move(box["x"] + 6, box["y"] + 200)
    page.mouse.down()
    page.mouse.move(box["x"] + 6 - 60, box["y"] + 200)
    page.mouse.up()
    width = page.locator("#assistant").bounding_box()["width"]
    assert width == pytest.approx(448, abs=3)
    page.goto("/vehicles/")
    assert page.locator("#assistant").bounding_box()["width"] == width
    # Nothing jumps: it is drawn so before any script runs.
    assert f'style="--panel:{round(width)}px"' in page.request.get("/vehicles/").text()


def test_an_edit_shows_errors_beside_the_field_keeps_what_was_typed_and_makes_a_new_card(offline):
    page = offline
    ask(page, BOOK)
    card = page.locator(".ai-card.is-waiting")
    card.get_by_role("link", name="Edit").click()
    vehicle = page.get_by_label("Vehicle", exact=True)
    expect(vehicle).to_be_focused()
    vehicle.fill("999X999")
    page.get_by_role("button", name="Check the change").click()
    expect(page.get_by_role("alert")).to_contain_text("999X999")
    expect(vehicle).to_have_value("999X999")
    page.console_errors.clear()  # the 422 itself
    vehicle.fill("412W101")
    page.get_by_label("First day").fill("2026-12-07")
    page.get_by_role("button", name="Check the change").click()
    expect(page.locator(".ai-card.is-replaced")).to_contain_text("Edited: see the newer card")
    expect(card).to_contain_text("7 – 9 Dec 2026 (3 days)")
    assert Proposal.objects.filter(status="waiting").count() == 1


def test_an_edit_puts_what_was_found_on_another_dyno(offline):
    page = offline
    ask(page, BOOK)
    card = page.locator(".ai-card.is-waiting")
    dyno_name = re.search(r"NPG \d", card.locator("h4").inner_text())[0]
    other = "NPG 2" if dyno_name == "NPG 1" else "NPG 1"
    card.get_by_role("link", name="Edit").click()
    dyno = page.get_by_label("Dyno", exact=True)
    expect(dyno.locator("option:checked")).to_have_text(f"Best free ({dyno_name})")
    dyno.select_option("NPG 3")
    page.get_by_role("button", name="Check the change").click()
    expect(page.get_by_role("alert")).to_contain_text("NPG 3 does not run the test type 4K Certification")
    page.console_errors.clear()  # the 422 itself
    dyno.select_option(other)
    page.get_by_role("button", name="Check the change").click()
    expect(card.locator("h4")).to_have_text(f"Book 412W101 on {other}")
    card.get_by_role("button", name="Approve").click()
    expect(page.locator(".ai-card.is-approved")).to_be_visible()
    assert [row.dyno.name for row in Allocation.objects.filter(ground__code="NORTH")] == [other]


def test_a_rejection_takes_a_word_of_why_and_the_bar_goes(offline):
    page = offline
    ask(page, BOOK)
    expect(page.locator(".bar-proposal")).to_have_count(1)
    page.locator(".ai-reject summary").click()
    expect(page.get_by_label("Why?")).to_be_focused()
    page.keyboard.type("Wrong week")
    page.keyboard.press("Enter")
    expect(page.locator(".ai-card.is-rejected")).to_contain_text("“Wrong week”")
    expect(page.locator(".bar-proposal")).to_have_count(0)
    assert Proposal.objects.get().word == "Wrong week"


def test_several_are_approved_at_once_by_keyboard(offline):
    page = offline
    for vehicle, number in (("412W101", 1), ("412W102", 2)):
        ask(page, f"Book {vehicle} on NPG {number} for a 4K certification next Monday for 3 days")
        expect(page.locator(".ai-card.is-waiting")).to_have_count(number)
        settled(page)
    page.get_by_role("button", name="Approve all").press("Enter")
    expect(page.locator(".ai-card.is-approved")).to_have_count(2)
    expect(page.locator("#ai-say")).to_have_text("2 of 2 changes carried out.")
    expect(page.locator("#ai-text")).to_be_focused()
    assert [tag for tag, _, _ in booked()] == ["412W101", "412W102"]


def test_show_on_the_calendar_goes_to_the_days_and_sets_it_off(offline):
    page = offline
    ask(page, BOOK)
    expect(page.locator(".ai-card.is-waiting")).to_be_visible()
    settled(page)
    page.goto("/vehicles/")
    page.get_by_role("link", name="Show on the calendar").click()
    page.wait_for_url("**/g/NORTH/schedule/?from=2026-11-16&to=*")
    expect(page.locator(".bar-proposal.is-shown")).to_be_visible()
    page.locator("[data-ai-close]").click()
    page.locator(".bar-proposal").click()
    expect(page.locator(".ai-card.is-waiting")).to_be_focused()


def test_conversations_are_found_renamed_deleted_and_come_back(offline):
    page = offline
    ask(page, "Which dynos are free next week?")
    settled(page)
    page.get_by_role("link", name="New conversation").click()
    expect(page.locator("#ai-welcome")).to_be_visible()
    ask(page, "Are there conflicts?")
    settled(page)
    page.locator("#ai-title summary").click()
    page.get_by_label("Name of the conversation").fill("Doubles")
    page.get_by_role("button", name="Rename").click()
    expect(page.locator("#ai-title h3")).to_have_text("Doubles")
    page.get_by_role("link", name="Conversations").click()
    expect(page.locator("#ai-found li b")).to_have_text(["Doubles", "Which dynos are free next week?"])
    page.get_by_label("Search the conversations").press_sequentially("next week")
    expect(page.locator("#ai-found li b")).to_have_text(["Which dynos are free next week?"])
    page.get_by_role("button", name="Delete Which dynos are free next week?").click()
    expect(page.locator("#ai-found")).to_contain_text("is deleted.")
    assert Conversation.objects.filter(deleted_at=None).count() == 1
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#ai-found li b")).to_have_count(2)
    page.get_by_role("link", name="Which dynos are free next week?").click()
    expect(page.locator(".ai-said p")).to_have_text("Which dynos are free next week?")


def test_what_is_picked_on_the_calendar_is_meant_by_this(browser_page, world, offline_worker):
    world.book("412W101", "NPG 1", 7, 9)
    page = start(browser_page, world)
    page.locator(".calendar a.bar", has_text="412W101").click()
    expect(page.locator("#ai-context")).to_have_text("412W101 · 16 Nov – 3 Jan · North Proving Ground")
    ask(page, "Move this a week later")
    card = page.locator(".ai-card.is-waiting")
    expect(card.locator("del")).to_have_text("23 – 25 Nov 2026 (3 days)")
    expect(card.locator("ins")).to_have_text("30 Nov – 2 Dec 2026 (3 days)")


def test_the_list_beside_its_page_has_a_new_conversation_at_once(offline, world):
    page = offline
    Conversation.objects.create(user=world.users["scheduler"], ground=world.north, title="Earlier")
    page.goto("/assistant/")
    ask(page, BOOK)
    settled(page)
    current = page.locator("#ai-found li[aria-current]")
    expect(current.locator("b")).to_have_text(BOOK)
    expect(current).to_contain_text("just now · 1 change waiting")
    expect(page.locator("#ai-found li b")).to_have_text([BOOK, "Earlier"])
    page.get_by_role("button", name="Approve").click()
    expect(current).not_to_contain_text("waiting")


def test_an_answer_is_rated_with_a_word_and_asked_again_in_other_words(offline):
    page = offline
    ask(page, "Are there conflicts?")
    settled(page)
    page.get_by_role("button", name="Not helpful").click()
    expect(page.get_by_role("button", name="Not helpful")).to_be_focused()
    expect(page.get_by_role("button", name="Not helpful")).to_have_attribute("value", "")  # once more takes it back
    page.get_by_label("What was it?").fill("Too short")
    page.keyboard.press("Enter")
    expect(page.locator(".ai-rating")).to_contain_text("“Too short”")
    assert [(feedback.verdict, feedback.comment) for feedback in Feedback.objects.all()] == [("down", "Too short")]
    page.get_by_role("button", name="Edit and send again").click()
    expect(page.locator("#ai-text")).to_have_value("Are there conflicts?")


PAGES = ["/schedule/", "/requests/", "/plans/", "/dynos/", "/vehicles/", "/changes/"]
THINGS = ["allocation", "vehicle", "dyno", "request", "import"]


def page_of(world: World, thing: str) -> str:
    """The address of a page about one thing, in a world in which something is booked and waits."""
    booked = allocation_of(world.book("412W101", "NPG 1", 7, 9))
    waits = create_request(
        world.vehicles["412W102"].pk, test_type_id=world.tests["Brake"].pk, days=2, actor=world.actor()
    )
    pages = {
        "allocation": ("allocation-detail", booked.pk),
        "vehicle": ("vehicle-detail", booked.vehicle_id),
        "dyno": ("dyno-detail", booked.dyno_id),
        "request": ("request-detail", waits.items[0]["id"]),
    }
    name, pk = pages.get(thing, (thing, None))
    return reverse(f"allocations:{name}", args=[pk] if pk else [])


@pytest.mark.parametrize("address", PAGES + THINGS)
def test_what_a_page_suggests_is_understood_without_a_hosted_model(browser_page, world, offline_worker, address):
    page = start(browser_page, world, address=page_of(world, address) if address in THINGS else address)
    texts = page.locator(".ai-starters button").all_inner_texts()
    assert len(texts) >= 2
    for text in texts:
        page.locator(".ai-starters").get_by_role("button", name=text).click()
        expect(page.locator(".ai-said p").last).to_have_text(text)
        settled(page)
        expect(page.locator(".ai-turn").last.locator(".ai-tool")).not_to_have_count(0)
        assert "Sorry" not in page.locator(".ai-turn").last.inner_text()


def test_a_viewer_is_offered_no_writes_and_told_so(browser_page, world, offline_worker):
    page = start(browser_page, world, "viewer")
    ask(page, BOOK)
    settled(page)
    expect(page.locator(".ai-card")).to_have_count(0)
    assert Proposal.objects.count() == 0


def test_on_phones_it_is_a_sheet(browser, asgi_server, world, offline_worker):
    with open_page(browser, asgi_server.url, viewport="phone", has_touch=True, is_mobile=True) as page:
        page.sign_in(world.users["scheduler"])
        page.goto(SCHEDULE)
        expect(page.locator("#assistant")).to_be_hidden()
        page.locator(".dock").get_by_role("button", name="Assistant").tap()
        ask(page, BOOK)
        card = page.locator(".ai-card.is-waiting")
        expect(card).to_be_visible()
        settled(page)
        box = page.locator("#assistant").bounding_box()
        assert (box["x"], box["width"], round(box["y"] + box["height"])) == (0, 390, 844)
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        card.get_by_role("link", name="Show on the calendar").tap()
        expect(page.locator("#assistant")).to_be_hidden()
        expect(page.locator(".bar-proposal.is-shown")).to_be_visible()


@pytest.mark.parametrize("scripts", [True, False])
def test_earlier_conversations_are_found_deleted_and_brought_back_on_a_phone(browser, asgi_server, world, scripts):
    talks = [
        Conversation.objects.create(user=world.users["scheduler"], ground=world.north, title=title)
        for title in ("Brakes", "Doubles")
    ]
    with open_page(browser, asgi_server.url, viewport="phone", java_script_enabled=scripts) as page:
        page.sign_in(world.users["scheduler"])
        page.goto("/assistant/")
        expect(page.locator("#ai-found")).to_be_hidden()
        page.get_by_role("link", name="Earlier").click()
        expect(page.locator("#ai-found li b")).to_have_text(["Doubles", "Brakes"])
        page.get_by_role("button", name="Delete Doubles").click()
        expect(page.locator("#ai-found")).to_contain_text("“Doubles” is deleted.")
        page.get_by_role("button", name="Undo").click()
        page.get_by_role("link", name="Earlier").click()
        page.get_by_label("Search the conversations").fill("brakes")
        page.get_by_role("button", name="Search", exact=True).last.click()
        page.get_by_role("link", name="Brakes").click()
        expect(page.get_by_role("heading", name="Brakes")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth") == 390
    assert set(Conversation.objects.filter(deleted_at=None)) == set(talks)


@pytest.mark.parametrize("look", ["light", "dark", "phone"])
def test_axe_finds_no_fault(browser, asgi_server, world, offline_worker, look):
    options = {"viewport": "phone"} if look == "phone" else {"color_scheme": look}
    with open_page(browser, asgi_server.url, **options) as page:
        page.sign_in(world.users["scheduler"])
        page.goto(SCHEDULE)
        page.keyboard.press("/")
        expect(page.locator("#ai-welcome")).to_be_visible()
        assert violations(page) == []
        ask(page, "Which dynos are free next week?")
        settled(page)
        page.locator(".ai-tool summary").click()
        assert violations(page) == []
        ask(page, BOOK)
        expect(page.locator(".ai-card.is-waiting")).to_be_visible()
        settled(page)
        assert violations(page) == []
        page.get_by_role("link", name="Edit", exact=True).click()
        expect(page.get_by_role("button", name="Check the change")).to_be_visible()
        assert violations(page) == []
        page.get_by_role("link", name="Conversations").click()
        expect(page.locator("#ai-found")).to_be_visible()
        assert violations(page) == []
        page.goto("/assistant/conversations/")
        assert violations(page) == []
        page.goto("/assistant/inbox/")
        assert violations(page) == []
        page.get_by_role("button", name="Approve").click()
        expect(page.locator(".ai-card.is-approved")).to_be_visible()
        assert violations(page) == []
        page.goto(f"/assistant/c/{Conversation.objects.get().pk}/")
        assert violations(page) == []


def test_everything_works_without_javascript(browser, asgi_server, world, offline_worker):
    with open_page(browser, asgi_server.url, java_script_enabled=False) as page:
        page.sign_in(world.users["scheduler"])
        page.goto(SCHEDULE)
        page.get_by_role("link", name="Assistant", exact=True).click()
        page.get_by_label("Message the assistant").fill(BOOK)
        page.get_by_role("button", name="Send").click()
        card = page.locator(".ai-card.is-waiting")
        expect(card).to_be_visible()
        expect(card).to_contain_text("23 – 25 Nov 2026 (3 days)")
        card.get_by_role("link", name="Edit").click()
        page.get_by_label("First day").fill("2026-11-24")
        page.get_by_role("button", name="Check the change").click()
        expect(card).to_contain_text("24 – 26 Nov 2026 (3 days)")
        card.get_by_role("button", name="Approve").click()
        expect(page.locator(".toast")).to_contain_text("Done: ")
        assert booked() == [("412W101", "2026-11-24", "2026-11-26")]
        page.get_by_role("button", name="Undo").click()
        expect(page.locator(".ai-card.is-undone")).to_be_visible()
        assert booked() == []

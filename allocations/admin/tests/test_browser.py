"""The administration in a browser: the step before a window is saved, the theme, and no fault that axe knows of."""

import datetime as dt
from pathlib import Path

import pytest

from allocations.admin.tests.conftest import add_staff, admin_url
from allocations.models import Allocation, MaintenanceWindow
from allocations.services.booking import book
from allocations.tests.world import allocation_of
from dynosite.tests import e2e
from dynosite.tests.browsing import open_page

AXE = Path(e2e.__file__).parent / "vendor" / "axe.min.js"
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]
LOOKS = {"light": {"color_scheme": "light"}, "dark": {"color_scheme": "dark"}, "phone": {"viewport": "phone"}}


@pytest.fixture
def soon(committed_world):
    """A world with a keeper and two bookings of NPG 1 that are yet to come; the first of their days."""
    add_staff(committed_world)
    first = committed_world.north.today() + dt.timedelta(days=7)
    for number, tag in enumerate(("412W101", "412W103")):
        day = first + dt.timedelta(days=3 * number)
        book(
            committed_world.vehicles[tag].pk,
            committed_world.dynos["NPG 1"].pk,
            first_day=day,
            last_day=day + dt.timedelta(days=1),
            test_type_id=committed_world.tests["Brake"].pk,
            actor=committed_world.actor(),
        )
    return committed_world, first


def type_window(page, world, first) -> None:
    page.goto(admin_url("maintenancewindow", "add"))
    page.select_option("#id_dyno", str(world.dynos["NPG 1"].pk))
    page.fill("#id_first_day", f"{first}")
    page.fill("#id_last_day", f"{first + dt.timedelta(days=9)}")
    page.select_option("#id_kind", "outage")
    page.click("input[name=_save]")


def faults(page) -> list[str]:
    page.evaluate(AXE.read_text())
    report = page.evaluate("tags => axe.run(document, {runOnly: tags, preload: false})", TAGS)
    return [
        f"{page.url} {rule['id']}: {node['html'][:120]}" for rule in report["violations"] for node in rule["nodes"]
    ]


def test_a_window_is_set_through_the_page_of_repairs(soon, browser, asgi_server):
    world, first = soon
    moved, waits = Allocation.objects.filter(ground=world.north).order_by("first_day")
    with open_page(browser, asgi_server.url) as page:
        page.sign_in(world.users["keeper"])
        type_window(page, world, first)
        page.wait_for_url("**/g/NORTH/maintenance/new/**")
        page.get_by_label("Choose for each yourself").check()
        legends = page.locator("fieldset.hit legend a").all_inner_texts()
        assert legends == ["412W101", "412W103"]
        page.locator("fieldset.hit").nth(1).get_by_label("Back to the waiting requests").check()
        page.click("text=Set the window")
        page.wait_for_url("**/g/NORTH/dynos/**")
        page.goto(admin_url("maintenancewindow"))
        assert page.locator("#result_list tbody tr").count() == 1
    moved.refresh_from_db()
    waits.refresh_from_db()
    assert (moved.dyno.name, moved.first_day, waits.status) == ("NPG 21", first, "cancelled")
    assert MaintenanceWindow.objects.get().created_by == world.users["keeper"]


def test_the_theme_is_that_of_the_pages(soon, browser, asgi_server):
    world, _ = soon
    with open_page(browser, asgi_server.url, color_scheme="light") as page:
        page.sign_in(world.users["keeper"])
        page.goto("/admin/")
        page.click("#user-tools .theme-toggle")
        assert page.evaluate("document.documentElement.dataset.theme") == "dark"
        page.goto(admin_url("dyno"))
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(13, 16, 22)"
        assert {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}["theme"] == "dark"


def test_a_vehicle_is_found_by_typing(soon, browser, asgi_server):
    world, _ = soon
    with open_page(browser, asgi_server.url) as page:
        page.sign_in(world.users["keeper"])
        page.goto(admin_url("allocation", "add"))
        page.click(".field-vehicle .select2-selection")
        page.keyboard.type("W102")
        page.click(".select2-results__option:has-text('412W102')")
        assert page.locator("#id_vehicle").input_value() == str(world.vehicles["412W102"].pk)


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_no_fault(soon, browser, asgi_server, look):
    world, _ = soon
    allocation = allocation_of(world.north.changes.earliest("at"))
    addresses = [
        "/admin/",
        admin_url("dyno"),
        admin_url("dyno", "change", world.dynos["NPG 1"].pk),
        admin_url("dyno", "delete", world.dynos["NPG 1"].pk),
        admin_url("maintenancewindow"),
        admin_url("maintenancewindow", "add"),
        admin_url("allocation"),
        admin_url("allocation", "cancel", allocation.pk),
        admin_url("allocation", "history", allocation.pk),
        admin_url("change"),
        admin_url("vehicle", "add"),
        admin_url("membership", "add"),
    ]
    with open_page(browser, asgi_server.url, **LOOKS[look]) as page:
        page.sign_in(world.users["keeper"])
        problems = []
        for address in addresses:
            page.goto(address)
            problems += faults(page)
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    assert problems == []

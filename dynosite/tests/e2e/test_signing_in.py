"""Signing in, one's own password, and pages that were left open, in a browser."""

import re

import pytest
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.sessions.models import Session
from playwright.sync_api import Page, expect

from allocations.models import TestRequest
from allocations.tests.world import World, allocation_of
from dynosite.accounts.models import User
from dynosite.tests.browsing import open_page
from dynosite.tests.e2e.axe import violations

PASSWORD = "a long enough phrase"
HASH = make_password(PASSWORD)


@pytest.fixture
def world(committed_world) -> World:
    User.objects.filter(username="scheduler").update(password=HASH)
    committed_world.users["scheduler"].refresh_from_db()
    return committed_world


def fill_in(page: Page, password: str = PASSWORD) -> None:
    page.get_by_label("Username").fill("scheduler")
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def sign_in(page: Page, address: str) -> None:
    page.goto(address)
    fill_in(page)
    page.wait_for_url(f"**{address}")


def end_session(page: Page) -> None:
    page.context.clear_cookies(name=settings.SESSION_COOKIE_NAME)


def test_a_form_is_back_filled_after_the_session_was_over(browser_page, world):
    page = browser_page
    sign_in(page, "/requests/new/")
    page.get_by_role("combobox", name="Vehicle").fill("412W101")
    page.get_by_label("Test type").select_option(label="Brake")
    page.get_by_label("Note").fill("Hold the wheel bolts")
    page.get_by_label("Priority").select_option(label="High")
    end_session(page)
    page.get_by_role("button", name="Add the request").click()
    expect(page.get_by_text("You were signed out before this was sent.")).to_be_visible()
    assert violations(page) == []
    fill_in(page)
    page.wait_for_url("**/requests/new/#put-back")
    expect(page.get_by_text("What you typed is back. It has not been sent.")).to_be_visible()
    expect(page.get_by_label("Note")).to_have_value("Hold the wheel bolts")
    expect(page.get_by_label("Test type").locator("option:checked")).to_have_text("Brake")
    expect(page.get_by_role("combobox", name="Vehicle")).to_have_value("412W101")
    expect(page.get_by_label("Priority")).to_have_value("high")
    assert violations(page) == []
    assert TestRequest.objects.filter(note="Hold the wheel bolts").count() == 0


def test_without_javascript_and_on_a_phone_in_the_dark_too(browser, asgi_server, world):
    options = {"viewport": "phone", "color_scheme": "dark", "java_script_enabled": False}
    with open_page(browser, asgi_server.url, **options) as page:
        sign_in(page, "/requests/new/")
        page.get_by_label("Note").fill("Hold the wheel bolts")
        page.get_by_label("Test type").select_option(label="Brake")
        page.get_by_role("combobox", name="Vehicle").fill("412W101")
        end_session(page)
        page.get_by_role("button", name="Add the request").click()
        fill_in(page)
        expect(page.get_by_label("Note")).to_have_value("Hold the wheel bolts")
        page.goto("/accounts/password/")
        page.get_by_label("Password now").fill(PASSWORD)
        page.get_by_label("New password", exact=True).fill("another phrase that is long")
        page.get_by_label("New password again").fill("another phrase that is long")
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.get_by_role("button", name="Change the password").click()
        expect(page.get_by_text("Your password was changed.")).to_be_visible()
    world.users["scheduler"].refresh_from_db()
    assert world.users["scheduler"].password != HASH


def test_a_button_pressed_without_a_session_leads_back_to_its_booking(browser_page, world):
    page = browser_page
    booking = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    sign_in(page, f"/allocations/{booking.pk}/")
    end_session(page)
    page.locator(f'form[action$="/allocations/{booking.pk}/start/"] button').first.click()
    fill_in(page)
    page.wait_for_url(re.compile(rf".*/allocations/{booking.pk}/(#put-back)?$"))
    expect(page.get_by_text("Nothing was changed.").first).to_be_visible()
    booking.refresh_from_db()
    assert booking.status == "scheduled"


def test_a_page_that_is_out_of_date_offers_to_be_loaded_again(browser_page, world):
    page = browser_page
    sign_in(page, "/vehicles/")
    page.evaluate("document.body.setAttribute('hx-headers:inherited', '{\"X-CSRFToken\": \"stale\"}')")
    page.evaluate("htmx.ajax('POST', '/notices/seen/', {source: document.body, swap: 'none'})")
    toast = page.locator("[data-toast]")
    expect(toast).to_contain_text("This page is out of date. Nothing was changed.")
    assert violations(page) == []
    page.console_errors.clear()
    page.evaluate("window.before = true")
    toast.get_by_role("button", name="Load it again").click()
    page.wait_for_function("window.before === undefined")
    expect(page.locator("[data-toast]")).to_have_count(0)


@pytest.mark.parametrize("address", ["/accounts/password/", "/accounts/profile/", "/nowhere/"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit_a_phone(browser, asgi_server, world, address, scheme):
    with open_page(browser, asgi_server.url, viewport="phone", color_scheme=scheme) as page:
        page.sign_in(world.users["scheduler"])
        page.goto(address)
        page.console_errors.clear()
        assert violations(page) == []
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        page.locator("header summary.avatar-button").click()
        expect(page.get_by_role("link", name="Password").first).to_be_visible()
    assert Session.objects.count() == 1

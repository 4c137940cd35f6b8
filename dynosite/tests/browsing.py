"""A page of the browser for tests, which notices what a person would only see in the console."""

from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.test import Client
from playwright.sync_api import Browser, ConsoleMessage, Page, expect

# Enough for a busy machine; who waits for an event waits no longer than it takes.
expect.set_options(timeout=30_000)

VIEWPORTS = {"desktop": {"width": 1280, "height": 860}, "phone": {"width": 390, "height": 844}}


@contextmanager
def open_page(browser: Browser, base_url: str, *, viewport: str = "desktop", **context_options) -> Iterator[Page]:
    """A page in a context of its own (`color_scheme="dark"` and the like go to the context).

    Console errors, script errors and breaches of the content security policy raise when the block ends without any
    other error. What a test expects it takes out: `page.console_errors.clear()`.
    """
    context = browser.new_context(
        base_url=base_url, viewport=VIEWPORTS[viewport], reduced_motion="reduce", **context_options
    )
    context.set_default_timeout(30_000)
    page = context.new_page()
    page.console_errors = []
    page.on("console", lambda message: _note(message, page.console_errors))
    page.on("pageerror", lambda error: page.console_errors.append(str(error)))
    page.sign_in = lambda user: sign_in(page, user, base_url)
    try:
        yield page
        if page.console_errors:
            raise AssertionError("in the browser's console: " + "; ".join(page.console_errors))
    finally:
        context.close()


def _note(message: ConsoleMessage, errors: list[str]) -> None:
    if message.type == "error":
        errors.append(message.text)


def sign_in(page: Page, user, base_url: str) -> None:
    """Give the page a session of this user, without the sign-in form."""
    client = Client()
    client.force_login(user)
    page.context.add_cookies(
        [
            {
                "name": settings.SESSION_COOKIE_NAME,
                "value": client.cookies[settings.SESSION_COOKIE_NAME].value,
                "url": base_url,
            }
        ]
    )

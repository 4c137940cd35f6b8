"""Fixtures for every test. Real PostgreSQL and Redis (DATABASE_URL, REDIS_URL), a real Celery worker, a real browser.

`asgi_server`   the site on a free loopback port, served by uvicorn (ASGI, so event streams work) inside this process:
                `asgi_server.url`. Committed data only: the test is transactional.
`browser_page`  a Playwright page whose base URL is `asgi_server`; a console error fails the test.
                `browser_page.sign_in(user)` gives it that user's session.
`celery_worker` a Celery worker process on the test database, which takes tasks while this test runs and no longer.
                `celery_worker.wait()` returns when the queue is empty and nothing runs.
`redis_client`  a client of this run's Redis database. Keys of the last test are removed before each database test,
                so there is no need for `cache.clear()` (which would also unsubscribe the Celery worker).

Tests get two markers by themselves. `browser`: tests with a page; they run last, because Playwright's event loop
stays in the main thread from its first use. `slow`: tests that start a server or a worker, commit, or search for
examples by Hypothesis. `make test-fast` leaves both out. Under pytest-xdist each worker has its own
database, Redis database and channels.
"""

import os
import shutil
from collections.abc import Iterator

import pytest

from dynosite.lib.ground_address import split_ground
from dynosite.tests.servers import AsgiServer, CeleryWorker, end_other_sessions

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
BROWSER_FIXTURES = {"browser_page", "browser_context_args", "page", "context", "browser", "playwright"}
SLOW_FIXTURES = {"asgi_server", "celery_worker", "transactional_db", "live_server"}
"""Tests with one of these start a server or a worker, or commit, and every table is emptied after them."""
DATABASE_FIXTURES = {"db", "transactional_db", "django_db_reset_sequences", "django_db_serialized_rollback"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test its markers while it is collected, before `-m` chooses by them."""
    fixtures = set(getattr(item, "fixturenames", ()))
    if BROWSER_FIXTURES & fixtures:
        item.add_marker(pytest.mark.browser)
        if CHROMIUM is None:
            item.add_marker(pytest.mark.skip(reason="no Chromium on this machine"))
    database = item.get_closest_marker("django_db")
    commits = database is not None and database.kwargs.get("transaction", False)
    searches = getattr(getattr(item, "obj", None), "is_hypothesis_test", False)
    if commits or searches or SLOW_FIXTURES & fixtures:
        item.add_marker(pytest.mark.slow)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("browser") is not None)


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup, django_db_blocker) -> Iterator[None]:
    """The test database. Who is still connected to it at the end would keep it from being dropped."""
    yield
    with django_db_blocker.unblock():
        end_other_sessions()


@pytest.fixture
def redis_client():
    import redis
    from django.conf import settings

    with redis.Redis.from_url(settings.REDIS_URL) as client:
        yield client


@pytest.fixture
def far_days() -> None:
    """First days far from today are asked about, as they are outside of tests."""


@pytest.fixture(autouse=True)
def _any_day_is_meant(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The worlds of tests stand on days of their own, however far from today those are by now."""
    if "far_days" not in request.fixturenames:
        monkeypatch.setattr("allocations.request_rules.LONG_PAST", 1_000_000)
        monkeypatch.setattr("allocations.request_rules.FAR_AHEAD", 1_000_000)


@pytest.fixture(autouse=True)
def _clean_redis(request: pytest.FixtureRequest) -> None:
    """Remove what the last test left in Redis, save what keeps the Celery worker reachable."""
    if not DATABASE_FIXTURES & set(request.fixturenames) and not request.node.get_closest_marker("django_db"):
        return
    client = request.getfixturevalue("redis_client")
    keys = [key for key in client.keys("*") if b"_kombu.binding" not in key]
    if keys:
        client.delete(*keys)


@pytest.fixture(autouse=True)
def _led_to_the_ground(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test's client goes where a browser is led: from an address without a ground to the same page in its ground.

    `client.generic("GET", address)` is not led anywhere.
    """
    from django.test import Client

    def led(get):
        def answer(self, path, data=None, *args, **kwargs):
            response = get(self, path, data, *args, **kwargs)
            place = response.headers.get("Location", "")
            code, rest = split_ground(place.partition("?")[0])
            if response.status_code != 302 or not code or rest != split_ground(str(path).partition("?")[0])[1]:
                return response
            return answer(self, place, None, *args, **kwargs)

        return answer

    monkeypatch.setattr(Client, "get", led(Client.get))
    monkeypatch.setattr(Client, "head", led(Client.head))


@pytest.fixture
def asgi_server(transactional_db, settings) -> Iterator[AsgiServer]:
    server = AsgiServer()
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _celery_process(django_db_setup) -> Iterator[CeleryWorker]:
    worker = CeleryWorker()
    yield worker
    worker.stop()


@pytest.fixture
def celery_worker(_celery_process: CeleryWorker, transactional_db, _clean_redis) -> Iterator[CeleryWorker]:
    _celery_process.resume()
    yield _celery_process
    _celery_process.pause()


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict) -> dict:
    return {
        **browser_type_launch_args,
        "executable_path": CHROMIUM,
        "args": ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-dev-shm-usage"],
    }


@pytest.fixture(scope="session")
def browser(browser):
    from django.db import connections

    # Playwright runs its event loop in this thread from here on; Django would refuse every query beside it.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    yield browser
    # Beside a running loop Django keeps this thread's connection in another place, where it isn't found again later.
    connections.close_all()
    os.environ.pop("DJANGO_ALLOW_ASYNC_UNSAFE", None)


@pytest.fixture
def browser_page(asgi_server: AsgiServer, browser):
    from dynosite.tests.browsing import open_page

    with open_page(browser, asgi_server.url) as page:
        yield page

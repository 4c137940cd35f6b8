"""How soon a model's first words stand in the panel, in a real browser, from when they are sent.

Gemini is the tests' stub, asked by the real client in a real worker. The floor is a bare page of the same browser
that hears the same words from a plain server by an event stream, with no worker, Redis or web server of ours between.
"""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

from django.conf import settings
from django.db import connection
from django.urls import reverse

from benchmarks.report import Report, UnmeasurableError, milliseconds
from benchmarks.scratch import USER, build_site
from benchmarks.web_process import WebProcess, environment
from dynosite import workers
from dynosite.localserver.processes import end_with_parent

HELP = "a model's first words in the browser's panel, against a bare page that hears them straight"
MODEL = "google_genai:gemini-2.5-flash"
TURNS = 15
MAX_MILLISECONDS = 300
APART = 0.4
"""Seconds from the first words to the rest of the answer."""
FIRST = "The first words"
_WATCH_WORDS = """wanted => {
  window.wordsSeen = new Promise((resolve) => {
    new MutationObserver((records, observer) => {
      if (![...document.querySelectorAll(wanted)].some((place) => place.textContent)) return;
      resolve((performance.timeOrigin + performance.now()) / 1000);
      observer.disconnect();
    }).observe(document, { childList: true, characterData: true, subtree: true });
  });
}"""
_BARE = b"""<!doctype html><p id="words"></p><script>
const heard = new EventSource("/words");
heard.onmessage = ({ data }) => { document.getElementById("words").append(data); heard.close(); };
</script>"""


def run(*, seconds: float) -> Report:
    try:
        from playwright.sync_api import sync_playwright

        from assistant.providers.tests.gemini_stub import GeminiStub
        from dynosite.tests.fixtures import CHROMIUM
    except ImportError as error:
        raise UnmeasurableError(
            f"This one wants a browser and the tests' stub: run it by `make bench`. ({error})"
        ) from None
    if not CHROMIUM:
        raise UnmeasurableError("This wants Chromium.")
    report = Report("words")
    with GeminiStub() as stub:
        changed = {
            "GEMINI_API_KEY": "stub",
            "GEMINI_BASE_URL": stub.url,
            "ASSISTANT_MODELS": MODEL,
            "REDIS_PREFIX": f"{settings.REDIS_PREFIX}:bench",
            "ASSISTANT_RATE": "1000/minute",
        }
        cookie = _signed_in()
        connection.close()
        with WebProcess(changed) as web, _worker(changed), sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu", "--disable-quic"]
            )
            page = browser.new_page(base_url=f"http://127.0.0.1:{web.port}")
            address = f"http://127.0.0.1:{web.port}"
            page.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": cookie, "url": address}])
            page.goto(reverse("allocations:schedule"))
            page.keyboard.press("/")
            page.locator("#ai-text").wait_for()
            in_panel(page, stub, 2)  # the worker has begun, and its client is there
            sides = {"panel": in_panel(page, stub, TURNS), "bare": in_bare_page(browser.new_page(), TURNS)}
            browser.close()
    for side, waits in sides.items():
        report.rows.append(
            {"side": side, "turns": len(waits)} | {f"p{n} ms": milliseconds(waits, n) for n in (50, 95, 99)}
        )
    for percent in (50, 95):
        ours, floor = (milliseconds(sides[side], percent) for side in ("panel", "bare"))
        report.ratios[f"first words: panel / bare, p{percent}"] = ours / floor
    report.notes.append(
        "From just before the stub writes the first words to their being in the page, by one clock. Stub, worker, "
        "Redis, PostgreSQL, web process and browser share the machine."
    )
    if (middle := milliseconds(sides["panel"], 50)) > MAX_MILLISECONDS:
        report.failures.append(f"the first words took {middle:.0f} ms, which is more than {MAX_MILLISECONDS}")
    return report


def in_panel(page: Any, stub: Any, turns: int) -> list[float]:
    """Asks so often in the page's open panel; seconds from the stub's sending to the words being there."""
    sent: list[float] = []
    stub.otherwise = lambda body: _answer(sent)
    waits = []
    for _ in range(turns):
        page.evaluate(_WATCH_WORDS, ".ai-live")
        page.locator("#ai-text").fill("Is anything free?")
        page.keyboard.press("Enter")
        waits.append(page.evaluate("window.wordsSeen") - sent[-1])
        page.locator(".ai-composer .ai-send").wait_for(timeout=60_000)
    return waits


def _answer(sent: list[float]) -> Callable[[BaseHTTPRequestHandler], None]:
    from assistant.providers.tests.gemini_stub import steps

    rest = Event()

    def write_the_rest() -> None:
        time.sleep(APART)
        rest.set()

    def respond(handler: BaseHTTPRequestHandler) -> None:
        Thread(target=write_the_rest, daemon=True).start()
        sent.append(time.time())
        steps(FIRST, rest, ", and the rest of them.")(handler)

    return respond


def in_bare_page(page: Any, turns: int) -> list[float]:
    """The floor: the same words in a page with nothing else on it."""
    waits = []
    with _plain_server() as (address, sent):
        for _ in range(turns):
            page.goto(address)
            page.evaluate(_WATCH_WORDS, "#words")
            waits.append(page.evaluate("window.wordsSeen") - sent[-1])
    return waits


@contextlib.contextmanager
def _plain_server() -> Iterator[tuple[str, list[float]]]:
    """A page, and an event stream on which the words come a moment after it was opened; when they were sent."""
    sent: list[float] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            streams = self.path == "/words"
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream" if streams else "text/html")
            self.end_headers()
            if streams:
                time.sleep(APART)
                sent.append(time.time())
            self.wfile.write(f"data: {FIRST}\n\n".encode() if streams else _BARE)

        def log_message(self, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/", sent
        server.shutdown()


def _signed_in() -> str:
    """A session of a member of a small site, as the value of its cookie."""
    from django.test import Client

    from dynosite.accounts.models import User

    build_site(dynos=20, vehicles=1)
    client = Client()
    client.force_login(User.objects.get(pk=USER), backend="django.contrib.auth.backends.ModelBackend")
    return client.cookies[settings.SESSION_COOKIE_NAME].value


@contextlib.contextmanager
def _worker(changed: dict[str, str]) -> Iterator[None]:
    command = [
        sys.executable,
        "-W",
        "ignore:You're running the worker",
        "-m",
        "celery",
        "--quiet",
        "-A",
        "dynosite",
        *workers.command(workers.CHAT),
    ]
    process = subprocess.Popen(
        command,
        cwd=settings.BASE_DIR,
        env=os.environ | environment() | changed,
        stdout=subprocess.DEVNULL,
        preexec_fn=end_with_parent,
    )
    try:
        yield
    finally:
        process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(10)
        process.kill()
        process.wait()

"""Half-sent, oversized and slow requests against the site as uvicorn serves it."""

import contextlib
import os
import socket
import uuid
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from django.conf import settings
from django.test import Client

from allocations.tests.world import World
from dynosite.lib.traits import STREAM as OPENS
from dynosite.lib.traits import trait
from dynosite.ops import protocol, wall

MEGABYTE = 2**20
SIGN_IN = "/accounts/sign-in/"
IMPORT = "/import/"
STREAM = "/schedule/stream/"
NORTH = "/g/NORTH"
PAGE = f"{NORTH}/schedule/"
"""As pages name it; without a ground, it leads to here."""


@pytest.fixture
def quick(monkeypatch):
    """Limits of time that a test can wait for."""
    monkeypatch.setattr(protocol, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(wall, "SECONDS", 0.3)


@pytest.fixture
def cookie(committed_world: World, settings) -> str:
    client = Client()
    client.force_login(committed_world.users["scheduler"])
    return f"{settings.SESSION_COOKIE_NAME}={client.cookies[settings.SESSION_COOKIE_NAME].value}"


@contextlib.contextmanager
def connected(url: str, *lines: str, number: int = 1) -> Iterator[list[socket.socket]]:
    """Connections that have sent these lines, and what follows their empty one."""
    at = urlsplit(url)
    text = "\r\n".join(lines).encode()
    with contextlib.ExitStack() as stack:
        opened = [
            stack.enter_context(socket.create_connection((at.hostname, at.port), timeout=30)) for _ in range(number)
        ]
        for one in opened:
            one.sendall(text)
        yield opened


def answer(connection: socket.socket) -> tuple[int, dict[str, str], str]:
    """All that comes until the server closes: status, headers and body; status 0 where nothing came."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    head, _, body = b"".join(parts).decode().partition("\r\n\r\n")
    if not head:
        return 0, {}, ""
    first, *rest = head.split("\r\n")
    return (
        int(first.split()[1]),
        {name.lower(): value for name, value in (line.split(": ", 1) for line in rest)},
        body,
    )


def spooled() -> int:
    """Bytes of files without a name that this process, which is the web server's too, has open."""
    total = 0
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError):
            if "(deleted)" in os.readlink(link):
                total += os.stat(link).st_size
    return total


@pytest.mark.parametrize("number", [8, 50])
@pytest.mark.parametrize("path", ["/nowhere/stream/", f"{NORTH}{STREAM}", SIGN_IN])
def test_stream_opens_and_page_answers_beside_half_sent_requests(asgi_server, cookie, path, number):
    half = (f"POST {path} HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 100000", "", "")
    with connected(asgi_server.url, *half, number=number):
        with httpx.stream(
            "GET", f"{asgi_server.url}{NORTH}{STREAM}", headers={"Cookie": cookie}, timeout=20
        ) as response:
            assert (response.status_code, next(response.iter_lines())[:6]) == (200, "retry:")
        page = httpx.get(f"{asgi_server.url}{PAGE}", headers={"Cookie": cookie}, timeout=20)
        assert (page.status_code, "schedule" in page.text) == (200, True)


def test_connection_that_says_nothing_is_closed(asgi_server, quick):
    with connected(asgi_server.url, number=20) as silent:
        assert [answer(one) for one in silent] == [(0, {}, "")] * 20


def test_head_that_never_ends_is_answered_and_closed(asgi_server, quick):
    with connected(asgi_server.url, "GET /healthz HTTP/1.1", "Host: 127.0.0.1", "X-A: ", number=20) as half:
        answers = [answer(one) for one in half]
    assert [status for status, _, _ in answers] == [408] * 20
    assert answers[0][1]["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert answers[0][2].endswith("The head of the request did not arrive in time.")


def test_second_head_of_a_connection_has_its_limit_too(asgi_server, quick):
    whole = ("GET /healthz HTTP/1.1", "Host: 127.0.0.1", "", "")
    with connected(asgi_server.url, *whole[:-1], "GET /healthz HTTP/1.1", "X-A: ") as (one,):
        status, _, rest = answer(one)
    assert (status, "HTTP/1.1 408 Request Timeout" in rest) == (200, True)


def test_body_that_never_comes_is_answered_with_a_page(asgi_server, quick, db):
    with connected(
        asgi_server.url, f"POST {SIGN_IN} HTTP/1.1", "Host: 127.0.0.1", "Content-Length: 1000", "", "a"
    ) as (one,):
        status, headers, body = answer(one)
    assert (status, "This took too long" in body) == (408, True)
    assert "default-src 'none'" in headers["content-security-policy"]


def test_client_that_reads_nothing_is_cut_off(monkeypatch, asgi_server, cookie, settings):
    """It would hold its request, and with that a database connection, for as long as it likes."""
    monkeypatch.setattr(protocol, "READING_SECONDS", 0.3)
    pages = f"GET {PAGE} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n" * 400
    at = urlsplit(asgi_server.url)
    with socket.socket() as greedy:
        greedy.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
        greedy.settimeout(60)
        greedy.connect((at.hostname, at.port))
        # Until the server has closed it, or the test's own time is over.
        with pytest.raises((ConnectionResetError, BrokenPipeError)):
            _send_without_end(greedy, pages.encode())


def _send_without_end(connection: socket.socket, text: bytes) -> None:
    while True:
        connection.sendall(text)


@pytest.mark.parametrize(
    "path",
    [SIGN_IN, "/nope", IMPORT, f"{NORTH}{IMPORT}", PAGE, STREAM, f"{NORTH}{STREAM}", "/static/css/base.css"],
)
def test_announced_body_is_refused_before_it_is_read(asgi_server, db, path):
    with connected(
        asgi_server.url, f"POST {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Length: {200 * MEGABYTE}", "", ""
    ) as (one,):
        one.sendall(b"x" * MEGABYTE)
        one.shutdown(socket.SHUT_WR)
        status, headers, body = answer(one)
    if path.endswith(IMPORT):
        assert (status, headers["location"]) == (302, f"{SIGN_IN}?next={path}")
        return
    assert (status, "larger than the 1 MB that this address takes" in body) == (413, True)
    assert "default-src 'none'" in headers["content-security-policy"]
    assert headers["x-frame-options"] == "DENY"
    assert headers["connection"] == "close"


@pytest.mark.parametrize("host", ["127.0.0.1", "evil.example"])
def test_body_of_200_megabytes_does_not_reach_the_disk(asgi_server, db, host, monkeypatch):
    """Without a length: it shows only as it comes."""
    monkeypatch.setattr(wall, "DISCARDED", 200 * MEGABYTE)
    before, largest = spooled(), 0
    chunk = b"100000\r\n" + b"x" * MEGABYTE + b"\r\n"
    with connected(
        asgi_server.url, f"POST {SIGN_IN} HTTP/1.1", f"Host: {host}", "Transfer-Encoding: chunked", "", ""
    ) as (one,):
        for _ in range(200):
            try:
                one.sendall(chunk)
            except OSError:
                break
            largest = max(largest, spooled() - before)
        assert largest <= MEGABYTE
        assert answer(one)[0] in (413, 0)


def test_programs_are_told_in_json(asgi_server, db):
    response = httpx.post(f"{asgi_server.url}/api/v1/assistant/conversations", content=b" " * (MEGABYTE + 1))
    assert (response.status_code, response.json()["code"]) == (413, "too-large")
    assert response.json()["message"] == "What was sent is larger than the 1 MB that this address takes."


def test_workbook_may_be_as_large_as_the_form_says_but_only_of_who_is_signed_in(asgi_server, cookie):
    files = {"file": ("plan.xlsx", b"x" * (3 * MEGABYTE))}
    assert httpx.post(f"{asgi_server.url}{IMPORT}", files=files).status_code == 302
    live = httpx.post(f"{asgi_server.url}{IMPORT}", files=files, headers={"Cookie": cookie}, timeout=30)
    assert (live.status_code, "out of date" in live.text) == (403, True)  # it was read, and had no CSRF token
    stale = cookie[:-4] + "aaaa"
    assert httpx.post(f"{asgi_server.url}{IMPORT}", files=files, headers={"Cookie": stale}).status_code == 302
    large = {"file": ("plan.xlsx", b"x" * (22 * MEGABYTE))}
    too_large = httpx.post(f"{asgi_server.url}{IMPORT}", files=large, headers={"Cookie": cookie}, timeout=30)
    assert (too_large.status_code, "larger than the 21 MB" in too_large.text) == (413, True)


def test_streams_beyond_the_limit_are_told_why(asgi_server, cookie, settings):
    """With and without the ground in the address: both open the same stream."""
    settings.STREAMS_PER_USER = 2
    with contextlib.ExitStack() as stack, httpx.Client(base_url=asgi_server.url, timeout=20) as client:
        opened = []  # an iterator that is thrown away closes its stream
        for path in (f"{NORTH}{STREAM}", STREAM):
            response = stack.enter_context(client.stream("GET", path, headers={"Cookie": cookie}))
            opened.append(response.iter_lines())
            assert (response.status_code, next(opened[-1])[:6]) == (200, "retry:")
        for path in (f"{NORTH}{STREAM}", STREAM):
            third = client.get(path, headers={"Cookie": cookie})
            assert (third.status_code, third.headers["retry-after"]) == (429, "10")
            assert "Too many pages or programs of yours follow changes at once." in third.text
        assert client.get(PAGE, headers={"Cookie": cookie}).status_code == 200


@pytest.mark.parametrize(
    "path",
    [
        STREAM,
        f"{NORTH}{STREAM}",
        f"/assistant/runs/{uuid.UUID(int=7)}/events/",
        f"{NORTH}/assistant/runs/{uuid.UUID(int=7)}/events/",
        f"/api/v1/assistant/runs/{uuid.UUID(int=7)}/events",
    ],
)
def test_streams_are_known_by_their_views(path):
    assert trait(path, OPENS) is True


def test_every_view_that_answers_with_a_stream_is_marked():
    """One that nobody marks would be opened past the gate."""
    for app in ("allocations", "assistant", "dynosite"):
        for path in Path(settings.BASE_DIR, app).rglob("*.py"):
            text = path.read_text()
            if "import Entry, event_stream" in text:
                assert text.count("return event_stream(") == text.count("@opens_stream"), path

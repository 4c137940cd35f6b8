import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from dynosite.ops.gate import StreamGate
from dynosite.ops.refusals import KEY, NO_BODY, TOO_MANY_STREAMS

RUN = "/assistant/runs/00000000-0000-0000-0000-000000000007/events/"
API_RUN = "/api/v1/assistant/runs/00000000-0000-0000-0000-000000000007/events"
pytestmark = pytest.mark.django_db  # Redis is emptied


class Site:
    """Notes how many requests are being opened at once; a stream stays open until it is told to end."""

    def __init__(self) -> None:
        self.opening = self.most = self.open = 0
        self.refusals: list[Any] = []
        self.end = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        if KEY in scope:
            self.refusals.append(scope[KEY])
            return
        self.opening += 1
        self.most = max(self.most, self.opening)
        await asyncio.sleep(0)
        await send({"type": "http.response.start"})
        await asyncio.sleep(0)
        self.opening -= 1
        if scope["query_string"] == b"fail":
            raise ValueError("on purpose")
        await send({"type": "http.response.body"})
        self.open += 1
        await self.end.wait()


async def _send(message) -> None:
    pass


async def _user(scope) -> int | None:
    return 7 if dict(scope["headers"]).get(b"x-user") else None


def ask(gate: StreamGate, path: str, *, query: bytes = b"", **headers: bytes) -> asyncio.Task:
    names = {"x_user": b"7"} | headers
    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": query,
        "client": ("203.0.113.9", 1),
        "headers": [(name.replace("_", "-").encode(), value) for name, value in names.items()],
    }
    return asyncio.create_task(gate(scope, None, _send))


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: the tests' may have a loop already, of a browser that another test drives."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _until(condition) -> None:
    """Lets the others go on until it holds; the test's own time limit ends what never does."""
    while not condition():
        await asyncio.sleep(0.001)


@pytest.fixture(autouse=True)
def plenty(settings):
    settings.STREAMS_PER_USER = settings.STREAMS_PER_ADDRESS = 100


async def _open(path: str, *, number: int, most: int) -> Site:
    site = Site()
    gate = StreamGate(site, most=most, user_of=_user)
    tasks = [ask(gate, path) for _ in range(number)]
    await _until(lambda: site.open == number)
    site.end.set()
    await asyncio.gather(*tasks)
    return site


@pytest.mark.parametrize("path", [RUN, API_RUN, "/schedule/stream/"])
def test_streams_are_opened_a_few_at_a_time_and_all_stay_open(path):
    site = _run(_open(path, number=50, most=3))
    assert (site.most, site.open) == (3, 50)


@pytest.mark.parametrize("path", ["/schedule/", "/nowhere/stream/", "/vehicles/7/events/"])
def test_nothing_but_a_stream_waits_whatever_its_address_ends_in(path):
    assert _run(_open(path, number=50, most=3)).most == 50


def test_strangers_take_no_place():
    async def strangers_then_user() -> tuple[int, int]:
        site = Site()
        gate = StreamGate(site, most=1, user_of=_user)
        strangers = [ask(gate, RUN, x_user=b"") for _ in range(8)]
        await _until(lambda: site.open == 8)
        opened = ask(gate, RUN)
        await _until(lambda: site.open == 9)
        site.end.set()
        await asyncio.gather(opened, *strangers)
        return site.most, site.open

    assert _run(strangers_then_user()) == (8, 9)


@pytest.mark.parametrize("body", [{"content_length": b"100000"}, {"transfer_encoding": b"chunked"}])
def test_stream_is_not_asked_for_with_a_body(body):
    async def with_body() -> list[Any]:
        site = Site()
        await ask(StreamGate(site, most=1, user_of=_user), RUN, **body)
        return site.refusals

    assert _run(with_body()) == [NO_BODY]


@pytest.mark.parametrize("limit", ["STREAMS_PER_USER", "STREAMS_PER_ADDRESS"])
def test_only_so_many_are_open_of_a_user_and_of_an_address(settings, limit):
    setattr(settings, limit, 3)

    async def four_then_one_more() -> tuple[list[Any], int]:
        site = Site()
        gate = StreamGate(site, most=8, user_of=_user)
        opened = [ask(gate, RUN) for _ in range(3)]
        await _until(lambda: site.open == 3)
        await ask(gate, "/schedule/stream/")
        refusals = list(site.refusals)
        site.end.set()
        await asyncio.gather(*opened)
        await ask(gate, RUN)  # those that ended have given their seats back
        return refusals, site.open

    assert _run(four_then_one_more()) == ([TOO_MANY_STREAMS], 4)


def test_seats_of_a_process_that_died_come_back_by_themselves(settings, redis_client):
    settings.STREAMS_PER_USER = 3
    key = f"{settings.REDIS_PREFIX}:streams:user:7"
    redis_client.zadd(key, {"one": 1, "two": 2, "three": 3})  # whose time is long past

    site = _run(_open(RUN, number=3, most=8))
    assert (site.open, site.refusals) == (3, [])
    assert redis_client.zcard(key) == 0


def test_request_that_fails_gives_its_place_back():
    async def fail_then_open() -> int:
        site = Site()
        gate = StreamGate(site, most=1, user_of=_user)
        failed = [ask(gate, RUN, query=b"fail") for _ in range(3)]
        assert [type(error) for error in await asyncio.gather(*failed, return_exceptions=True)] == [ValueError] * 3
        opened = ask(gate, "/schedule/stream/")
        await _until(lambda: site.open == 1)
        site.end.set()
        await opened
        return site.open

    assert _run(fail_then_open()) == 1


def test_request_that_is_cancelled_in_the_line_takes_no_place():
    async def cancel_then_open() -> int:
        site = Site()
        gate = StreamGate(site, most=1, user_of=_user)
        tasks = [ask(gate, "/schedule/stream/") for _ in range(3)]
        await _until(lambda: site.most == 1)
        site.end.set()
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await ask(gate, "/schedule/stream/")
        return site.open

    assert _run(cancel_then_open()) >= 2

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from dynosite.ops.gate import StreamGate


class Site:
    """Notes how many requests are being opened at once; a stream stays open until it is told to end."""

    def __init__(self) -> None:
        self.opening = self.most = self.open = 0
        self.end = asyncio.Event()

    async def __call__(self, scope, receive, send) -> None:
        self.opening += 1
        self.most = max(self.most, self.opening)
        await asyncio.sleep(0)
        await send({"type": "http.response.start"})
        await asyncio.sleep(0)
        self.opening -= 1
        if scope["path"] == "/fails/events":
            raise ValueError("on purpose")
        await send({"type": "http.response.body"})
        self.open += 1
        await self.end.wait()


async def _send(message) -> None:
    pass


def ask(gate: StreamGate, path: str) -> asyncio.Task:
    return asyncio.create_task(gate({"type": "http", "path": path}, None, _send))


def _run(work: Coroutine[Any, Any, Any]) -> Any:
    """In a thread of its own: the tests' may have a loop already, of a browser that another test drives."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


async def _turns(number: int = 400) -> None:
    for _ in range(number):
        await asyncio.sleep(0)


async def _open(path: str, *, number: int, most: int) -> Site:
    site = Site()
    gate = StreamGate(site, most=most)
    tasks = [ask(gate, path) for _ in range(number)]
    await _turns()
    site.end.set()
    await asyncio.gather(*tasks)
    return site


def test_streams_are_opened_a_few_at_a_time_and_all_stay_open():
    site = _run(_open("/assistant/runs/7/events/", number=50, most=3))
    assert (site.most, site.open) == (3, 50)


def test_pages_do_not_wait():
    assert _run(_open("/schedule/", number=50, most=3)).most == 50


def test_request_that_fails_gives_its_place_back():
    async def fail_then_open() -> int:
        site = Site()
        gate = StreamGate(site, most=1)
        failed = [ask(gate, "/fails/events") for _ in range(3)]
        assert [type(error) for error in await asyncio.gather(*failed, return_exceptions=True)] == [ValueError] * 3
        opened = ask(gate, "/schedule/stream/")
        await _turns()
        site.end.set()
        await opened
        return site.open

    assert _run(fail_then_open()) == 1


def test_request_that_is_cancelled_in_the_line_takes_no_place():
    async def cancel_then_open() -> int:
        site = Site()
        gate = StreamGate(site, most=1)
        site.end.set()
        tasks = [ask(gate, "/schedule/stream/") for _ in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return site.open

    assert _run(cancel_then_open()) == 2

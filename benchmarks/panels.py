"""Clients that follow a run's stream: as an open panel over HTTP, and bare from Redis. Both note when they hear."""

import asyncio
import json
import random
import resource
import time
from typing import Any

import redis.asyncio as redis
from django.conf import settings
from django.urls import reverse

from assistant import streams

Heard = float
"""Seconds from the sending to the hearing."""


def raise_open_files() -> None:
    """Each panel here is a file for the client, one for the web process and one for its Redis."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


class Panel:
    """A browser's EventSource, as far as it matters: an id a whole event, and reconnecting with the last one."""

    def __init__(self, port: int, run_id: str, cookie: str) -> None:
        self._port, self._cookie = port, cookie
        self._path = reverse("assistant:run-events", args=[run_id])
        self._last = ""
        self._waits: list[Heard] = []
        self.numbers: list[int] = []
        self.ended = False
        self.drops = 0

    async def open(self) -> float:
        """Returns after how long the first event, which waits in the stream, is heard."""
        began = time.perf_counter()
        await self._connect()
        await self._event()
        return time.perf_counter() - began

    async def listen(self) -> None:
        while True:
            self._note(await self._event())

    async def follow(self, *, drops: int, seed: int) -> None:
        """To the end, with a connection cut now and then: at once, between two events or within one."""
        chance = random.Random(seed)  # noqa: S311
        while not self.ended:
            await self._connect()
            patience = chance.randrange(1, 8) if self.drops < drops else -1
            while not self.ended and patience != 0:
                event = await self._event()
                if not event:
                    break  # the server has closed it
                self._note(event)
                patience -= 1
            if not self.ended and patience == 0:
                self.drops += 1
                if chance.random() < 0.5:
                    await self._reader.read(chance.randrange(1, 60))  # part of an event, which is then not heard
            await self.close()

    async def close(self) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0)

    def take(self) -> list[Heard]:
        waits, self._waits = self._waits, []
        return waits

    async def _connect(self) -> None:
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        last = f"Last-Event-ID: {self._last}\r\n" if self._last else ""
        self._writer.write(
            f"GET {self._path} HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: text/event-stream\r\n{last}"
            f"Cookie: {self._cookie}\r\n\r\n".encode()
        )
        head = await self._reader.readuntil(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(f"The stream answers {head[:200]!r}")

    async def _event(self) -> dict[str, Any]:
        """The next whole event; nothing when the connection has ended. (Lines of the chunking are passed over.)"""
        event: dict[str, str] = {}
        while line := await self._reader.readline():
            name, colon, value = line.decode().rstrip("\r\n").partition(": ")
            if colon and name in ("id", "event", "data"):
                event[name] = value
            elif line == b"\n" and event.get("event") == "beat":
                event = {}
            elif line == b"\n" and "data" in event:
                if "id" not in event:
                    raise RuntimeError(f"The stream says {event}")
                return event
        return {}

    def _note(self, event: dict[str, Any]) -> None:
        if not event:
            raise RuntimeError("The stream has ended.")
        self._last = event["id"]
        data = json.loads(event["data"])
        if "at" in data:
            self._waits.append(time.perf_counter() - data["at"])
        if "n" in data:
            self.numbers.append(data["n"])
        self.ended = self.ended or event["event"] == "end"


class Bare:
    """The floor: the same stream, read from Redis itself."""

    def __init__(self, run_id: str) -> None:
        self._key = streams.key(run_id)
        self._waits: list[Heard] = []

    async def open(self) -> float:
        began = time.perf_counter()
        self._client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_timeout=30)
        await self._read("0-0")
        return time.perf_counter() - began

    async def listen(self) -> None:
        while True:
            await self._read(self._last)

    async def close(self) -> None:
        await self._client.aclose()

    def take(self) -> list[Heard]:
        waits, self._waits = self._waits, []
        return waits

    async def _read(self, after: str) -> None:
        answer: Any = await self._client.xread({self._key: after}, count=200, block=10_000)
        for _, entries in answer or ():
            for self._last, entry in entries:
                data = json.loads(entry["data"])
                if "at" in data:
                    self._waits.append(time.perf_counter() - data["at"])


def bare(run_id: str) -> Bare:
    return Bare(run_id)

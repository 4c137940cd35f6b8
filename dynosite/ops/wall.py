"""The outer wall: how much a request may bring, and how long that may take, before anything of the site sees it.

Django reads a whole body, to disk where it is large, before it asks who sends it. Here the body is counted as it
comes, whatever its headers say: 1 MB at most, more only where a view says so (`dynosite.lib.traits.takes_body`) and
only of a live session. What is refused is answered by the site itself; see `dynosite.ops.refusals`.
"""

import asyncio
from dataclasses import replace
from typing import Any

from dynosite.lib.traits import BODY, trait
from dynosite.ops.identity import identify
from dynosite.ops.refusals import SIGN_IN, TOO_LARGE, TOO_SLOW, Receive, Refusal, Send, refuse

MEGABYTE = 1024 * 1024
LARGEST = MEGABYTE
"""Of a body, where a view says nothing else."""
SECONDS = 30.0
"""In which the body of a request must be there."""
UPLOAD_SECONDS = 300.0
"""The same, where it may be large."""
DISCARDED, DISCARD_SECONDS = 64 * MEGABYTE, 10.0
"""What is still read, and thrown away, of a body that is refused: a browser shows no answer while it cannot send."""


class Wall:
    """Counts what comes in. `site` answers refusals, `application` everything else."""

    def __init__(self, application: Any, *, site: Any) -> None:
        self._application, self._site = application, site

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        most, refusal = await _limit(scope)
        if refusal is None and _announced(scope) > most:
            refusal = _too_large(most)
        answer = Answer(send)
        body = Body(receive, most=most, seconds=SECONDS if most <= LARGEST else UPLOAD_SECONDS)
        if refusal is None:
            await self._application(scope, body, answer)
            refusal = body.refusal
        if refusal is not None and not answer.begun:
            seconds = 0.0 if refusal is TOO_SLOW else DISCARD_SECONDS
            await refuse(self._site, scope, Discarding(receive, send, seconds), refusal)


class Answer:
    """Passes an answer on, and knows whether it has begun."""

    def __init__(self, send: Send) -> None:
        self._send, self.begun = send, False

    async def __call__(self, message: dict[str, Any]) -> None:
        self.begun = True
        await self._send(message)


class Body:
    """Passes a body on as it comes in; what is too much, or too slow, is a client that has gone to who reads it."""

    def __init__(self, receive: Receive, *, most: int, seconds: float) -> None:
        self._receive, self._most, self._left = receive, most, most
        self._deadline = asyncio.get_running_loop().time() + seconds
        self._complete = False
        self.refusal: Refusal | None = None

    async def __call__(self) -> dict[str, Any]:
        if self._complete:
            return await self._receive()
        message = await self._next() if self.refusal is None else None
        if message is None:
            return {"type": "http.disconnect"}
        self._complete = not message.get("more_body", False)
        return message

    async def _next(self) -> dict[str, Any] | None:
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            self.refusal = TOO_SLOW
            return None
        self._left -= len(message.get("body", b""))
        if self._left < 0:
            self.refusal = _too_large(self._most)
            return None
        return message


class Discarding:
    """Sends an answer to a request that is not read, and closes the connection when that has arrived."""

    def __init__(self, receive: Receive, send: Send, seconds: float) -> None:
        self._receive, self._send, self._seconds = receive, send, seconds

    async def __call__(self, message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            message = message | {"headers": [*message.get("headers", ()), (b"connection", b"close")]}
        elif not message.get("more_body", False):
            await self._send(message | {"more_body": True})
            await self._discard()
            message = {"type": "http.response.body", "body": b"", "more_body": False}
        await self._send(message)

    async def _discard(self) -> None:
        remaining = DISCARDED
        try:
            async with asyncio.timeout(self._seconds):
                while remaining > 0:
                    message = await self._receive()
                    remaining -= len(message.get("body", b""))
                    if not message.get("more_body", False):
                        return
        except TimeoutError:
            return


async def _limit(scope: dict[str, Any]) -> tuple[int, Refusal | None]:
    """How much this request may bring, and why it is not read at all."""
    if scope["method"] != "POST" or (0 <= _announced(scope) <= LARGEST):
        return LARGEST, None
    most = trait(scope["path"], BODY, LARGEST)
    if most > LARGEST and await identify(scope) is None:
        return LARGEST, SIGN_IN
    return most, None


def _announced(scope: dict[str, Any]) -> int:
    """The length that the headers announce; -1 where it shows only as the body comes."""
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return -1
    return int(headers.get(b"content-length", 0))


def _too_large(most: int) -> Refusal:
    sentence = f"What was sent is larger than the {most // MEGABYTE} MB that this address takes."
    return replace(TOO_LARGE, sentence=sentence)

"""The gate of event streams: only so many of a user are open, and only a few are opened at once.

After a restart every open page connects to its event stream again, all at once. Until a stream has begun, its request
takes a thread and a database connection; hundreds of them would wait for a connection until they fail. Here they wait
in a line instead, which takes neither, and pages are served meanwhile.

A place in the line is for requests that are complete and of somebody who is signed in: nobody else can hold one.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from dynosite.lib.addresses import network, normal
from dynosite.lib.traits import STREAM, trait
from dynosite.ops import seats
from dynosite.ops.identity import identify
from dynosite.ops.refusals import NO_BODY, TOO_MANY_STREAMS, Receive, Send, refuse
from dynosite.ops.seats import Seat


class StreamGate:
    """Lets at most `most` event streams be opened at once. Those that are open do not count."""

    def __init__(
        self,
        application: Any,
        *,
        most: int,
        user_of: Callable[[dict[str, Any]], Awaitable[int | None]] = identify,
    ) -> None:
        self._application, self._user_of = application, user_of
        self._places = asyncio.Semaphore(most)

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET" or not trait(scope["path"], STREAM):
            await self._application(scope, receive, send)
            return
        if _has_body(scope):
            await refuse(self._application, scope, send, NO_BODY)
            return
        user_id = await self._user_of(scope)
        if user_id is None:
            await self._application(scope, receive, send)  # which sends a stranger to sign in
            return
        seat = await seats.take(user_id, _network(scope))
        if seat is None:
            await refuse(self._application, scope, send, TOO_MANY_STREAMS)
            return
        try:
            await self._open(scope, receive, send, seat)
        finally:
            await seats.give_back(seat)

    async def _open(self, scope: dict[str, Any], receive: Receive, send: Send, seat: Seat) -> None:
        await self._places.acquire()
        is_held = True

        def give_back() -> None:
            nonlocal is_held
            if is_held:
                is_held = False
                self._places.release()

        async def sending(message: dict[str, Any]) -> None:
            # The head alone is no beginning: the stream has let go of its connection when its first line comes.
            if message["type"] == "http.response.body":
                give_back()
            await send(message)
            await seats.renew(seat)

        try:
            await self._application(scope, receive, sending)
        finally:
            give_back()


def _has_body(scope: dict[str, Any]) -> bool:
    headers = dict(scope["headers"])
    return b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"


def _network(scope: dict[str, Any]) -> str:
    client = scope.get("client")
    return network(normal(client[0] if client else ""))

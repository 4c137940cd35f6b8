"""After a restart every open page connects to its event stream again, all at once.

Until a stream has begun, its request takes a thread and a database connection; hundreds of them would wait for a
connection until they fail. Here they wait in a line instead, which takes neither, and pages are served meanwhile.
"""

import asyncio
from typing import Any

STREAMS = {"events", "stream"}
"""How the addresses of event streams end."""


class StreamGate:
    """Lets at most `most` event streams be opened at once. Those that are open do not count."""

    def __init__(self, application: Any, *, most: int) -> None:
        self._application = application
        self._places = asyncio.Semaphore(most)

    async def __call__(self, scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["path"].rstrip("/").rpartition("/")[2] not in STREAMS:
            await self._application(scope, receive, send)
            return
        await self._places.acquire()
        taken = True

        def give_back() -> None:
            nonlocal taken
            if taken:
                taken = False
                self._places.release()

        async def sending(message: dict[str, Any]) -> None:
            # The head alone is no beginning: the stream has let go of its connection when its first line comes.
            if message["type"] == "http.response.body":
                give_back()
            await send(message)

        try:
            await self._application(scope, receive, sending)
        finally:
            give_back()

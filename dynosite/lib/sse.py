"""Server-sent events from a Redis Stream: nothing lost and nothing twice over reconnects.

An event's id is its entry's id in the stream, so a browser that connects again names the last that it has heard.
"""

import random
import re
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import redis.asyncio as redis
from asgiref.sync import SyncToAsync, sync_to_async
from django.conf import settings
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse

HEARTBEAT = 10.0
"""Seconds of silence after which the event `beat` is sent: no proxy closes the connection, and a page knows that it
hears."""
CHECKED_EVERY = 20.0
"""Seconds after which the listener's rights are looked at again."""
RETRY_MILLISECONDS = (1_500, 4_500)
"""After how long a page connects again, which is not the same for all of them."""
_EVENT_ID = re.compile(r"[0-9]{1,19}-[0-9]{1,19}")
"""Each half has 64 bits; Redis refuses a larger one, and other digits than these."""

Entry = dict[str, str]


def heard_last(request: HttpRequest) -> str:
    """The id of the last event that the page has heard (`Last-Event-ID`, or `after` at first), or nothing."""
    event_id = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    return event_id if _EVENT_ID.fullmatch(event_id) else ""


def event_stream(
    key: str,
    *,
    after: str,
    still_allowed: Callable[[], bool],
    message: Callable[[str, Entry], str],
    last: Callable[[Entry], bool] = lambda entry: False,
) -> StreamingHttpResponse:
    """Streams the entries of the Redis Stream `key` that come after `after` ("" is: from now on, "0-0": all).

    `message(id, entry)` writes an entry as an event, `last(entry)` says that none comes after it. The event `reload`
    tells a page that it missed what is kept no more, `gone` one whose rights have ended, `beat` that it hears.
    `still_allowed` runs in some thread, and closes the database connections that it opens there.
    """
    return StreamingHttpResponse(
        _follow(key, after, still_allowed, message, last),
        content_type="text/event-stream",
        # Named, so that no middleware compresses it: a compressor would hold events back.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"},
    )


async def _follow(
    key: str,
    after: str,
    still_allowed: Callable[[], bool],
    message: Callable[[str, Entry], str],
    last: Callable[[Entry], bool],
) -> AsyncIterator[str]:
    # The request ends with the stream: until then it must keep neither a database connection nor a thread.
    await sync_to_async(connections.close_all)()
    _let_thread_go()
    # Any: what the client's own types say of its answers does not know that they are decoded.
    client: Any = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_timeout=HEARTBEAT + 5)
    checked = time.monotonic()
    try:
        yield f"retry: {random.randint(*RETRY_MILLISECONDS)}\n\n"  # noqa: S311
        if after and await _has_gap(client, key, after):
            yield "event: reload\ndata: {}\n\n"
            after = ""
            # What was missed may hold the last entry, after which none would come.
            for newest, entry in await client.xrevrange(key, count=1):
                if last(entry):
                    yield message(newest, entry)
                    return
        after = after or await _newest(client, key)
        while True:
            answer = await client.xread({key: after}, count=200, block=round(HEARTBEAT * 1000))
            if time.monotonic() - checked >= CHECKED_EVERY or not answer:
                if not await sync_to_async(still_allowed, thread_sensitive=False)():
                    yield "event: gone\ndata: {}\n\n"
                    return
                checked = time.monotonic()
            if not answer:
                yield "event: beat\ndata: {}\n\n"
            for _, entries in answer:
                for after, entry in entries:
                    yield message(after, entry)
                    if last(entry):
                        return
    except (redis.ConnectionError, redis.TimeoutError):
        return  # The page connects again and names the last event that it has heard.
    finally:
        await client.aclose()


def _let_thread_go() -> None:
    """Ends the thread in which Django's middleware ran for this request; it would stay for as long as the stream.

    Should anything of the request need one later, there is a new one then.
    """
    context = SyncToAsync.thread_sensitive_context.get(None)
    if context is not None and (executor := SyncToAsync.context_to_thread_executor.pop(context, None)):
        executor.shutdown(wait=False)


async def _newest(client: Any, key: str) -> str:
    newest = await client.xrevrange(key, count=1)
    return newest[0][0] if newest else "0-0"


async def _has_gap(client: Any, key: str, after: str) -> bool:
    """Whether events between `after` and the oldest that is kept are lost."""
    if after == "0-0":
        return False
    oldest = await client.xrange(key, count=1)
    return not oldest or _order(oldest[0][0]) > _order(after)


def _order(event_id: str) -> tuple[int, int]:
    milliseconds, number = event_id.split("-")
    return int(milliseconds), int(number)

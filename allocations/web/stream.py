"""The event stream of a proving ground: what has changed, by ids only. Open pages then ask for it again."""

import json
import re
import time
from collections.abc import AsyncIterator
from functools import partial
from importlib import import_module

import redis.asyncio as redis
from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from allocations import access
from allocations.web.context import current_ground
from dynosite.lib.events import stream_key

HEARTBEAT = 10.0
"""Seconds of silence after which a comment is sent, so that no proxy closes the connection."""
CHECKED_EVERY = 20.0
"""Seconds after which session and membership are looked at again."""
RETRY_MILLISECONDS = 2_000
_EVENT_ID = re.compile(r"\d{1,20}-\d{1,20}")


@require_GET
async def events(request: HttpRequest) -> StreamingHttpResponse:
    """Begins after the event that the page names (`Last-Event-ID`, or `after` at first), else with the next one."""
    ground = await sync_to_async(current_ground)(request)
    after = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    still_allowed = partial(_still_allowed, request.session.session_key, ground.pk)
    return StreamingHttpResponse(
        _follow(stream_key(ground.pk), after if _EVENT_ID.fullmatch(after) else "", still_allowed),
        content_type="text/event-stream",
        # Named, so that no middleware compresses it: a compressor would hold events back.
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no", "Content-Encoding": "identity"},
    )


async def _follow(key: str, after: str, still_allowed) -> AsyncIterator[str]:
    # The request ends with the stream: until then its thread must not keep a database connection.
    await sync_to_async(connections.close_all)()
    client = redis.Redis.from_url(settings.REDIS_URL, decode_responses=True, socket_timeout=HEARTBEAT + 5)
    checked = time.monotonic()
    try:
        yield f"retry: {RETRY_MILLISECONDS}\n\n"
        if after and await _has_gap(client, key, after):
            yield "event: reload\ndata: {}\n\n"
            after = ""
        after = after or await _newest(client, key)
        while True:
            answer = await client.xread({key: after}, count=200, block=round(HEARTBEAT * 1000))
            if time.monotonic() - checked >= CHECKED_EVERY or not answer:
                if not await sync_to_async(still_allowed)():
                    yield "event: gone\ndata: {}\n\n"
                    return
                checked = time.monotonic()
            if not answer:
                yield ": still here\n\n"
            for _, entries in answer:
                for after, entry in entries:
                    yield _message(after, entry)
    except (redis.ConnectionError, redis.TimeoutError):
        return  # The page connects again and names the last event that it has heard.
    finally:
        await client.aclose()


def _message(event_id: str, entry: dict[str, str]) -> str:
    data = json.loads(entry["data"]) | {"name": entry["name"]}
    return f"id: {event_id}\nevent: change\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


async def _newest(client: redis.Redis, key: str) -> str:
    newest = await client.xrevrange(key, count=1)
    return newest[0][0] if newest else "0-0"


async def _has_gap(client: redis.Redis, key: str, after: str) -> bool:
    """Whether events between `after` and the oldest that is kept are lost."""
    oldest = await client.xrange(key, count=1)
    if not oldest:
        return after != "0-0"
    return after != "0-0" and _order(oldest[0][0]) > _order(after)


def _order(event_id: str) -> tuple[int, int]:
    milliseconds, number = event_id.split("-")
    return int(milliseconds), int(number)


def _still_allowed(session_key: str, ground_id: int) -> bool:
    """The session lives, its user is active and still a member."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    try:
        return access.role_in(get_user(request), ground_id) is not None
    finally:
        connections.close_all()

"""The event stream of a proving ground: what has changed, by ids only. Open pages then ask for it again."""

import json
from functools import partial
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from allocations import access
from allocations.web.ground_context import current_ground
from dynosite.accounts.models import User
from dynosite.accounts.requests import UserRequest
from dynosite.lib.events import stream_key
from dynosite.lib.sse import Entry, event_stream, heard_last
from dynosite.lib.traits import opens_stream


@opens_stream
@require_GET
async def events(request: UserRequest) -> StreamingHttpResponse:
    """Begins after the event that the page names, else with the next one."""
    ground = await sync_to_async(current_ground)(request)
    return event_stream(
        stream_key(ground.pk),
        after=heard_last(request),
        still_allowed=partial(_still_allowed, request.session.session_key, ground.pk),
        message=_message,
    )


def _message(event_id: str, entry: Entry) -> str:
    data = json.loads(entry["data"]) | {"name": entry["name"]}
    return f"id: {event_id}\nevent: change\ndata: {json.dumps(data, separators=(',', ':'))}\n\n"


def _still_allowed(session_key: str | None, ground_id: int) -> bool:
    """The session lives, its user is active and still a member."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    try:
        user = get_user(request)
        return isinstance(user, User) and access.role_in(user, ground_id) is not None
    finally:
        connections.close_all()

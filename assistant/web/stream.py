"""The event stream of a run. Its entries are names, ids and pieces of text; the panel asks for the rest."""

import uuid
from functools import partial
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.db import connections
from django.http import HttpRequest, StreamingHttpResponse
from django.views.decorators.http import require_GET

from allocations.exceptions import DomainError
from assistant.conversations import conversations
from assistant.selectors import run_by_id
from dynosite.accounts.requests import GroundRequest
from dynosite.lib.sse import Entry, event_stream, heard_last
from dynosite.lib.traits import opens_stream


@opens_stream
@require_GET
async def events(request: GroundRequest, pk: uuid.UUID) -> StreamingHttpResponse:
    """From the first entry, or after the one that the panel has heard last."""
    key = await sync_to_async(_key)(request, pk)
    return event_stream(
        key,
        after=heard_last(request) or "0-0",
        still_allowed=partial(_still_allowed, request.session.session_key, pk),
        message=_message,
        last=lambda entry: entry["name"] == "end",
    )


def _key(request: GroundRequest, pk: uuid.UUID) -> str:
    run_by_id(pk, user=request.user)
    return conversations.stream_of(pk, user=request.user)


def _message(event_id: str, entry: Entry) -> str:
    return f"id: {event_id}\nevent: {entry['name']}\ndata: {entry['data']}\n\n"


def _still_allowed(session_key: str | None, pk: uuid.UUID) -> bool:
    """The session lives, and its user may still see the run."""
    request = HttpRequest()
    request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
    try:
        run_by_id(pk, user=get_user(request))
    except DomainError:
        return False
    finally:
        connections.close_all()
    return True

"""The event stream of a run for programs: the panel's own entries, with a token or a session."""

import uuid
from functools import partial
from importlib import import_module

from asgiref.sync import sync_to_async
from django.conf import settings
from django.contrib.auth import get_user
from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.models import AnonymousUser
from django.db import connections
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework import exceptions

from allocations.exceptions import DomainError
from assistant.conversations import conversations
from assistant.selectors import run_by_id
from dynosite.accounts import tokens
from dynosite.accounts.authentication import TokenAuthentication, who_asks
from dynosite.accounts.models import User
from dynosite.lib.api.errors import failure_of, json_response
from dynosite.lib.sse import Entry, event_stream, heard_last
from dynosite.lib.traits import opens_stream


@opens_stream
@login_not_required
async def events(request: HttpRequest, pk: uuid.UUID) -> HttpResponseBase:
    """From the first entry, or after `Last-Event-ID`, to the end of the run."""
    try:
        if request.method != "GET":
            raise exceptions.MethodNotAllowed(request.method)
        key, still_allowed = await sync_to_async(_prepare)(request, pk)
    except (DomainError, exceptions.APIException) as error:
        if isinstance(error, exceptions.NotAuthenticated | exceptions.AuthenticationFailed):
            error.auth_header = TokenAuthentication().authenticate_header(request)
        failure = failure_of(error)
        if failure is None:
            raise
        return json_response(failure)
    return event_stream(
        key,
        after=heard_last(request) or "0-0",
        still_allowed=still_allowed,
        message=_message,
        last=lambda entry: entry["name"] == "end",
    )


def _prepare(request: HttpRequest, pk: uuid.UUID) -> tuple[str, partial[bool]]:
    user, token = who_asks(request)
    run_by_id(pk, user=user)
    key = conversations.stream_of(pk, user=user)
    return key, partial(_still_allowed, pk, token.pk if token else None, request.session.session_key)


def _message(event_id: str, entry: Entry) -> str:
    return f"id: {event_id}\nevent: {entry['name']}\ndata: {entry['data']}\n\n"


def _still_allowed(pk: uuid.UUID, token_id: int | None, session_key: str | None) -> bool:
    """The token or the session lives, and its user may still see the run."""
    try:
        if token_id is not None:
            user: User | AnonymousUser = tokens.live_token(token_id).user
        else:
            request = HttpRequest()
            request.session = import_module(settings.SESSION_ENGINE).SessionStore(session_key)
            user = get_user(request)
        if not isinstance(user, User):
            return False
        run_by_id(pk, user=user)
    except (DomainError, tokens.TokenError):
        return False
    finally:
        connections.close_all()
    return True

"""Who sends a request, before the site has read it: for limits that come before everything else."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from io import BytesIO
from typing import Any, TypeVar

from django.conf import settings
from django.contrib.auth import get_user
from django.core.handlers.asgi import ASGIRequest
from django.db import connections

from dynosite.accounts import tokens

Result = TypeVar("Result")
# Few threads, and so few database connections: hundreds of pages that connect again wait here for their turn.
_threads = ThreadPoolExecutor(4, thread_name_prefix="identity")


async def identify(scope: dict[str, Any]) -> int | None:
    """The key of the user whose session or API token the request carries, if that is good."""
    names = {name for name, _ in scope["headers"]}
    if not names & {b"cookie", b"authorization"}:
        return None
    return await in_turn(_user_id, scope)


async def in_turn(function: Callable[..., Result], *arguments: Any) -> Result:
    """Carries out what waits for database or Redis, in one of the few threads for it."""
    return await asyncio.get_running_loop().run_in_executor(_threads, function, *arguments)


def _user_id(scope: dict[str, Any]) -> int | None:
    request = ASGIRequest(scope, BytesIO())
    try:
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() == "bearer":
            return tokens.holder(text.strip()).user_id
        key = request.COOKIES.get(settings.SESSION_COOKIE_NAME)
        if not key:
            return None
        request.session = import_module(settings.SESSION_ENGINE).SessionStore(key)
        return get_user(request).pk
    except tokens.TokenError:
        return None
    finally:
        connections.close_all()

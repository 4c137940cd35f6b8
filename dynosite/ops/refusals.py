"""Refusals of the outer wall. The site itself answers with them, so that they look and are guarded as its pages."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, resolve_url
from django.template.loader import render_to_string

from dynosite.lib.api.errors import EMPTY, Failure, json_response
from dynosite.lib.errors import API

KEY = "dynosite.refusal"
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(frozen=True)
class Refusal:
    """Why a request is not let in. `code` is for programs, the sentence for both."""

    status: int
    code: str
    heading: str
    sentence: str
    headers: dict[str, str] = field(default_factory=dict)


TOO_LARGE = Refusal(413, "too-large", "This is too large", "What was sent is larger than this address takes.")
TOO_SLOW = Refusal(408, "too-slow", "This took too long", "The request did not arrive in time. Try it again.")
NO_BODY = Refusal(400, "malformed", "That request makes no sense", "An event stream is asked for without a body.")
SIGN_IN = Refusal(401, "not-signed-in", "Sign in first", "Sign in before you send a file.")
TOO_MANY_STREAMS = Refusal(
    429,
    "limited",
    "Too many live pages",
    "Too many pages or programs of yours follow changes at once. Close some of them, then try again.",
    {"Retry-After": "10"},
)


async def refuse(site: Any, scope: dict[str, Any], send: Send, refusal: Refusal) -> None:
    """Has the site answer with the refusal, whatever is sent; it reads none of it."""

    messages = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        # The site waits for the client to go while it answers, and stops waiting when it has.
        return messages.pop() if messages else await asyncio.get_running_loop().create_future()

    headers = [(name, value) for name, value in scope["headers"] if name not in (b"content-length", b"content-type")]
    await site(scope | {"headers": headers, KEY: refusal}, receive, send)


class RefusalMiddleware:
    """Answers what the wall refuses, before anything looks at session, host or form."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        refusal = getattr(request, "scope", {}).get(KEY)
        return self.get_response(request) if refusal is None else _answer(request, refusal)


def _answer(request: HttpRequest, refusal: Refusal) -> HttpResponse:
    if request.path.startswith(API):
        body = {"code": refusal.code, "message": refusal.sentence} | EMPTY
        return json_response(Failure(refusal.status, body, refusal.headers))
    if refusal is SIGN_IN:
        return redirect(f"{resolve_url('accounts:sign-in')}?next={request.path}")
    page = render_to_string("errors/refusal.html", {"refusal": refusal})
    return HttpResponse(page, status=refusal.status, headers=refusal.headers)

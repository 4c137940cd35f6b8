"""A session that is over in mid-form: sign in, and the form is back as it was typed. Nothing is sent by itself.

What a form sent without a session is kept in the anonymous session that leads through the sign-in: for an hour, for
the user who last signed in with this browser and nobody else, without passwords and files. The first page with that
form puts it back.
"""

import re
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import resolve_url
from django.template.loader import render_to_string

from dynosite.accounts.browsers import browser_of, digest
from dynosite.lib.pages import page_of
from dynosite.lib.refill import TOKEN, refill

SESSION_KEY = "typed"
REASON = "signed-out"
LIFETIME = 60 * 60
"""Seconds."""
MAX_CHARACTERS = 64 * 1024
SAFE = {"GET", "HEAD", "OPTIONS", "TRACE"}
SECRET = re.compile(r"pass(word|phrase|wd)|secret", re.IGNORECASE)
UNSEEN = {"key", "version", "next", "ground", "seen"}
"""Fields that pages hide, which tell nobody anything."""
Draft = dict[str, Any]
"""owner, page, action, typed, left_out, at: plain values, since it stands in a session."""


class SignInFirstMiddleware(LoginRequiredMiddleware):
    """Leads who has no session to sign-in, and then back to the page that a form was sent from."""

    def handle_no_permission(self, request: HttpRequest, view_func: Callable[..., Any]) -> HttpResponseRedirect:
        cookies = {settings.SESSION_COOKIE_NAME, settings.BROWSER_COOKIE_NAME}
        if request.method in SAFE or not cookies & set(request.COOKIES):
            return super().handle_no_permission(request, view_func)
        page = page_of(request) or request.get_full_path()
        draft = draft_of(request, page)
        if draft:
            request.session[SESSION_KEY] = draft
        query = urlencode({"next": page, "reason": REASON}, safe="/")
        return HttpResponseRedirect(f"{resolve_url(settings.LOGIN_URL)}?{query}")


def draft_of(request: HttpRequest, page: str) -> Draft | None:
    """What the form sent, if this browser's user is known. `typed` is empty where all of it is too long."""
    browser = browser_of(request)
    if browser is None or not browser.users:
        return None
    try:
        sent = {name: values for name, values in request.POST.lists() if name != TOKEN}
        files = list(request.FILES)
    except (SuspiciousOperation, MultiPartParserError, UnreadablePostError):
        return None
    secret = [name for name in sent if SECRET.search(name)]
    typed = {name: values for name, values in sent.items() if name not in secret}
    too_long = sum(len(name) + sum(map(len, values)) for name, values in typed.items()) > MAX_CHARACTERS
    return {
        "owner": browser.users[0],
        "page": page,
        "action": request.path,
        "typed": {} if too_long else typed,
        "left_out": bool(secret or files),
        "too_long": too_long,
        "at": int(time.time()),
    }


def current(request: HttpRequest) -> Draft | None:
    """What waits to be put back, if it is not too old."""
    draft = request.session.get(SESSION_KEY)
    return draft if draft and time.time() - draft["at"] < LIFETIME else None


def greet(request: HttpRequest, name: str) -> None:
    """Just after signing in: what another user typed is removed, unseen."""
    draft = request.session.pop(SESSION_KEY, None)
    if request.GET.get("reason") != REASON:
        return
    if draft and draft["owner"] != digest(name):
        messages.warning(request, "What was typed here before belongs to another user and is not shown.")
    elif draft and has_words(draft):
        request.session[SESSION_KEY] = draft
    else:
        messages.warning(request, "You were signed out when you sent this. Nothing was changed: do it again.")


def has_words(draft: Draft) -> bool:
    """Whether there is anything to put back; a mere button sends at most its own value."""
    return any(value for values in draft["typed"].values() for value in values)


class PutBackMiddleware:
    """Fills the first form that fits, whatever page or part of one it comes with."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if request.method != "GET" or not isinstance(response, HttpResponse) or response.status_code != 200:
            return response
        is_page = response.get("Content-Type", "").startswith("text/html")
        # Who asks nothing of the session has no form that needs one.
        if is_page and request.session.accessed and request.user.is_authenticated and (draft := current(request)):
            put_back(request, response, draft)
        return response


def put_back(request: HttpRequest, response: HttpResponse, draft: Draft) -> None:
    text = response.content.decode(response.charset)
    refilled = refill(text, page=request.path, action=draft["action"], typed=draft["typed"])
    if refilled:
        context = {
            "left_out": draft["left_out"],
            "left_over": refilled.left_over,
            "is_button": refilled.is_button,
        }
        response.content = refilled.with_notice(render_to_string("accounts/_put_back.html", context))
        del request.session[SESSION_KEY]
    elif request.get_full_path() == draft["page"] and "HX-Request" not in request.headers:
        # The form is gone, for instance because what it was about has changed: at least nothing is lost.
        words = {name: values for name, values in draft["typed"].items() if name not in UNSEEN and any(values)}
        context = {"is_gone": True, "left_over": words}
        start, main, rest = text.partition("</main>")
        if main:
            response.content = start + render_to_string("accounts/_put_back.html", context) + main + rest
            del request.session[SESSION_KEY]

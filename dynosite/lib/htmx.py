"""Answers to htmx's fragment requests."""

from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import urlencode, urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.conf import settings
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase
from django.shortcuts import resolve_url
from django.template.loader import render_to_string

REDIRECTS = {301, 302, 303, 307, 308}


def wants_fragment(request: HttpRequest, *targets: str) -> bool:
    """Whether htmx asks for a part of the page (one of `targets`, by element id, where any are given).

    htmx also asks for whole pages (`HX-Request-Type: full`), when it goes back in history for instance.
    """
    if request.headers.get("HX-Request") != "true" or request.headers.get("HX-Request-Type") == "full":
        return False
    target = request.headers.get("HX-Target", "").partition("#")[2]
    return not targets or target in targets


def toast(message: str, level: str = "success") -> str:
    """HTML to append to any htmx answer: shows a toast (success, info, warning or error)."""
    return render_to_string("components/toast_partial.html", {"message": message, "level": level})


def _sign_in_address(request: HttpRequest, reason: str | None) -> str:
    try:
        page = urlsplit(request.headers.get("HX-Current-URL", ""))
    except ValueError:  # no address at all
        page = urlsplit("/")
    address = f"{page.path or '/'}{'?' + page.query if page.query else ''}"
    query = {"next": address} | ({"reason": reason} if reason else {})
    return f"{resolve_url(settings.LOGIN_URL)}?{urlencode(query)}"


def _whole_page(request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
    """A redirect in answer to htmx moves the page: never a page, least of all sign-in, inside a fragment."""
    if request.headers.get("HX-Request") != "true" or response.status_code not in REDIRECTS:
        return response
    address = response["Location"]
    parts = urlsplit(address)
    if parts.path == resolve_url(settings.LOGIN_URL):
        address = _sign_in_address(request, QueryDict(parts.query).get("reason"))
    moved = HttpResponse(status=204, headers={"HX-Redirect": address})
    moved.cookies = response.cookies
    return moved


class HtmxRedirectMiddleware:
    """Turns redirects in answer to htmx into `HX-Redirect`; serves both kinds of view."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self.get_response: Any = get_response
        """Awaitable where `is_async`."""
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._answer_async(request)
        return _whole_page(request, self.get_response(request))

    async def _answer_async(self, request: HttpRequest) -> HttpResponseBase:
        return _whole_page(request, await self.get_response(request))

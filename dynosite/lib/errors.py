"""The pages for errors: with the navigation for who is signed in, and a way on for everybody. To programs, JSON."""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse, QueryDict
from django.http.response import HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.views import defaults

from dynosite.lib.api.errors import Failure, framework_body, json_response
from dynosite.lib.pages import page_above, page_of
from dynosite.lib.request_id import current_request_id

API = "/api/"
REASON = "X-Refusal"
"""Tells the pages' modules why, so that they offer to load a page again that is out of date."""


def error_page(request: HttpRequest, status: int, context: dict[str, Any] | None = None) -> HttpResponse:
    """The page of an error. It is about no ground: the one that the address names may be what was wrong."""
    request.GET = QueryDict()
    # Before there is a user, neither is what the navigation asks for.
    shown_to = request if hasattr(request, "user") else None
    context = {"page_above": page_above(request.path), "page_before": _other_page(request)} | (context or {})
    return render(shown_to, f"errors/{status}.html", context, status=status)


def _other_page(request: HttpRequest) -> str | None:
    """Where the user was, if that is another page."""
    if not hasattr(request, "user"):
        return None
    page = page_of(request)
    return None if page == request.get_full_path() and request.method == "GET" else page


def _bad_request_page(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    too_large = isinstance(exception, RequestDataTooBig)
    return error_page(request, HTTPStatus.REQUEST_ENTITY_TOO_LARGE if too_large else HTTPStatus.BAD_REQUEST)


def _refusal_page(request: HttpRequest, exception: Exception | None = None, *, status: int) -> HttpResponse:
    return error_page(request, status)


def _csrf_page(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Most often a page that was open through a new sign-in; of who is signed out, sign-in has to come first."""
    match = request.resolver_match
    needs_user = match is None or getattr(match.func, "login_required", True)
    if needs_user and hasattr(request, "user") and not request.user.is_authenticated:
        return redirect_to_login(page_of(request) or "/", resolve_url(settings.LOGIN_URL))
    response = render(request, "errors/csrf.html", {"page_before": page_of(request) or "/"}, status=403)
    response[REASON] = "out-of-date"
    return response


def _answered(status: int, sentence: str, page: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    def answer(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not request.path.startswith(API):
            return page(request, *args, **kwargs)
        return json_response(Failure(status, framework_body(status, sentence) | {"request_id": current_request_id()}))

    return answer


bad_request = _answered(400, "The request could not be read.", _bad_request_page)
permission_denied = _answered(403, "This is not allowed.", partial(_refusal_page, status=403))
page_not_found = _answered(404, "There is no such address.", partial(_refusal_page, status=404))
# Without a context: what the navigation asks for may be what failed.
server_error = _answered(
    500,
    "Something went wrong here. The fault has been recorded.",
    partial(defaults.server_error, template_name="errors/500.html"),
)
csrf_failure = _answered(403, "The CSRF token is missing or does not fit.", _csrf_page)


class MethodMiddleware:
    """A page for 405. Who opens an address that only takes forms, as after signing in, gets the page above it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if response.status_code != HTTPStatus.METHOD_NOT_ALLOWED or request.path.startswith(API):
            return response
        opens_page = request.method == "GET" and "text/html" in request.headers.get("Accept", "")
        is_htmx = request.headers.get("HX-Request") == "true"
        if opens_page and not is_htmx and request.user.is_authenticated and (page := page_above(request.path)):
            return HttpResponseRedirect(page)
        answer = error_page(request, HTTPStatus.METHOD_NOT_ALLOWED)
        answer["Allow"] = response["Allow"]
        return answer

"""The edge where errors of the domain become HTTP, whatever page they come from.

What does not exist is 404, what is not allowed 403. A page that can say it beside its form catches the others before.
"""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.core.handlers.exception import response_for_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone

from allocations.exceptions import DomainError, NotAllowed, NotFound
from allocations.web.ground_context import ElsewhereError, same_page, shell_of
from dynosite.lib.ground_address import is_page, split_off
from dynosite.lib.pages import page_of

PARTS = ("allocations", "assistant", "accounts", "admin")
"""The parts of the site whose pages show the shell of a ground."""
OF_NO_GROUND = {"sign-in", "sign-out", "login", "logout", "jsi18n"}


class GroundMiddleware:
    """A page belongs to the ground of its address; one that is opened without a ground leads to the same with it.

    The session only remembers which ground was looked at last, for that purpose. Times are said in the time zone of
    the page's ground until the request ends.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: dict[str, Any]) -> HttpResponse | None:
        match = request.resolver_match
        if match is None or match.app_name not in PARTS or match.url_name in OF_NO_GROUND:
            return None
        if not request.user.is_authenticated:
            return None
        shell = shell_of(request)
        for name in ("show_ground", "need_ground"):
            setattr(request, name, getattr(shell, name))
        try:
            code, named = shell.code, shell.named
        except NotFound as error:
            raise Http404(error.sentence) from None
        ground = named or shell.ground
        if ground:
            timezone.activate(ground.time_zone)
        if ground is None or split_off(request) or not is_page(request):
            return None
        if not code and "pk" in kwargs:
            return None  # the thing's own ground, which the view finds out
        return redirect(same_page(request, ground.code))


class DomainErrorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, ElsewhereError):
            return redirect(same_page(request, exception.code))
        if isinstance(exception, NotFound):
            return response_for_exception(request, Http404(exception.sentence))
        if isinstance(exception, NotAllowed):
            return response_for_exception(request, PermissionDenied(exception.sentence))
        if isinstance(exception, DomainError):
            context = {"error": exception, "status": exception.http_status, "page_before": page_of(request)}
            return render(request, "errors/domain.html", context, status=exception.http_status)
        return None

"""The edge where errors of the domain become HTTP, whatever page they come from.

What does not exist is 404, what is not allowed 403. A page that can say it beside its form catches the others before.
"""

from collections.abc import Callable

from django.core.exceptions import PermissionDenied
from django.core.handlers.exception import response_for_exception
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from allocations.exceptions import Busy, DomainError, Invalid, KeyReused, NotAllowed, NotFound, Refused, Stale
from dynosite.lib.pages import page_of

STATUS: dict[type[DomainError], int] = {Stale: 409, KeyReused: 409, Refused: 422, Invalid: 422, Busy: 503}


class GroundTimeMiddleware:
    """Times are said in the time zone of the ground that the page is about: this ends what `Shell.ground` begins."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with timezone.override(None):
            return self.get_response(request)


class DomainErrorMiddleware:
    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if isinstance(exception, NotFound):
            return response_for_exception(request, Http404(exception.sentence))
        if isinstance(exception, NotAllowed):
            return response_for_exception(request, PermissionDenied(exception.sentence))
        if isinstance(exception, DomainError) and (status := STATUS.get(type(exception))):
            context = {"error": exception, "status": status, "page_before": page_of(request)}
            return render(request, "errors/domain.html", context, status=status)
        return None

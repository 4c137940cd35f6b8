"""What signing in asks of every request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from dynosite.accounts.hashing import HashingBusy


class HashingBusyMiddleware:
    """A page that hashes a password and had no place for it says so, in the administration too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, HashingBusy):
            return None
        response = render(request, "errors/503.html", {"sentence": exception.sentence}, status=503)
        response["Retry-After"] = str(exception.retry_after)
        return response

"""What signing in asks of every request."""

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from dynosite.accounts.hashing import HashingBusyError
from dynosite.lib.errors import error_page


class HashingBusyMiddleware:
    """A page that hashes a password and had no place for it says so, in the administration too."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, HashingBusyError):
            return None
        response = error_page(request, 503, {"sentence": exception.sentence})
        response["Retry-After"] = str(exception.retry_after)
        return response

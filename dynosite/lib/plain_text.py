"""Text that can be kept: PostgreSQL takes no NUL, and UTF-8 no half of a surrogate pair."""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")


def storable(value: Any) -> Any:
    """The value without what cannot be kept; of lists and dicts all that is in them."""
    if isinstance(value, str):
        return _NOT_KEPT.sub("", value)
    if isinstance(value, dict):
        return {storable(name): storable(each) for name, each in value.items()}
    if isinstance(value, list):
        return [storable(each) for each in value]
    return value


class PlainTextMiddleware:
    """Answers 400 to an address or form with a NUL in it, which no person types and every text column refuses.

    Behind the middleware for CSRF, which has read the form. What is exempt from that reads its body itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if not getattr(view, "csrf_exempt", False) and (_has_nul(request.GET) or _has_nul(request.POST)):
            raise BadRequest("A NUL is in the address or the form.")


def _has_nul(given: QueryDict) -> bool:
    return any("\x00" in text for name, values in given.lists() for text in (name, *map(str, values)))

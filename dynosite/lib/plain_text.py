"""Text that can be kept, for PostgreSQL takes no NUL, and UTF-8 no half of a surrogate pair; and that can be seen."""

import re
from collections.abc import Callable
from typing import Any

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
_NOT_SEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, those that turn the direction of what follows, and those without any width. The two that join
letters stay: some scripts are written with them."""


def storable(value: Any) -> Any:
    """The value without what cannot be kept; of lists and dicts all that is in them."""
    return _without(_NOT_KEPT, value)


def visible(value: Any) -> Any:
    """The value without what nobody sees, so that it says what it shows; of lists and dicts all that is in them."""
    return _without(_NOT_SEEN, value)


def _without(left_out: re.Pattern[str], value: Any) -> Any:
    if isinstance(value, str):
        return left_out.sub("", value)
    if isinstance(value, dict):
        return {_without(left_out, name): _without(left_out, each) for name, each in value.items()}
    if isinstance(value, list):
        return [_without(left_out, each) for each in value]
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

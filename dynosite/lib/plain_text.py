"""Text that can be kept, for PostgreSQL takes no NUL, and UTF-8 no half of a surrogate pair; and that can be seen."""

import re
import unicodedata
from collections.abc import Callable
from typing import Any, TypeVar

from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse, QueryDict

Value = TypeVar("Value")
_NOT_KEPT = re.compile("[\x00\ud800-\udfff]")
_NOT_SEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u206f\ufeff"
    "\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Control characters, those that turn the direction of what follows, and those without any width. The two that join
letters stay: some scripts are written with them."""


_CATEGORIES_NOT_SEEN = frozenset(("Cc", "Cf", "Cs", "Cn", "Co"))
_BLANK = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]"
)
"""Letters, marks and symbols by their category that have no shape of their own."""


def storable(value: Any) -> Any:
    """The value without what cannot be kept; of lists and dicts all that is in them."""
    return _without(_NOT_KEPT, value)


def visible(value: Value) -> Value:
    """The value without what nobody sees, so that it says what it shows; of lists and dicts all that is in them."""
    cleaned: Value = _without(_NOT_SEEN, value)
    return cleaned


def one_line(text: str) -> str:
    """The text as names are kept: white space collapsed, and nothing in it that cannot be seen.

    Letters that can be written in two ways are brought into one, so that texts that look the same are the same.
    """
    visible = (char for char in unicodedata.normalize("NFC", text) if char.isspace() or not _is_invisible(char))
    return " ".join("".join(visible).split())


def _is_invisible(char: str) -> bool:
    return unicodedata.category(char) in _CATEGORIES_NOT_SEEN or _BLANK.match(char) is not None


def _without(left_out: re.Pattern[str], value: Any) -> Any:
    if isinstance(value, str):
        return left_out.sub("", value)
    if isinstance(value, dict):
        return {_without(left_out, name): _without(left_out, item) for name, item in value.items()}
    if isinstance(value, list):
        return [_without(left_out, item) for item in value]
    return value


_TURNING = re.compile(rb"\xe2\x80[\xaa-\xae]|\xe2\x81[\xa6-\xa9]")
"""What turns the direction of the letters after it, in UTF-8; no text that is honest needs it to be unseen."""


def _named(match: re.Match[bytes]) -> bytes:
    return f"[U+{ord(match[0].decode()):04X}]".encode()


class PlainTextMiddleware:
    """Answers 400 to an address or form with a NUL in it, which no person types and every text column refuses.

    Writes the names of characters that turn the direction of a text in place of them, so that every page shows what
    people's texts hold, in the order in which they hold it.

    Behind the middleware for CSRF, which has read the form. What is exempt from that reads its body itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if not response.streaming and response.get("Content-Type", "").startswith("text/html"):
            response.content = _TURNING.sub(_named, response.content)
        return response

    def process_view(self, request: HttpRequest, view: Any, args: Any, kwargs: Any) -> None:
        if not getattr(view, "csrf_exempt", False) and (has_nul(request.GET) or has_nul(request.POST)):
            raise BadRequest("A NUL is in the address or the form.")


def has_nul(params: QueryDict) -> bool:
    return any("\x00" in text for name, values in params.lists() for text in (name, *map(str, values)))

"""What the outer wall has to know of a view before its request is read: noted at the view, found by its address."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.urls import Resolver404, resolve

from dynosite.lib.ground_address import split_ground

View = TypeVar("View", bound=Callable[..., Any])

STREAM = "opens_stream"
BODY = "largest_body"


def opens_stream(view: View) -> View:
    """Of a view whose answer stays open: it is opened in turn, and only so many of a user are open at once."""
    setattr(view, STREAM, True)
    return view


def takes_body(most: int) -> Callable[[View], View]:
    """Of a view to which a signed-in user may send up to `most` bytes, which is more than other views take."""

    def mark(view: View) -> View:
        setattr(view, BODY, most)
        return view

    return mark


def trait(path: str, name: str, default: Any = None) -> Any:
    """What is noted at the view that answers this path."""
    try:
        return getattr(resolve(split_ground(path)[1]).func, name, default)
    except Resolver404:
        return default

"""Requests of people who have signed in."""

from collections.abc import Callable
from typing import Any

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest

from dynosite.accounts.models import User


class UserRequest(HttpRequest):
    """What views take behind the sign-in, which `SignInFirstMiddleware` lets nobody pass: a type, never made."""

    user: User


class GroundRequest(UserRequest):
    """What views take whose pages are of a proving ground; `GroundMiddleware` of the allocations sets the rest."""

    need_ground: Callable[[], Any]
    """The ground of the page, or an error that says what to do."""
    show_ground: Callable[[int], None]
    """Says of which ground the page is."""


def user_of(request: HttpRequest) -> User:
    """Who has signed in, where a request may be anybody's. Raises PermissionDenied."""
    if isinstance(request.user, User):
        return request.user
    raise PermissionDenied

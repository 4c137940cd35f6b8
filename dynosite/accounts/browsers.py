"""Browsers that have signed in before: a signed cookie that lives longer than sessions and opens nothing.

It tells a user's own browser from a stranger's, so that limits on strangers' attempts do not hold the user up.
"""

import secrets
from dataclasses import dataclass

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare, salted_hmac

SALT = "dynosite.accounts.browsers"
LIFETIME = 180 * 24 * 60 * 60
"""Seconds."""
MAX_USERS = 8


@dataclass(frozen=True)
class Browser:
    """A browser and the users that have signed in with it, the last one first. Of names it has digests only."""

    key: str
    users: tuple[str, ...] = ()

    def knows(self, name: str) -> bool:
        return any(constant_time_compare(digest(name), user) for user in self.users)


def digest(name: str) -> str:
    return salted_hmac(SALT, name.casefold()).hexdigest()[:24]


def browser_of(request: HttpRequest) -> Browser | None:
    """None for a browser that has never signed in here, or not for a long time."""
    text = request.COOKIES.get(settings.BROWSER_COOKIE_NAME, "")
    try:
        key, *users = signing.loads(text, salt=SALT, max_age=LIFETIME)
    except (signing.BadSignature, ValueError, TypeError):
        return None
    return Browser(key, tuple(users))


def remember(request: HttpRequest, response: HttpResponse, name: str) -> None:
    """Note in the browser that this user has signed in with it."""
    before = browser_of(request) or Browser(secrets.token_hex(16))
    users = [digest(name), *(user for user in before.users if user != digest(name))][:MAX_USERS]
    response.set_cookie(
        settings.BROWSER_COOKIE_NAME,
        signing.dumps([before.key, *users], salt=SALT),
        max_age=LIFETIME,
        httponly=True,
        secure=settings.SESSION_COOKIE_SECURE,
        samesite="Lax",
    )

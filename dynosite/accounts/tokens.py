"""API tokens: made once and shown once, kept as a digest, with a name, an end and the time of the last use."""

import datetime as dt
import hashlib
import secrets
from collections.abc import Iterable

from django.db.models import Q, QuerySet
from django.utils import timezone

from dynosite.accounts.models import ApiToken, User

PREFIX = "dyno_"
MAX_DAYS = 366
MAX_LIVE = 20
"""A user, that are neither revoked nor expired."""
NOTED_EVERY = dt.timedelta(minutes=1)
UNKNOWN = "This token is not known."


class TokenError(Exception):
    """Why a token is not made, or does not open anything, in a sentence."""


def issue(user: User, name: str, *, days: int, may_write: bool = False) -> tuple[ApiToken, str]:
    """A new token and its text, which is never seen again; it only reads unless said otherwise. Raises TokenError."""
    name = " ".join(name.split())
    longest = ApiToken._meta.get_field("name").max_length or 0
    if not 0 < len(name) <= longest:
        raise TokenError(f"A name has 1 to {longest} characters.")
    if not 0 < days <= MAX_DAYS:
        raise TokenError(f"A token lives for 1 to {MAX_DAYS} days.")
    end_with_password(user, apart_from=live(user))
    if user.tokens.filter(name=name, revoked_at=None).exists():
        raise TokenError(f"You have a token of the name {name}. Revoke it first, or choose another name.")
    if live(user).count() >= MAX_LIVE:
        raise TokenError(f"You have {MAX_LIVE} tokens. Revoke one that is not needed any more.")
    text = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken.objects.create(
        user=user,
        name=name,
        start=text[: len(PREFIX) + 4],
        digest=_digest(text),
        may_write=may_write,
        password_stamp=user.password_changed_at,
        expires_at=timezone.now() + dt.timedelta(days=days),
    )
    return token, text


def live(user: User) -> QuerySet[ApiToken]:
    return user.tokens.filter(revoked_at=None, expires_at__gt=timezone.now(), password_stamp=user.password_changed_at)


def end_with_password(user: User, *, apart_from: Iterable[ApiToken]) -> None:
    """Marks the tokens of an older password as revoked, so that their names are free, and takes the others over."""
    going_on = [token.pk for token in apart_from]
    user.tokens.filter(pk__in=going_on).update(password_stamp=user.password_changed_at)
    older = user.tokens.filter(revoked_at=None, expires_at__gt=timezone.now()).exclude(pk__in=going_on)
    older.update(revoked_at=timezone.now())


def revoke(pk: int, *, user: User) -> ApiToken | None:
    """Ends one of the user's tokens at once; none where it is not theirs."""
    token = user.tokens.filter(pk=pk).first()
    if token and token.revoked_at is None:
        token.revoked_at = timezone.now()
        token.save(update_fields=["revoked_at"])
    return token


def live_token(pk: int) -> ApiToken:
    """The token with its user. Raises TokenError if it is gone, or opens nothing any more."""
    token = ApiToken.objects.select_related("user").filter(pk=pk).first()
    if token is None:
        raise TokenError(UNKNOWN)
    expect_live(token)
    return token


def holder(text: str) -> ApiToken:
    """The token of this text, and thereby its user. Raises TokenError, which says why only to who has it."""
    # Of 32 random bytes a plain digest tells nothing, and the lookup by it needs no comparison in constant time.
    token = ApiToken.objects.select_related("user").filter(digest=_digest(text)).first()
    if token is None:
        raise TokenError(UNKNOWN)
    expect_live(token)
    now = timezone.now()
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - NOTED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)
    return token


def expect_live(token: ApiToken) -> None:
    """Raises TokenError."""
    if token.revoked_at is not None:
        raise TokenError("This token was revoked.")
    if token.expires_at <= timezone.now():
        raise TokenError("This token has expired.")
    if token.password_stamp != token.user.password_changed_at:
        raise TokenError("This token ended when the password of its user was changed.")
    if not token.user.is_active:
        raise TokenError("The user of this token is not active.")


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()

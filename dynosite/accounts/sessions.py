"""Sessions in the database: only a key that can be one is looked up, and they end some hours after their use."""

import datetime as dt

from django.conf import settings
from django.contrib.sessions.backends import db
from django.contrib.sessions.middleware import SessionMiddleware
from django.contrib.sessions.models import Session
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from dynosite.lib.htmx import wants_fragment

NOTED_EVERY = dt.timedelta(minutes=5)
SAFE = {"GET", "HEAD", "OPTIONS"}


class SessionStore(db.SessionStore):
    ends_at: dt.datetime | None = None
    """As it stood in the database when the session was loaded."""

    def _validate_session_key(self, key: str | None) -> bool:
        """A quoted cookie can hold a NUL, which no text column can be asked for."""
        if not key or not key.isascii() or not key.isalnum():
            return False
        return bool(super()._validate_session_key(key))  # type: ignore[misc]  # the stubs leave it out

    def _get_session_from_db(self) -> Session | None:
        row: Session | None = super()._get_session_from_db()  # type: ignore[misc]  # the stubs leave it out
        self.ends_at = row.expire_date if row else None
        return row

    def is_due(self) -> bool:
        """Whether its last use was noted long enough ago to note it again."""
        full = dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return self.ends_at is not None and self.ends_at < timezone.now() + full - NOTED_EVERY

    def extend(self) -> bool:
        """Let it end a full time from now. Not if it has ended meanwhile, and without writing what is in it."""
        ends_at = timezone.now() + dt.timedelta(seconds=settings.SESSION_COOKIE_AGE)
        return bool(Session.objects.filter(pk=self.session_key).update(expire_date=ends_at))


class SlidingSessionMiddleware(SessionMiddleware):
    """A session ends so long after its last use, not after the sign-in."""

    def process_response(self, request: HttpRequest, response: HttpResponse) -> HttpResponse:
        session = request.session
        rewrites_cookie = session.modified
        response = super().process_response(request, response)
        if not isinstance(session, SessionStore) or not session.accessed or rewrites_cookie or not _is_use(request):
            return response
        if session.session_key and session.is_due() and session.extend():
            response.set_cookie(
                settings.SESSION_COOKIE_NAME,
                session.session_key,
                max_age=settings.SESSION_COOKIE_AGE,
                domain=settings.SESSION_COOKIE_DOMAIN,
                path=settings.SESSION_COOKIE_PATH,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=settings.SESSION_COOKIE_HTTPONLY,
                samesite=settings.SESSION_COOKIE_SAMESITE,
            )
        return response


def _is_use(request: HttpRequest) -> bool:
    """Parts and streams are also asked for by pages that nobody looks at."""
    if request.method not in SAFE:
        return True
    return not wants_fragment(request) and request.headers.get("Accept") != "text/event-stream"

"""Who asks an API: the bearer of a token, else the session's user."""

from django.http import HttpRequest
from rest_framework.authentication import BaseAuthentication, SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed, NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request

from dynosite.accounts import tokens
from dynosite.accounts.models import ApiToken, User


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer dyno_…`. A token that is no good is refused, whatever the session says.

    So is a write with a token that only reads: here, where no view can leave the question out.
    """

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            return None
        try:
            token = tokens.holder(text.strip())
        except tokens.TokenError as error:
            raise AuthenticationFailed(str(error)) from None
        if not token.may_write and request.method not in SAFE_METHODS:
            raise PermissionDenied("This token only reads. Make one that may write for what changes something.")
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="Dynosite"'


def who_asks(request: HttpRequest) -> tuple[User, ApiToken | None]:
    """For a view that Django REST framework does not serve. Raises the framework's errors."""
    wrapped = Request(request, authenticators=[TokenAuthentication(), SessionAuthentication()])
    if not wrapped.user.is_authenticated:
        raise NotAuthenticated
    return wrapped.user, wrapped.auth

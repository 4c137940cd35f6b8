"""What a failed model call means: try again or elsewhere, tell the admin, or tell the user."""

from enum import StrEnum

import httpx
from django.db import DatabaseError, InterfaceError
from langchain_core import exceptions as langchain
from psycopg import Error as DriverError

from allocations.exceptions import DomainError


class Failure(StrEnum):
    TRANSIENT = "transient"
    """It may work in a moment or elsewhere: rate limit, server error, no connection, cut stream, too slow."""
    MISCONFIGURED = "misconfigured"
    """The key, the rights or the model's name are wrong: another model answers, and the admin is told."""
    REFUSED = "refused"
    """Another try of the same would fail the same way: the provider will not, or what it sent makes no sense."""


class CallTimeoutError(Exception):
    """A model call that went on past its time, with or without words on the way."""


class NoAnswerError(Exception):
    """The provider blocked this. The sentence is for the user."""


_MISCONFIGURED = (
    langchain.ModelAuthenticationError,
    langchain.ModelPermissionDeniedError,
    langchain.ModelNotFoundError,
)
_TRANSIENT = (
    CallTimeoutError,
    ConnectionError,
    TimeoutError,
    httpx.TransportError,
    langchain.ModelAPIError,
    langchain.ModelConnectionError,
    langchain.ModelRateLimitError,
    langchain.ModelTimeoutError,
)


def classify(error: Exception) -> Failure:
    if isinstance(error, _MISCONFIGURED) or "api key" in str(error).casefold():
        return Failure.MISCONFIGURED
    if isinstance(error, _TRANSIENT):
        return Failure.TRANSIENT
    return Failure.REFUSED


def is_our_own(error: Exception) -> bool:
    """Whether it arose around the model's call and not in it: a right that is gone, a database that is away."""
    return isinstance(error, DomainError | DatabaseError | InterfaceError | DriverError)


def may_have_cost(error: BaseException) -> bool:
    """Whether the provider had begun to work on it: it was too slow, broke off or was stopped, and did not refuse."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | ConnectionRefusedError):
        return False
    begun = (CallTimeoutError, TimeoutError, ConnectionError, httpx.TransportError, langchain.ModelTimeoutError)
    return isinstance(error, begun) or not isinstance(error, Exception)

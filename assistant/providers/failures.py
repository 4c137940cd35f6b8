"""What a failed model call means: try again or elsewhere, tell the admin, or tell the user."""

from enum import StrEnum

import httpx
from langchain_core import exceptions as langchain


class Failure(StrEnum):
    TRANSIENT = "transient"
    """It may work in a moment or elsewhere: rate limit, server error, no connection, cut stream, too slow."""
    MISCONFIGURED = "misconfigured"
    """The key, the rights or the model's name are wrong: falling back would hide it from the admin."""
    REFUSED = "refused"
    """The provider understood and will not: another try of the same would fail the same way."""


class CallTooLong(Exception):
    """A model call that went on past its time, with or without words on the way."""


class Misconfigured(Exception):
    """The provider refused the configuration. The sentence is for the admin."""


class NoAnswer(Exception):
    """The model would not answer this. The sentence is for the user."""


_MISCONFIGURED = (
    langchain.ModelAuthenticationError,
    langchain.ModelPermissionDeniedError,
    langchain.ModelNotFoundError,
)
_TRANSIENT = (
    CallTooLong,
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


def may_have_cost(error: BaseException) -> bool:
    """Whether the provider had begun to work on it: it was too slow, broke off or was stopped, and did not refuse."""
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout | httpx.PoolTimeout | ConnectionRefusedError):
        return False
    begun = (CallTooLong, TimeoutError, ConnectionError, httpx.TransportError, langchain.ModelTimeoutError)
    return isinstance(error, begun) or not isinstance(error, Exception)

"""The id of the request that is being answered, for logs and the history."""

from contextvars import ContextVar

request_id: ContextVar[str] = ContextVar("request_id", default="-")


def current_request_id() -> str:
    return request_id.get()

"""The one place that opens connections to Redis."""

from functools import lru_cache
from typing import Any

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

SHORT = 2.0
"""Seconds that a command may take: whoever waits for it can do without."""


def connect(*, seconds: float = SHORT, **options: Any) -> redis.Redis:
    """A client of its own, which its user closes. `seconds` is how long one command may take."""
    return redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=seconds, socket_connect_timeout=min(seconds, SHORT), **options
    )


@lru_cache(maxsize=1)
def shared() -> redis.Redis:
    """This process's client for short commands; answers are bytes."""
    return connect()


@lru_cache(maxsize=1)
def shared_text() -> redis.Redis:
    """The same with answers as text, which asks once more at once where a restart of Redis has cut its connection."""
    return connect(decode_responses=True, retry=Retry(NoBackoff(), 1))

"""What happened, told to open pages through one Redis Stream a proving ground.

An event carries names and ids, never content: whoever hears it asks again through the ordinary views, where the
rights are checked.
"""

import json
import logging
from collections.abc import Iterable

import redis
from django.db import transaction

from dynosite.lib.redis_client import shared

logger = logging.getLogger(__name__)

MAX_KEPT = 1_000
"""Entries kept a stream. A page that missed more than that loads anew."""


def stream_key(ground_id: int) -> str:
    return f"dynosite:ground:{ground_id}"


def position(ground_id: int) -> str:
    """The id of the newest event, from which a page that is rendered now has to follow; nothing if Redis is away."""
    try:
        newest = shared().xrevrange(stream_key(ground_id), count=1)
    except redis.RedisError:
        return ""
    # The client's types leave open how an entry looks.
    return newest[0][0].decode() if newest else "0-0"  # type: ignore[union-attr]


def publish(ground_id: int, name: str, *, dynos: Iterable[int] = (), **ids: object) -> None:
    """Tells it once the transaction has committed. That Redis is away loses the event, never the write."""
    payload = json.dumps({"dynos": sorted(set(dynos)), **ids}, default=str)

    def send() -> None:
        try:
            shared().xadd(stream_key(ground_id), {"name": name, "data": payload}, maxlen=MAX_KEPT, approximate=True)
        except redis.RedisError as error:
            logger.warning("event %s of ground %s was not published: %s", name, ground_id, error)

    transaction.on_commit(send)


def forget(ground_id: int) -> None:
    """Removes the stream of a ground that is no more."""
    try:
        shared().delete(stream_key(ground_id))
    except redis.RedisError as error:
        logger.warning("the stream of ground %s was not removed: %s", ground_id, error)

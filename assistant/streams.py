"""The Redis Stream of a run, which the panel follows, and the flag that asks a run to stop.

Entries have a `name` and `data` as JSON. That Redis is away loses entries, never the run: what was said is in the
transcript, and whoever follows is sent there.
"""

import json
import logging
import threading
import time
import uuid
from typing import Any

import redis
from django.conf import settings

from dynosite.lib.redis_client import shared_text

logger = logging.getLogger(__name__)

KEPT_ENTRIES = 5_000
"""Entries kept a run."""
KEPT_SECONDS = 60 * 60
"""After the end."""
MAX_SECONDS = 6 * 60 * 60
"""That a stream without an end is kept."""
PAUSE_SECONDS = 1.0
"""After Redis did not answer: a run does not wait for it again with each word."""
END_SECONDS = 10.0
"""For how long the last entry, without which a panel waits, is tried again."""


class _Away:
    until = 0.0


def key(run_id: uuid.UUID | str) -> str:
    return f"{settings.REDIS_PREFIX}:assistant:run:{run_id}"


def publish(run_id: uuid.UUID | str, name: str, /, **data: Any) -> bool:
    """Adds an entry; says whether it is there."""
    if time.monotonic() < _Away.until:
        return False
    try:
        _add(run_id, name, data, MAX_SECONDS)
    except redis.RedisError as error:
        _Away.until = time.monotonic() + PAUSE_SECONDS
        logger.warning("%s of run %s was not published: %s", name, run_id, error)
        return False
    return True


def end(run_id: uuid.UUID | str, status: str, *, seconds: float | None = None) -> bool:
    """Adds the last entry, after which the stream closes. Tried again while Redis is away, for some seconds."""
    limit = time.monotonic() + (END_SECONDS if seconds is None else seconds)
    while True:
        try:
            _add(run_id, "end", {"status": status}, KEPT_SECONDS)
        except redis.RedisError as error:
            if time.monotonic() > limit:
                logger.warning("the end of run %s was not published: %s", run_id, error)
                return False
            threading.Event().wait(0.2)
        else:
            return True


def _add(run_id: uuid.UUID | str, name: str, data: dict[str, Any], seconds: int) -> None:
    stream = key(run_id)
    with shared_text().pipeline(transaction=True) as pipe:
        entry = {"name": name, "data": json.dumps(data, default=str)}
        # The client's types want a dict of exactly their own kinds of keys and values.
        pipe.xadd(stream, entry, maxlen=KEPT_ENTRIES, approximate=True)  # type: ignore[arg-type]
        pipe.expire(stream, seconds)
        pipe.execute()


def last_name(run_id: uuid.UUID | str) -> str:
    """The name of the newest entry; nothing where there is none, or Redis is away."""
    try:
        newest: Any = shared_text().xrevrange(key(run_id), count=1)
    except redis.RedisError:
        return ""
    return newest[0][1]["name"] if newest else ""


def ask_to_stop(run_id: uuid.UUID | str) -> bool:
    try:
        shared_text().set(f"{key(run_id)}:stop", 1, ex=MAX_SECONDS)
    except redis.RedisError as error:
        logger.warning("run %s was not asked to stop: %s", run_id, error)
        return False
    return True


def is_asked_to_stop(run_id: uuid.UUID | str) -> bool:
    if time.monotonic() < _Away.until:
        return False
    try:
        return bool(shared_text().exists(f"{key(run_id)}:stop"))
    except redis.RedisError:
        _Away.until = time.monotonic() + PAUSE_SECONDS
        return False

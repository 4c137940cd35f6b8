"""Models that refuse how they are set up (key, rights, name), for admins to see, shared by all workers through Redis.

Such a model is left alone for `PAUSE` seconds and then tried once more. The trouble stays told until it has answered.
"""

import datetime as dt
import json
import logging
from contextlib import suppress
from dataclasses import dataclass

import redis
from django.conf import settings
from django.utils import timezone

logger = logging.getLogger(__name__)

PAUSE = 10 * 60
MAX_LENGTH = 500
"""Characters of what the provider said."""


@dataclass(frozen=True)
class Trouble:
    """`since` is when it was first refused; `error` is what the provider said last."""

    model: str
    since: dt.datetime
    error: str


class Troubles:
    def __init__(self, client: redis.Redis) -> None:
        self._redis = client
        self._all = f"{settings.REDIS_PREFIX}:assistant:troubles"

    def is_left_alone(self, model: str) -> bool:
        try:
            return bool(self._redis.exists(self._pause_of(model)))
        except redis.RedisError:
            return False

    def begin(self, model: str, error: str) -> bool:
        """Notes the refusal and leaves the model alone for a while; says whether it is news, and logs it then."""
        entry = {"since": timezone.now().isoformat(), "error": error[:MAX_LENGTH]}
        try:
            self._redis.set(self._pause_of(model), 1, ex=PAUSE)
            is_news = bool(self._redis.hsetnx(self._all, model, json.dumps(entry)))
            if not is_news:
                earlier = json.loads(str(self._redis.hget(self._all, model) or "{}"))
                self._redis.hset(
                    self._all, model, json.dumps(entry | {"since": earlier.get("since", entry["since"])})
                )
        except redis.RedisError:
            is_news = True
        if is_news:
            logger.error("%s refuses how it is set up; other models answer until then: %s", model, error[:MAX_LENGTH])
        return is_news

    def end(self, model: str) -> None:
        """It has answered."""
        with suppress(redis.RedisError):
            if self._redis.hdel(self._all, model):
                self._redis.delete(self._pause_of(model))
                logger.warning("%s answers again", model)

    def current(self) -> list[Trouble]:
        """Of the models that are set up, in their order."""
        try:
            rows: dict = self._redis.hgetall(self._all)
        except redis.RedisError:
            return []
        entries = [(model, json.loads(rows[model])) for model in settings.ASSISTANT_MODELS if model in rows]
        return [Trouble(model, dt.datetime.fromisoformat(entry["since"]), entry["error"]) for model, entry in entries]

    def _pause_of(self, model: str) -> str:
        return f"{settings.REDIS_PREFIX}:assistant:trouble:{model}"

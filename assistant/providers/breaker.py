"""A circuit breaker a provider, shared by all workers through Redis.

After `FAILURES` transient failures within `WINDOW` seconds the provider is left alone for `PAUSE` seconds; then one
caller at a time may try it, and a success closes the circuit.
"""

from contextlib import suppress

import redis

FAILURES, WINDOW, PAUSE, TRIAL = 5, 60, 30, 25


class Breaker:
    def __init__(self, client: redis.Redis, provider: str) -> None:
        self._redis = client
        self._failures = f"dynosite:assistant:breaker:{provider}:failures"
        self._open = f"dynosite:assistant:breaker:{provider}:open"
        self._trial = f"dynosite:assistant:breaker:{provider}:trial"

    def allows(self) -> bool:
        """Whether to call the provider. Without Redis nobody knows better than to try."""
        try:
            if self._redis.exists(self._open):
                return False
            if int(self._redis.get(self._failures) or 0) < FAILURES:
                return True
            # The pause is over, the failures are not forgotten: one caller tries.
            return bool(self._redis.set(self._trial, 1, nx=True, ex=TRIAL))
        except redis.RedisError:
            return True

    def failed(self) -> None:
        with suppress(redis.RedisError), self._redis.pipeline() as pipe:
            pipe.incr(self._failures)
            pipe.expire(self._failures, WINDOW + PAUSE)
            count, _ = pipe.execute()
            if count >= FAILURES:
                self._redis.set(self._open, 1, ex=PAUSE)
                self._redis.delete(self._trial)

    def succeeded(self) -> None:
        with suppress(redis.RedisError):
            self._redis.delete(self._failures, self._open, self._trial)

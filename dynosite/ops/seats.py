"""How many event streams a user, and an address, has open: counted in Redis, over all web processes.

A stream holds a seat under both. Each seat ends by itself unless it is renewed, so that a process that dies gives its
seats back.
"""

import time
import uuid
from dataclasses import dataclass, field

import redis
from django.conf import settings

from dynosite.lib.redis_client import shared
from dynosite.ops.identity import in_turn

SECONDS = 60
"""That a seat lasts without being renewed; a stream says something every ten seconds."""
RENEWED_EVERY = 20.0
# By the clock of Redis, as those of the web servers' machines differ.
_TAKE = """
local now = tonumber(redis.call('TIME')[1])
for number, key in ipairs(KEYS) do
  redis.call('ZREMRANGEBYSCORE', key, '-inf', now)
  if redis.call('ZCARD', key) >= tonumber(ARGV[2 + number]) then return 0 end
end
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + tonumber(ARGV[2]), ARGV[1])
  redis.call('EXPIRE', key, ARGV[2])
end
return 1
"""
_RENEW = """
local now = tonumber(redis.call('TIME')[1])
for _, key in ipairs(KEYS) do
  redis.call('ZADD', key, now + tonumber(ARGV[2]), ARGV[1])
  redis.call('EXPIRE', key, ARGV[2])
end
"""
_GIVE_BACK = """
for _, key in ipairs(KEYS) do redis.call('ZREM', key, ARGV[1]) end
"""


@dataclass
class Seat:
    keys: tuple[str, str]
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    renewed: float = field(default_factory=time.monotonic)


async def take(user_id: int, network: str) -> Seat | None:
    """A seat, which has to be given back; none where the user or the address has all of theirs.

    Redis being away lets everybody in: streams end then by themselves.
    """
    prefix = f"{settings.REDIS_PREFIX}:streams"
    seat = Seat((f"{prefix}:user:{user_id}", f"{prefix}:address:{network}"))
    limits = (settings.STREAMS_PER_USER, settings.STREAMS_PER_ADDRESS)
    return seat if await in_turn(_ask, _TAKE, seat, *limits) else None


async def renew(seat: Seat) -> None:
    """Does something only every now and then."""
    if time.monotonic() - seat.renewed < RENEWED_EVERY:
        return
    seat.renewed = time.monotonic()
    await in_turn(_ask, _RENEW, seat)


async def give_back(seat: Seat) -> None:
    await in_turn(_ask, _GIVE_BACK, seat)


def _ask(script: str, seat: Seat, *limits: int) -> bool:
    try:
        return bool(shared().eval(script, 2, *seat.keys, seat.id, SECONDS, *limits))
    except redis.RedisError:
        return True

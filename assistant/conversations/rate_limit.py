"""How often a user may ask, counted in Redis and shared by all processes, and how many answers at once."""

import logging
import math
import uuid

import redis
from django.conf import settings

from assistant.enums import RunStatus
from assistant.exceptions import Limited, Waiting
from assistant.models import Run
from dynosite.accounts.models import User
from dynosite.lib import prepared
from dynosite.lib.redis_client import shared

logger = logging.getLogger(__name__)

# The times of the last messages are kept in a sorted set; Redis' own clock is the only one. What is refused is not
# counted. Returns the milliseconds to wait, or 0.
_SCRIPT = """
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local longest, wait = 0, 0
for i = 2, #ARGV, 2 do
  local number, span = tonumber(ARGV[i]), tonumber(ARGV[i + 1]) * 1000
  longest = math.max(longest, span)
  local inside = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. (now - span), '+inf', 'WITHSCORES')
  local count = #inside / 2
  if count >= number then
    wait = math.max(wait, tonumber(inside[(count - number) * 2 + 2]) + span - now)
  end
end
if wait > 0 then return wait end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - longest)
redis.call('ZADD', KEYS[1], now, ARGV[1])
redis.call('PEXPIRE', KEYS[1], longest)
return 0
"""


def check_rate(user: User, ground_id: int) -> None:
    """Counts a message of the user's, in whichever ground; raises Limited, with when to try again, for one too many.

    While Redis is away nobody is held up.
    """
    rates = settings.ASSISTANT_RATE
    if not rates:
        return
    key = f"{settings.REDIS_PREFIX}:assistant:rate:{user.pk}"
    arguments = [str(uuid.uuid4()), *(value for rate in rates for value in rate)]
    try:
        # The client's types do not tell the answer of one that waits from that of one that does not.
        wait = int(shared().eval(_SCRIPT, 1, key, *arguments))  # type: ignore[arg-type]
    except redis.RedisError as error:
        logger.warning("the rate of user %s in ground %s was not checked: %s", user.pk, ground_id, error)
        return
    if wait:
        seconds = math.ceil(wait / 1000)
        raise Limited(
            f"You have sent many messages in a short time. Try again in {_wait_in_words(seconds)}.", seconds
        )


def expect_few_runs(user_id: int) -> None:
    """Raises Waiting where as many of the user's runs are under way as may be, so that nobody takes all threads.

    In a transaction: of two messages at once, the second counts the first.
    """
    prepared.fetch("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [f"assistant-runs:{user_id}"])
    most = settings.ASSISTANT_RUNS_PER_USER
    if Run.objects.filter(user_id=user_id, status__in=(RunStatus.QUEUED, RunStatus.RUNNING)).count() >= most:
        sentence = f"{most} answers in your conversations are under way, which is the most at once"
        raise Waiting(f"{sentence}; wait for one, or stop it.")


def _wait_in_words(seconds: int) -> str:
    if seconds < 100:
        return f"{seconds} second{'' if seconds == 1 else 's'}"
    return f"{math.ceil(seconds / 60)} minutes"

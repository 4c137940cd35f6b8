import pytest

from assistant.conversations.rate_limit import check_rate
from assistant.exceptions import Limited
from dynosite.lib.redis_client import shared


@pytest.fixture
def user(world, settings):
    settings.ASSISTANT_RATE = [(3, 60), (5, 3600)]
    return world.users["scheduler"]


def test_one_message_too_many_is_refused_with_when_to_try_again(world, user):
    for _ in range(3):
        check_rate(user, world.north.pk)
    with pytest.raises(Limited, match=r"many messages in a short time. Try again in [3-6]\d seconds.") as refused:
        check_rate(user, world.south.pk)
    assert 30 <= refused.value.seconds <= 60
    check_rate(world.users["viewer"], world.north.pk)


def test_messages_that_are_old_enough_do_not_count_and_those_refused_never_do(world, user, redis_client, settings):
    key = f"{settings.REDIS_PREFIX}:assistant:rate:{user.pk}"
    for _ in range(3):
        check_rate(user, world.north.pk)
    for _ in range(4):
        with pytest.raises(Limited):
            check_rate(user, world.north.pk)
    assert redis_client.zcard(key) == 3
    _age(redis_client, key, seconds=61)
    for _ in range(2):
        check_rate(user, world.north.pk)
    with pytest.raises(Limited, match=r"Try again in 5[89] minutes") as refused:
        check_rate(user, world.north.pk)
    assert 3600 - 61 - 50 <= refused.value.seconds <= 3600 - 61
    _age(redis_client, key, seconds=3600)
    check_rate(user, world.north.pk)
    assert redis_client.zcard(key) == 1
    assert 3500 <= redis_client.ttl(key) <= 3600


def _age(redis_client, key, *, seconds):
    for member, score in redis_client.zrange(key, 0, -1, withscores=True):
        redis_client.zadd(key, {member: score - seconds * 1000})


def test_nobody_is_held_up_while_redis_is_away(world, user, settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shared.cache_clear()
    try:
        for _ in range(5):
            check_rate(user, world.north.pk)
    finally:
        shared.cache_clear()
    assert f"the rate of user {user.pk} in ground {world.north.pk} was not checked" in caplog.text


def test_without_rates_nothing_is_counted(world, user, settings, redis_client):
    settings.ASSISTANT_RATE = []
    check_rate(user, world.north.pk)
    assert redis_client.keys("*:assistant:rate:*") == []

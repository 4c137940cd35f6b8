import pickle

import pytest
from django.core.cache import cache

from dynosite.lib.caching import JsonSerializer

pytestmark = pytest.mark.django_db  # Redis is emptied


class Evil:
    """What whoever writes to Redis would leave there."""

    ran: list[str] = []

    def __reduce__(self):
        return self.ran.append, ("ran",)


@pytest.mark.parametrize(
    "value",
    [True, 7, 1.5, "words", [[0.1, 300, 200], [0.2, 250, 210]], {"stage": 1, "doing": "thinking", "bound": None}],
)
def test_what_the_site_caches_comes_back(value):
    cache.set("thing", value, timeout=60)
    assert cache.get("thing") == value


def test_nothing_that_is_in_redis_is_carried_out(redis_client):
    Evil.ran.clear()
    redis_client.set(cache.make_key("thing"), pickle.dumps(Evil()))
    assert cache.get("thing") is None
    assert Evil.ran == []


def test_cached_bytes_are_json(redis_client):
    cache.set("thing", {"doing": "thinking"}, timeout=60)
    assert redis_client.get(cache.make_key("thing")) == b'{"doing":"thinking"}'


@pytest.mark.parametrize("value", [float("nan"), {1, 2}, Evil()])
def test_what_is_no_json_is_refused_when_it_is_set(value):
    with pytest.raises((TypeError, ValueError)):
        JsonSerializer().dumps(value)

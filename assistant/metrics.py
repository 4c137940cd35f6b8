"""Counts for Prometheus that all processes share: workers have no page to be scraped from, so Redis keeps them.

That Redis is away loses counts, never a run. The audit in the database is what accounts are made of.
"""

import json
import logging
from collections.abc import Iterator
from functools import partial

import redis
from django.conf import settings
from django.db import transaction
from prometheus_client import REGISTRY
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from dynosite.lib.redis_client import shared

logger = logging.getLogger(__name__)

FAMILIES = {
    "runs": ("Runs of the assistant that have ended", ("status",)),
    "model_calls": ("Model calls of the assistant", ("provider", "result")),
    "tokens": ("Tokens of hosted models", ("provider", "direction")),
    "proposals": ("Proposals of the assistant that were decided", ("decision",)),
}


def count(family: str, *labels: str, by: int = 1) -> None:
    """Adds to a count when the transaction has committed."""
    if by:
        transaction.on_commit(partial(_add, family, labels, by))


def _add(family: str, labels: tuple[str, ...], by: int) -> None:
    try:
        shared().hincrby(_key(), json.dumps([family, *labels]), by)
    except redis.RedisError as error:
        logger.warning("%s %s was not counted: %s", family, labels, error)


def _key() -> str:
    return f"{settings.REDIS_PREFIX}:assistant:metrics"


class SharedCounts(Collector):
    def describe(self) -> Iterator[CounterMetricFamily]:
        yield from _families().values()

    def collect(self) -> Iterator[CounterMetricFamily]:
        families = _families()
        try:
            counts = shared().hgetall(_key())
        except redis.RedisError:
            counts = {}
        for name, number in sorted(counts.items()):
            family, *labels = json.loads(name)
            if family in families:
                families[family].add_metric(labels, float(number))
        yield from families.values()


def _families() -> dict[str, CounterMetricFamily]:
    return {
        name: CounterMetricFamily(f"dynosite_assistant_{name}", help_text, labels=labels)
        for name, (help_text, labels) in FAMILIES.items()
    }


def register() -> None:
    REGISTRY.register(SharedCounts())

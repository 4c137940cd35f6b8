"""Prometheus metrics of this process, and of the queue that all processes share."""

import math
import secrets

import redis
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe
from prometheus_client import REGISTRY, Gauge
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest

from dynosite import workers
from dynosite.lib.addresses import client_address
from dynosite.lib.redis_client import connect
from dynosite.ops.health import heartbeat_age

LOOPBACK = {"127.0.0.1", "::1"}
FORWARDED = ("X-Forwarded-For", "Forwarded", "X-Real-IP")

HEARTBEAT_AGE = Gauge("dynosite_heartbeat_age_seconds", "Since a Celery worker last carried out beat's heartbeat")
QUEUE_LENGTH = Gauge("dynosite_queue_length", "Celery tasks that wait for a worker", ["queue"])


@require_safe
@never_cache
def metrics(request: HttpRequest) -> HttpResponse:
    """For whoever has the token; without one set, for this machine only. Anybody else is told nothing."""
    if not _allowed(request):
        return HttpResponse(status=404)
    _read_shared()
    return HttpResponse(generate_latest(REGISTRY), content_type=CONTENT_TYPE_LATEST)


def _allowed(request: HttpRequest) -> bool:
    if settings.METRICS_TOKEN:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return secrets.compare_digest(token.encode(), settings.METRICS_TOKEN.encode())
    # A proxy on this machine would make everybody local.
    return client_address(request) in LOOPBACK and not any(name in request.headers for name in FORWARDED)


def _read_shared() -> None:
    age, lengths = math.nan, dict.fromkeys(workers.ARGUMENTS, math.nan)
    try:
        age = heartbeat_age() or math.nan
        with connect() as client:
            for queue in lengths:
                lengths[queue] = client.llen(f"{settings.REDIS_PREFIX}:celery:{queue}")
    except redis.RedisError:
        # The process's own metrics matter most when Redis is away.
        pass
    HEARTBEAT_AGE.set(age)
    for queue, length in lengths.items():
        QUEUE_LENGTH.labels(queue).set(length)

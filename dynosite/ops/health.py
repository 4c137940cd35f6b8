"""Is the process alive, and can it do its work? The answers are for load balancers and name no secret."""

import time
from collections.abc import Callable

from django.contrib.auth.decorators import login_not_required
from django.core.cache import cache
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from dynosite.lib.redis_client import connect

HEARTBEAT_KEY = "ops:heartbeat"
_migrated = False


def note_heartbeat() -> None:
    cache.set(HEARTBEAT_KEY, time.time(), timeout=None)


def heartbeat_age() -> float | None:
    """Seconds since a worker last carried out beat's heartbeat, or none if it never did."""
    noted = cache.get(HEARTBEAT_KEY)
    return None if noted is None else max(0.0, time.time() - noted)


@login_not_required
@require_safe
@never_cache
def healthz(request: HttpRequest) -> JsonResponse:
    """This process answers. Touches nothing else, so a lost database does not restart every web process."""
    return JsonResponse({"status": "ok"})


@login_not_required
@require_safe
@never_cache
def readyz(request: HttpRequest) -> JsonResponse:
    """Database, migrations and Redis are there: send requests here."""
    checks = {name: _state(check) for name, check in _CHECKS.items()}
    ready = all(state == "ok" for state in checks.values())
    return JsonResponse({"status": "ready" if ready else "not ready", "checks": checks}, status=200 if ready else 503)


def _state(check: Callable[[], None]) -> str:
    try:
        check()
    except Exception as error:
        return type(error).__name__
    return "ok"


class MigrationsMissing(Exception):
    pass


def _database() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")


def _migrations() -> None:
    global _migrated
    if _migrated:
        return
    executor = MigrationExecutor(connection)
    if executor.migration_plan(executor.loader.graph.leaf_nodes()):
        raise MigrationsMissing
    _migrated = True


def _redis() -> None:
    with connect() as client:
        client.ping()


_CHECKS = {"database": _database, "migrations": _migrations, "redis": _redis}

import httpx
import pytest
from django.core.cache import cache

from dynosite.ops import health
from dynosite.ops.tasks import heartbeat
from dynosite.tests.servers import wait_until


def test_asgi_server_answers_from_the_test_database(asgi_server):
    assert httpx.get(f"{asgi_server.url}/readyz").json() == {
        "status": "ready",
        "checks": {"database": "ok", "migrations": "ok", "redis": "ok"},
    }


def test_celery_worker_carries_out_a_task(celery_worker):
    assert health.heartbeat_age() is None
    heartbeat.delay()
    celery_worker.wait()
    assert 0 <= health.heartbeat_age() < 20


def test_celery_worker_leaves_the_tasks_of_other_tests_alone(celery_worker):
    celery_worker.pause()
    heartbeat.delay()
    wait_until(lambda: celery_worker._queued() == 1, "the task back in its queue")
    assert health.heartbeat_age() is None


@pytest.mark.django_db
@pytest.mark.parametrize("turn", [1, 2])
def test_redis_is_empty_at_the_start_of_a_test(turn, redis_client):
    assert [key for key in redis_client.keys("*") if b"_kombu.binding" not in key] == []
    cache.set("left", turn)


def _markers(request: pytest.FixtureRequest) -> set[str]:
    return {marker.name for marker in request.node.iter_markers()} & {"browser", "slow"}


def test_a_test_that_needs_no_server_has_neither_marker(request):
    assert _markers(request) == set()


@pytest.mark.django_db
def test_a_test_that_rolls_back_is_not_slow(request):
    assert _markers(request) == set()


@pytest.mark.django_db(transaction=True)
def test_a_test_that_commits_is_slow(request):
    assert _markers(request) == {"slow"}


def test_a_test_with_a_server_is_slow(request, asgi_server):
    assert _markers(request) == {"slow"}

import uuid

import pytest
from django.db import OperationalError
from prometheus_client.parser import text_string_to_metric_families

from allocations.tasks import solve_plan
from dynosite import workers
from dynosite.ops import health
from dynosite.ops.tasks import heartbeat

pytestmark = pytest.mark.django_db
TOKEN = "a-token-of-more-than-24-characters"


def _metric(response, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(response.content.decode())
    samples = (sample for family in families for sample in family.samples)
    return next(sample.value for sample in samples if sample.name == name and sample.labels == labels)


def test_healthz_answers_to_any_host_name_without_the_database(client, django_assert_num_queries):
    with django_assert_num_queries(0):
        response = client.get("/healthz", headers={"host": "10.1.2.3"})
    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert response["Cache-Control"] == "max-age=0, no-cache, no-store, must-revalidate, private"
    assert response["X-Content-Type-Options"] == "nosniff"


def test_pages_refuse_an_unknown_host_name(client):
    assert client.get("/accounts/sign-in/", headers={"host": "10.1.2.3"}).status_code == 400


def test_readyz_names_what_is_missing(client, settings, monkeypatch):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"

    def unreachable():
        raise OperationalError("host db.internal refused the password hunter2")

    monkeypatch.setitem(health._CHECKS, "database", unreachable)
    response = client.get("/readyz")
    assert response.status_code == 503
    assert response.json() == {
        "status": "not ready",
        "checks": {"database": "OperationalError", "migrations": "ok", "redis": "ConnectionError"},
    }


def test_readyz_waits_for_migrations(client, monkeypatch):
    monkeypatch.setattr(health, "_migrated", False)
    monkeypatch.setattr("django.db.migrations.executor.MigrationExecutor.migration_plan", lambda *_: ["one"])
    response = client.get("/readyz")
    assert (response.status_code, response.json()["checks"]["migrations"]) == (503, "MigrationsMissing")


def test_probes_take_no_writes(client):
    assert [client.post(path).status_code for path in ("/healthz", "/readyz", "/metrics")] == [405, 405, 405]


def test_metrics_tell_this_machine_how_old_the_heartbeat_is(client, settings):
    settings.METRICS_TOKEN = ""
    heartbeat()
    response = client.get("/metrics")
    assert response.status_code == 200
    assert 0 < _metric(response, "dynosite_heartbeat_age_seconds") < 20
    assert _metric(response, "dynosite_queue_length", queue="upkeep") == 0


def test_metrics_count_each_queue(client, settings):
    settings.METRICS_TOKEN = ""
    heartbeat.delay()
    heartbeat.delay()
    solve_plan.delay(str(uuid.uuid4()))
    lengths = [_metric(client.get("/metrics"), "dynosite_queue_length", queue=queue) for queue in workers.ARGUMENTS]
    assert dict(zip(workers.ARGUMENTS, lengths, strict=True)) == {"chat": 0, "plans": 1, "imports": 0, "upkeep": 2}


@pytest.mark.parametrize("forwarded", ["x-forwarded-for", "forwarded", "x-real-ip"])
def test_metrics_are_not_there_for_others_behind_a_proxy_on_this_machine(client, settings, forwarded):
    settings.METRICS_TOKEN = ""
    response = client.get("/metrics", headers={forwarded: "203.0.113.9"})
    assert (response.status_code, response.content) == (404, b"")


def test_metrics_are_not_there_for_other_machines(client, settings):
    settings.METRICS_TOKEN = ""
    assert client.get("/metrics", REMOTE_ADDR="203.0.113.9").status_code == 404


def test_metrics_with_a_token_are_for_who_has_it(client, settings):
    settings.METRICS_TOKEN = TOKEN
    answers = [
        client.get("/metrics", headers=headers, REMOTE_ADDR=address).status_code
        for headers, address in [
            ({"authorization": f"Bearer {TOKEN}"}, "203.0.113.9"),
            ({"authorization": "Bearer wrong"}, "203.0.113.9"),
            ({}, "127.0.0.1"),
        ]
    ]
    assert answers == [200, 404, 404]

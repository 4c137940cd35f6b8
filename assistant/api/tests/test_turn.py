"""A whole turn over REST: real HTTP, worker, Redis and PostgreSQL, with nothing but a token."""

import json
from collections.abc import Iterator

import httpx
import pytest
from django.conf import settings
from django.test import Client

from allocations.models import Allocation
from assistant import streams
from assistant.api.tests.conftest import ROOT
from assistant.enums import RunStatus
from assistant.models import Run
from dynosite.accounts import tokens
from dynosite.lib import sse

BOOK = "book 412W103 on NPG 1 for brake December 21 to 22"


@pytest.fixture
def world(committed_world):
    return committed_world


@pytest.fixture
def token(world):
    return tokens.issue(world.users["scheduler"], "a program", days=1, may_write=True)


@pytest.fixture
def http(asgi_server, token) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {token[1]}"}
    with httpx.Client(base_url=asgi_server.url + ROOT, headers=headers, timeout=20) as client:
        yield client


def events_of(response: httpx.Response) -> Iterator[dict]:
    """Each event with its id, name and data."""
    event: dict = {}
    for line in response.iter_lines():
        name, _, value = line.partition(": ")
        if line and name in ("id", "event", "data"):
            event[name] = json.loads(value) if name == "data" else value
        elif not line and event:
            yield event
            event = {}


def read_to_the_end(http: httpx.Client, run: str, **headers: str) -> list[dict]:
    with http.stream("GET", f"/runs/{run}/events", headers=headers) as response:
        assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
        return list(events_of(response))


def test_ask_follow_approve_and_undo(world, http, celery_worker):
    accepted = http.post("/messages", json={"text": BOOK})
    assert accepted.status_code == 202
    run = accepted.json()["run"]
    heard = read_to_the_end(http, run)
    names = [event["event"] for event in heard]
    assert (names[0], names[-1], heard[-1]["data"]) == ("status", "end", {"status": "done"})
    assert {"model", "tool", "proposal", "text", "message"} <= set(names)
    run_data = http.get(f"/runs/{run}").json()
    assert (run_data["status"], run_data["outcome"], run_data["usage"]["model"]) == ("done", "proposal", "offline")
    assert run_data["answer"] == "".join(event["data"]["text"] for event in heard if event["event"] == "text")
    assert run_data["tool_calls"][-1]["name"] == "book_allocation"
    (proposal,) = run_data["proposals"]
    assert [event["data"] for event in heard if event["event"] == "proposal"] == [{"id": proposal["id"]}]
    assert http.get("/proposals", params={"status": "waiting"}).json()["results"] == [proposal]
    assert Allocation.objects.filter(ground=world.north).count() == 0
    done = [http.post(f"/proposals/{proposal['id']}/approve") for _ in range(2)]
    assert [answer.status_code for answer in done] == [200, 200]
    row = Allocation.objects.get(ground=world.north)
    assert (row.vehicle.tag, row.dyno.name, str(row.first_day), str(row.last_day), row.status) == (
        "412W103",
        "NPG 1",
        "2026-12-21",
        "2026-12-22",
        "scheduled",
    )
    assert row.created_by == world.users["scheduler"]
    undone = http.post(f"/proposals/{proposal['id']}/undo")
    assert undone.json()["proposal"]["status"] == "undone"
    row.refresh_from_db()
    assert row.status == "cancelled"


def test_a_follower_who_comes_again_hears_the_rest_and_nothing_twice(http, celery_worker):
    run = http.post("/messages", json={"text": "list the dynos"}).json()["run"]
    whole = read_to_the_end(http, run)
    for number in range(len(whole) - 1):
        rest = read_to_the_end(http, run, **{"Last-Event-ID": whole[number]["id"]})
        assert rest == whole[number + 1 :]
    assert len({event["id"] for event in whole}) == len(whole)


@pytest.fixture
def endless(world) -> Run:
    """A run that no worker has, with two entries."""
    user, ground = world.users["scheduler"], world.north
    conversation = user.conversations.create(ground=ground)
    run = Run.objects.create(conversation=conversation, user=user, ground=ground, status=RunStatus.RUNNING)
    for text in ("one", "two"):
        streams.publish(run.pk, "text", text=text)
    return run


def test_a_last_id_that_is_none_begins_at_the_first_event(http, endless):
    for last in ("99999999999999999999-0", "٣-٠"):
        with http.stream("GET", f"/runs/{endless.pk}/events", params={"after": last}) as response:
            assert next(events_of(response))["data"] == {"text": "one"}


@pytest.mark.parametrize("loss", ["token", "membership", "account"])
def test_stream_ends_soon_after_the_right_to_it(world, http, token, endless, monkeypatch, loss):
    monkeypatch.setattr(sse, "HEARTBEAT", 0.2)
    monkeypatch.setattr(sse, "CHECKED_EVERY", 0.2)
    user = world.users["scheduler"]
    with http.stream("GET", f"/runs/{endless.pk}/events") as response:
        events = events_of(response)
        assert [next(events)["data"]["text"] for _ in range(2)] == ["one", "two"]
        if loss == "token":
            tokens.revoke(token[0].pk, user=user)
        elif loss == "membership":
            user.memberships.all().delete()
        else:
            user.is_active = False
            user.save()
        assert [event["event"] for event in events if event["event"] != "beat"] == ["gone"]


def test_a_session_follows_too_until_its_user_signs_out(world, asgi_server, endless, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT", 0.2)
    monkeypatch.setattr(sse, "CHECKED_EVERY", 0.2)
    client = Client()
    client.force_login(world.users["scheduler"])
    cookies = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
    url = f"{asgi_server.url}{ROOT}/runs/{endless.pk}/events"
    with httpx.stream("GET", url, cookies=cookies, timeout=15) as response:
        events = events_of(response)
        assert next(events)["data"] == {"text": "one"}
        client.post("/accounts/sign-out/")
        assert [event["event"] for event in events if event["event"] != "beat"] == ["text", "gone"]


def test_stop_keeps_what_was_said(http, world, endless):
    assert http.post(f"/runs/{endless.pk}/stop").status_code == 202
    assert streams.is_asked_to_stop(endless.pk)

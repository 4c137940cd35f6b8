"""The event stream over real HTTP: ids only, nothing missed, and only for members."""

import json
import threading
import time

import httpx
import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse

from allocations.enums import Role
from allocations.tests.world import World
from dynosite.lib import sse
from dynosite.lib.events import position
from dynosite.tests.servers import wait_until

STREAM = reverse("allocations:schedule-stream")


class Listener:
    """Reads a stream event by event; comments and the retry line are left out."""

    def __init__(self, response: httpx.Response) -> None:
        self._lines = response.iter_lines()

    def next(self) -> dict[str, str]:
        event: dict[str, str] = {}
        for line in self._lines:
            name, _, value = line.partition(": ")
            if line and name and name != "retry":
                event[name] = value
            elif not line and event:
                return event
        return {}


@pytest.fixture
def listen(asgi_server, committed_world: World):
    with httpx.Client(base_url=asgi_server.url, timeout=15) as http:
        opened = []

        def start(user: str, ground: str = "NORTH", headers: dict | None = None, **params) -> httpx.Response:
            client = Client()
            client.force_login(committed_world.users[user])
            cookie = {settings.SESSION_COOKIE_NAME: client.cookies[settings.SESSION_COOKIE_NAME].value}
            http.cookies.update(cookie)
            request = http.build_request("GET", STREAM, params={"ground": ground, **params}, headers=headers)
            response = http.send(request, stream=True)
            opened.append(response)
            return response

        yield start
        for response in opened:
            response.close()


def test_change_is_told_by_ids_within_two_seconds(listen, committed_world):
    world = committed_world
    response = listen("viewer", after=position(world.north.pk))
    assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream")
    assert "gzip" not in response.headers.get("content-encoding", "")
    began = time.monotonic()
    world.book("412W101", "NPG 1", 0, 4)
    event = Listener(response).next()
    assert time.monotonic() - began < 2
    data = json.loads(event["data"])
    assert (event["event"], data["name"], data["dynos"]) == ("change", "book", [world.dynos["NPG 1"].pk])
    assert "412W101" not in event["data"]


def test_what_happened_between_the_page_and_its_stream_is_told(listen, committed_world):
    world = committed_world
    rendered = position(world.north.pk)
    world.book("412W101", "NPG 1", 0, 4)
    world.book("412W102", "NPG 2", 0, 4, test="4K Certification")
    listener = Listener(listen("viewer", after=rendered))
    first, second = listener.next(), listener.next()
    assert [json.loads(event["data"])["dynos"] for event in (first, second)] == [
        [world.dynos["NPG 1"].pk],
        [world.dynos["NPG 2"].pk],
    ]
    # A browser that lost the connection names the last event it heard.
    again = Listener(listen("viewer", headers={"Last-Event-ID": first["id"]})).next()
    assert again["id"] == second["id"]


def test_page_that_missed_more_than_is_kept_loads_anew(listen, committed_world, redis_client):
    committed_world.book("412W101", "NPG 1", 0, 4)
    assert Listener(listen("viewer", after="1-0")).next()["event"] == "reload"


def test_other_grounds_have_streams_of_their_own(listen, committed_world):
    world = committed_world
    assert listen("outsider", ground="NORTH").status_code == 404
    response = listen("outsider", ground="SOUTH", after=position(world.south.pk))
    world.book("412W101", "NPG 1", 0, 4)
    world.book("365W201", "STC #1", 10, 12, test="South brake", by="outsider")
    assert json.loads(Listener(response).next()["data"])["dynos"] == [world.dynos["STC #1"].pk]


def test_anonymous_hears_nothing(asgi_server, db):
    answer = httpx.get(asgi_server.url + STREAM)
    assert (answer.status_code, answer.headers["location"]) == (302, f"{reverse('accounts:sign-in')}?next={STREAM}")


@pytest.mark.parametrize("loss", ["membership", "session", "account"])
def test_stream_ends_soon_after_the_right_to_it(listen, committed_world, monkeypatch, loss):
    monkeypatch.setattr(sse, "HEARTBEAT", 0.2)
    monkeypatch.setattr(sse, "CHECKED_EVERY", 0.2)
    viewer = committed_world.users["viewer"]
    response = listen("viewer")
    if loss == "membership":
        viewer.memberships.filter(role=Role.VIEWER).delete()
    elif loss == "session":
        from django.contrib.sessions.models import Session

        Session.objects.all().delete()
    else:
        viewer.is_active = False
        viewer.save()
    listener = Listener(response)
    while (event := listener.next())["event"] == "beat":
        pass
    assert event["event"] == "gone"
    assert listener.next() == {}


def test_page_hears_that_there_is_nothing_to_hear(listen, monkeypatch):
    monkeypatch.setattr(sse, "HEARTBEAT", 0.1)
    listener = Listener(listen("viewer"))
    assert [listener.next() for _ in range(2)] == [{"event": "beat", "data": "{}"}] * 2


def test_idle_stream_keeps_no_database_connection(listen, committed_world, monkeypatch):
    from django.db import connection

    def others() -> int:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            return cursor.fetchone()[0]

    before = others()
    # Kept: an iterator that is thrown away closes its stream.
    streams = [listen("viewer").iter_lines() for _ in range(5)]
    assert all(next(lines).startswith("retry:") for lines in streams)
    wait_until(lambda: others() <= before, "the streams' return of their connections", seconds=5)


def test_idle_stream_keeps_no_thread(listen):
    before = threading.active_count()
    streams = [listen("viewer").iter_lines() for _ in range(8)]
    assert all(next(lines).startswith("retry:") for lines in streams)
    wait_until(lambda: threading.active_count() <= before + 1, "the end of the streams' threads", seconds=5)


def test_pages_come_back_at_different_times(listen):
    waits = {next(listen("viewer").iter_lines()) for _ in range(6)}
    assert len(waits) > 1
    assert all(1_500 <= int(line.partition(": ")[2]) <= 4_500 for line in waits)

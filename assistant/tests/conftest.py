"""A worker whose hosted model is a stub, and which can be killed at named points."""

import json
from collections.abc import Iterator

import pytest

from assistant import streams
from assistant.conversations import conversations
from assistant.models import Run
from assistant.providers.tests.gemini_stub import GeminiStub
from dynosite import workers
from dynosite.lib.redis_client import shared_text
from dynosite.tests.servers import CeleryWorker, wait_until

GEMINI = "google_genai:gemini-2.5-flash"
CALL_SECONDS = 4


@pytest.fixture(scope="session")
def _stub() -> Iterator[GeminiStub]:
    with GeminiStub() as stub:
        yield stub


@pytest.fixture
def stub(_stub) -> GeminiStub:
    """What the workers of these tests take for Gemini."""
    _stub.forget()
    return _stub


@pytest.fixture(scope="session")
def _hosted_process(django_db_setup, _stub) -> Iterator[CeleryWorker]:
    worker = CeleryWorker(
        "assistant.tests.faults",
        {
            "GEMINI_API_KEY": "stub",
            "GEMINI_BASE_URL": _stub.url,
            "ASSISTANT_MODELS": GEMINI,
            "ASSISTANT_CALL_SECONDS": str(CALL_SECONDS),
        },
    )
    yield worker
    worker.stop()


@pytest.fixture(scope="session")
def _chat_process(django_db_setup, _stub) -> Iterator[CeleryWorker]:
    worker = CeleryWorker(
        "assistant.tests.faults",
        {
            "GEMINI_API_KEY": "stub",
            "GEMINI_BASE_URL": _stub.url,
            "ASSISTANT_MODELS": GEMINI,
            "ASSISTANT_CALL_SECONDS": "40",
            "ASSISTANT_TURN_SECONDS": "40",
        },
        queues=(workers.CHAT,),
        pool=workers.ARGUMENTS[workers.CHAT],
    )
    yield worker
    worker.stop()


@pytest.fixture
def chat_worker(_chat_process, stub, transactional_db, _clean_redis) -> Iterator[CeleryWorker]:
    """As the site starts it, with threads. Its model is Gemini, played by `stub`."""
    _chat_process.resume()
    yield _chat_process
    _chat_process.pause()


@pytest.fixture(scope="session")
def _offline_process(django_db_setup) -> Iterator[CeleryWorker]:
    worker = CeleryWorker("assistant.tests.faults", {"GEMINI_API_KEY": "", "ASSISTANT_MODELS": ""})
    yield worker
    worker.stop()


@pytest.fixture
def hosted_worker(_hosted_process, stub, transactional_db, _clean_redis) -> Iterator[CeleryWorker]:
    """Its model is Gemini, played by `stub`. Today is 2026-11-18."""
    _hosted_process.resume()
    yield _hosted_process
    _hosted_process.pause()


@pytest.fixture
def offline_worker(_offline_process, transactional_db, _clean_redis) -> Iterator[CeleryWorker]:
    """Today is 2026-11-18."""
    _offline_process.resume()
    yield _offline_process
    _offline_process.pause()


def ask(world, text: str, name: str = "scheduler", **options) -> Run:
    return conversations.ask(world.users[name], ground_id=world.north.pk, text=text, **options)


def entries(run: Run) -> list[tuple[str, dict]]:
    """What the run's stream has told."""
    records = shared_text().xrange(streams.key(run.pk))
    return [(fields["name"], json.loads(fields["data"])) for _, fields in records]


def texts(run: Run) -> str:
    return "".join(data["text"] for name, data in entries(run) if name == "text")


def wait_for_text(run: Run, text: str) -> None:
    wait_until(lambda: text in texts(run), f"the words {text!r}")


def ended(run: Run, *, seconds: float = 30) -> Run:
    """The run when its stream has said that it ended."""
    wait_until(lambda: streams.last_name(run.pk) == "end", "the run's end", seconds=seconds)
    run.refresh_from_db()
    return run

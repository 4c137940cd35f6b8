"""A Celery app for tests: as `dynosite.celery`, but its day is set, and a worker process kills itself at a point that
a test has named in Redis."""

import datetime as dt
import os
import signal
import threading
from collections.abc import Callable
from typing import Any

import redis
from celery.signals import worker_init
from django.conf import settings

from dynosite.celery import app
from dynosite.lib import clock

__all__ = ["app"]

KEY = "fault"


def name_point(point: str, *, always: bool = False) -> None:
    """The next process that comes to the point dies there (`always`: every one).

    "hold …" holds it instead, "hold all …" every one until another point is named.
    """
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        client.set(KEY, f"{point}!" if always else point)


def has_struck() -> bool:
    with redis.Redis.from_url(settings.REDIS_URL) as client:
        return not client.exists(KEY)


def come_to(point: str) -> None:
    with redis.Redis.from_url(settings.REDIS_URL, decode_responses=True) as client:
        named = client.get(KEY)
        if named == f"{point}!" or (named == point and client.delete(KEY)):
            os.kill(os.getpid(), signal.SIGKILL)
        if named == f"hold {point}" and client.delete(KEY):
            threading.Event().wait(60)
        while client.get(KEY) == f"hold all {point}":
            threading.Event().wait(0.05)


def around(owner: Any, name: str, *, before: str = "", after: str = "") -> None:
    function: Callable[..., Any] = getattr(owner, name)

    def faulty(*args: Any, **kwargs: Any) -> Any:
        if before:
            come_to(before)
        result = function(*args, **kwargs)
        if after:
            come_to(after)
        return result

    setattr(owner, name, faulty)


POINTS = (
    "before claim",
    "after claim",
    "before model",
    "mid stream",
    "model said, not kept",
    "before tool",
    "in write",
    "after write",
    "tool done, not kept",
    "before transcript",
    "before checkpoint",
    "before end",
    "before end is told",
)


def set_points() -> None:
    from allocations.exchange import uploads
    from allocations.services import jobs, plans, scenarios
    from assistant import approvals, streams
    from assistant.graph import calling, driving, turn
    from assistant.models import Proposal
    from assistant.turns import run_outcomes, running, transcript

    around(running, "_claim", before="before claim", after="after claim")
    around(turn.Inside, "wrap_model_call", before="before model", after="model said, not kept")
    around(transcript.Transcript, "flush", after="mid stream")
    around(calling, "call", before="before tool", after="tool done, not kept")
    around(Proposal, "save", after="in write")
    around(approvals, "propose", after="after write")
    around(approvals, "_decide", before="in approval", after="approved, not committed")
    around(transcript.Transcript, "message", before="before transcript")
    around(driving.GuardedSaver, "put", before="before checkpoint")
    around(run_outcomes, "_write", before="before end")
    around(streams, "end", before="before end is told")
    # What a killed worker held is free again soon.
    jobs.LEASE = dt.timedelta(seconds=3)
    around(plans, "solve_and_store", before="before solving")
    around(scenarios, "answer", before="before answer")
    around(uploads, "preview", before="before preview")
    around(uploads, "carry_out", before="before import", after="after import")


@worker_init.connect
def prepare(**kwargs: object) -> None:
    clock._day = dt.date(2026, 11, 18)
    set_points()

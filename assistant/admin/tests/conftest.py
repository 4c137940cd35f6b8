import datetime as dt
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from allocations.admin.tests.conftest import Cast, add_staff
from assistant.enums import Author, ProposalStatus, RunStatus, ToolStatus, Verdict
from assistant.models import Conversation, Feedback, Message, ModelCall, Proposal, Run, Spend, ToolCall

GEMINI = "google_genai:gemini-2.5-flash"
NOON = dt.datetime(2026, 11, 18, 12, tzinfo=dt.UTC)


def url(model: str, page: str = "changelist", *args: Any) -> str:
    return reverse(f"admin:assistant_{model}_{page}", args=args)


def a_run(world, name="scheduler", ground=None, *, text="Book 412W101 for brake", day=dt.date(2026, 11, 18)) -> Run:
    """A whole run: two model calls of which one failed, two tool calls, a proposal, an answer, a thumb down."""
    user, ground = world.users[name], ground or world.north
    conversation = Conversation.objects.create(user=user, ground=ground, title=text)
    run = Run.objects.create(
        conversation=conversation,
        user=user,
        ground=ground,
        status=RunStatus.DONE,
        outcome="proposal",
        model=GEMINI,
        tokens_in=1_200,
        tokens_out=80,
        cost=Decimal("0.00056"),
        started_at=NOON,
        ended_at=NOON,
    )
    run.question = Message.objects.create(conversation=conversation, run=run, author=Author.USER, text=text)
    run.save()
    ModelCall.objects.create(run=run, model=GEMINI, error="GoogleRateLimitError: later", ended_at=NOON, day=day)
    ModelCall.objects.create(
        run=run,
        model=GEMINI,
        tokens_in=1_200,
        tokens_out=80,
        cost=Decimal("0.00056"),
        seconds=1.5,
        ended_at=NOON,
        day=day,
    )
    ToolCall.objects.create(
        run=run,
        call_id="a",
        name="auto_allocate_vehicle",
        status=ToolStatus.WAITING,
        args={"vehicle": "412W101"},
        result={"status": "waiting", "message": "It waits."},
        seconds=0.25,
    )
    ToolCall.objects.create(run=run, call_id="b", name="list_dynos", status=ToolStatus.FAILED, error="KeyError: 'x'")
    Proposal.objects.create(
        run=run,
        conversation=conversation,
        user=user,
        ground=ground,
        tool="auto_allocate_vehicle",
        call_id="a",
        args={"vehicle": "412W101"},
        step={"do": "book"},
        card={"title": "Book 412W101 on NPG 1"},
        status=ProposalStatus.REJECTED,
        word="Not this week.",
        decided_by=user,
        decided_at=NOON,
        expires_at=NOON,
    )
    answer = Message.objects.create(conversation=conversation, run=run, author=Author.ASSISTANT, text="Here it is.")
    Feedback.objects.create(message=answer, user=user, verdict=Verdict.DOWN, comment="Wrong dyno.")
    spend, _ = Spend.objects.get_or_create(day=day, user=user, ground=ground)
    spend.calls, spend.tokens_in, spend.tokens_out = spend.calls + 2, spend.tokens_in + 1_200, spend.tokens_out + 80
    spend.cost = Decimal(spend.cost) + Decimal("0.00056")
    spend.save()
    Run.objects.filter(pk=run.pk).update(created_at=NOON - dt.timedelta(seconds=4))
    run.refresh_from_db()
    return run


def queries(client: Client, path: str) -> int:
    with CaptureQueriesContext(connection) as caught:
        assert client.get(path).status_code == 200
    return len(caught)


@pytest.fixture
def cast(world) -> Cast:
    return add_staff(world)


@pytest.fixture
def keeper(cast) -> Client:
    return cast.client("keeper")


@pytest.fixture
def root(cast) -> Client:
    return cast.client("root")

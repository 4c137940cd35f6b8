"""Turns from the question to the transcript: a real worker, Redis, PostgreSQL and the real graph."""

import json

import pytest

from allocations.models import Allocation
from assistant import approvals, conversations, streams
from assistant.enums import Author, Outcome, ProposalStatus, RunStatus, ToolStatus
from assistant.models import Message, Proposal, Run

BOOK = "book 412W103 on NPG 1 for brake December 21 to 22"


def entries(run: Run) -> list[tuple[str, dict]]:
    found = streams.client().xrange(streams.key(run.pk))
    return [(fields["name"], json.loads(fields["data"])) for _, fields in found]


def ask(world, text, name="scheduler", **options) -> Run:
    return conversations.ask(world.users[name], ground_id=world.north.pk, text=text, **options)


@pytest.fixture
def world(committed_world):
    return committed_world


def test_a_booking_turn_ends_with_a_card_and_its_approval_books(world, celery_worker):
    run = ask(world, BOOK)
    celery_worker.wait()
    run.refresh_from_db()
    assert (run.status, run.outcome, run.attempts, run.model) == (RunStatus.DONE, Outcome.PROPOSAL, 1, "offline")
    proposal = Proposal.objects.get()
    assert (proposal.run_id, proposal.status) == (run.pk, ProposalStatus.WAITING)
    messages = list(run.conversation.messages.all())
    assert [message.author for message in messages] == [Author.USER, Author.ASSISTANT]
    names = [name for name, _ in entries(run)]
    assert names[:3] == ["status", "status", "model"]
    assert names[-2:] == ["message", "end"]
    told = dict(entries(run))
    assert told["proposal"] == {"id": str(proposal.pk)}
    assert told["tool"]["status"] == ToolStatus.WAITING
    said = "".join(data["text"] for name, data in entries(run) if name == "text")
    assert said == messages[1].text
    assert "2026-12-21 to 2026-12-22" in said
    assert told["message"] == {"id": str(messages[1].pk)}
    assert told["end"] == {"status": "done"}
    assert approvals.approve(proposal.pk, user=world.users["scheduler"]).carried_out
    assert Allocation.objects.filter(vehicle__tag="412W103", first_day="2026-12-21").count() == 1


def test_the_same_message_again_is_the_same_run(world, celery_worker):
    first = ask(world, "list the dynos", message_id="7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01")
    second = ask(world, "list the dynos", message_id="7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01")
    celery_worker.wait()
    assert first == second
    assert Message.objects.filter(author=Author.USER).count() == 1

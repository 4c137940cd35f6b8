"""A worker killed at any point of a booking turn: the turn is finished by another, and there is one card, one answer
and, once approved, one allocation."""

import datetime as dt
import itertools
import os
import signal
import subprocess
import sys

import pytest
from langchain_core.messages import AIMessage, HumanMessage, ToolMessage

from allocations.models import Allocation
from assistant import approvals
from assistant.conversations import conversations
from assistant.enums import Approval, Author, ProposalStatus, RunStatus
from assistant.graph import checkpoints
from assistant.models import AssistantSettings, Proposal
from assistant.providers.tests import gemini_stub
from assistant.tests import faults
from assistant.tests.conftest import ask, ended, entries
from assistant.tests.test_turns import BOOKING
from assistant.turns import running
from dynosite.tests.servers import subprocess_environment, wait_until

UNCLAIMED, ENDED = {"before claim"}, {"before end is told"}


@pytest.fixture
def world(committed_world):
    return committed_world


@pytest.fixture
def booking_model(stub):
    """Calls the tool, then speaks of its result; as a real model does, with a new id each time it is asked."""
    number = itertools.count()

    def answer(body):
        if "functionResponse" in str(body["contents"][-1]):
            return gemini_stub.text("It waits ", "for you.")
        return gemini_stub.call("book_allocation", BOOKING, preface="Let me see.", id_=f"call-{next(number)}")

    stub.otherwise = answer
    return stub


def booked() -> int:
    return Allocation.objects.filter(vehicle__tag="412W103", first_day="2026-12-21").count()


def history(run) -> list:
    with checkpoints.saver() as saver:
        saved = saver.get_tuple({"configurable": {"thread_id": str(run.conversation_id)}})
    return saved.checkpoint["channel_values"]["messages"]


def expect_one_turn(run) -> None:
    messages = history(run)
    assert [type(message) for message in messages] == [HumanMessage, AIMessage, ToolMessage, AIMessage]
    assert messages[0].id == str(run.pk)
    assert messages[2].tool_call_id == messages[1].tool_calls[0]["id"]
    transcript = [(message.author, message.text) for message in run.conversation.messages.all()]
    assert transcript == [
        (Author.USER, "book it"),
        (Author.ASSISTANT, "Let me see."),
        (Author.ASSISTANT, "It waits for you."),
    ]


@pytest.mark.parametrize("point", faults.POINTS)
def test_a_worker_killed_at_any_point_leaves_one_card_and_a_turn_that_is_finished(
    world, hosted_worker, booking_model, point
):
    faults.name_point(point)
    run = ended(ask(world, "book it"), seconds=60)
    assert faults.has_struck()
    assert (run.status, run.attempts) == (RunStatus.DONE, 1 if point in UNCLAIMED | ENDED else 2)
    assert booked() == 0
    expect_one_turn(run)
    proposal = Proposal.objects.get()
    names = [name for name, _ in entries(run)]
    assert names[-1] == "end"
    assert ("restart" in names) == (run.attempts == 2)
    user = world.users["scheduler"]
    assert approvals.approve(proposal.pk, user=user).carried_out
    assert approvals.approve(proposal.pk, user=user).carried_out
    assert booked() == 1


@pytest.mark.parametrize("point", ["in approval", "approved, not committed"])
def test_a_worker_killed_while_it_carries_out_has_written_all_or_nothing(world, hosted_worker, booking_model, point):
    AssistantSettings.objects.create(ground=world.north, approval=Approval.NOT_SINGLE_BOOKINGS)
    faults.name_point(point)
    run = ended(ask(world, "book it"), seconds=60)
    assert faults.has_struck()
    assert (run.status, run.attempts) == (RunStatus.DONE, 2)
    proposal = Proposal.objects.get()
    assert booked() == (proposal.status == ProposalStatus.APPROVED)
    assert approvals.approve(proposal.pk, user=world.users["scheduler"]).carried_out
    assert booked() == 1


@pytest.mark.parametrize("point", ["in approval", "approved, not committed"])
def test_a_web_process_killed_while_it_approves_has_written_nothing(world, offline_worker, point):
    run = ended(ask(world, "book 412W103 on NPG 1 for brake 2026-12-21 to 2026-12-22"))
    proposal, user = Proposal.objects.get(run=run), world.users["scheduler"]
    faults.name_point(point)
    code = (
        "import django; django.setup(); from assistant import approvals; from assistant.tests import faults;"
        "from dynosite.accounts.models import User; faults.set_points();"
        f"approvals.approve('{proposal.pk}', user=User.objects.get(pk={user.pk}))"
    )
    environment = subprocess_environment() | {"DJANGO_SETTINGS_MODULE": "dynosite.settings"}
    ended_process = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert ended_process.returncode == -signal.SIGKILL
    proposal.refresh_from_db()
    assert (proposal.status, booked()) == (ProposalStatus.WAITING, 0)
    assert approvals.approve(proposal.pk, user=user).carried_out
    assert booked() == 1


def test_a_run_whose_workers_are_all_gone_is_found_and_finished(world, hosted_worker, booking_model):
    """Nobody gives the message back then: the broker holds it for half an hour."""
    faults.name_point("hold before model")
    run = ask(world, "book it")
    wait_until(faults.has_struck, "the model call")
    os.killpg(hosted_worker._process.pid, signal.SIGKILL)
    soon = dt.timedelta(0)
    wait_until(lambda: running.lost(after=soon) == [run.pk], "the end of the worker's session")
    assert running.lost() == []
    hosted_worker.resume()
    conversations.send(run.pk)
    ended(run, seconds=60)
    assert (run.status, run.attempts, Proposal.objects.count()) == (RunStatus.DONE, 2, 1)
    expect_one_turn(run)
    assert running.lost(after=soon) == []


def test_a_run_that_kills_each_worker_is_given_up(world, hosted_worker, booking_model):
    faults.name_point("before tool", always=True)
    run = ended(ask(world, "book it"), seconds=90)
    assert (run.status, run.attempts) == (RunStatus.FAILED, running.MAX_ATTEMPTS)
    assert run.messages.get(author=Author.NOTE).text == running.GAVE_UP
    assert Proposal.objects.count() == 0
    faults.name_point("")
    second = ended(ask(world, "book it now", conversation_id=run.conversation_id), seconds=60)
    assert second.status == RunStatus.DONE
    # The call that never came back has an answer, without which a provider refuses all that follows.
    parts = [part for content in booking_model.requests[-1]["body"]["contents"] for part in content["parts"]]
    kinds = [kind for part in parts for kind in ("text", "functionCall", "functionResponse") if kind in part]
    assert kinds == [
        "text",
        "text",
        "functionCall",
        "functionResponse",
        "text",  # the turn that was given up, and its note
        "text",
        "text",
        "functionCall",
        "functionResponse",
    ]

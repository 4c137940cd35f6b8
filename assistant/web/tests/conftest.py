"""A conversation with everything in it, of each of two users who may know nothing of each other."""

import datetime as dt
from dataclasses import dataclass

import pytest
from django.test import Client

from allocations.tests.world import World, day
from assistant import approvals
from assistant.enums import Author, RunStatus, ToolStatus
from assistant.models import Conversation, Message, Proposal, Run, ToolCall
from assistant.tools.caller import Caller, Ctx
from assistant.tools.registry import TOOLS

SECRET = "what nobody else may read"


@dataclass
class Talk:
    world: World
    conversation: Conversation
    run: Run
    question: Message
    answer: Message
    call: ToolCall
    proposal: Proposal


def talk_of(world: World, name: str, *, first: int = 7, status: str = RunStatus.DONE) -> Talk:
    """The user asked for a booking, which waits for approval."""
    user, ground = world.users[name], world.north
    conversation = Conversation.objects.create(user=user, ground=ground, title=f"Talk of {name}: {SECRET}")
    run = Run.objects.create(conversation=conversation, user=user, ground=ground, status=status, model="offline")
    question = Message.objects.create(
        conversation=conversation, run=run, author=Author.USER, text=f"Book 412W103, {SECRET}"
    )
    run.question = question
    run.save()
    call = ToolCall.objects.create(
        run=run,
        call_id="look",
        name="find_available_dynos",
        status=ToolStatus.OK,
        seconds=0.31,
        args={"start_date": str(day(first)), "end_date": str(day(first + 2))},
        result={
            "status": "ok",
            "free": [{"id": world.dynos["NPG 1"].pk, "dyno": "NPG 1", "url": f"/dynos/{world.dynos['NPG 1'].pk}/"}],
            "not_free": [],
        },
    )
    proposal = propose(world, name, conversation, run, first=first)
    answer = Message.objects.create(
        conversation=conversation, run=run, author=Author.ASSISTANT, text=f"**NPG 1** is free, {SECRET}."
    )
    return Talk(world, conversation, run, question, answer, call, proposal)


def propose(world, name, conversation, run, *, first: int, vehicle="412W103", dyno="NPG 1") -> Proposal:
    caller = Caller(Ctx(world.users[name].pk, conversation.ground_id, conversation.pk, run.pk))
    tool = TOOLS["book_allocation"]
    args = tool.args(
        vehicle=vehicle, dyno=dyno, test_type="Brake", start_date=day(first), end_date=day(first) + dt.timedelta(2)
    )
    return approvals.propose(caller, tool, args, call_id=f"book-{first}")


def client_of(world: World, name: str) -> Client:
    client = Client()
    client.force_login(world.users[name])
    return client


@pytest.fixture
def talk(world, wednesday) -> Talk:
    return talk_of(world, "scheduler")


@pytest.fixture
def mine(talk) -> Client:
    return client_of(talk.world, "scheduler")


@pytest.fixture
def panel(talk) -> Client:
    """Asks as the panel's script does."""
    client = Client(headers={"HX-Request": "true"})
    client.force_login(talk.world.users["scheduler"])
    return client

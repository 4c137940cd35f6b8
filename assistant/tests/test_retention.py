import datetime as dt

import pytest
from django.utils import timezone
from langchain_core.messages import HumanMessage
from langgraph.checkpoint.base import empty_checkpoint

from assistant import tasks
from assistant.admin.tests.conftest import a_run
from assistant.enums import ProposalStatus
from assistant.governance import retention
from assistant.graph import checkpoints
from assistant.models import Conversation, Feedback, Message, ModelCall, Proposal, Run, Spend, ToolCall

NOW = timezone.now()
NOTHING = {
    "proposals expired": 0,
    "calls settled": 0,
    "conversations emptied": 0,
    "runs": 0,
    "proposals": 0,
    "conversations": 0,
    "graph threads": 0,
}


@pytest.fixture
def world(committed_world, settings):
    settings.ASSISTANT_KEEP_CONVERSATIONS_DAYS = 100
    settings.ASSISTANT_KEEP_DELETED_DAYS = 10
    settings.ASSISTANT_KEEP_RUNS_DAYS = 300
    checkpoints.forget(checkpoints.orphans(10_000))  # of other tests, whose rows are gone
    return committed_world


def aged(world, days: int, *, deleted: int | None = None, **values) -> Run:
    """A run of so many days ago, and its thread, in a conversation as old, or deleted so many days ago."""
    run = a_run(world)
    at = NOW - dt.timedelta(days=days)
    Run.objects.filter(pk=run.pk).update(created_at=at, **values)
    run.proposals.update(created_at=at)
    Conversation.objects.filter(pk=run.conversation_id).update(
        updated_at=at, deleted_at=None if deleted is None else NOW - dt.timedelta(days=deleted)
    )
    remember(run.conversation_id)
    return run


def remember(thread) -> None:
    checkpoint = empty_checkpoint()
    checkpoint["channel_values"] = {"messages": [HumanMessage("Book it")]}
    with checkpoints.saver() as saver:
        config = {"configurable": {"thread_id": str(thread), "checkpoint_ns": ""}}
        saver.put(config, checkpoint, {}, {"messages": "1"})


def is_remembered(thread) -> bool:
    with checkpoints.saver() as saver:
        return saver.get_tuple({"configurable": {"thread_id": str(thread)}}) is not None


def test_what_is_young_enough_stays(world):
    for run in (aged(world, 99), aged(world, 5, deleted=9)):
        assert is_remembered(run.conversation_id)
    assert retention.keep(now=NOW) == NOTHING
    assert Message.objects.count() == 4
    assert all(is_remembered(pk) for pk in Conversation.objects.values_list("pk", flat=True))


def test_an_old_conversation_loses_its_words_and_keeps_its_audit(world):
    run = aged(world, 101, page={"selected": "412W101"})
    assert retention.keep(now=NOW) == NOTHING | {"conversations emptied": 1}
    assert not Message.objects.exists()
    assert not Feedback.objects.exists()
    assert not is_remembered(run.conversation_id)
    conversation = Conversation.objects.get()
    assert (conversation.title, conversation.deleted_at) == ("", NOW)
    run.refresh_from_db()
    assert (run.question, run.page, run.tokens_in) == (None, {}, 1_200)
    assert (ModelCall.objects.count(), ToolCall.objects.count(), Proposal.objects.count()) == (2, 2, 1)
    assert retention.keep(now=NOW) == NOTHING


def test_what_its_user_has_deleted_goes_sooner(world):
    deleted_at = aged(world, 12, deleted=11).conversation
    deleted_at.refresh_from_db()
    assert retention.keep(now=NOW)["conversations emptied"] == 1
    assert Conversation.objects.get().deleted_at == deleted_at.deleted_at


def test_the_audit_goes_after_its_own_days_and_the_conversation_with_it(world):
    aged(world, 301)
    assert retention.keep(now=NOW) == NOTHING | {
        "conversations emptied": 1,
        "runs": 1,
        "proposals": 1,
        "conversations": 1,
    }
    assert not Conversation.objects.exists()
    assert not Run.objects.exists()
    assert Spend.objects.get().tokens_in == 1_200


def test_a_run_under_way_and_a_proposal_that_waits_hold_their_conversation(world):
    running = aged(world, 400, status="running")
    waiting = aged(world, 200)
    waiting.proposals.update(status=ProposalStatus.WAITING, expires_at=timezone.now() + dt.timedelta(days=1))
    assert retention.keep(now=NOW) == NOTHING
    waiting.proposals.update(expires_at=timezone.now() - dt.timedelta(days=1))
    assert retention.keep(now=NOW) == NOTHING | {"proposals expired": 1, "conversations emptied": 1}
    assert waiting.proposals.get().status == ProposalStatus.EXPIRED
    assert is_remembered(running.conversation_id)


def test_threads_without_a_conversation_are_forgotten(world):
    run = aged(world, 1)
    lost = aged(world, 1).conversation_id
    Conversation.objects.filter(pk=lost).delete()
    assert retention.keep(now=NOW) == NOTHING | {"graph threads": 1}
    assert (is_remembered(lost), is_remembered(run.conversation_id)) == (False, True)


def test_more_than_a_batch_goes_batch_by_batch(world, monkeypatch):
    monkeypatch.setattr(retention, "BATCH", 2)
    for _ in range(5):
        aged(world, 301)
    done = retention.keep(now=NOW)
    assert (done["conversations emptied"], done["runs"], done["conversations"]) == (5, 5, 5)
    assert not Conversation.objects.exists()


def test_the_nightly_task_tells_what_it_did(world, caplog, settings):
    aged(world, 101)
    with caplog.at_level("INFO"):
        tasks.keep()
    assert "'conversations emptied': 1" in caplog.text
    assert settings.CELERY_BEAT_SCHEDULE["keep-the-assistant"]["task"] == tasks.keep.name

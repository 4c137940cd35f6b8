"""The door to the assistant. No worker runs here: what is asked stays queued."""

import threading

import pytest
from django.db import connections
from django.utils import timezone

from allocations.exceptions import Invalid, NotFound
from allocations.models import Membership
from assistant import selectors, streams
from assistant.conversations import conversations
from assistant.enums import Author, RunStatus, Verdict
from assistant.exceptions import Decided, Off, Unavailable, Waiting
from assistant.models import AssistantSettings, Conversation, Feedback, KillSwitch, Message, Run
from assistant.tests.conftest import ask, entries

MESSAGE = "7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01"


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    """The runs that were handed to a worker."""
    run_ids: list[str] = []
    monkeypatch.setattr(conversations, "send", lambda run_id: run_ids.append(str(run_id)))
    return run_ids


@pytest.fixture
def user(world):
    return world.users["scheduler"]


def end(run, status=RunStatus.DONE, answer=""):
    Run.objects.filter(pk=run.pk).update(status=status, ended_at=timezone.now())
    if answer:
        return Message.objects.create(conversation=run.conversation, run=run, author=Author.ASSISTANT, text=answer)
    return None


def test_asking_keeps_the_question_and_sends_the_run(world, sent, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        run = ask(world, "  where is 412W101?  ", page={"path": "/schedule/"})
    assert sent == [str(run.pk)]
    assert (run.status, run.page, run.question.text) == (
        RunStatus.QUEUED,
        {"path": "/schedule/"},
        "where is 412W101?",
    )
    assert (run.conversation.title, run.conversation.ground) == ("where is 412W101?", world.north)
    assert entries(run) == [("status", {"status": "queued"})]


def test_a_title_is_the_first_words(world, sent):
    title = ask(world, "please\nfind " + "a place " * 20).conversation.title
    assert title.startswith("please find a place a place")
    assert title.endswith("…")
    assert len(title) <= conversations.TITLE + 1


@pytest.mark.parametrize("text", ["", "  \n ", "\x00", "x" * (conversations.MAX_MESSAGE_LENGTH + 1)])
def test_nothing_and_far_too_much_are_no_message(world, sent, text):
    with pytest.raises(Invalid) as invalid:
        ask(world, text)
    assert list(invalid.value.errors) == ["text"]
    assert Conversation.objects.count() == 0


def test_the_same_message_again_is_the_same_run_and_somebody_else_s_does_not_exist(world, sent):
    run = ask(world, "hello", message_id=MESSAGE)
    assert ask(world, "hello", message_id=MESSAGE) == run
    assert Message.objects.count() == 1
    with pytest.raises(NotFound):
        ask(world, "hello", "admin", message_id=MESSAGE)


def test_the_same_message_twice_at_once_is_one_run(committed_world, sent):
    barrier, run_ids = threading.Barrier(2), []

    def send():
        barrier.wait(10)
        run_ids.append(ask(committed_world, "hello", message_id=MESSAGE).pk)
        connections.close_all()

    threads = [threading.Thread(target=send) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len(run_ids) == 2
    assert len(set(run_ids)) == Run.objects.count() == Message.objects.count() == Conversation.objects.count() == 1


def test_one_run_a_conversation_at_a_time(world, sent):
    run = ask(world, "one")
    with pytest.raises(Waiting):
        ask(world, "two", conversation_id=run.conversation_id)
    assert ask(world, "elsewhere").conversation_id != run.conversation_id
    end(run)
    assert ask(world, "two", conversation_id=run.conversation_id).conversation_id == run.conversation_id


@pytest.mark.parametrize("name", ["outsider", "admin"])
def test_nobody_else_s_conversation_exists(world, sent, user, name):
    run, other = ask(world, "hello"), world.users[name]
    message = end(run, answer="Hello.")
    calls = [
        lambda: selectors.run_by_id(run.pk, user=other),
        lambda: conversations.stream_of(run.pk, user=other),
        lambda: conversations.stop(run.pk, user=other),
        lambda: conversations.again(run.pk, user=other),
        lambda: selectors.conversation_by_id(run.conversation_id, user=other),
        lambda: conversations.rename(run.conversation_id, "Mine", user=other),
        lambda: conversations.delete(run.conversation_id, user=other),
        lambda: conversations.rate(message.pk, Verdict.UP, user=other),
        lambda: ask(world, "mine?", name, conversation_id=run.conversation_id),
        lambda: selectors.run_by_id("no-id", user=user),
    ]
    for call in calls:
        with pytest.raises(NotFound):
            call()
    assert selectors.run_by_id(run.pk, user=user) == run


def test_who_is_a_member_no_more_sees_nothing(world, sent, user):
    run = ask(world, "hello")
    Membership.objects.filter(user=user).delete()
    for call in (
        lambda: selectors.conversation_by_id(run.conversation_id, user=user),
        lambda: selectors.conversations_of(user, ground_id=world.north.pk),
        lambda: ask(world, "and now?", conversation_id=run.conversation_id),
    ):
        with pytest.raises(NotFound):
            call()


def test_a_conversation_stays_in_its_ground(world, sent):
    user = world.users["admin"]
    Membership.objects.get_or_create(user=user, ground=world.south, defaults={"role": "admin"})
    run = ask(world, "hello", "admin")
    with pytest.raises(NotFound):
        conversations.ask(user, ground_id=world.south.pk, text="hello", conversation_id=run.conversation_id)


def test_switched_off_is_said_with_the_reason(world, sent):
    AssistantSettings.objects.create(ground=world.north, enabled=False)
    with pytest.raises(Unavailable, match="off in this proving ground"):
        ask(world, "hello")
    KillSwitch.objects.create(off=True, reason="Back at noon.")
    with pytest.raises(Off, match="Back at noon"):
        ask(world, "hello")


def test_only_what_has_not_gone_well_is_tried_again(world, sent, user):
    run = ask(world, "hello")
    with pytest.raises(Decided):
        conversations.again(run.pk, user=user)
    end(run, RunStatus.FAILED)
    second = conversations.again(run.pk, user=user)
    assert (second.question, second.conversation) == (run.question, run.conversation)
    assert Message.objects.filter(author=Author.USER).count() == 1
    with pytest.raises(Waiting):
        conversations.again(run.pk, user=user)


def test_a_broker_that_is_away_is_said_at_once(world, monkeypatch, django_capture_on_commit_callbacks):
    def away(run_id):
        raise OSError("no broker")

    monkeypatch.setattr(conversations, "send", away)
    with django_capture_on_commit_callbacks(execute=True):
        run = ask(world, "hello")
    run.refresh_from_db()
    assert (run.status, run.error) == (RunStatus.FAILED, "OSError: no broker")
    assert run.messages.get(author=Author.NOTE).text == conversations.NOT_SENT


def test_conversations_are_listed_newest_first_and_searched_by_title_and_words(world, sent, user):
    first, second = ask(world, "where is 412W101?"), ask(world, "list the dynos")
    end(first, answer="It stands on NPG 21.")

    def listed(search=""):
        rows = selectors.conversations_of(user, ground_id=world.north.pk, search=search)
        return [conversation.title for conversation in rows]

    assert listed() == ["list the dynos", "where is 412W101?"]
    assert listed("npg 21") == listed("412w") == ["where is 412W101?"]
    assert listed("nothing of that") == []
    ask(world, "and next week?", conversation_id=first.conversation_id)
    assert listed() == ["where is 412W101?", "list the dynos"]
    conversations.rename(second.conversation_id, " The   dynos ", user=user)
    assert listed() == ["where is 412W101?", "The dynos"]
    with pytest.raises(Invalid):
        conversations.rename(second.conversation_id, " ", user=user)


def test_deleted_is_gone_until_it_is_restored_and_its_run_is_stopped(world, sent, user):
    run = ask(world, "hello")
    conversations.delete(run.conversation_id, user=user)
    run.refresh_from_db()
    assert run.status == RunStatus.STOPPED
    assert not selectors.conversations_of(user, ground_id=world.north.pk).exists()
    for call in (selectors.conversation_by_id, conversations.delete):
        with pytest.raises(NotFound):
            call(run.conversation_id, user=user)
    with pytest.raises(NotFound):
        selectors.run_by_id(run.pk, user=user)
    conversations.restore(run.conversation_id, user=user)
    assert selectors.conversation_by_id(run.conversation_id, user=user) == run.conversation


def test_an_answer_is_rated_once_and_the_verdict_taken_back(world, sent, user):
    run = ask(world, "hello")
    answer = end(run, answer="Hello.")
    conversations.rate(answer.pk, Verdict.UP, user=user)
    conversations.rate(answer.pk, Verdict.DOWN, " Wrong dyno. ", user=user)
    assert list(Feedback.objects.values_list("verdict", "comment")) == [("down", "Wrong dyno.")]
    with pytest.raises(Invalid):
        conversations.rate(answer.pk, "sideways", user=user)
    with pytest.raises(NotFound):
        conversations.rate(run.question_id, Verdict.UP, user=user)
    assert conversations.rate(answer.pk, "", user=user) is None
    assert Feedback.objects.count() == 0


def test_the_timeline_has_everything_in_order(world, sent, user):
    run = ask(world, "hello")
    answer = end(run, RunStatus.FAILED, answer="Hel")
    timeline = selectors.timeline(run.conversation)
    assert [(entry.kind, entry.item) for entry in timeline] == [
        ("message", run.question),
        ("run", run),
        ("message", answer),
    ]
    assert selectors.timeline(ask(world, "other").conversation)[0].item.text == "other"


def test_the_stream_of_a_run_that_is_under_way_gets_no_end(world, sent, user):
    run = ask(world, "hello")
    assert conversations.stream_of(run.pk, user=user) == streams.key(run.pk)
    assert entries(run) == []

"""Turns that run in this process, with the real Gemini client on a local stub."""

import datetime as dt
import threading

import pytest
from django.conf import settings as django_settings
from django.db import OperationalError, connection
from django.shortcuts import resolve_url
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from assistant import streams, tasks
from assistant.conversations import conversations
from assistant.enums import Author, RunStatus
from assistant.graph import turn
from assistant.models import Message, ModelCall, Proposal, Run, ToolCall
from assistant.providers import hosted
from assistant.providers.tests import gemini_stub
from assistant.providers.tests.gemini_stub import GeminiStub
from assistant.tests.conftest import GEMINI, ask, entries, wait_for_text
from assistant.tests.test_turns import BOOKING
from assistant.turns import locks, run_outcomes, running
from dynosite.lib.connections import given_back
from dynosite.tests.servers import wait_until


@pytest.fixture
def stub(committed_world, settings):
    with GeminiStub() as server:
        settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = "stub", server.url
        settings.ASSISTANT_MODELS = [GEMINI]
        hosted.hosted_models.cache_clear()
        yield server
        hosted.hosted_models.cache_clear()


@pytest.fixture
def sent(monkeypatch) -> list[str]:
    run_ids: list[str] = []
    monkeypatch.setattr(conversations, "send", lambda run_id: run_ids.append(str(run_id)))
    return run_ids


def in_a_thread(run) -> threading.Thread:
    def work():
        with given_back():
            running.run_turn(run.pk)

    thread = threading.Thread(target=work)
    thread.start()
    return thread


def sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return cursor.fetchone()[0]


def test_one_worker_a_conversation(committed_world, stub, sent):
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("Well", go_on, "."))
    run = ask(committed_world, "hello")
    worker = in_a_thread(run)
    wait_for_text(run, "Well")
    assert running.run_turn(run.pk) is False
    assert running.lost(after=dt.timedelta(0)) == []
    go_on.set()
    worker.join(20)
    run.refresh_from_db()
    assert (run.status, run.attempts, len(stub.requests)) == (RunStatus.DONE, 1, 1)
    assert running.run_turn(run.pk) is True
    assert [name for name, _ in entries(run)].count("end") == 1


def test_a_lock_ends_with_its_session(committed_world, stub, sent):
    run = ask(committed_world, "hello")
    with locks.held(run.conversation_id) as first, locks.held(run.conversation_id) as second:
        assert (first.is_held(), second) == (True, None)
        first._session.close()
        assert not first.is_held()
        wait_until(lambda: can_be_held(run.conversation_id), "the end of the session at the server")


def can_be_held(conversation_id) -> bool:
    with locks.held(conversation_id) as lock:
        return lock is not None


def test_a_lock_is_free_when_its_holder_has_let_it_go(committed_world, sent):
    """At once, and not when the server gets round to ending the session."""
    run = ask(committed_world, "hello")
    assert [can_be_held(run.conversation_id) for _ in range(200)] == [True] * 200


def test_turns_leave_no_session_with_the_database(committed_world, stub, sent):
    def say(text):
        stub.answers(gemini_stub.call("list_dynos", {}), gemini_stub.text("There they are."))
        run = ask(committed_world, text)
        running.run_turn(run.pk)
        run.refresh_from_db()
        assert run.status == RunStatus.DONE

    say("one")
    before = sessions()
    for number in range(3):
        say(f"again {number}")
    wait_until(lambda: sessions() <= before, "the end of the turns' sessions")


def test_what_a_dead_worker_wrote_and_the_graph_does_not_have_is_said_anew(committed_world, stub, sent):
    run = ask(committed_world, "hello")
    Run.objects.filter(pk=run.pk).update(status=RunStatus.RUNNING, attempts=1, started_at=timezone.now())
    Message.objects.create(conversation=run.conversation, run=run, author=Author.ASSISTANT, text="Said and lost.")
    stub.answers(gemini_stub.text("Said anew."))
    running.run_turn(run.pk)
    assert list(run.messages.filter(author=Author.ASSISTANT).values_list("text", flat=True)) == ["Said anew."]
    assert [name for name, _ in entries(run)][:4] == ["status", "status", "restart", "model"]


def test_a_database_that_is_away_at_the_end_is_waited_for(committed_world, stub, sent, monkeypatch):
    monkeypatch.setattr(run_outcomes, "PATIENCE", (0, 0))
    write, failures = run_outcomes._write, iter([OperationalError("away"), OperationalError("away")])

    def writes(*args):
        if error := next(failures, None):
            raise error
        return write(*args)

    monkeypatch.setattr(run_outcomes, "_write", writes)
    stub.answers(gemini_stub.text("An answer."))
    run = ask(committed_world, "hello")
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.messages.get(author=Author.ASSISTANT).text) == (RunStatus.DONE, "An answer.")
    assert entries(run)[-1] == ("end", {"status": "done"})


def test_a_database_that_stays_away_leaves_no_panel_waiting_and_the_turn_is_finished_later(
    committed_world, stub, sent, monkeypatch
):
    def away(*args):
        raise OperationalError("away")

    with monkeypatch.context() as patch:
        patch.setattr(run_outcomes, "PATIENCE", (0,))
        patch.setattr(run_outcomes, "_write", away)
        stub.answers(gemini_stub.text("An answer."))
        run = ask(committed_world, "hello")
        with pytest.raises(OperationalError):
            running.run_turn(run.pk)
    assert entries(run)[-1] == ("end", {"status": "failed"})
    assert running.lost(after=dt.timedelta(0)) == [run.pk]
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempts, len(stub.requests)) == (RunStatus.DONE, 2, 1)
    assert run.messages.get(author=Author.ASSISTANT).text == "An answer."


def test_a_mistake_of_ours_is_said_plainly_and_keeps_its_secrets(committed_world, stub, sent, monkeypatch, caplog):
    def broken(*args, **kwargs):
        raise RuntimeError("the password is hunter2")

    monkeypatch.setattr("assistant.graph.build.system_prompt", broken)
    run = ask(committed_world, "hello")
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error) == (RunStatus.FAILED, "RuntimeError: the password is hunter2")
    assert run.messages.get(author=Author.NOTE).text == run_outcomes.BROKEN
    assert "hunter2" not in str(entries(run))
    assert "A run failed" in caplog.text


def test_what_no_database_keeps_is_left_out_of_what_a_model_says(committed_world, stub, sent):
    look = {"vehicle": "412\x00W103"}
    stub.answers(gemini_stub.call("check_vehicle_allocation", look), gemini_stub.text("It \x00stands", " idle."))
    run = ask(committed_world, "where is it?")
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.messages.get(author=Author.ASSISTANT).text) == (RunStatus.DONE, "It stands idle.")
    assert run.tool_calls.get().args == {"vehicle": "412W103"}


def test_a_call_that_drips_without_end_is_ended_and_the_next_model_answers(
    committed_world, stub, sent, monkeypatch, settings
):
    settings.ASSISTANT_TURN_SECONDS = 100
    monkeypatch.setattr(turn, "CALL_SHARE", 0.01)
    disconnected = threading.Event()
    stub.answers(gemini_stub.drips("on and ", disconnected=disconnected))
    run = ask(committed_world, "list the dynos")
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.model, len(stub.requests)) == (RunStatus.DONE, "offline", 1)
    (answer,) = run.messages.filter(author=Author.ASSISTANT)
    assert ("NPG 1" in answer.text, "on and" in answer.text) == (True, False)
    assert "restart" in [name for name, _ in entries(run)]
    dripped = ModelCall.objects.get(run=run, model=GEMINI)
    assert (dripped.error, dripped.estimated) == ("CallTimeoutError: It went on for too long.", True)
    wait_until(disconnected.is_set, "the end of the call at the provider")


def test_a_turn_without_end_is_ended_with_its_time_and_what_was_said_is_kept(
    committed_world, stub, sent, monkeypatch, settings
):
    settings.ASSISTANT_TURN_SECONDS = 2
    monkeypatch.setattr(turn, "CALL_SHARE", 100)
    stub.answers(gemini_stub.drips("on and ", disconnected=threading.Event()))
    run = ask(committed_world, "hello")
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.messages.get(author=Author.NOTE).text) == (RunStatus.FAILED, run_outcomes.TOO_LONG)
    answer = run.messages.get(author=Author.ASSISTANT)
    assert (answer.text.startswith("on and on and "), answer.cut) == (True, True)


def test_a_turn_whose_model_stays_silent_is_ended_with_its_time_too(committed_world, stub, sent, settings):
    """No word comes, so nothing in the call asks for the time; and Celery's own limit ends no thread."""
    settings.ASSISTANT_TURN_SECONDS, settings.ASSISTANT_CALL_SECONDS = 2, 60
    speak = threading.Event()
    stub.answers(gemini_stub.after(speak, gemini_stub.text("Too late.")))
    run = ask(committed_world, "hello")
    running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.messages.get(author=Author.NOTE).text) == (RunStatus.FAILED, run_outcomes.TOO_LONG)
    assert (speak.is_set(), run.model_calls.get().ended_at) == (False, None)
    speak.set()
    wait_until(lambda: run.model_calls.get().ended_at, "the call's end")
    assert not run.messages.filter(author=Author.ASSISTANT).exists()


def test_stop_does_not_wait_for_a_model_that_is_silent_and_nothing_comes_of_it_later(
    committed_world, stub, sent, settings
):
    settings.ASSISTANT_CALL_SECONDS = 60
    speak = threading.Event()
    stub.answers(gemini_stub.after(speak, gemini_stub.call("book_allocation", BOOKING)))
    run = ask(committed_world, "book it")
    worker = in_a_thread(run)
    wait_until(lambda: stub.requests, "a call of the model")
    conversations.stop(run.pk, user=committed_world.users["scheduler"])
    worker.join(50)
    run.refresh_from_db()
    call = ModelCall.objects.get(run=run)
    assert (run.status, call.ended_at) == (RunStatus.STOPPED, None)
    speak.set()
    wait_until(lambda: ModelCall.objects.filter(run=run, ended_at__isnull=False).exists(), "the call's end")
    stub.answers(gemini_stub.text("Hello."))
    second = ask(committed_world, "hello", conversation_id=run.conversation_id)
    running.run_turn(second.pk)
    parts = [part for content in stub.requests[-1]["body"]["contents"] for part in content["parts"]]
    assert [part.get("text") for part in parts] == [
        "book it",
        "(This turn ended before there was an answer.)",
        "hello",
    ]
    assert (ToolCall.objects.count(), Proposal.objects.count()) == (0, 0)


def test_lost_runs_are_sent_again_but_not_each_time_that_somebody_looks(committed_world, stub, sent):
    old = timezone.now() - dt.timedelta(minutes=5)
    queued, begun, fresh = (ask(committed_world, text) for text in ("one", "two", "three"))
    Run.objects.filter(pk=queued.pk).update(created_at=old)
    Run.objects.filter(pk=begun.pk).update(created_at=old, started_at=old, status=RunStatus.RUNNING)
    sent.clear()
    tasks.take_up_lost_runs()
    tasks.take_up_lost_runs()
    assert sent == [str(queued.pk), str(begun.pk)]
    assert str(fresh.pk) not in sent


def test_a_user_who_signs_out_in_mid_run_hears_no_more_and_the_turn_goes_on(committed_world, stub, sent):
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("Well", go_on, "."))
    run = ask(committed_world, "hello")
    client = Client()
    client.force_login(committed_world.users["scheduler"])
    worker = in_a_thread(run)
    wait_for_text(run, "Well")
    client.post(reverse("accounts:sign-out"))
    response = client.get(reverse("assistant:run-events", args=[run.pk]))
    assert response.status_code == 302
    assert response["Location"].startswith(resolve_url(django_settings.LOGIN_URL))
    go_on.set()
    worker.join(20)
    run.refresh_from_db()
    assert (run.status, run.messages.get(author=Author.ASSISTANT).text) == (RunStatus.DONE, "Well.")
    assert streams.last_name(run.pk) == "end"


def test_a_provider_that_hangs_says_so_and_what_follows(committed_world, stub, sent, monkeypatch, settings):
    settings.ASSISTANT_CALL_SECONDS = 60
    monkeypatch.setattr(running, "SILENT_AFTER", 0)
    speak = threading.Event()
    stub.answers(gemini_stub.after(speak, gemini_stub.finishing("STOP")), gemini_stub.text("Here I am."))
    run = ask(committed_world, "hello")
    worker = in_a_thread(run)
    wait_until(lambda: running.SILENT in sentences(run), "the sentence that the model is silent")
    speak.set()
    worker.join(50)
    run.refresh_from_db()
    assert (run.status, run.messages.get(author=Author.ASSISTANT).text) == (RunStatus.DONE, "Here I am.")
    assert sentences(run)[:2] == [running.SILENT, "The model is tried again (2 of 3)…"]


def sentences(run) -> list[str]:
    return [data["sentence"] for name, data in entries(run) if name == "status" and "sentence" in data]

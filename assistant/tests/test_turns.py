"""Turns from the question to the transcript: a real worker, Redis, PostgreSQL, the real graph and Gemini client."""

import threading

import pytest
from django.db import connection
from django.utils import timezone

from allocations.models import Allocation
from assistant import approvals, prompts, streams
from assistant.conversations import conversations
from assistant.enums import Author, ProposalStatus, RunOutcome, RunStatus, ToolStatus
from assistant.graph import calling
from assistant.graph.build import CALLS_A_STEP
from assistant.models import KillSwitch, Message, ModelCall, Proposal, ToolCall
from assistant.providers import answers
from assistant.providers.chain import ATTEMPTS, NOT_SET_UP
from assistant.providers.tests import gemini_stub
from assistant.tests.conftest import GEMINI, ask, ended, entries, texts, wait_for_text
from assistant.turns import run_outcomes, running
from dynosite.tests.servers import wait_until

BOOK = "book 412W103 on NPG 1 for brake December 21 to 22"
BOOKING = {
    "vehicle": "412W103",
    "dyno": "NPG 1",
    "test_type": "Brake",
    "start_date": "2026-12-21",
    "end_date": "2026-12-22",
}


@pytest.fixture
def world(committed_world):
    return committed_world


def transcript(run) -> list[tuple[str, str]]:
    return [(message.author, message.text) for message in run.conversation.messages.all()]


def note_of(run) -> str:
    return run.messages.get(author=Author.NOTE).text


def test_an_offline_booking_turn_ends_with_a_card_and_its_approval_books(world, offline_worker):
    run = ended(ask(world, BOOK))
    assert (run.status, run.outcome, run.attempts, run.model) == (RunStatus.DONE, RunOutcome.PROPOSAL, 1, "offline")
    proposal = Proposal.objects.get()
    assert (proposal.run_id, proposal.status) == (run.pk, ProposalStatus.WAITING)
    question, answer = run.conversation.messages.all()
    assert (question.author, answer.author) == (Author.USER, Author.ASSISTANT)
    events = entries(run)
    assert [name for name, _ in events if name != "text"] == [
        "status",
        "status",
        "model",
        "tool",
        "tool",
        "proposal",
        "model",
        "message",
        "end",
    ]
    assert [data["status"] for name, data in events if name == "tool"] == ["running", ToolStatus.WAITING]
    assert ("proposal", {"id": str(proposal.pk)}) in events
    assert ("message", {"id": str(answer.pk)}) in events
    assert texts(run) == answer.text
    assert "21 – 22 Dec 2026" in answer.text
    assert events[-1] == ("end", {"status": "done"})
    assert approvals.approve(proposal.pk, user=world.users["scheduler"]).carried_out
    assert Allocation.objects.filter(vehicle__tag="412W103", first_day="2026-12-21").count() == 1


def test_a_hosted_booking_turn_calls_the_tool_and_books_after_approval(world, hosted_worker, stub):
    stub.answers(
        gemini_stub.call("book_allocation", BOOKING, signature="dGhvdWdodA=="),
        gemini_stub.text("It waits ", "for you.", tokens=(30, 7)),
    )
    run = ended(ask(world, "please book 412W103"))
    assert (run.status, run.outcome, run.model) == (RunStatus.DONE, RunOutcome.PROPOSAL, GEMINI)
    assert (run.tokens_in, run.tokens_out) == (40, 12)
    assert (run.prompt, run.prompt_hash) == (prompts.LIVE, prompts.digest())
    assert run.created_at < run.started_at < run.first_words_at < run.ended_at < timezone.now()
    assert transcript(run) == [(Author.USER, "please book 412W103"), (Author.ASSISTANT, "It waits for you.")]
    calls = ModelCall.objects.filter(run=run).values_list("model", "tokens_in", "tokens_out", "error")
    assert list(calls) == [(GEMINI, 10, 5, ""), (GEMINI, 30, 7, "")]
    call = ToolCall.objects.get()
    assert (call.name, call.args["vehicle"], call.status) == ("book_allocation", "412W103", ToolStatus.WAITING)
    # What the model thought comes back to it with its call and the tool's result.
    parts = [part for content in stub.requests[1]["body"]["contents"] for part in content["parts"]]
    assert [part["thoughtSignature"] for part in parts if "functionCall" in part] == ["dGhvdWdodA=="]
    (response,) = [part["functionResponse"] for part in parts if "functionResponse" in part]
    assert response["name"] == "book_allocation"
    proposal = Proposal.objects.get()
    assert approvals.approve(proposal.pk, user=world.users["scheduler"]).carried_out
    assert Allocation.objects.filter(vehicle__tag="412W103", dyno__name="NPG 1").count() == 1


def test_the_first_words_are_told_while_the_model_still_speaks(world, hosted_worker, stub):
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("First words", go_on, ", and the rest."))
    run = ask(world, "hello")
    wait_for_text(run, "First words")
    run.refresh_from_db()
    assert run.status == RunStatus.RUNNING
    assert run.first_words_at is not None
    assert texts(run) == "First words"
    go_on.set()
    assert transcript(ended(run))[1:] == [(Author.ASSISTANT, "First words, and the rest.")]


@pytest.mark.parametrize("status", [429, 503])
def test_a_provider_that_is_down_falls_back_to_the_offline_model(world, hosted_worker, stub, status):
    stub.answers(*[gemini_stub.error(status, "not now")] * ATTEMPTS)
    run = ended(ask(world, "list the dynos"))
    assert (run.status, run.model) == (RunStatus.DONE, "offline")
    assert "NPG 1" in transcript(run)[1][1]
    assert ("model", {"name": "offline", "offline": True}) in entries(run)
    errors = ModelCall.objects.filter(run=run, model=GEMINI).values_list("error", flat=True)
    assert len([error for error in errors if error]) == ATTEMPTS


def test_a_call_that_hangs_ends_by_its_time_limit_and_is_tried_again(world, hosted_worker, stub):
    stub.answers(gemini_stub.stalls_after(until=threading.Event()), gemini_stub.text("Here I am."))
    run = ended(ask(world, "hello"))
    assert transcript(run)[1:] == [(Author.ASSISTANT, "Here I am.")]
    first, second = ModelCall.objects.filter(run=run).values_list("error", flat=True)
    assert (first.partition(":")[0], second) == ("ReadTimeout", "")


@pytest.mark.parametrize(
    "cut", [gemini_stub.cut_after("half an ans"), gemini_stub.stalls_after("half an ans", until=threading.Event())]
)
def test_a_stream_that_is_cut_or_stalls_is_dropped_and_said_anew(world, hosted_worker, stub, cut):
    stub.answers(cut, gemini_stub.text("A whole answer."))
    run = ended(ask(world, "hello"))
    assert transcript(run)[1:] == [(Author.ASSISTANT, "A whole answer.")]
    events = [(name, data.get("text")) for name, data in entries(run) if name in ("text", "restart", "message")]
    assert events == [("text", "half an ans"), ("restart", None), ("text", "A whole answer."), ("message", None)]


def test_a_blocked_prompt_is_said_in_words(world, hosted_worker, stub):
    stub.answers(gemini_stub.blocked())
    run = ended(ask(world, "hello"))
    assert run.status == RunStatus.FAILED
    assert "filter blocked" in note_of(run)
    assert entries(run)[-2:] == [
        ("message", {"id": str(run.messages.get(author=Author.NOTE).pk)}),
        ("end", {"status": "failed"}),
    ]


def test_a_bad_key_lets_the_offline_model_answer_and_is_told_once(world, hosted_worker, stub):
    bad = gemini_stub.error(400, "API key not valid. Please pass a valid API key.", reason="INVALID_ARGUMENT")
    stub.answers(bad)
    run = ended(ask(world, "list the dynos"))
    assert (run.status, run.model, note_of(run)) == (RunStatus.DONE, "offline", NOT_SET_UP)
    assert "NPG 1" in run.messages.get(author=Author.ASSISTANT).text
    assert "API key not valid" in ModelCall.objects.get(run=run, model=GEMINI).error
    second = ended(ask(world, "list the dynos"))
    assert (second.status, second.model, len(stub.requests)) == (RunStatus.DONE, "offline", 1)
    assert not second.messages.filter(author=Author.NOTE).exists()


def test_an_empty_answer_after_a_card_is_a_run_that_is_done(world, hosted_worker, stub):
    stub.answers(gemini_stub.call("book_allocation", BOOKING), gemini_stub.finishing("STOP"))
    run = ended(ask(world, "please book 412W103"))
    assert (run.status, run.outcome, len(stub.requests)) == (RunStatus.DONE, RunOutcome.PROPOSAL, 2)
    assert Proposal.objects.get().status == ProposalStatus.WAITING
    assert not run.messages.filter(author=Author.NOTE).exists()
    assert "412W103" in run.messages.get(author=Author.ASSISTANT).text


def test_a_block_after_a_card_leaves_a_run_that_is_done(world, hosted_worker, stub):
    stub.answers(gemini_stub.call("book_allocation", BOOKING), gemini_stub.finishing("SAFETY"))
    run = ended(ask(world, "please book 412W103"))
    assert (run.status, run.outcome) == (RunStatus.DONE, RunOutcome.PROPOSAL)
    assert "filter blocked" in note_of(run)


def test_an_answer_that_breaks_off_says_so_and_is_marked(world, hosted_worker, stub):
    stub.answers(gemini_stub.finishing("MAX_TOKENS", "The free dynos are ", "NPG 1, NPG"))
    run = ended(ask(world, "which are free?"))
    answer = run.messages.get(author=Author.ASSISTANT)
    assert (run.status, answer.text, answer.cut) == (RunStatus.DONE, "The free dynos are NPG 1, NPG", True)
    assert note_of(run) == answers.TOO_LONG
    stub.answers(gemini_stub.text("21."))
    second = ended(ask(world, "go on", conversation_id=run.conversation_id))
    assert second.messages.get(author=Author.ASSISTANT).cut is False


def test_refused_calls_are_in_the_audit_and_one_step_has_only_so_many(world, hosted_worker, stub):
    stub.answers(
        gemini_stub.calls(
            ("drop_everything", {}),
            ("book_allocation", {"vehicle": 7}),
            *[("check_vehicle_allocation", {"vehicle": f"V{number}"}) for number in range(CALLS_A_STEP)],
        ),
        gemini_stub.text("I could not."),
    )
    run = ended(ask(world, "look at all of them"))
    assert run.status == RunStatus.DONE
    calls = list(run.tool_calls.order_by("id").values_list("call_id", "name", "status", "result__message"))
    by_id = {call_id: rest for call_id, *rest in calls}
    assert by_id["call-0"] == [
        "drop_everything",
        ToolStatus.UNAVAILABLE,
        "The tool drop_everything is not available here.",
    ]
    assert by_id["call-1"][:2] == ["book_allocation", ToolStatus.INVALID]
    too_many = [f"call-{number}" for number in range(CALLS_A_STEP, CALLS_A_STEP + 2)]
    refused = [call_id for call_id, (_, _, message) in by_id.items() if message == calling.ONE_TOO_MANY]
    assert sorted(refused) == sorted(too_many)
    parts = [part for content in stub.requests[-1]["body"]["contents"] for part in content["parts"]]
    assert len([part for part in parts if "functionResponse" in part]) == CALLS_A_STEP + 2


def test_the_kill_switch_in_mid_run_ends_it_at_the_next_call(world, hosted_worker, stub):
    go_on = threading.Event()
    stub.answers(gemini_stub.after(go_on, gemini_stub.call("list_dynos", {})), gemini_stub.text("never"))
    run = ask(world, "hello")
    wait_until(lambda: stub.requests, "a call of the model")
    KillSwitch.objects.create(off=True, reason="Costs are looked at.")
    go_on.set()
    ended(run)
    assert (run.status, len(stub.requests)) == (RunStatus.FAILED, 1)
    assert note_of(run) == "The assistant is switched off at the moment. Costs are looked at."


def test_the_kill_switch_stops_words_in_running_turns(world, hosted_worker, stub):
    disconnected = threading.Event()
    stub.answers(gemini_stub.drips("On and on. ", disconnected=disconnected))
    run = ask(world, "hello")
    wait_for_text(run, "On and on.")
    KillSwitch.objects.create(off=True, reason="Costs are looked at.")
    ended(run)
    wait_until(disconnected.is_set, "the end of the model's call")
    assert (run.status, note_of(run)) == (
        RunStatus.FAILED,
        "The assistant is switched off at the moment. Costs are looked at.",
    )
    answer = run.messages.get(author=Author.ASSISTANT)
    assert (answer.text, answer.cut) == (texts(run), True)


def test_the_words_stop_for_a_user_who_may_no_longer_hear_them(world, hosted_worker, stub):
    disconnected = threading.Event()
    stub.answers(gemini_stub.drips("On and on. ", disconnected=disconnected))
    run = ask(world, "hello")
    wait_for_text(run, "On and on.")
    world.users["scheduler"].memberships.all().delete()
    ended(run)
    wait_until(disconnected.is_set, "the end of the model's call")
    assert run.status == RunStatus.FAILED


def test_a_user_who_is_deactivated_in_mid_run_gets_no_further(world, hosted_worker, stub):
    go_on = threading.Event()
    stub.answers(gemini_stub.after(go_on, gemini_stub.call("book_allocation", BOOKING)), gemini_stub.text("never"))
    run = ask(world, "book it")
    wait_until(lambda: stub.requests, "a call of the model")
    user = world.users["scheduler"]
    user.is_active = False
    user.save()
    go_on.set()
    ended(run)
    assert (run.status, Proposal.objects.count(), len(stub.requests)) == (RunStatus.FAILED, 0, 1)
    assert note_of(run) == "This user may no longer do anything here."


def test_stop_ends_the_model_s_call_and_keeps_what_was_said(world, hosted_worker, stub):
    disconnected = threading.Event()
    stub.answers(gemini_stub.drips("Said so far. ", disconnected=disconnected))
    run = ask(world, "hello")
    wait_for_text(run, "Said so far.")
    assert conversations.stop(run.pk, user=world.users["scheduler"]).status == RunStatus.RUNNING
    ended(run)
    wait_until(disconnected.is_set, "the end of the model's call")
    wait_until(lambda: ModelCall.objects.filter(run=run, ended_at__isnull=False).exists(), "what it came to")
    assert run.status == RunStatus.STOPPED
    answer, note = run.messages.exclude(author=Author.USER)
    assert (answer.author, answer.text, answer.cut) == (Author.ASSISTANT, texts(run), True)
    assert (note.author, note.text) == (Author.NOTE, run_outcomes.STOPPED)
    (call,) = ModelCall.objects.filter(run=run)
    assert call.error == "HaltedError: stopped"


def test_a_queued_run_is_stopped_before_it_begins(world):
    run = conversations.stop(ask(world, "hello").pk, user=world.users["scheduler"])
    assert run.status == RunStatus.STOPPED
    assert running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.attempts) == (RunStatus.STOPPED, 0)
    assert [name for name, _ in entries(run)] == ["status", "message", "end"]


def test_the_database_s_sessions_ended_in_mid_run_end_it_in_words(world, hosted_worker, stub):
    go_on = threading.Event()
    stub.answers(gemini_stub.steps("Well", go_on, "…"))
    run = ask(world, "hello")
    wait_for_text(run, "Well")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
    go_on.set()
    ended(run)
    assert (run.status, note_of(run)) == (RunStatus.FAILED, run_outcomes.DATABASE_AWAY)
    stub.answers(gemini_stub.text("Here again."))
    second = ended(conversations.again(run.pk, user=world.users["scheduler"]))
    assert (second.status, transcript(run)[-1][1]) == (RunStatus.DONE, "Here again.")


def test_after_a_stop_the_next_question_finds_a_history_that_holds_together(world, hosted_worker, stub):
    stub.answers(gemini_stub.steps("Said so far", threading.Event()))
    run = ask(world, "first question")
    wait_for_text(run, "Said so far")
    conversations.stop(run.pk, user=world.users["scheduler"])
    ended(run)
    stub.answers(gemini_stub.text("Second answer."))
    second = ended(ask(world, "second question", conversation_id=run.conversation_id))
    assert second.status == RunStatus.DONE
    turns = [(content["role"], content["parts"][0]["text"]) for content in stub.requests[-1]["body"]["contents"]]
    assert turns == [("user", "first question"), ("model", "Said so far"), ("user", "second question")]


def test_a_stopped_turn_is_tried_again_without_its_remains(world, hosted_worker, stub):
    stub.answers(gemini_stub.steps("Said so far", threading.Event()))
    run = ask(world, "a question")
    wait_for_text(run, "Said so far")
    conversations.stop(run.pk, user=world.users["scheduler"])
    ended(run)
    stub.answers(gemini_stub.text("An answer."))
    second = ended(conversations.again(run.pk, user=world.users["scheduler"]))
    assert (second.question_id, second.status) == (run.question_id, RunStatus.DONE)
    assert [content["parts"][0]["text"] for content in stub.requests[-1]["body"]["contents"]] == ["a question"]
    assert [author for author, _ in transcript(run)] == [Author.USER, Author.ASSISTANT, Author.NOTE, Author.ASSISTANT]


def test_a_question_while_a_card_waits_finds_every_call_answered(world, hosted_worker, stub):
    stub.answers(
        gemini_stub.call("book_allocation", BOOKING), gemini_stub.text("It waits."), gemini_stub.text("Yes?")
    )
    run = ended(ask(world, "book it"))
    ended(ask(world, "and now?", conversation_id=run.conversation_id))
    contents = stub.requests[-1]["body"]["contents"]
    kinds = [next(iter(set(part) - {"thoughtSignature"})) for content in contents for part in content["parts"]]
    assert kinds == ["text", "functionCall", "functionResponse", "text", "text"]
    assert Proposal.objects.get().status == ProposalStatus.WAITING


def test_the_same_message_again_is_the_same_run(world, offline_worker):
    first = ask(world, "list the dynos", message_id="7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01")
    second = ask(world, "list the dynos", message_id="7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01")
    ended(first)
    assert first == second
    assert Message.objects.filter(author=Author.USER).count() == 1
    assert streams.last_name(first.pk) == "end"

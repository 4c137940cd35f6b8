"""Whole turns with the real Gemini client on a local stub, under budgets, switches and limits."""

import threading

import pytest

from allocations.tests.racing import CLIENTS, race
from assistant.conversations import conversations
from assistant.enums import Author, BudgetPeriod, BudgetScope, RunStatus
from assistant.exceptions import Limited
from assistant.models import Budget, KillSwitch, Message, Run, Spend
from assistant.providers import hosted
from assistant.providers.tests import gemini_stub
from assistant.providers.tests.gemini_stub import GeminiStub
from assistant.turns import running
from dynosite.lib.connections import given_back

GEMINI = "google_genai:gemini-2.5-flash"


@pytest.fixture
def stub(committed_world, settings):
    with GeminiStub() as server:
        settings.GEMINI_API_KEY, settings.GEMINI_BASE_URL = "stub", server.url
        settings.ASSISTANT_MODELS = [GEMINI]
        hosted.hosted_models.cache_clear()
        yield server
        hosted.hosted_models.cache_clear()


def ask(world, text, **options):
    return conversations.ask(world.users["scheduler"], ground_id=world.north.pk, text=text, **options)


def test_a_budget_spent_in_mid_run_leaves_the_rest_to_the_offline_model_and_says_so(committed_world, stub):
    Budget.objects.create(scope=BudgetScope.WHOLE, period=BudgetPeriod.DAY, tokens=500)
    stub.answers(gemini_stub.call("list_dynos", {}, tokens=(900, 100)))
    run = ask(committed_world, "Which dynos are there?")
    assert running.run_turn(run.pk)
    run.refresh_from_db()
    assert (run.status, run.model, run.tokens_in, run.tokens_out) == (RunStatus.DONE, "offline", 900, 100)
    assert [(call.model, call.tokens_in) for call in run.model_calls.all()] == [(GEMINI, 900), ("offline", 0)]
    assert len(stub.requests) == 1
    note = Message.objects.get(author=Author.NOTE)
    assert note.text.startswith("The site's budget for today, 500 tokens, is spent")
    answer = Message.objects.get(author=Author.ASSISTANT)
    assert "NPG 21" in answer.text
    run = ask(committed_world, "And now?", conversation_id=run.conversation_id)
    assert running.run_turn(run.pk)
    assert len(stub.requests) == 1
    assert Spend.objects.get().calls == 1


def test_a_kill_switch_thrown_in_mid_run_ends_it_in_its_words(committed_world, stub):
    def switch_off_and_call(handler):
        with given_back():
            KillSwitch.objects.create(off=True, reason="We look into it.")
        gemini_stub.call("list_dynos", {})(handler)

    stub.answers(switch_off_and_call)
    run = ask(committed_world, "Which dynos are there?")
    assert running.run_turn(run.pk)
    run.refresh_from_db()
    assert run.status == RunStatus.FAILED
    assert Message.objects.get(author=Author.NOTE).text == (
        "The assistant is switched off at the moment. We look into it."
    )
    assert not Message.objects.filter(author=Author.ASSISTANT).exists()


def test_one_message_too_many_is_not_taken(committed_world, settings):
    settings.ASSISTANT_RATE = [(1, 60)]
    first = ask(committed_world, "Which dynos are there?", message_id="7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01")
    with pytest.raises(Limited):
        ask(committed_world, "Which dynos are there?")
    again = ask(committed_world, "Which dynos are there?", message_id="7b0d2c1e-52f8-44f5-8c8d-0f3f4b1f7a01")
    assert again == first
    assert Message.objects.count() == 1


@pytest.mark.race
def test_eight_turns_at_once_pass_a_budget_by_no_more_than_one_call(committed_world, stub, settings):
    settings.ASSISTANT_RUNS_PER_USER = CLIENTS
    settings.ASSISTANT_CALL_SECONDS = 50  # for which one waits for the others' calls, on a busy machine too
    Budget.objects.create(scope=BudgetScope.WHOLE, period=BudgetPeriod.DAY, tokens=1_100)
    answer = gemini_stub.text("A word.", tokens=(400, 100))

    def slowly(handler):
        threading.Event().wait(0.2)  # as a model does, so that the calls would meet
        answer(handler)

    stub.answers(*[slowly] * CLIENTS)
    runs = [ask(committed_world, "Which dynos are there?") for _ in range(CLIENTS)]
    assert race([lambda run=run: running.run_turn(run.pk) for run in runs]) == [True] * CLIENTS
    spend = Spend.objects.get()
    assert (spend.calls, spend.tokens_in + spend.tokens_out, len(stub.requests)) == (3, 1_500, 3)
    assert sorted(Run.objects.values_list("status", "model")) == [("done", GEMINI)] * 3 + [("done", "offline")] * 5
    assert Message.objects.filter(author=Author.NOTE, text__contains="1,100 tokens, is spent").count() == 5

"""The chat worker as the site starts it: many turns at once, in threads, each of which mostly waits for its model."""

import datetime as dt
import os
import signal
import threading

import pytest

from allocations.enums import PlanState, Role
from allocations.models import Plan
from allocations.services.plans import ask_for_plan
from allocations.tasks import solve_plan
from assistant.conversations import conversations
from assistant.enums import Author, RunStatus
from assistant.exceptions import Waiting
from assistant.models import Run
from assistant.providers.tests import gemini_stub
from assistant.tests import faults
from assistant.tests.conftest import ask, ended, wait_for_text
from assistant.turns import run_outcomes, running
from dynosite import workers
from dynosite.tests.servers import CeleryWorker, wait_until

FORTY = 40
SIX = tuple(f"person{number}" for number in range(6))


@pytest.fixture
def world(committed_world):
    for name in SIX:
        committed_world.user(name, north=Role.SCHEDULER)
    return committed_world


def statuses() -> set[str]:
    return set(Run.objects.values_list("status", flat=True))


def test_six_users_whose_model_takes_long_all_hear_its_first_words_before_any_answer_ends(world, chat_worker, stub):
    go_on = threading.Event()
    stub.otherwise = lambda body: gemini_stub.steps("Well", go_on, ", there it is.")
    runs = [ask(world, "where is 412W103?", name) for name in SIX]
    for run in runs:
        wait_for_text(run, "Well")
    assert statuses() == {RunStatus.RUNNING}
    assert len(stub.requests) == len(SIX)
    go_on.set()
    for run in runs:
        assert ended(run).status == RunStatus.DONE
        assert run.messages.get(author=Author.ASSISTANT).text == "Well, there it is."


def test_turns_that_wait_for_their_model_keep_no_connection_but_that_of_their_lock(world, chat_worker, stub):
    """With the conversation's lock each turn has one; the checkpoints' pool adds eight at most, and tools none."""
    go_on = threading.Event()
    stub.otherwise = lambda body: gemini_stub.steps("Well", go_on, ".")
    runs = [ask(world, "where is 412W103?", name) for name in SIX for _ in range(3)]
    for run in runs:
        wait_for_text(run, "Well")
    most = len(runs) + 8
    wait_until(lambda: len(runs) <= chat_worker.sessions() <= most, "the return of connections that nobody needs")
    assert statuses() == {RunStatus.RUNNING}
    go_on.set()
    assert {ended(run).status for run in runs} == {RunStatus.DONE}


@pytest.fixture
def plan_worker(chat_worker):
    """As the site starts it. It begins with a plan, and stays with it until another point is named."""
    faults.name_point("hold all before solving")
    worker = CeleryWorker("assistant.tests.faults", queues=(workers.PLANS,), pool=workers.ARGUMENTS[workers.PLANS])
    worker.resume()
    yield worker
    faults.name_point("")
    worker.stop()


def test_another_is_answered_while_forty_plans_of_one_user_wait(world, chat_worker, plan_worker, stub, settings):
    settings.JOBS_PER_USER = settings.JOBS_PER_GROUND = FORTY
    today = world.north.today()
    for number in range(FORTY):
        plan = ask_for_plan(
            world.north.pk, actor=world.actor(), first_day=today, last_day=today, seconds=1, name=f"Plan {number}"
        )
        solve_plan.delay(str(plan.pk))
    solving = Plan.objects.filter(state=PlanState.SOLVING)
    wait_until(lambda: solving.count() == 1, "the first plan")
    stub.answers(gemini_stub.text("It stands idle."))
    assert ended(ask(world, "where is 412W103?", SIX[0])).status == RunStatus.DONE
    assert (solving.count(), Plan.objects.filter(state=PlanState.QUEUED).count()) == (1, FORTY - 1)
    faults.name_point("")
    plan_worker.wait(120)
    assert set(Plan.objects.values_list("state", flat=True)) == {PlanState.READY}


def test_one_user_has_so_many_answers_at_once_and_others_are_answered_meanwhile(world, chat_worker, stub, settings):
    go_on = threading.Event()
    stub.answers(*[gemini_stub.steps("Well", go_on, ".")] * 3)
    greedy = [ask(world, f"question {number}", SIX[0]) for number in range(3)]
    for run in greedy:
        wait_for_text(run, "Well")
    with pytest.raises(Waiting, match="3 answers in your conversations are under way, which is the most at once"):
        ask(world, "one more", SIX[0])
    stub.otherwise = lambda body: gemini_stub.text("Here.")
    assert ended(ask(world, "hello", SIX[1])).status == RunStatus.DONE
    assert {Run.objects.get(pk=run.pk).status for run in greedy} == {RunStatus.RUNNING}
    conversations.stop(greedy[0].pk, user=world.users[SIX[0]])
    assert ended(greedy[0]).status == RunStatus.STOPPED
    assert ended(ask(world, "one more", SIX[0])).status == RunStatus.DONE
    go_on.set()
    assert {ended(run).status for run in greedy[1:]} == {RunStatus.DONE}


def test_a_turn_in_a_thread_whose_model_is_silent_is_stopped_and_nothing_comes_of_it_later(world, chat_worker, stub):
    """Celery ends no thread: the turn has to see to it by itself, while the provider is still silent."""
    speak = threading.Event()
    stub.answers(gemini_stub.after(speak, gemini_stub.text("Too late.")))
    run = ask(world, "hello", SIX[0])
    wait_until(lambda: stub.requests, "the call of the model")
    conversations.stop(run.pk, user=world.users[SIX[0]])
    assert ended(run).status == RunStatus.STOPPED
    assert run.messages.get(author=Author.NOTE).text == run_outcomes.STOPPED
    speak.set()
    wait_until(lambda: run.model_calls.filter(ended_at__isnull=False).exists(), "the call's end")
    assert not run.messages.filter(author=Author.ASSISTANT).exists()


def test_a_chat_worker_that_was_killed_leaves_its_turns_to_the_next(world, chat_worker, stub):
    stub.otherwise = lambda body: gemini_stub.text("It stands idle.")
    faults.name_point("hold before model")
    runs = [ask(world, "where is 412W103?", SIX[0])]
    wait_until(faults.has_struck, "the model call")
    os.killpg(chat_worker._process.pid, signal.SIGKILL)
    soon = dt.timedelta(0)
    wait_until(lambda: running.lost(after=soon) == [run.pk for run in runs], "the end of the worker's session")
    chat_worker.resume()
    for run in runs:
        conversations.send(run.pk)
        ended(run, seconds=60)
        assert (run.status, run.attempts) == (RunStatus.DONE, 2)
        assert run.messages.get(author=Author.ASSISTANT).text == "It stands idle."

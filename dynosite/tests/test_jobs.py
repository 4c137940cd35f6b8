"""Plans, what-ifs and imports whose worker or message is lost: taken up again, or ended with a sentence."""

import datetime as dt
import os
import signal
import uuid
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from allocations import tasks
from allocations.enums import ImportState, PlanState, RefusalCode, ScenarioState
from allocations.exceptions import Refused
from allocations.exchange import uploads
from allocations.models import Allocation, Plan, TestRequest, WorkbookImport
from allocations.services import jobs, plan_library, plans, scenarios
from allocations.tests.world import build_world, day
from assistant.tests import faults
from dynosite.tests.servers import CeleryWorker, wait_until

SAMPLE = Path(__file__).parents[2] / "allocations/exchange/sample/forecast_sample.xlsx"
LONG_AGO = dt.timedelta(minutes=5)


@pytest.fixture(scope="module")
def _process(django_db_setup):
    worker = CeleryWorker("assistant.tests.faults", queues=("plans", "imports"))
    yield worker
    worker.stop()


@pytest.fixture
def worker(_process, transactional_db, _clean_redis):
    """Its pool processes die at the points that a test names."""
    _process.resume()
    yield _process
    _process.pause()


@pytest.fixture
def world(transactional_db):
    world = build_world()
    TestRequest.objects.create(
        ground=world.north, vehicle=world.vehicles["412W103"], test_type=world.tests["Brake"], days=3
    )
    return world


def a_plan(world, **more) -> Plan:
    return plans.ask_for_plan(
        world.north.pk, actor=world.actor(), first_day=day(0), last_day=day(20), seconds=1, **more
    )


def a_scenario(world):
    scenario = scenarios.make_scenario(
        world.north.pk, actor=world.actor(), name="What if", first_day=day(0), last_day=day(20), seconds=1
    )
    return scenarios.ask_scenario(scenario.pk, actor=world.actor())


def a_workbook(world, user="admin") -> WorkbookImport:
    file = SimpleUploadedFile("forecast.xlsx", SAMPLE.read_bytes())
    return uploads.submit(file, world.north, lanes=12, user=world.users[user])


def a_confirmed_workbook(world) -> WorkbookImport:
    upload = a_workbook(world)
    uploads.check(upload.pk)
    assert uploads.confirm(upload.pk, user=world.users["admin"])
    return upload


CASES = {
    "before solving": (a_plan, tasks.solve_plan, PlanState.READY),
    "before answer": (a_scenario, tasks.solve_scenario, ScenarioState.READY),
    "before preview": (a_workbook, tasks.check_workbook, ImportState.CHECKED),
    "before import": (a_confirmed_workbook, tasks.import_workbook, ImportState.DONE),
    "after import": (a_confirmed_workbook, tasks.import_workbook, ImportState.DONE),
}


@pytest.mark.parametrize("point", CASES)
def test_a_job_whose_pool_process_is_killed_is_done_by_another(world, worker, point):
    make, task, done = CASES[point]
    job = make(world)
    faults.name_point(point)
    task.delay(str(job.pk))
    wait_until(lambda: faults.has_struck(), "the end of its process", seconds=60)
    wait_until(lambda: type(job).objects.filter(pk=job.pk, state=done).exists(), "the second attempt", seconds=90)
    job.refresh_from_db()
    assert (job.attempts, job.holder, job.held_until) == (2, None, None)
    if done == ImportState.DONE:
        booked = job.report["booked"]
        assert Allocation.objects.filter(ground=world.north).exclude(status="cancelled").count() == booked > 100


def test_a_plan_whose_workers_are_all_gone_is_taken_up(world, worker):
    plan = a_plan(world)
    faults.name_point("hold before solving")
    tasks.solve_plan.delay(str(plan.pk))
    wait_until(faults.has_struck, "the first attempt")
    os.killpg(worker._process.pid, signal.SIGKILL)
    plan.refresh_from_db()
    assert (plan.state, jobs.is_held(plan)) == (PlanState.SOLVING, True)
    wait_until(lambda: not jobs.is_held(Plan.objects.get(pk=plan.pk)), "the end of the lease")
    worker.resume()
    tasks.take_up_lost_jobs()
    wait_until(lambda: Plan.objects.filter(pk=plan.pk, state=PlanState.READY).exists(), "the plan", seconds=40)
    plan.refresh_from_db()
    assert (plan.attempts, plan.items.get().dyno.name) == (2, "NPG 1")


@pytest.mark.parametrize("point", CASES)
def test_a_job_whose_message_is_lost_is_sent_again_but_not_before_its_time(world, sent, point):
    make, task, _ = CASES[point]
    job = make(world)
    tasks.take_up_lost_jobs()
    assert sent == []
    type(job).objects.update(queued_at=timezone.now() - LONG_AGO)
    tasks.take_up_lost_jobs()
    tasks.take_up_lost_jobs()
    assert sent == [(task.name, str(job.pk))]


@pytest.fixture
def sent(monkeypatch) -> list[tuple[str, str]]:
    messages: list[tuple[str, str]] = []
    for task in {task for _, task, _ in CASES.values()}:
        monkeypatch.setattr(task, "delay", lambda id_, task=task: messages.append((task.name, id_)))
    return messages


def lose(job) -> None:
    """As if its worker had been silent for as long as a lease."""
    type(job).objects.filter(pk=job.pk).update(held_until=timezone.now() - dt.timedelta(seconds=1))


def test_the_plan_of_another_is_thought_out_while_those_of_one_user_wait(world, worker):
    world.user("another", north="scheduler")
    faults.name_point("hold before solving")
    first = a_plan(world)
    tasks.solve_plan.delay(str(first.pk))
    wait_until(faults.has_struck, "the first plan")
    more = [a_plan(world) for _ in range(2)]
    theirs = plans.ask_for_plan(
        world.north.pk, actor=world.actor("another"), first_day=day(0), last_day=day(20), seconds=1
    )
    for plan in (*more, theirs):
        tasks.solve_plan.delay(str(plan.pk))
    wait_until(lambda: Plan.objects.filter(pk=theirs.pk, state=PlanState.READY).exists(), "theirs", seconds=40)
    states = [Plan.objects.get(pk=plan.pk).state for plan in (first, *more)]
    assert states == [PlanState.SOLVING, PlanState.QUEUED, PlanState.QUEUED]
    os.killpg(worker._process.pid, signal.SIGKILL)
    worker.resume()


def test_a_user_has_one_plan_or_what_if_in_work_and_an_import_beside_it(world):
    plan, scenario, upload = a_plan(world), a_scenario(world), a_workbook(world, "scheduler")
    assert jobs.claim(jobs.PLANS, plan.pk)
    assert jobs.claim(jobs.IMPORTS, upload.pk)
    with pytest.raises(jobs.HeldError) as held:
        jobs.claim(jobs.SCENARIOS, scenario.pk)
    assert held.value.seconds == jobs.TURN_SECONDS
    jobs.end(jobs.PLANS, Plan.objects.get(pk=plan.pk), state=PlanState.READY)
    assert jobs.claim(jobs.SCENARIOS, scenario.pk).attempts == 1


def test_a_job_that_another_has_is_held(world):
    plan = a_plan(world)
    assert jobs.claim(jobs.PLANS, plan.pk).attempts == 1
    with pytest.raises(jobs.HeldError) as held:
        plans.solve_plan(plan.pk)
    assert 20 < held.value.seconds < 26
    assert jobs.claim(jobs.PLANS, uuid.uuid4()) is None


def test_stop_of_a_job_that_no_worker_has_ends_it_at_once(world, sent):
    plan, scenario, upload = a_plan(world), a_scenario(world), a_workbook(world)
    for kind, job in zip(jobs.KINDS, (plan, scenario, upload), strict=True):
        jobs.claim(kind, job.pk)
        lose(job)
    plans.stop_solving(plan.pk)
    scenarios.stop_scenario(scenario.pk, actor=world.actor())
    assert uploads.stop(upload.pk)
    for job in (plan, scenario, upload):
        job.refresh_from_db()
    assert (plan.state, plan.error) == (PlanState.FAILED, "It was stopped before there was a plan.")
    assert (scenario.state, upload.state, upload.file) == (ScenarioState.DRAFT, ImportState.STOPPED, None)
    tasks.take_up_lost_jobs()
    assert sent == []


def test_a_job_that_was_to_stop_when_its_worker_was_lost_is_ended_and_not_begun_anew(world, sent):
    plan = a_plan(world)
    jobs.claim(jobs.PLANS, plan.pk)
    plans.stop_solving(plan.pk)
    plan.refresh_from_db()
    assert (plan.state, plan.stop_asked) == (PlanState.SOLVING, True)
    lose(plan)
    tasks.take_up_lost_jobs()
    plan.refresh_from_db()
    assert (plan.state, plan.error, sent) == (PlanState.FAILED, "It was stopped before there was a plan.", [])


def test_a_stop_of_before_does_not_end_the_next_attempt(world):
    scenario = a_scenario(world)
    jobs.claim(jobs.SCENARIOS, scenario.pk)
    scenarios.stop_scenario(scenario.pk, actor=world.actor())
    lose(scenario)
    assert jobs.take_up(jobs.SCENARIOS) == []
    scenarios.ask_scenario(scenario.pk, actor=world.actor())
    scenarios.solve_scenario(scenario.pk)
    scenario.refresh_from_db()
    assert (scenario.state, scenario.result["today"]["tests"]) == (ScenarioState.READY, 1)


def test_a_running_worker_hears_of_a_stop_and_keeps_the_best_so_far(world, monkeypatch):
    plan, heard = a_plan(world), []

    def solve(*args, should_stop, **options):
        plans.stop_solving(plan.pk)
        wait_until(should_stop, "the word to stop")
        heard.append(True)
        return real(*args, should_stop=should_stop, **options)

    real = plans.solve
    monkeypatch.setattr(plans, "solve", solve)
    plans.solve_plan(plan.pk)
    plan.refresh_from_db()
    assert (plan.state, heard) == (PlanState.READY, [True])


def test_an_attempt_that_counts_no_more_writes_nothing(world, monkeypatch):
    plan = a_plan(world)

    def solve(*args, should_stop, **options):
        solution = real(*args, should_stop=should_stop, **options)
        lose(plan)
        assert [row.pk for row in jobs.take_up(jobs.PLANS)] == [plan.pk]
        wait_until(should_stop, "that it is another's")
        return solution

    real = plans.solve
    monkeypatch.setattr(plans, "solve", solve)
    plans.solve_plan(plan.pk)
    plan.refresh_from_db()
    assert (plan.state, plan.items.count(), plan.problem) == (PlanState.QUEUED, 0, {})
    monkeypatch.undo()
    plans.solve_plan(plan.pk)
    plan.refresh_from_db()
    assert (plan.state, plan.items.count(), plan.attempts) == (PlanState.READY, 1, 2)


def test_an_import_that_counts_no_more_is_rolled_back(world, monkeypatch):
    upload = a_confirmed_workbook(world)
    tell = jobs.tell

    def overtaken(key, value):
        tell(key, value)
        if value[0] == value[1]:
            WorkbookImport.objects.filter(pk=upload.pk).update(holder=uuid.uuid4())

    monkeypatch.setattr(jobs, "tell", overtaken)
    uploads.carry(upload.pk)
    upload.refresh_from_db()
    assert (upload.state, Allocation.objects.filter(ground=world.north).count()) == (ImportState.IMPORTING, 0)


def test_a_job_that_loses_each_worker_is_given_up(world, sent):
    plan, upload = a_plan(world), a_workbook(world)
    for _ in range(jobs.MAX_ATTEMPTS):
        assert jobs.claim(jobs.PLANS, plan.pk)
        assert jobs.claim(jobs.IMPORTS, upload.pk)
        lose(plan)
        lose(upload)
        tasks.take_up_lost_jobs()
    plan.refresh_from_db()
    upload.refresh_from_db()
    assert (plan.state, plan.error) == (PlanState.FAILED, jobs.GAVE_UP)
    assert (upload.state, upload.problem, upload.file) == (ImportState.FAILED, jobs.GAVE_UP, None)
    assert len(sent) == 2 * (jobs.MAX_ATTEMPTS - 1)


def test_what_is_done_to_a_plan_while_it_is_thought_out_stays(world, monkeypatch):
    plan = a_plan(world)

    def solve(*args, **options):
        plan_library.describe_plan(plan.pk, actor=world.actor(), name="Winter", note="For Tom")
        plan_library.delete_plan(plan.pk, actor=world.actor())
        return real(*args, **options)

    real = plans.solve
    monkeypatch.setattr(plans, "solve", solve)
    plans.solve_plan(plan.pk)
    plan.refresh_from_db()
    assert (plan.state, plan.name, plan.note) == (PlanState.READY, "Winter", "For Tom")
    assert plan.deleted_at is not None


def expect_too_many(make, *args, match: str) -> None:
    with pytest.raises(Refused, match=match) as refused:
        make(*args)
    assert [refusal.code for refusal in refused.value.refusals] == [RefusalCode.TOO_MANY_AT_ONCE]


def test_so_much_of_a_user_and_of_a_ground_is_under_way_at_once(world, settings):
    settings.JOBS_PER_USER, settings.JOBS_PER_GROUND = 3, 4
    a_plan(world), a_scenario(world), a_workbook(world, "scheduler")
    for make in (a_plan, a_scenario):
        expect_too_many(make, world, match="^3 plans, what-ifs or imports of yours are waiting .*stop one")
    expect_too_many(a_workbook, world, "scheduler", match="^3 plans")
    assert Plan.objects.count() == 1
    a_workbook(world, "admin")
    world.user("another", north="scheduler")
    expect_too_many(a_workbook, world, "another", match="^4 plans, what-ifs or imports of this proving ground are")
    plans.solve_plan(Plan.objects.get().pk)
    a_workbook(world, "another")


def test_workbooks_that_wait_to_be_confirmed_are_few_a_user(world, settings):
    settings.WORKBOOKS_PER_USER = 2
    for _ in range(2):
        uploads.check(a_workbook(world).pk)
    expect_too_many(a_workbook, world, match="^2 workbooks of yours are checked and wait; confirm or stop one")
    assert uploads.stop(WorkbookImport.objects.first().pk)
    a_workbook(world)


def test_forty_plans_sent_by_one_user_make_three(world, client, sent):
    client.force_login(world.users["scheduler"])
    form = {
        "which": "all",
        "first_day": "2026-11-16",
        "last_day": "2026-12-06",
        "movable": "nothing",
        "seconds": "1",
        "ground": "NORTH",
    }
    answers = [client.post("/plans/new/?ground=NORTH", form) for _ in range(40)]
    assert [answer.status_code for answer in answers] == [302] * 3 + [422] * 37
    assert "3 plans, what-ifs or imports of yours are waiting or under way" in answers[-1].content.decode()
    assert (Plan.objects.count(), len(sent)) == (3, 3)

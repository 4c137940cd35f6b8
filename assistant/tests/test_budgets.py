import datetime as dt
import threading
from contextlib import suppress
from decimal import Decimal

import pytest
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from langchain_core.messages import AIMessage

from allocations.exceptions import NotFound
from allocations.models import Membership
from allocations.tests.racing import CLIENTS, race
from assistant.enums import BudgetPeriod, BudgetScope
from assistant.exceptions import Off, OverBudget
from assistant.models import AssistantSettings, Budget, Conversation, KillSwitch, ModelCall, Run, Spend
from assistant.providers.chain import OFFLINE
from assistant.providers.size import Size
from assistant.spend import budgets, spending
from assistant.spend.budgets import Budgets
from dynosite.lib import clock

GEMINI = "google_genai:gemini-2.5-flash"


def answer_of(tokens_in=80, tokens_out=20, cached=0) -> AIMessage:
    usage = {
        "input_tokens": tokens_in,
        "output_tokens": tokens_out,
        "total_tokens": tokens_in + tokens_out,
        "input_token_details": {"cache_read": cached},
    }
    return AIMessage("words", usage_metadata=usage)


def run_of(world, name="scheduler", ground=None) -> Run:
    user, ground = world.users[name], ground or world.north
    conversation = Conversation.objects.create(user=user, ground=ground)
    return Run.objects.create(conversation=conversation, user=user, ground=ground)


def call(meter, answer=None, model=GEMINI) -> None:
    meter.before(model)
    meter.after(model, answer or answer_of(), seconds=0.5)


def whole(tokens=None, cost=None, period=BudgetPeriod.DAY) -> Budget:
    return Budget.objects.create(scope=BudgetScope.WHOLE, period=period, tokens=tokens, cost=cost)


@pytest.fixture
def run(world, wednesday) -> Run:
    return run_of(world)


def test_a_call_is_written_and_charged_to_run_and_day(world, run, wednesday):
    meter = Budgets(run)
    meter.before(GEMINI)
    (open_call,) = ModelCall.objects.all()
    assert (open_call.ended_at, open_call.day, open_call.held_tokens) == (None, wednesday, 1_000_000 + 16_384)
    meter.after(GEMINI, answer_of(1_000_000, 100_000, cached=400_000), seconds=1.25)
    (done,) = ModelCall.objects.all()
    # 600,000 in at 0.30, 400,000 from the cache at 0.03, 100,000 out at 2.50, each for a million.
    assert done.cost == Decimal("0.442")
    assert (done.tokens_in, done.tokens_out, done.tokens_cached) == (1_000_000, 100_000, 400_000)
    assert (done.seconds, done.estimated, done.held_tokens, done.held_cost) == (1.25, False, 0, 0)
    assert done.ended_at is not None
    run.refresh_from_db()
    assert (run.tokens_in, run.tokens_out, run.cost, run.model) == (1_000_000, 100_000, Decimal("0.442"), GEMINI)
    (spend,) = Spend.objects.all()
    assert (spend.day, spend.user, spend.ground) == (wednesday, run.user, run.ground)
    assert (spend.calls, spend.tokens_in, spend.tokens_out, spend.cost) == (1, 1_000_000, 100_000, Decimal("0.442"))


def test_further_calls_of_the_day_add_up(run):
    meter = Budgets(run)
    call(meter, answer_of(10, 1))
    call(meter, answer_of(20, 2))
    spend = Spend.objects.get()
    assert (spend.calls, spend.tokens_in, spend.tokens_out) == (2, 30, 3)


def test_usage_that_is_missing_is_estimated_and_marked(run):
    meter = Budgets(run)
    meter.before(GEMINI)
    meter._size = Size(5_000, 1_000, 750)
    meter.after(GEMINI, AIMessage("x" * 398), seconds=1)
    done = ModelCall.objects.get()
    assert (done.estimated, done.tokens_in, done.tokens_out) == (True, 750, 100)


def test_a_call_that_was_refused_costs_nothing_and_one_that_broke_off_what_went_in(run):
    meter = Budgets(run)
    meter.before(GEMINI)
    meter.after(GEMINI, None, seconds=1, error="GoogleRateLimitError: later")
    meter.before(GEMINI)
    meter._size = Size(5_000, 1_000, 750)
    meter.after(GEMINI, None, seconds=1, error="ReadTimeout: ", broke_off=True)
    refused, broken = ModelCall.objects.order_by("id")
    assert (refused.tokens_in, refused.estimated, refused.error) == (0, False, "GoogleRateLimitError: later")
    assert (broken.tokens_in, broken.tokens_out, broken.estimated) == (750, 0, True)
    assert Spend.objects.get().tokens_in == 750


def test_a_spent_budget_lets_no_hosted_call_through(run):
    whole(tokens=100)
    meter = Budgets(run)
    call(meter)
    sentence = (
        "The site's budget for today, 100 tokens, is spent; it begins anew tomorrow. Until then the offline model"
        " answers."
    )
    with pytest.raises(OverBudget) as refused:
        meter.before(GEMINI)
    assert refused.value.sentence == sentence
    assert ModelCall.objects.count() == 1


def test_the_offline_model_is_free_and_answers_when_a_budget_is_spent(run):
    whole(tokens=0)
    call(Budgets(run), model=OFFLINE)
    done = ModelCall.objects.get()
    assert (done.model, done.cost, done.tokens_in, done.ended_at is None) == (OFFLINE, 0, 0, False)
    assert not Spend.objects.exists()
    run.refresh_from_db()
    assert run.model == OFFLINE


@pytest.mark.parametrize("model", [GEMINI, OFFLINE])
def test_the_kill_switch_stops_every_model_in_mid_run(run, model):
    meter = Budgets(run)
    call(meter, model=model)
    KillSwitch.objects.create(off=True, reason="We are looking into an odd answer.")
    with pytest.raises(Off, match="We are looking into an odd answer"):
        meter.before(model)
    assert ModelCall.objects.count() == 1


@pytest.mark.parametrize("model", [GEMINI, OFFLINE])
def test_a_ground_that_is_switched_off_stops_every_model(run, model):
    AssistantSettings.objects.create(ground=run.ground, enabled=False)
    with pytest.raises(Off, match="off in this proving ground"):
        Budgets(run).before(model)


@pytest.mark.parametrize("model", [GEMINI, OFFLINE])
def test_a_user_who_is_no_member_any_more_gets_no_call(world, run, model):
    meter = Budgets(run)
    call(meter, model=model)
    Membership.objects.filter(user=run.user).delete()
    with pytest.raises(NotFound):
        meter.before(model)


def test_a_user_who_is_switched_off_gets_no_call(run):
    run.user.is_active = False
    run.user.save()
    with pytest.raises(NotFound, match="This user may no longer do anything here"):
        Budgets(run).before(GEMINI)


def test_a_budget_of_cost_is_kept_too(run):
    whole(cost=Decimal("0.05"))
    call(Budgets(run), answer_of(0, 20_000))
    with pytest.raises(OverBudget, match=r"The site's budget for today, \$0.05, is spent"):
        Budgets(run).before(GEMINI)


def test_a_model_without_a_price_does_not_pass_a_budget_of_cost(run):
    call(Budgets(run), model="openai:unheard-of")
    whole(cost=Decimal(5))
    with pytest.raises(OverBudget, match="The model has no price in the settings"):
        Budgets(run).before("openai:unheard-of")


def test_a_users_budget_counts_that_user_in_all_grounds(world, run):
    Budget.objects.create(scope=BudgetScope.USER, period=BudgetPeriod.DAY, tokens=150)
    Membership.objects.create(user=run.user, ground=world.south, role="viewer")
    elsewhere = run_of(world, ground=world.south)
    call(Budgets(run))
    call(Budgets(elsewhere))
    for mine in (run, elsewhere):
        with pytest.raises(OverBudget, match="Your budget for today, 150 tokens"):
            Budgets(mine).before(GEMINI)
    call(Budgets(run_of(world, "viewer")))


def test_a_grounds_budget_counts_that_ground_alone(world, run):
    Budget.objects.create(scope=BudgetScope.GROUND, period=BudgetPeriod.DAY, tokens=100)
    call(Budgets(run))
    with pytest.raises(OverBudget, match="The proving ground's budget for today"):
        Budgets(run_of(world, "viewer")).before(GEMINI)
    call(Budgets(run_of(world, "outsider", world.south)))


def test_a_budget_of_ones_own_takes_the_place_of_the_general_one(world, run):
    Budget.objects.create(scope=BudgetScope.USER, period=BudgetPeriod.DAY, user=run.user, tokens=250)
    Budget.objects.create(scope=BudgetScope.USER, period=BudgetPeriod.DAY, tokens=100)
    for _ in range(3):
        call(Budgets(run))
    with pytest.raises(OverBudget, match="250 tokens"):
        Budgets(run).before(GEMINI)
    other = run_of(world, "viewer")
    call(Budgets(other))
    with pytest.raises(OverBudget, match="100 tokens"):
        Budgets(other).before(GEMINI)


def test_a_budget_is_never_less_than_nothing(world):
    budget = Budget(scope=BudgetScope.WHOLE, period=BudgetPeriod.DAY, cost=Decimal("-0.01"))
    with pytest.raises(ValidationError, match="A limit is nothing or more"):
        budget.full_clean()
    with pytest.raises(IntegrityError), transaction.atomic():
        Budget.objects.create(scope=BudgetScope.WHOLE, period=BudgetPeriod.DAY, tokens=-1)


def test_a_day_is_the_ground_s_own_and_a_month_its_calendar_month(world, run, monkeypatch):
    """It is the first of December in Auckland while Honolulu has the last of November."""
    days = {"Pacific/Auckland": dt.date(2026, 12, 1), "Pacific/Honolulu": dt.date(2026, 11, 30)}
    monkeypatch.setattr(clock, "today", days.__getitem__)
    for ground, zone in zip((world.north, world.south), days, strict=True):
        ground.time_zone = zone
        ground.save()
    whole(tokens=150, period=BudgetPeriod.MONTH)
    ahead, behind = Budgets(run_of(world)), Budgets(run_of(world, "outsider", world.south))
    call(ahead)
    call(behind)
    assert sorted(Spend.objects.values_list("day", flat=True)) == sorted(days.values())
    call(ahead)
    with pytest.raises(OverBudget, match="this month"):
        ahead.before(GEMINI)
    call(behind)


def test_a_days_budget_begins_anew_and_a_months_does_not(run, wednesday):
    whole(tokens=100)
    month = whole(tokens=200, period=BudgetPeriod.MONTH)
    call(Budgets(run))
    with clock.day_is(wednesday + dt.timedelta(days=1)):
        call(Budgets(run))
        month.tokens = 10_000
        month.save()
        with pytest.raises(OverBudget, match="budget for today"):
            Budgets(run).before(GEMINI)
        month.tokens = 200
        month.save()
    with clock.day_is(dt.date(2026, 11, 30)), pytest.raises(OverBudget, match=r"this month, 200 tokens.*next month"):
        Budgets(run).before(GEMINI)
    with clock.day_is(dt.date(2026, 12, 1)):
        call(Budgets(run))


def test_a_run_that_is_taken_up_again_pays_for_the_call_of_the_worker_that_died(run):
    Budgets(run).before(GEMINI)
    ModelCall.objects.update(held_tokens=16_384 + 4_000)
    call(Budgets(run), answer_of(10, 1))
    lost, done = ModelCall.objects.order_by("id")
    assert (lost.error, lost.tokens_in, lost.estimated) == (budgets.LOST, 1_000, True)
    assert done.error == ""
    assert Spend.objects.get().tokens_in == 1_010


def test_what_a_dead_worker_held_is_set_free_for_others_after_the_longest_time_of_a_task(world, run, settings):
    whole(tokens=2_000_000)
    settings.ASSISTANT_CALL_SECONDS = 1
    Budgets(run).before(GEMINI)
    Budgets(run_of(world, "viewer")).before(GEMINI)
    third, pauses = run_of(world, "admin"), []
    with pytest.raises(OverBudget, match="is in use by questions that are being answered"):
        Budgets(third, pause=pauses.append).before(GEMINI)
    assert pauses
    minutes = dt.timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 120)
    for held in ModelCall.objects.all():
        ModelCall.objects.filter(pk=held.pk).update(at=held.at - minutes)
    call(Budgets(third))
    assert ModelCall.objects.filter(error=budgets.LOST).count() == 2


def test_waiting_for_others_ends_at_once_by_what_the_pause_raises(world, run):
    whole(tokens=1_000)
    Budgets(run).before(GEMINI)

    class Stopped(BaseException):
        pass

    def stop(seconds):
        raise Stopped

    with pytest.raises(Stopped):
        Budgets(run_of(world, "viewer"), pause=stop).before(GEMINI)


class Racing:
    """Eight runs that call a model again and again; the calls of all of them meet, if they are let. `patience` is how
    long one waits for the others: long where all of them come."""

    def __init__(self, world, monkeypatch, size: Size, tokens: int, *, patience: float = 0.5):
        monkeypatch.setattr(budgets, "size_of", lambda request: size)
        self.runs = [run_of(world, name) for name in ("scheduler", "viewer") for _ in range(CLIENTS // 2)]
        self.met, self.tokens, self.patience = threading.Barrier(CLIENTS), tokens, patience

    def play(self, times: int) -> int:
        """Returns what was spent in all."""
        for outcome in race([lambda run=run: self._turn(run, times) for run in self.runs]):
            if isinstance(outcome, Exception) and not isinstance(outcome, OverBudget):
                raise outcome
        assert not ModelCall.objects.filter(ended_at=None).exists()
        spent = sum(row.tokens_in + row.tokens_out for row in Spend.objects.all())
        assert spent == sum(row.tokens_in for row in ModelCall.objects.all())
        return spent

    def _turn(self, run, times):
        meter = Budgets(run)
        for _ in range(times):
            meter.before(GEMINI)
            with suppress(threading.BrokenBarrierError):  # some were held back; from now on nobody waits
                self.met.wait(timeout=self.patience)
            meter.after(GEMINI, answer_of(self.tokens, 0), seconds=0.1)

    @property
    def all_met(self) -> bool:
        return not self.met.broken


@pytest.fixture
def committed(committed_world, settings):
    settings.ASSISTANT_CALL_SECONDS = 50  # for which one waits for the others' calls, on a busy machine too
    with clock.day_is(dt.date(2026, 11, 18)):
        yield committed_world


@pytest.mark.race
@pytest.mark.parametrize("limit", [100, 1_000, 1_050])
def test_eight_runs_at_once_pass_a_budget_by_no_more_than_one_call(committed, monkeypatch, limit):
    whole(tokens=limit)
    spent = Racing(committed, monkeypatch, Size(80, 20, 20), 100).play(5)
    assert limit <= spent < limit + 100


@pytest.mark.race
def test_a_call_of_unknown_size_goes_alone_when_a_budget_is_small(committed, monkeypatch):
    whole(tokens=2_500)
    assert Racing(committed, monkeypatch, Size(1_000_000, 16_384, 0), 1_000).play(2) == 3_000


@pytest.mark.race
def test_a_budget_of_cost_is_passed_by_no_more_than_one_call(committed, monkeypatch, settings):
    settings.ASSISTANT_PRICES = {GEMINI: (Decimal(10_000), Decimal(0))}
    whole(cost=Decimal(5))
    Racing(committed, monkeypatch, Size(100, 1, 20), 100).play(3)  # a dollar each
    assert sum(row.cost for row in Spend.objects.all()) == 5


@pytest.mark.race
def test_far_from_its_end_a_budget_holds_nobody_up(committed, monkeypatch):
    whole(tokens=100_000)
    racing = Racing(committed, monkeypatch, Size(80, 20, 20), 100, patience=40)
    assert racing.play(1) == 800
    assert racing.all_met


@pytest.mark.race
def test_without_holding_back_what_is_open_the_race_is_lost(committed, monkeypatch):
    """The control: the eight do call at once, and only what is held keeps them apart."""
    monkeypatch.setattr(spending, "_TOTALS", spending._TOTALS.replace("c.ended_at IS NULL", "false"))
    whole(tokens=100)
    assert Racing(committed, monkeypatch, Size(80, 20, 20), 100, patience=40).play(1) == 800


@pytest.mark.race
def test_without_the_lock_the_race_is_lost(committed, monkeypatch):
    """The control: two that look at the same moment both see room."""
    looked = threading.Barrier(CLIENTS)

    def unlocked(run):
        return list(Budget.objects.all())

    def totals(*args):
        sums = real(*args)
        looked.wait(timeout=40)
        return sums

    real = spending._totals
    monkeypatch.setattr(spending, "_locked", unlocked)
    monkeypatch.setattr(spending, "_totals", totals)
    whole(tokens=100)
    assert Racing(committed, monkeypatch, Size(80, 20, 20), 100, patience=40).play(1) == 800

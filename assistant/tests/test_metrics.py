from django.db import transaction
from django.utils import timezone
from prometheus_client import REGISTRY, generate_latest

from assistant import approvals, metrics
from assistant.models import Proposal
from assistant.spend.budgets import Budgets
from assistant.tests.test_budgets import GEMINI, answer_of, run_of
from dynosite.lib.redis_client import shared


def samples() -> list[str]:
    lines = generate_latest(REGISTRY).decode().splitlines()
    return [line for line in lines if line.startswith("dynosite_assistant_") and "_created" not in line]


def test_calls_tokens_and_decisions_are_counted_for_all_processes(committed_world):
    assert samples() == []
    run = run_of(committed_world)
    meter = Budgets(run)
    for answer, error in ((answer_of(80, 20), ""), (answer_of(20, 5), ""), (None, "GoogleAPIError: down")):
        meter.before(GEMINI)
        meter.after(GEMINI, answer, seconds=1, error=error)
    Proposal.objects.create(
        conversation=run.conversation,
        run=run,
        user=run.user,
        ground=run.ground,
        tool="book_allocation",
        expires_at=timezone.now(),
    )
    assert approvals.expire() == 1
    metrics.count("runs", "done")
    assert samples() == [
        'dynosite_assistant_runs_total{status="done"} 1.0',
        'dynosite_assistant_model_calls_total{provider="google_genai",result="answered"} 2.0',
        'dynosite_assistant_model_calls_total{provider="google_genai",result="failed"} 1.0',
        'dynosite_assistant_tokens_total{direction="in",provider="google_genai"} 100.0',
        'dynosite_assistant_tokens_total{direction="out",provider="google_genai"} 25.0',
        'dynosite_assistant_proposals_total{decision="expired"} 1.0',
    ]


def test_redis_away_loses_counts_and_nothing_else(committed_world, settings, caplog):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    shared.cache_clear()
    try:
        metrics.count("runs", "done")
        assert samples() == []
    finally:
        shared.cache_clear()
    assert "runs ('done',) was not counted" in caplog.text


def test_what_is_rolled_back_is_not_counted(committed_world):
    with transaction.atomic():
        metrics.count("runs", "done")
        transaction.set_rollback(True)
    metrics.count("runs", "failed", by=0)
    assert samples() == []

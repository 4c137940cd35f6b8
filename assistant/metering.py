"""Counts the model calls of a run, and makes none where the assistant is switched off."""

from django.db.models import F
from langchain_core.messages import AIMessage

from assistant import switches
from assistant.models import ModelCall, Run


class Calls:
    """A meter (see `providers.chain.Meter`) of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def before(self, model: str) -> None:
        switches.expect_on(self._run.ground_id)

    def after(self, model: str, answer: AIMessage | None, *, seconds: float, error: str = "") -> None:
        usage = (answer.usage_metadata if answer else None) or {}
        tokens_in, tokens_out = usage.get("input_tokens", 0), usage.get("output_tokens", 0)
        cached = (usage.get("input_token_details") or {}).get("cache_read", 0)
        ModelCall.objects.create(
            run_id=self._run.pk, model=model, tokens_in=tokens_in, tokens_out=tokens_out, tokens_cached=cached,
            seconds=round(seconds, 4), error=error,
        )  # fmt: skip
        Run.objects.filter(pk=self._run.pk).update(
            tokens_in=F("tokens_in") + tokens_in, tokens_out=F("tokens_out") + tokens_out
        )

"""Charge or refuse: what every model call is asked before it is made, and what it cost.

A budget is never passed by more than one call, however many runs are under way. Each call that is let through is
written as open, with the most that it can come to; the next is let through only while what is spent, and the most
of what is open, are below the budget. Where it is only the open calls that stand in the way, it waits for them. The
rows of the budgets are locked while that is decided, and for no longer: nothing is locked while a model is called.

Days are calendar days of the proving ground in which a run is; the site's budget adds up the same day of all grounds.
"""

import datetime as dt
import threading
import time
from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from langchain.agents.middleware import ModelRequest
from langchain_core.messages import AIMessage

from assistant import metrics
from assistant.conversations.switches import expect_on
from assistant.exceptions import OverBudget
from assistant.models import ModelCall, Run
from assistant.providers.chain import OFFLINE
from assistant.providers.size import Size, likely_tokens, size_of
from assistant.spend import spending
from assistant.spend.prices import cost_of, has_price
from assistant.tools.caller import Caller, Ctx
from dynosite.lib.connections import given_back

FIRST_PAUSE, MAX_PAUSE = 0.05, 0.5
LOST = "The worker ended before the answer came."


class Budgets:
    """The meter of one run. `pause` waits for other runs' calls; what it raises ends the wait (such as a stop)."""

    def __init__(self, run: Run, *, pause: Callable[[float], object] | None = None) -> None:
        self._run = run
        self.pause = pause or threading.Event().wait
        self._call: ModelCall | None = None
        self._size = Size(0, 0, 0)

    def before(self, model: str, request: ModelRequest | None = None) -> None:
        """Lets a call through. Raises Off, NotFound (who asks may not be here any more) and OverBudget.

        The offline model costs nothing and asks no budget, only the switches.
        """
        with given_back():
            self._call = None
            if model == OFFLINE:
                self._size = Size(0, 0, 0)
                self._call = ModelCall.objects.create(run=self._run, model=model, day=self._day())
                return
            self._size = size_of(request)
            settle_lost(Q(run=self._run))
            self._call = self._let_through(model)

    def _day(self) -> dt.date:
        """Today in the ground; raises where the run's user may not ask (any more)."""
        expect_on(self._run.ground_id)
        run = self._run
        return Caller(Ctx(run.user_id, run.ground_id, run.conversation_id, run.pk)).today

    def _let_through(self, model: str) -> ModelCall:
        until, pause = time.monotonic() + settings.ASSISTANT_CALL_SECONDS, FIRST_PAUSE
        while True:
            day = self._day()
            try:
                # Durable: inside another transaction the budgets would stay locked while the model is called.
                with transaction.atomic(durable=True):
                    spending.expect_room(self._run, day, priced=has_price(model))
                    return self._opened(model, day)
            except spending.InUseError as held:
                if time.monotonic() + pause > until:
                    raise OverBudget(held.sentence) from None
            self.pause(pause)
            pause = min(pause * 1.5, MAX_PAUSE)

    def _opened(self, model: str, day: dt.date) -> ModelCall:
        size = self._size
        return ModelCall.objects.create(
            run=self._run,
            model=model,
            day=day,
            held_tokens=size.most_in + size.most_out,
            held_cost=cost_of(model, size.most_in, size.most_out),
        )

    def after(
        self, model: str, answer: AIMessage | None, *, seconds: float, error: str = "", broke_off: bool = False
    ) -> None:
        """Charges the call. `broke_off`: without an answer, but the provider may have worked on it."""
        call, self._call = self._call, None
        if call is None:
            return
        with given_back():
            answered = answer is not None and not error
            charge(call, seconds=seconds, error=error, answered=answered, **self._used(answer, broke_off))

    def _used(self, answer: AIMessage | None, broke_off: bool) -> dict[str, Any]:
        if self._size.most_out == 0 or (answer is None and not broke_off):
            return {}
        usage = answer.usage_metadata if answer else None
        if usage and usage["total_tokens"]:
            cached = (usage.get("input_token_details") or {}).get("cache_read") or 0
            return {"tokens_in": usage["input_tokens"], "tokens_out": usage["output_tokens"], "cached": cached}
        tokens_out = likely_tokens(answer) if answer else 0
        return {"tokens_in": self._size.likely_in, "tokens_out": tokens_out, "estimated": True}


def charge(
    call: ModelCall,
    *,
    tokens_in: int = 0,
    tokens_out: int = 0,
    cached: int = 0,
    estimated: bool = False,
    seconds: float = 0,
    error: str = "",
    answered: bool = False,
) -> bool:
    """Ends an open call and adds it to its run and to the day's spend, once; says whether it was open."""
    cost = cost_of(call.model, tokens_in, tokens_out, cached)
    with transaction.atomic():
        ended = ModelCall.objects.filter(pk=call.pk, ended_at=None).update(
            tokens_in=tokens_in,
            tokens_out=tokens_out,
            tokens_cached=cached,
            cost=cost,
            estimated=estimated,
            seconds=round(seconds, 4),
            error=error[:2000],
            ended_at=timezone.now(),
            held_tokens=0,
            held_cost=0,
        )
        if not ended:
            return False
        provider = call.model.partition(":")[0]
        metrics.count("model_calls", provider, "failed" if error else "answered")
        added: dict[str, Any] = {"model": call.model} if answered else {}
        if call.model != OFFLINE:
            added |= {"tokens_in": F("tokens_in") + tokens_in, "tokens_out": F("tokens_out") + tokens_out}
            added["cost"] = F("cost") + cost
        if added:
            Run.objects.filter(pk=call.run_id).update(**added)
        if call.model != OFFLINE:
            spending.add(call.run, call.day or call.at.date(), tokens_in, tokens_out, cost)
            metrics.count("tokens", provider, "in", by=tokens_in)
            metrics.count("tokens", provider, "out", by=tokens_out)
    return True


def settle_lost(which: Q | None = None) -> int:
    """Charges, as estimated, the open calls of workers that are no more; returns how many.

    Those are the ones of a run that is taken up again (`which`), and any that is older than a task may get.
    """
    longest = dt.timedelta(seconds=settings.CELERY_TASK_TIME_LIMIT + 60)
    lost = Q(at__lt=timezone.now() - longest) | (which or Q(pk=None))
    number = 0
    for call in ModelCall.objects.filter(lost, ended_at=None).select_related("run"):
        likely = max(0, call.held_tokens - settings.ASSISTANT_OUTPUT_TOKENS) // 4
        number += charge(call, tokens_in=likely, estimated=True, error=LOST)
    return number

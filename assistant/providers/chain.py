"""The ordered chain of models behind one turn: which is called, how often, and what follows when it fails.

Before every call, the fallback's included, the meter is asked (kill switch, budgets). Only transient failures are
tried again, with backoff and jitter, and only they lead to the next model; a wrong key is an error for the admin.
After the last hosted model comes the offline model, which answers always.
"""

import logging
import random
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.exceptions import ModelError
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage

from assistant.exceptions import OverBudget
from assistant.providers.breaker import Breaker
from assistant.providers.failures import CallTooLong, Failure, Misconfigured, NoAnswer, classify, may_have_cost
from assistant.providers.hosted import Link

logger = logging.getLogger(__name__)

OFFLINE = "offline"
Handler = Callable[[ModelRequest], ModelResponse]
ATTEMPTS = 3
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 4.0
"""Seconds. The pause doubles with each attempt, and its actual length is drawn between half and all of it."""


class Meter(Protocol):
    """Counts model calls. `before` raises where no call may be made: OverBudget leaves other models to be asked (the
    offline one is free), anything else ends the turn. Each call that was let through is followed by one `after`."""

    def before(self, model: str, request: ModelRequest | None = None) -> None: ...

    def after(
        self, model: str, answer: AIMessage | None, *, seconds: float, error: str = "", broke_off: bool = False
    ) -> None: ...


class Chain(AgentMiddleware):
    """Wraps the graph's model calls. `tell(event, data)` reaches the panel: `model` (which one answers) and `restart`
    (drop the half answer, another try begins). Within `limit()` a hosted model's call ends with CallTooLong."""

    def __init__(
        self,
        links: Sequence[Link],
        offline: BaseChatModel,
        *,
        meter: Meter,
        breaker: Callable[[str], Breaker],
        tell: Callable[[str, dict[str, Any]], None],
        pause: Callable[[float], object] | None = None,
        limit: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        super().__init__()
        self._links = links
        self._offline = offline
        self._meter = meter
        self._breaker = breaker
        self._tell = tell
        self._pause = pause or threading.Event().wait
        self._limit = limit
        self._given_up: set[str] = set()
        """Models that failed at every try. The rest of the turn does not wait for them again."""

    def wrap_model_call(
        self, request: ModelRequest, handler: Callable[[ModelRequest], ModelResponse]
    ) -> ModelResponse:
        why: dict[str, str] = {}
        for link in self._links:
            if link.name in self._given_up:
                continue
            breaker = self._breaker(link.provider)
            if not breaker.allows():
                logger.info("%s is left alone: its circuit is open", link.name)
                continue
            try:
                response = self._try(link, breaker, request, handler)
            except OverBudget as spent:
                response, why = None, {"why": spent.sentence}
            if response is not None:
                return response
            self._given_up.add(link.name)
        self._tell("model", {"name": OFFLINE} | why)
        return self._call(OFFLINE, request.override(model=self._offline), handler)

    def _try(self, link: Link, breaker: Breaker, request: ModelRequest, handler) -> ModelResponse | None:
        """One model's answer; None when it failed in a way that another may not."""
        for attempt in range(ATTEMPTS):
            self._tell("model", {"name": link.name})
            try:
                response = self._call(link.name, request.override(model=link.model), self._limited(handler))
            except Exception as error:
                match classify(error):
                    case Failure.MISCONFIGURED:
                        raise Misconfigured(f"{link.name} refused its configuration: {error}") from error
                    case Failure.REFUSED:
                        if not isinstance(error, ModelError):
                            raise  # ours: a spent budget, a database that is away, a mistake
                        raise NoAnswer("The model refused this request; say it in other words.") from error
                breaker.failed()
                self._tell("restart", {})
                # What was too slow has had its time; the turn's is needed for the next.
                if attempt + 1 == ATTEMPTS or isinstance(error, CallTooLong) or not breaker.allows():
                    return None
                longest = min(FIRST_PAUSE * 2**attempt, LONGEST_PAUSE)
                self._pause(random.uniform(longest / 2, longest))  # noqa: S311
            else:
                breaker.succeeded()
                return _not_empty(response)
        return None

    def _limited(self, handler: Handler) -> Handler:
        def call(request: ModelRequest) -> ModelResponse:
            with self._limit():
                return handler(request)

        return call

    def _call(self, name: str, request: ModelRequest, handler) -> ModelResponse:
        self._meter.before(name, request)
        began = time.monotonic()
        try:
            response = handler(request)
        except BaseException as error:  # a stop, too, ends a call that may have cost something
            said = f"{type(error).__name__}: {error}"
            seconds = time.monotonic() - began
            self._meter.after(name, None, seconds=seconds, error=said, broke_off=may_have_cost(error))
            raise
        self._meter.after(name, _answer(response), seconds=time.monotonic() - began)
        return response


def _answer(response: ModelResponse) -> AIMessage | None:
    return next((message for message in response.result if isinstance(message, AIMessage)), None)


def _not_empty(response: ModelResponse) -> ModelResponse:
    """A blocked prompt comes back as an empty message and no error: say so instead of saying nothing."""
    answer = _answer(response)
    if answer is not None and not answer.tool_calls and not answer.text.strip():
        raise NoAnswer("The model gave no answer to this (its safety filter may have blocked it); say it otherwise.")
    return response

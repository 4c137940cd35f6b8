"""The ordered chain of models behind one turn: which is called, how often, and what follows when it fails.

Before every call, the fallback's included, the meter is asked (kill switch, budgets). Transient failures, and answers
that are empty, malformed or broken off, are tried again, with backoff and jitter. What still fails, or is refused,
leads to the next model; a wrong key does so at once, and the admin is told. After the last hosted model comes the
offline model, which answers always. Only what a provider's filter has blocked is no other model's.
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
from assistant.providers.answers import CUT_KEY, Worth, cut_sentence, has_waiting_card, reason_of, worth_of
from assistant.providers.breaker import Breaker
from assistant.providers.failures import CallTimeoutError, Failure, NoAnswerError, classify, is_our_own, may_have_cost
from assistant.providers.hosted import Link
from assistant.providers.troubles import Troubles

logger = logging.getLogger(__name__)

OFFLINE = "offline"
Handler = Callable[[ModelRequest], ModelResponse]
ATTEMPTS = 3
FIRST_PAUSE, MAX_PAUSE = 0.5, 4.0
"""Seconds. The pause doubles with each attempt, and its actual length is drawn between half and all of it."""
TELLS_REASON = ("google_genai",)
"""Providers that end every whole answer with a reason."""
BLOCKED = "The provider's filter blocked the model's answer to this ({reason}). Ask in other words."
NOT_SET_UP = (
    "The hosted model refuses how it is set up; administrators are told. The offline assistant answers until then."
)
NOT_TAKEN = "The hosted model did not take this request; the offline assistant answers."


class Meter(Protocol):
    """Counts model calls. `before` raises where no call may be made: OverBudget leaves other models to be asked (the
    offline one is free), anything else ends the turn. Each call that was let through is followed by one `after`."""

    def before(self, model: str, request: ModelRequest | None = None) -> None: ...

    def after(
        self, model: str, answer: AIMessage | None, *, seconds: float, error: str = "", broke_off: bool = False
    ) -> None: ...


class UnusableError(Exception):
    """An answer that is empty, malformed or broken off."""


class Chain(AgentMiddleware):
    """Wraps the graph's model calls.

    `tell(event, data)` reaches the panel: `model` (which one answers, at which attempt) and `restart` (drop the half
    answer, another try begins). Within `limit()` a hosted model's call ends with CallTimeoutError.
    """

    def __init__(
        self,
        links: Sequence[Link],
        offline: BaseChatModel,
        *,
        meter: Meter,
        breaker: Callable[[str], Breaker],
        troubles: Troubles,
        tell: Callable[[str, dict[str, Any]], None],
        pause: Callable[[float], object] | None = None,
        limit: Callable[[], AbstractContextManager] = nullcontext,
    ) -> None:
        super().__init__()
        self._links = links
        self._offline = offline
        self._meter = meter
        self._breaker = breaker
        self._troubles = troubles
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
            if link.name in self._given_up or self._troubles.is_left_alone(link.name):
                continue
            breaker = self._breaker(link.provider)
            if not breaker.allows():
                logger.info("%s is left alone: its circuit is open", link.name)
                continue
            try:
                response, why = self._try(link, breaker, request, handler)
            except OverBudget as spent:
                response, why = None, {"why": spent.sentence}
            if response is not None:
                return response
            self._given_up.add(link.name)
        self._tell("model", {"name": OFFLINE} | why)
        return self._call(OFFLINE, request.override(model=self._offline), handler)

    def _try(
        self, link: Link, breaker: Breaker, request: ModelRequest, handler: Handler
    ) -> tuple[ModelResponse | None, dict[str, str]]:
        """One model's answer, or none and why the user should hear of it."""
        for attempt in range(ATTEMPTS):
            self._tell("model", {"name": link.name, "attempt": attempt + 1})
            try:
                response = self._call(link.name, request.override(model=link.model), self._limited(handler))
            except UnusableError:
                breaker.succeeded()  # it does answer
                self._tell("restart", {})
                if has_waiting_card(request.messages):
                    return None, {}  # all is done; the offline model says so in words
            except Exception as error:
                if is_our_own(error) or isinstance(error, NoAnswerError):
                    raise
                self._tell("restart", {})
                failure = classify(error)
                if failure is not Failure.TRANSIENT:
                    return None, self._refused(link, failure, error)
                breaker.failed()
                # What was too slow has had its time; the turn's is needed for the next.
                if isinstance(error, CallTimeoutError) or not breaker.allows():
                    return None, {}
            else:
                breaker.succeeded()
                self._troubles.end(link.name)
                return response, {}
            if attempt + 1 < ATTEMPTS:
                longest = min(FIRST_PAUSE * 2**attempt, MAX_PAUSE)
                self._pause(random.uniform(longest / 2, longest))  # noqa: S311
        return None, {}

    def _refused(self, link: Link, failure: Failure, error: Exception) -> dict[str, str]:
        if failure is Failure.MISCONFIGURED:
            return {"why": NOT_SET_UP} if self._troubles.begin(link.name, str(error)) else {}
        trace = None if isinstance(error, ModelError) else error  # what no provider says may be a mistake of ours
        logger.warning("%s gave no answer: %s: %s", link.name, type(error).__name__, error, exc_info=trace)
        return {"why": NOT_TAKEN}

    def _limited(self, handler: Handler) -> Handler:
        def call(request: ModelRequest) -> ModelResponse:
            with self._limit():
                return handler(request)

        return call

    def _call(self, name: str, request: ModelRequest, handler: Handler) -> ModelResponse:
        self._meter.before(name, request)
        began = time.monotonic()
        try:
            response = handler(request)
        except BaseException as error:  # a stop, too, ends a call that may have cost something
            seconds = time.monotonic() - began
            cause = f"{type(error).__name__}: {error}"
            self._meter.after(name, None, seconds=seconds, error=cause, broke_off=may_have_cost(error))
            raise
        answer = _answer(response)
        fault = None if name == OFFLINE else _fault(answer, name)
        self._meter.after(name, answer, seconds=time.monotonic() - began, error=str(fault or ""))
        if fault:
            raise fault
        return response


def _answer(response: ModelResponse) -> AIMessage | None:
    return next((message for message in response.result if isinstance(message, AIMessage)), None)


def _fault(answer: AIMessage | None, model: str) -> Exception | None:
    """What is wrong with the answer. One that is cut is marked, and is an answer."""
    reason = (reason_of(answer) if answer else "") or "no reason"
    match worth_of(answer, tells=model.partition(":")[0] in TELLS_REASON):
        case Worth.BLOCKED:
            return NoAnswerError(BLOCKED.format(reason=reason.lower()))
        case Worth.UNUSABLE:
            return UnusableError(f"No answer that could be used ({reason}).")
        case Worth.CUT if answer:
            answer.additional_kwargs[CUT_KEY] = cut_sentence(answer)
    return None

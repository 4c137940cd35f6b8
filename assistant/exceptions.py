"""What the assistant says no to, beside the domain's own refusals. The sentences are for the user."""

from collections.abc import Mapping, Sequence
from typing import Any

from allocations.exceptions import DomainError


class AssistantError(DomainError):
    code = "assistant"


class Unavailable(AssistantError):
    code = "unavailable"
    http_status = 503


class Off(Unavailable):
    """The kill switch is on, or the assistant is off in this proving ground."""

    code = "assistant-off"


class OverBudget(AssistantError):
    code = "over-budget"
    http_status = 429


class Limited(AssistantError):
    """The user asks more often than they may. `seconds` is after how long they may again."""

    code = "limited"
    http_status = 429

    def __init__(self, sentence: str, seconds: int = 0):
        super().__init__(sentence)
        self.seconds = seconds

    def details(self) -> dict[str, Any]:
        return {"seconds": self.seconds}


class Waiting(AssistantError):
    """A run of this conversation is under way; the next begins when it has ended."""

    code = "waiting"
    http_status = 409


class Decided(AssistantError):
    """A proposal that no longer waits: it is rejected, replaced or expired."""

    code = "decided"
    http_status = 409


class Unclear(AssistantError):
    """A name that fits several things. `candidates` are what may be meant, as data with ids."""

    code = "unclear"

    def __init__(self, sentence: str, candidates: Sequence[Mapping[str, object]] | None = None):
        super().__init__(sentence)
        self.candidates = list(candidates or ())

    def details(self) -> dict[str, Any]:
        return {"candidates": self.candidates}

"""What a proposal would do, as plain data with ids and versions; and the one place where it is carried out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, NotRequired, TypedDict, TypeVar

from django.db import transaction

from allocations.enums import DisplacedTo, Door
from allocations.exceptions import Refused
from allocations.selectors.maintenance import Answer
from allocations.services import booking, maintenance, plans, undo
from allocations.services.unit_of_work import Actor
from assistant.tools.cards import Card
from dynosite.accounts.models import User

if TYPE_CHECKING:
    from assistant.tools.row_types import Change

Day = str | dt.date
"""As text where the step has been kept as JSON between its proposal and its approval."""


class _Step(TypedDict):
    confirmed: NotRequired[list[str]]
    """Codes of concerns that the card shows, and that the user accepts by approving it."""


class BookStep(_Step):
    do: Literal["book"]
    vehicle_id: int
    dyno_id: int
    test_type_id: int
    first_day: Day
    last_day: Day
    drive: str
    request_id: int | None


class AutoBookStep(_Step):
    do: Literal["auto-book"]
    vehicle_id: int
    test_type_id: int
    first_day: Day
    days: int
    backup: bool
    max_backup_days: int
    dyno_id: int | None
    drive: str
    request_id: int | None


class MoveStep(_Step):
    do: Literal["move"]
    allocation_id: int
    version: int
    dyno_id: int
    first_day: Day | None
    last_day: Day | None


class CancelStep(_Step):
    do: Literal["cancel"]
    allocation_id: int
    version: int


class AnswerStep(TypedDict):
    """What happens to one booking that a maintenance window hits."""

    allocation_id: int
    version: int | None
    to: str
    dyno_id: int | None
    first_day: Day | None
    last_day: NotRequired[Day | None]


class MaintenanceStep(_Step):
    do: Literal["maintenance"]
    dyno_id: int
    first_day: Day
    last_day: Day
    kind: str
    reason: str
    answers: list[AnswerStep]


class PlanStep(_Step):
    do: Literal["plan"]
    plan_id: str
    items: NotRequired[list[int]]


class UndoStep(_Step):
    do: Literal["undo"]
    change_id: str


Step = BookStep | AutoBookStep | MoveStep | CancelStep | MaintenanceStep | PlanStep | UndoStep
Observed = TypeVar("Observed")


@dataclass(frozen=True)
class Draft:
    """What would be done, and the card that shows it."""

    step: Step
    card: Card


def carry_out(step: Step, *, user: User, key: str | None = None, reason: str = "") -> "Change":
    """Carries a step out with the user's rights, and returns its change.

    Parameters
    ----------
    key
        Idempotency key: with the same key again, the change of the first time is returned.
    reason
        Recorded with the change.

    Raises
    ------
    DomainError
        What the service raises that the step calls.
    """
    actor = Actor(user, Door.ASSISTANT, reason)
    return _DO[step["do"]](step, actor, key)


class _RollbackError(Exception):
    pass


def rehearse(step: Step, *, user: User, look: Callable[["Change"], Observed]) -> Observed:
    """Carries a step out, looks at the result, and rolls all of it back.

    Parameters
    ----------
    look
        Called with the change within the transaction; what it returns is returned.

    Raises
    ------
    DomainError
        What the service raises that the step calls.
    """
    observed: list[Observed] = []
    try:
        with transaction.atomic():
            observed.append(look(carry_out(step, user=user)))
            raise _RollbackError
    except _RollbackError:
        return observed[0]


def rehearse_asking(step: Step, *, user: User, look: Callable[["Change"], Observed]) -> tuple[Observed, list[str]]:
    """Rehearses a step with all its concerns confirmed.

    Returns
    -------
    tuple[Observed, list[str]]
        What `look` returned, and the sentences to show for confirmation. Their codes are added to the step as
        `confirmed`.

    Raises
    ------
    Refused
        If a rule refuses the step for good.
    """
    try:
        return rehearse(step, user=user, look=look), []
    except Refused as refused:
        if not refused.to_confirm:
            raise
        step["confirmed"] = sorted({*step.get("confirmed", ()), *refused.to_confirm})
        sentences = [refusal.sentence for refusal in refused.refusals]
        return rehearse(step, user=user, look=look), sentences


def day_of(value: str | dt.date) -> dt.date:
    """Returns a day of a step, which is a text if the step was stored as JSON between proposal and approval."""
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _maybe_day(value: str | dt.date | None) -> dt.date | None:
    return None if value is None else day_of(value)


def _book(step: BookStep, actor: Actor, key: str | None) -> "Change":
    return booking.book(
        step["vehicle_id"],
        step["dyno_id"],
        test_type_id=step["test_type_id"],
        first_day=day_of(step["first_day"]),
        last_day=day_of(step["last_day"]),
        drive=step.get("drive") or "",
        request_id=step.get("request_id"),
        confirmed=step.get("confirmed", ()),
        actor=actor,
        key=key,
    )


def _auto_book(step: AutoBookStep, actor: Actor, key: str | None) -> "Change":
    return booking.auto_book(
        step["vehicle_id"],
        test_type_id=step["test_type_id"],
        first_day=day_of(step["first_day"]),
        days=step["days"],
        backup=step["backup"],
        max_backup_days=step["max_backup_days"],
        dyno_id=step.get("dyno_id"),
        drive=step.get("drive") or "",
        request_id=step.get("request_id"),
        confirmed=step.get("confirmed", ()),
        actor=actor,
        key=key,
    )


def _move(step: MoveStep, actor: Actor, key: str | None) -> "Change":
    return booking.move(
        step["allocation_id"],
        dyno_id=step["dyno_id"],
        first_day=_maybe_day(step["first_day"]),
        last_day=_maybe_day(step["last_day"]),
        version=step["version"],
        confirmed=step.get("confirmed", ()),
        actor=actor,
        key=key,
    )


def _cancel(step: CancelStep, actor: Actor, key: str | None) -> "Change":
    return booking.cancel(step["allocation_id"], version=step["version"], actor=actor, key=key)


def _maintenance(step: MaintenanceStep, actor: Actor, key: str | None) -> "Change":
    answers = {
        answer["allocation_id"]: Answer(
            DisplacedTo(answer["to"]),
            answer["dyno_id"],
            _maybe_day(answer["first_day"]),
            answer["version"],
            _maybe_day(answer.get("last_day")),
        )
        for answer in step["answers"]
    }
    return maintenance.set_maintenance(
        step["dyno_id"],
        first_day=day_of(step["first_day"]),
        last_day=day_of(step["last_day"]),
        kind=step["kind"],
        reason=step["reason"],
        answers=answers,
        actor=actor,
        key=key,
    )


def _plan(step: PlanStep, actor: Actor, key: str | None) -> "Change":
    return plans.apply_plan(step["plan_id"], items=step.get("items"), actor=actor, key=key)


def _undo(step: UndoStep, actor: Actor, key: str | None) -> "Change":
    return undo.undo(step["change_id"], actor=actor, key=key)


_DO: dict[str, Callable[[Any, Actor, str | None], "Change"]] = {
    "book": _book,
    "auto-book": _auto_book,
    "move": _move,
    "cancel": _cancel,
    "maintenance": _maintenance,
    "plan": _plan,
    "undo": _undo,
}

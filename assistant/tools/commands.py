"""What a proposal would do, as plain data with ids and versions, and the one place where it is carried out."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from django.db import transaction

from allocations.enums import DisplacedTo, Door
from allocations.exceptions import Refused
from allocations.selectors.maintenance import Answer
from allocations.services import booking, maintenance, plans, undo
from allocations.services.unit_of_work import Actor
from assistant.tools.cards import Card
from dynosite.accounts.models import User

Step = dict[str, Any]
Observed = TypeVar("Observed")


@dataclass(frozen=True)
class Draft:
    """What would be done, and the card of it."""

    step: Step
    card: Card


def carry_out(step: Step, *, user: User, key: str | None = None, reason: str = "") -> Any:
    """Carries the step out and returns its change; with the same key again, the change of the first time.

    Raises what the services raise.
    """
    actor = Actor(user, Door.ASSISTANT, reason)
    return _DO[step["do"]](step, actor, key)


class _Back(Exception):
    pass


def rehearse(step: Step, *, user: User, look: Callable[[Any], Observed]) -> Observed:
    """Carries the step out, looks at what came of it, and takes all of it back. Raises what the services raise."""
    observed: list[Observed] = []
    try:
        with transaction.atomic():
            observed.append(look(carry_out(step, user=user)))
            raise _Back
    except _Back:
        return observed[0]


def rehearse_asking(step: Step, *, user: User, look: Callable[[Any], Observed]) -> tuple[Observed, list[str]]:
    """Rehearses; what has to be confirmed goes into the step, and its sentences come back to be shown with it."""
    try:
        return rehearse(step, user=user, look=look), []
    except Refused as refused:
        if not refused.to_confirm:
            raise
        step["confirmed"] = sorted({*step.get("confirmed", ()), *refused.to_confirm})
        sentences = [refusal.sentence for refusal in refused.refusals]
        return rehearse(step, user=user, look=look), sentences


def _day(value: str | dt.date) -> dt.date:
    """As it is in a step, which is kept as JSON between its proposal and its approval."""
    return dt.date.fromisoformat(value) if isinstance(value, str) else value


def _maybe_day(value: str | dt.date | None) -> dt.date | None:
    return None if value is None else _day(value)


def _book(step: Step, actor: Actor, key: str | None) -> Any:
    return booking.book(
        step["vehicle_id"],
        step["dyno_id"],
        test_type_id=step["test_type_id"],
        first_day=_day(step["first_day"]),
        last_day=_day(step["last_day"]),
        drive=step.get("drive") or "",
        request_id=step.get("request_id"),
        confirmed=step.get("confirmed", ()),
        actor=actor,
        key=key,
    )


def _auto_book(step: Step, actor: Actor, key: str | None) -> Any:
    return booking.auto_book(
        step["vehicle_id"],
        test_type_id=step["test_type_id"],
        first_day=_day(step["first_day"]),
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


def _move(step: Step, actor: Actor, key: str | None) -> Any:
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


def _cancel(step: Step, actor: Actor, key: str | None) -> Any:
    return booking.cancel(step["allocation_id"], version=step["version"], actor=actor, key=key)


def _maintenance(step: Step, actor: Actor, key: str | None) -> Any:
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
        first_day=_day(step["first_day"]),
        last_day=_day(step["last_day"]),
        kind=step["kind"],
        reason=step["reason"],
        answers=answers,
        actor=actor,
        key=key,
    )


def _plan(step: Step, actor: Actor, key: str | None) -> Any:
    return plans.apply_plan(step["plan_id"], items=step.get("items"), actor=actor, key=key)


def _undo(step: Step, actor: Actor, key: str | None) -> Any:
    return undo.undo(step["change_id"], actor=actor, key=key)


_DO: dict[str, Callable[[Step, Actor, str | None], Any]] = {
    "book": _book,
    "auto-book": _auto_book,
    "move": _move,
    "cancel": _cancel,
    "maintenance": _maintenance,
    "plan": _plan,
    "undo": _undo,
}

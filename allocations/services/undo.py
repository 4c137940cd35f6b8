"""Undoes a change as a whole, while nobody has changed its rows since and nothing else has taken the places."""

import uuid
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import psycopg.errors
from django.db import IntegrityError, models
from django.utils import timezone

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import Action, AllocationStatus, MaintenanceKind, RefusalCode, RequestStatus, Role
from allocations.exceptions import NotFound, Refusal, Refused
from allocations.models import Allocation, Change, Displacement, MaintenanceWindow, TestRequest
from allocations.models.change import State
from allocations.rulebook import check_window, violations_by_other_stays
from allocations.selectors.availability import Placement, question_of, stays_on
from allocations.selectors.revisions import is_kept
from allocations.services.undo_master_data import lock_kept, put_back_kept
from allocations.services.unit_of_work import NAMES, Actor, Row, UnitOfWork
from dynosite.lib.days import DayRange

_MODELS = {name: model for model, name in NAMES.items()}


def undo(change_id: uuid.UUID | str, *, actor: Actor, key: str | None = None) -> Change:
    """Undoes a change: puts each row back as it was before. What it added to the schedule is cancelled or lifted, not
    deleted.

    In the fleet, rows that it added are deleted, and rows that it deleted come back. An undo is a change too; undoing
    it does the change again. Takes the role scheduler; in the fleet, that of `revisions.role_to_undo`.

    Raises
    ------
    Refused
        CANNOT_UNDO if it is undone already, cannot be undone, or a row was changed since; DYNO_TAKEN, MAINTENANCE,
        VEHICLE_ELSEWHERE or TRAVEL if a place is taken.
    NotAllowed
        Also if a maintenance window is not the user's to change.
    """

    def write(work: UnitOfWork) -> None:
        change = Change.objects.filter(pk=change_id).first()
        if change is None:
            raise NotFound(NOT_FOUND)
        if is_kept(change.items):
            lock_kept(work, change)
            _once(work, change)
            put_back_kept(work, change)
            work.summary = _summary(change)
            return
        steps = _steps(change)
        work.enter(change.ground_id, Role.SCHEDULER)
        rows = _lock(work, steps)
        _expect_own_windows(work, steps, rows)
        _once(work, change)
        _expect_untouched(steps, rows)
        _put_back(work, steps, rows)

    try:
        return UnitOfWork.run(write, actor=actor, action=Action.UNDO, key=key, request={"change": str(change_id)})
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            sentence = "Somebody else was faster by a moment; look at it as it is now."
            raise Refused.because(RefusalCode.CANNOT_UNDO, sentence) from error
        raise


def _once(work: UnitOfWork, change: Change) -> None:
    """Under the locks: if two users undo the same change, the second is refused."""
    if Change.objects.filter(undoes=change).exists():
        raise Refused.because(RefusalCode.CANNOT_UNDO, "This is undone already.")
    work.undoes_id = change.pk
    work.summary = _summary(change)


def _summary(change: Change) -> str:
    """Undoing an undo does the change again: the summary says Redone, not Undone twice."""
    if change.undoes_id is None:
        return f"Undone: {change.summary}"
    word, _, plain = change.summary.partition(": ")
    return f"Undone: {plain}" if word == "Redone" else f"Redone: {plain}"


_Key = tuple[type[models.Model], int]
_Step = tuple[State | None, State]


def _steps(change: Change) -> dict[_Key, _Step]:
    """Each row of the change once, as it was before the first and after the last of its items."""
    steps: dict[_Key, _Step] = {}
    for item in change.items:
        if item["model"] not in _MODELS:
            raise Refused.because(RefusalCode.CANNOT_UNDO, "A change of this kind cannot be undone.")
        row = (_MODELS[item["model"]], item["id"])
        before = steps[row][0] if row in steps else item["before"]
        steps[row] = (before, item["after"])
    if not steps:
        raise Refused.because(RefusalCode.CANNOT_UNDO, "There is nothing in this change to undo.")
    return steps


def _lock(work: UnitOfWork, steps: dict[_Key, _Step]) -> dict[_Key, Any]:
    states = [state for (model, _), pair in steps.items() if model is not TestRequest for state in pair if state]
    work.lock_dynos(state["dyno_id"] for state in states)
    work.lock_vehicles(state["vehicle_id"] for state in states if "vehicle_id" in state)
    requests, windows = _locked(work, TestRequest, steps), _locked(work, MaintenanceWindow, steps)
    return requests | windows | _locked(work, Allocation, steps)


def _locked(work: UnitOfWork, model: type[Row], steps: Iterable[_Key]) -> dict[_Key, Any]:
    ids = [id_ for of, id_ in steps if of is model]
    return {(model, id_): row for id_, row in work.lock(model, ids).items()} if ids else {}


def _expect_own_windows(work: UnitOfWork, steps: dict[_Key, _Step], rows: dict[_Key, Any]) -> None:
    """Raises NotAllowed if the user may not change a window as it is, or set it as it was."""
    user = work.actor.user
    for (model, id_), states in steps.items():
        if model is MaintenanceWindow:
            for state in states:
                access.require_kind(user, work.ground_id, state["kind"] if state else MaintenanceKind.OUTAGE)
            access.require_window(user, rows[model, id_])


def _expect_untouched(steps: dict[_Key, _Step], rows: dict[_Key, Any]) -> None:
    for key, (_, after) in steps.items():
        if rows[key].version != after["version"]:
            sentence = f"{rows[key]} was changed again since; undo the later change first."
            raise Refused.because(RefusalCode.CANNOT_UNDO, sentence)


def _earlier_values(model: type[models.Model], before: State | None) -> dict[str, Any]:
    if before is None:
        removal: dict[type[models.Model], dict[str, Any]] = {
            Allocation: {"status": AllocationStatus.CANCELLED},
            MaintenanceWindow: {"lifted_at": timezone.now()},
            TestRequest: {"status": RequestStatus.CANCELLED},
        }
        return removal[model]
    fields: dict[str, Any] = {name: model._meta.get_field(name) for name in before if name != "version"}
    return {name: field.to_python(before[name]) for name, field in fields.items()}


def _put_back(work: UnitOfWork, steps: dict[_Key, _Step], rows: dict[_Key, Any]) -> None:
    values = {key: _earlier_values(key[0], before) for key, (before, _) in steps.items()}
    live = {key for key, earlier in values.items() if _takes_days(key[0], earlier)}
    if len(live) > 1:
        # They may have changed places with one another: all leave theirs before the first takes its old one.
        for model, away in (
            (Allocation, {"status": AllocationStatus.CANCELLED}),
            (MaintenanceWindow, {"lifted_at": timezone.now()}),
        ):
            model._default_manager.filter(pk__in=[id_ for of, id_ in live if of is model]).update(**away)
    for key in sorted(values, key=lambda key: key in live):
        if key in live:
            _expect_free(rows[key], values[key])
        work.update(rows[key], **values[key])
    for changed, id_ in values:
        if changed is MaintenanceWindow:
            _mark_displaced(id_, rows)


def _takes_days(model: type[models.Model], values: dict[str, Any]) -> bool:
    if model is Allocation:
        return values.get("status") != AllocationStatus.CANCELLED
    return model is MaintenanceWindow and values.get("lifted_at") is None


def _expect_free(row: Any, values: dict[str, Any]) -> None:
    days = DayRange(values["first_day"], values["last_day"])
    if isinstance(row, MaintenanceWindow):
        stays = stays_on(values["dyno_id"], days, leaving_out_window=row.pk)
        stays = [stay for stay in stays if stay.days.overlaps(days)]
        refusals = check_window(values["dyno_id"], days, stays)
    else:
        refusals = _in_the_way(row, values, days)
    if refusals:
        raise Refused(refusals)


def _in_the_way(allocation: Allocation, values: dict[str, Any], days: DayRange) -> list[Refusal]:
    """What is in the way of the old place. A test that runs late there is not: the allocation had the place
    before.
    """
    vehicle_id, dyno_id, test_type_id = values["vehicle_id"], values["dyno_id"], values["test_type_id"]
    place = Placement(vehicle_id, dyno_id, test_type_id, days, drive=values["drive"], allocation_id=allocation.pk)
    question = question_of(place)
    if question is None:
        raise NotFound(NOT_FOUND)
    stays = tuple(stay for stay in question.stays if not stay.overruns(days))
    return violations_by_other_stays(replace(question, stays=stays))


def _mark_displaced(window_id: int, rows: dict[_Key, Any]) -> None:
    """Records whether what a window displaced is back in its old place, or displaced again, after the undo."""
    moved = [id_ for model, id_ in rows if model is Allocation]
    for displacement in Displacement.objects.filter(window_id=window_id, allocation_id__in=moved):
        now = rows[Allocation, displacement.allocation_id]
        back = (now.dyno_id, now.first_day, now.last_day, now.status) == (
            displacement.dyno_id,
            displacement.first_day,
            displacement.last_day,
            displacement.status,
        )
        displacement.restored_at = timezone.now() if back else None
        displacement.save(update_fields=["restored_at"])

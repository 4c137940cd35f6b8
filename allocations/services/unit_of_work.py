"""The frame of every write: lock, check again, write, record who did it, publish after commit.

A service gives `UnitOfWork.run` a function that does the writing. The unit has one transaction and becomes one
`Change`. Any error rolls all of it back.
"""

import hashlib
import json
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import psycopg.errors
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, OperationalError, models, transaction

from allocations import access
from allocations.enums import Action, Door, RefusalCode, Role
from allocations.exceptions import Busy, Invalid, NotFound, Refused, Stale
from allocations.models import Allocation, Change, Dyno, MaintenanceWindow, TestRequest, Vehicle
from allocations.models.change import State
from allocations.services.idempotency import first_time, release
from allocations.services.notices import tell
from dynosite.accounts.models import User
from dynosite.lib import events, prepared
from dynosite.lib.request_id import current_request_id

Row = TypeVar("Row", Allocation, MaintenanceWindow, TestRequest)

TRACKED: dict[type[models.Model], tuple[str, ...]] = {
    Allocation: (
        "dyno_id",
        "vehicle_id",
        "test_type_id",
        "drive",
        "first_day",
        "last_day",
        "status",
        "request_id",
        "note",
        "created_by_id",
    ),
    MaintenanceWindow: ("dyno_id", "first_day", "last_day", "kind", "reason", "reference", "lifted_at"),
    TestRequest: (
        "vehicle_id",
        "test_type_id",
        "step",
        "drive",
        "days",
        "miles",
        "miles_per_day",
        "extra_days",
        "earliest_start",
        "due_date",
        "priority",
        "after_id",
        "status",
        "note",
        "created_by_id",
    ),
}
"""The fields of each row that a change records, before and after, and that undoing it puts back."""

NAMES = {model: model._meta.model_name or "" for model in TRACKED}


@dataclass(frozen=True, slots=True)
class Actor:
    """Who writes, through which door, and why. Rights are the user's own, whatever the door."""

    user: User
    door: Door
    reason: str = ""


@dataclass
class UnitOfWork:
    """One transaction that becomes one `Change`.

    Attributes
    ----------
    ground_id
        The proving ground of the work, 0 until `enter`.
    summary
        The sentence that describes the change to people; `write` sets it.
    items
        Per row its model, id, and state before and after.
    dynos
        Ids of dynos that the change touches; open pages reload these.
    """

    actor: Actor
    action: Action
    change_id: uuid.UUID
    ground_id: int = 0
    summary: str = ""
    undoes_id: uuid.UUID | None = None
    key: str | None = None
    fingerprint: str = ""
    items: list[dict[str, Any]] = field(default_factory=list)
    dynos: set[int] = field(default_factory=set)
    touched: dict[int, Allocation] = field(default_factory=dict)
    askers: dict[int, int | None] = field(default_factory=dict)
    """By request that this work changed, the user who made it."""

    @classmethod
    def run(
        cls,
        write: Callable[["UnitOfWork"], None],
        *,
        actor: Actor,
        action: Action,
        key: str | None = None,
        request: dict[str, Any] | None = None,
    ) -> Change:
        """Runs `write` in one transaction and returns its change.

        Parameters
        ----------
        write
            Does the writing with the unit, under its locks.
        action
            What kind of change it is; part of the idempotency fingerprint.
        key
            Idempotency key.
        request
            What was asked for, as data that can be JSON: the same key with another request is an error.

        Returns
        -------
        Change
            The new change; or with a `key`, the change that the same request made before, while that stands
            (`idempotency.stands`).

        Raises
        ------
        KeyReused
            If the key was used for another request.
        Refused
            DYNO_TAKEN if an exclusion constraint of the database found a double booking. Also what `write` raises.
        Busy
            If a lock was not to be had in time, or a deadlock was broken.
        """
        fingerprint = _fingerprint(action, request) if key else ""
        first, ended = first_time(actor.user, key, fingerprint) if key else (None, None)
        if first:
            return first
        work = cls(actor, action, uuid.uuid4(), key=key, fingerprint=fingerprint)
        try:
            with transaction.atomic():
                _tell_history(work)
                write(work)
                if ended:
                    release(ended)
                change = work.published()
                tell(work, change)
                return change
        except (Refused, Stale, Invalid, IntegrityError) as error:
            # Somebody with the same key may have been faster by a moment.
            if key and (first := first_time(actor.user, key, fingerprint)[0]):
                return first
            _explain(error)
            raise
        except OperationalError as error:
            _explain(error)
            raise

    def enter(self, ground_id: int, needed: Role = Role.SCHEDULER) -> None:
        """Checks the actor's role in the ground that this work is in.

        Raises
        ------
        NotFound
            If the user is not a member of the ground, or the work is in another ground already.
        NotAllowed
            If the user's role does not cover `needed`.
        """
        if self.ground_id == ground_id:
            return
        access.require(self.actor.user, ground_id, needed)
        if self.ground_id:
            raise NotFound(access.NOT_FOUND)
        self.ground_id = ground_id

    def lock_dynos(self, ids: Iterable[int], needed: Role = Role.SCHEDULER) -> None:
        """Locks the dynos' rows in order of id, so that writers queue and do not deadlock, and enters their ground.

        Raises
        ------
        NotFound
            If one does not exist, or they are in several grounds.
        NotAllowed
            If the user's role does not cover `needed`.
        """
        sorted_ids = sorted(set(ids))
        rows = _locked(Dyno, sorted_ids)
        if len(rows) < len(sorted_ids):
            raise NotFound(access.NOT_FOUND)
        for _, ground_id in rows:
            self.enter(ground_id, needed)
        self.dynos.update(sorted_ids)

    def lock_vehicles(self, ids: Iterable[int]) -> None:
        """Locks the vehicles' rows in order of id; call it after `lock_dynos`.

        Raises NotFound if one does not exist in the ground of the work.
        """
        sorted_ids = sorted(set(ids))
        rows = _locked(Vehicle, sorted_ids)
        if len(rows) < len(sorted_ids) or any(ground_id != self.ground_id for _, ground_id in rows):
            raise NotFound(access.NOT_FOUND)

    def lock(self, model: type[Row], ids: Iterable[int]) -> dict[int, Row]:
        """Locks rows in order of id, and returns them by id; call it after `lock_dynos` and `lock_vehicles`.

        Raises NotFound if one does not exist in the ground of the work.
        """
        sorted_ids = sorted(set(ids))
        query = (
            model._default_manager.select_for_update(no_key=True, of=("self",))
            .filter(pk__in=sorted_ids)
            .order_by("pk")
        )
        rows = {row.pk: row for row in query}
        if len(rows) < len(sorted_ids) or any(row.ground_id != self.ground_id for row in rows.values()):
            raise NotFound(access.NOT_FOUND)
        return rows

    def insert(self, row: models.Model) -> None:
        """Saves a new row and records it."""
        prepared.insert(row)
        self._record(type(row), row.pk, None, snapshot(row))

    def insert_all(self, rows: Iterable[Row], *, batch: int = 500) -> list[Row]:
        """Saves new rows of one model in few statements, records them, and returns them with their ids."""
        inserted = list(rows)
        if inserted:
            type(inserted[0])._default_manager.bulk_create(inserted, batch_size=batch)
        for row in inserted:
            self._record(type(row), row.pk, None, snapshot(row))
        return inserted

    def update(self, row: Row, **values: Any) -> None:
        """Sets a locked row's fields, raises its version, and records it."""
        before = snapshot(row)
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1
        row.save(update_fields=[*values, "version"])
        if isinstance(row, Allocation):
            self.touched[row.pk] = row
        elif isinstance(row, TestRequest):
            self.askers[row.pk] = row.created_by_id
        self._record(type(row), row.pk, before, snapshot(row))

    def _record(self, model: type[models.Model], id_: int, before: State | None, after: State) -> None:
        self.items.append({"model": NAMES[model], "id": id_, "before": before, "after": after})

    def published(self) -> Change:
        """Saves the change, and publishes it to open pages when it is committed."""
        change = Change(
            id=self.change_id,
            ground_id=self.ground_id,
            action=self.action,
            user=self.actor.user,
            door=self.actor.door,
            request_id=current_request_id(),
            reason=self.actor.reason,
            summary=self.summary,
            items=self.items,
            idempotency_key=self.key,
            fingerprint=self.fingerprint,
            undoes_id=self.undoes_id,
        )
        prepared.insert(change)
        events.publish(self.ground_id, self.action.value, dynos=self.dynos, change=self.change_id)
        return change


def snapshot(row: models.Model) -> dict[str, Any]:
    return {name: getattr(row, name) for name in (*TRACKED[type(row)], "version")}


def expect_version(row: Row, version: int | None) -> None:
    """Raises Stale if the row has another version than the one that was read. None is not checked."""
    if version is not None and row.version != version:
        raise Stale("Somebody else has changed this in the meantime; look at it as it is now and try again.")


def _locked(model: type[models.Model], ids: list[int]) -> list[tuple[int, int]]:
    rows = prepared.fetch(_lock_statement(model, len(ids)), ids) if ids else []
    return [(pk, ground_id) for pk, ground_id in rows]


@cache
def _lock_statement(model: type[models.Model], count: int) -> str:
    query = model._default_manager.select_for_update(no_key=True).filter(pk__in=range(count)).order_by("pk")
    statement, _ = query.values_list("pk", "ground_id").query.sql_with_params()
    return statement


def _explain(error: Exception) -> None:
    """Raises the domain error for a database error that has one; else returns."""
    cause = error.__cause__
    if isinstance(cause, psycopg.errors.ExclusionViolation):
        sentence = "Somebody else took the dyno or the vehicle for some of these days a moment ago."
        raise Refused.because(RefusalCode.DYNO_TAKEN, sentence) from error
    if isinstance(cause, psycopg.errors.LockNotAvailable | psycopg.errors.DeadlockDetected):
        raise Busy("The schedule is busy just now and nothing was written; try again in a moment.") from error


def _fingerprint(action: Action, request: dict[str, Any] | None) -> str:
    text = json.dumps([action, request], sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()


def _tell_history(work: UnitOfWork) -> None:
    """Gives the history triggers of this transaction the change that they belong to."""
    metadata = {
        "change": str(work.change_id),
        "user": work.actor.user.pk,
        "door": work.actor.door.value,
        "request_id": current_request_id(),
        "reason": work.actor.reason,
    }
    prepared.fetch(
        "SELECT set_config('pghistory.context_id', %s, true), set_config('pghistory.context_metadata', %s, true)",
        [str(work.change_id), json.dumps(metadata)],
    )

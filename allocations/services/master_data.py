"""The steps that fleet and members share: add, change or delete one row of a ground and record it.

Such a row has no version: whoever changes it says by a digest what they saw. The change keeps it before and after.
"""

import hashlib
import json
from collections.abc import Callable, Mapping
from typing import Any

import psycopg.errors
from django.core.exceptions import NON_FIELD_ERRORS, ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import IntegrityError, models
from django.db.models import ProtectedError, Q

from allocations.access import NOT_FOUND
from allocations.enums import Action, RefusalCode, Role
from allocations.exceptions import Invalid, NotFound, Refused, Stale
from allocations.models import Change, Dyno, Facility, ProvingGround, Travel, Vehicle
from allocations.models.change import State
from allocations.selectors.revisions import values_of
from allocations.services.unit_of_work import Actor, UnitOfWork
from dynosite.lib.formats import count


def keep(
    write: Callable[[UnitOfWork], None],
    *,
    actor: Actor,
    action: Action,
    key: str | None = None,
    request: dict[str, Any] | None = None,
) -> Change:
    """`UnitOfWork.run`, where a name that somebody else has taken this very moment is Invalid too."""
    try:
        return UnitOfWork.run(write, actor=actor, action=action, key=key, request=request)
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise Invalid({"": ["Somebody else has just given another row this name."]}) from error
        raise


def add_row(work: UnitOfWork, row: Any) -> None:
    """Saves a new row of a ground that was entered."""
    check_row(row)
    row.save(force_insert=True)
    record(work, row, None, values_of(row))
    work.summary = f"{name_of(row)} added"


def change_row(work: UnitOfWork, row: Any, values: Mapping[str, Any]) -> None:
    """Sets the values of a row that is locked and whose ground was entered."""
    before = values_of(row)
    for name, value in values.items():
        setattr(row, name, value)
    check_row(row)
    row.save()
    after = values_of(row)
    if after != before:
        record(work, row, before, after)
    work.summary = f"{name_of(row)} changed"


def delete_row(work: UnitOfWork, row: Any) -> None:
    """Raises Refused where anything refers to the row, and names what."""
    work.summary = f"{name_of(row)} deleted"
    for part in [*goes_along(row), row]:
        record(work, part, values_of(part), None)
    try:
        row.delete()
    except ProtectedError as error:
        raise Refused.because(RefusalCode.IN_USE, _in_use(row, error)) from error


def goes_along(row: models.Model) -> list[models.Model]:
    """What the database deletes with the row."""
    if isinstance(row, Dyno):
        return list(row.capabilities.order_by("pk"))
    if isinstance(row, Facility):
        return list(Travel.objects.filter(Q(origin=row) | Q(to=row)).order_by("pk"))
    return []


def digest(row: models.Model) -> str:
    """Of all that a row and what goes along with it have: what a form carries, to tell that it has changed since."""
    rows = [values_of(part) for part in (row, *goes_along(row))]
    text = json.dumps(rows, sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def expect_seen(row: models.Model, seen_digest: str | None) -> None:
    """Raises Stale where the row is not as it was seen; None asks for no check."""
    if seen_digest is not None and seen_digest != digest(row):
        raise Stale("Somebody else has changed this in the meantime; look at it as it is now and try again.")


def locked_row(work: UnitOfWork, model: type[models.Model], id_: int, *, needed: Role) -> Any:
    """The row, locked, of a ground where the actor has the role."""
    ground_id = model._default_manager.filter(pk=id_).values_list("ground_id", flat=True).first()
    if ground_id is None:
        raise NotFound(NOT_FOUND)
    work.enter(ground_id, needed)
    if model is Dyno:
        work.lock_dynos([id_])
    elif model is Vehicle:
        work.lock_vehicles([id_])
    row = model._default_manager.select_for_update(no_key=True, of=("self",)).filter(pk=id_).first()
    if row is None:
        raise NotFound(NOT_FOUND)
    return row


def of_ground(model: type[models.Model], id_: int, ground_id: int) -> None:
    """Raises NotFound where the row is of another ground."""
    if not model._default_manager.filter(pk=id_, ground_id=ground_id).exists():
        raise NotFound(NOT_FOUND)


def check_row(row: models.Model) -> None:
    try:
        row.full_clean()
    except ValidationError as error:
        messages = error.message_dict
        raise Invalid({"" if name == NON_FIELD_ERRORS else name: messages[name] for name in messages}) from error


def name_of(row: models.Model) -> str:
    kind = str(row._meta.verbose_name)
    return f"{kind[0].upper()}{kind[1:]} {row}"


def record(work: UnitOfWork, row: models.Model, before: State | None, after: State | None) -> None:
    work.items.append({"model": row._meta.model_name, "id": row.pk, "before": before, "after": after})


def _in_use(row: models.Model, error: ProtectedError) -> str:
    numbers: dict[type[models.Model], int] = {}
    for referrer in error.protected_objects:
        numbers[type(referrer)] = numbers.get(type(referrer), 0) + 1
    users = ", ".join(
        count(number, str(model._meta.verbose_name), str(model._meta.verbose_name_plural))
        for model, number in sorted(numbers.items(), key=lambda pair: pair[0].__name__)
    )
    instead = "; disable it instead" if isinstance(row, Dyno) else ""
    loss = "its ground" if isinstance(row, ProvingGround) else "it"
    return f"{name_of(row)} cannot be deleted: {users} would lose {loss}{instead}."

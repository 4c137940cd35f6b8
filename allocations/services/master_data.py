"""Steps that fleet and members share: add, change or delete one row of a ground, and record it.

Such a row has no version: a form carries a digest of what its user saw. The change keeps the row before and after.
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
    """Runs `UnitOfWork.run`, and raises Invalid if another user took the same unique name at the same moment.

    Parameters and other errors are those of `UnitOfWork.run`.
    """
    try:
        return UnitOfWork.run(write, actor=actor, action=action, key=key, request=request)
    except IntegrityError as error:
        if isinstance(error.__cause__, psycopg.errors.UniqueViolation):
            raise Invalid({"": ["Somebody else has just given another row this name."]}) from error
        raise


def add_row(work: UnitOfWork, row: Any) -> None:
    """Saves a new row of a ground that the work has entered. Raises Invalid by field."""
    check_row(row)
    row.save(force_insert=True)
    record(work, row, None, values_of(row))
    work.summary = f"{name_of(row)} added"


def change_row(work: UnitOfWork, row: Any, values: Mapping[str, Any]) -> None:
    """Sets values on a row that is locked, in a ground that the work has entered. Raises Invalid by field.

    A row that already has all the values is saved, but not recorded.
    """
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
    """Deletes a locked row, and records it with what goes along with it.

    Raises
    ------
    Refused
        IN_USE if other rows refer to it; the sentence counts them.
    """
    work.summary = f"{name_of(row)} deleted"
    for part in [*goes_along(row), row]:
        record(work, part, values_of(part), None)
    try:
        row.delete()
    except ProtectedError as error:
        raise Refused.because(RefusalCode.IN_USE, _in_use(row, error)) from error


def goes_along(row: models.Model) -> list[models.Model]:
    """Returns the rows that the database deletes together with this one."""
    if isinstance(row, Dyno):
        return list(row.capabilities.order_by("pk"))
    if isinstance(row, Facility):
        return list(Travel.objects.filter(Q(origin=row) | Q(to=row)).order_by("pk"))
    return []


def digest(row: models.Model) -> str:
    """Returns a digest of a row and what goes along with it. A form carries it, to notice that the row changed
    since.
    """
    rows = [values_of(part) for part in (row, *goes_along(row))]
    text = json.dumps(rows, sort_keys=True, cls=DjangoJSONEncoder)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def expect_seen(row: models.Model, seen_digest: str | None) -> None:
    """Raises Stale if the row is not as it was when `seen_digest` was taken. None is not checked."""
    if seen_digest is not None and seen_digest != digest(row):
        raise Stale("Somebody else has changed this in the meantime; look at it as it is now and try again.")


def locked_row(work: UnitOfWork, model: type[models.Model], id_: int, *, needed: Role) -> Any:
    """Enters the ground of a row, if the actor has the role `needed` there, and returns the row locked.

    Raises
    ------
    NotFound
        If the row does not exist, or the user is not a member of its ground.
    NotAllowed
        If the user's role does not cover `needed`.
    """
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
    """Raises NotFound if there is no such row in the ground."""
    if not model._default_manager.filter(pk=id_, ground_id=ground_id).exists():
        raise NotFound(NOT_FOUND)


def check_row(row: models.Model) -> None:
    """Raises Invalid, with the sentences by field, if the row's values are not valid."""
    try:
        _fill_defaults(row)
        row.full_clean()
    except ValidationError as error:
        messages = error.message_dict
        raise Invalid({"" if name == NON_FIELD_ERRORS else name: messages[name] for name in messages}) from error


def _fill_defaults(row: models.Model) -> None:
    """A number that a form left empty is the column's default, where the column cannot be empty."""
    for field in row._meta.fields:
        if getattr(row, field.attname) is None and not field.null and field.has_default():
            setattr(row, field.attname, field.get_default())


def name_of(row: models.Model) -> str:
    """Returns the kind and name of a row, such as `Dyno Cell 3`."""
    kind = str(row._meta.verbose_name)
    return f"{kind[0].upper()}{kind[1:]} {row}"


def record(work: UnitOfWork, row: models.Model, before: State | None, after: State | None) -> None:
    """Adds a row to the items of the work; None for `before` if it was added, for `after` if it was deleted."""
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

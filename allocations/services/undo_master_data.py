"""Undoes a change of the fleet, of a ground or of its calendar: rows that have no version."""

from collections.abc import Mapping
from typing import Any

from django.db.models import Model

from allocations.enums import RefusalCode
from allocations.exceptions import Invalid, Refused
from allocations.models import Capability, Change, Dyno, Vehicle
from allocations.selectors.revisions import MASTER_DATA, altered, is_as_left, role_to_undo, values_from
from allocations.services.master_data import add_row, change_row, delete_row, goes_along, name_of
from allocations.services.unit_of_work import UnitOfWork


def lock_kept(work: UnitOfWork, change: Change) -> None:
    """Enters the ground, with the role that undoing takes, and locks the dynos and vehicles of the change that still
    exist.
    """
    work.enter(change.ground_id, role_to_undo(change.items))
    states = [
        (MASTER_DATA[item["model"]], state)
        for item in change.items
        for state in (item["before"], item["after"])
        if state
    ]
    dynos = {state["id"] for model, state in states if model is Dyno}
    dynos |= {state["dyno_id"] for model, state in states if model is Capability}
    vehicles = {state["id"] for model, state in states if model is Vehicle}
    work.lock_dynos(Dyno.objects.filter(pk__in=dynos).values_list("pk", flat=True))
    work.lock_vehicles(Vehicle.objects.filter(pk__in=vehicles).values_list("pk", flat=True))
    work.dynos |= dynos


def put_back_kept(work: UnitOfWork, change: Change) -> None:
    """Puts each row back as it was: what the change added is deleted, what it deleted comes back with its old id.

    Raises
    ------
    Refused
        CANNOT_UNDO if a row was changed since, or its old values are no longer valid; IN_USE if a row to delete is
        referred to.
    """
    # In reverse: what was written later refers to what was written first, as a capability to its dyno.
    for item in reversed(change.items):
        _put_back_one(work, item)


def _put_back_one(work: UnitOfWork, item: Mapping[str, Any]) -> None:
    model = MASTER_DATA[item["model"]]
    row = model._default_manager.select_for_update(no_key=True, of=("self",)).filter(pk=item["id"]).first()
    added = item["before"] is None
    if not is_as_left(item, row) or (added and row is not None and goes_along(row)):
        sentence = f"{_name(item, row)} was changed again since; undo the later change first."
        raise Refused.because(RefusalCode.CANNOT_UNDO, sentence)
    try:
        if row is None:
            add_row(work, model(**values_from(model, item["before"])))
        elif added:
            delete_row(work, row)
        else:
            change_row(work, row, altered(item))
    except Invalid as error:
        raise Refused.because(RefusalCode.CANNOT_UNDO, f"{_name(item, row)}: {error.sentence}") from error


def _name(item: Mapping[str, Any], row: Model | None) -> str:
    if row is not None:
        return name_of(row)
    values, kind = item["before"] or item["after"], str(MASTER_DATA[item["model"]]._meta.verbose_name)
    return f"{kind.capitalize()} {values.get('name') or values.get('tag') or item['id']}"

"""Rows without a version (the fleet, a ground and its calendar): whether they still are as a change left them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model

from allocations.enums import Role
from allocations.models import Capability, Dyno, Facility, ProvingGround, Shutdown, TestType, Travel, Vehicle

MASTER_DATA: dict[str, type[Model]] = {
    model._meta.model_name or "": model
    for model in (Facility, Dyno, TestType, Capability, Vehicle, ProvingGround, Shutdown, Travel)
}
"""Models that an undo can put back. Memberships are not among them: a right is only ever given on purpose."""

Item = Mapping[str, Any]


def is_kept(items: Iterable[Item]) -> bool:
    """Tells whether a change with these items changed such rows, and nothing else."""
    names = {item["model"] for item in items}
    return bool(names) and names <= MASTER_DATA.keys()


def role_to_undo(items: Iterable[Item]) -> Role:
    """Returns the role that undoing takes: scheduler to change a vehicle or bring it back; admin for everything
    else.
    """
    vehicles = all(MASTER_DATA[item["model"]] is Vehicle and item["before"] for item in items)
    return Role.SCHEDULER if vehicles else Role.ADMIN


def values_of(row: Model) -> dict[str, Any]:
    """Returns the stored values of a row, by column."""
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def values_from(model: type[Model], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the values of a model's fields from those that a change stores as JSON."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {name: fields[name].to_python(value) for name, value in stored.items() if name in fields}


def altered(item: Item) -> dict[str, Any]:
    """Returns the values before the change, of the fields that it changed."""
    model, before, after = MASTER_DATA[item["model"]], item["before"] or {}, item["after"] or {}
    return values_from(model, {name: value for name, value in before.items() if after.get(name) != value})


def is_as_left(item: Item, row: Model | None) -> bool:
    """Tells whether the row still has the values that the change gave it; for a deletion, whether it is still
    deleted.
    """
    if item["after"] is None or row is None:
        return item["after"] is None and row is None
    model = MASTER_DATA[item["model"]]
    names = altered(item).keys() if item["before"] else item["after"].keys()
    now = values_of(row)
    expected = values_from(model, {name: value for name, value in item["after"].items() if name in names})
    return all(now[name] == value for name, value in expected.items())


def rows_now(changes: Iterable[Iterable[Item]]) -> dict[tuple[str, int], Model]:
    """Returns the rows of such changes that still exist, by (model name, id), with one query for each model."""
    ids_by_model: dict[str, set[int]] = {}
    for items in changes:
        for item in items:
            ids_by_model.setdefault(item["model"], set()).add(item["id"])
    return {
        (name, row.pk): row
        for name, ids in ids_by_model.items()
        for row in MASTER_DATA[name]._default_manager.filter(pk__in=ids)
    }

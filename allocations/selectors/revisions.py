"""Rows that have no version (the fleet, a ground and its calendar): whether they are as a change left them."""

from collections.abc import Iterable, Mapping
from typing import Any

from django.db.models import Model

from allocations.enums import Role
from allocations.models import Capability, Dyno, Facility, ProvingGround, Shutdown, TestType, Travel, Vehicle

MASTER_DATA: dict[str, type[Model]] = {
    model._meta.model_name or "": model
    for model in (Facility, Dyno, TestType, Capability, Vehicle, ProvingGround, Shutdown, Travel)
}
"""What can be put back. Who is a member is not among it: a right is given anew, and never by the way."""

Item = Mapping[str, Any]


def is_kept(items: Iterable[Item]) -> bool:
    """Whether a change with these items was one of such rows, and of nothing else."""
    names = {item["model"] for item in items}
    return bool(names) and names <= MASTER_DATA.keys()


def role_to_undo(items: Iterable[Item]) -> Role:
    """A vehicle is changed, and comes back, by a scheduler; all else, and that a vehicle goes, takes an admin."""
    vehicles = all(MASTER_DATA[item["model"]] is Vehicle and item["before"] for item in items)
    return Role.SCHEDULER if vehicles else Role.ADMIN


def values_of(row: Model) -> dict[str, Any]:
    return {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}


def values_from(model: type[Model], stored: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the model has them, from those that a change keeps as JSON."""
    fields = {field.attname: field for field in model._meta.concrete_fields}
    return {name: fields[name].to_python(value) for name, value in stored.items() if name in fields}


def altered(item: Item) -> dict[str, Any]:
    """The values from before the change, of the fields that it altered."""
    model, before, after = MASTER_DATA[item["model"]], item["before"] or {}, item["after"] or {}
    return values_from(model, {name: value for name, value in before.items() if after.get(name) != value})


def is_as_left(item: Item, row: Model | None) -> bool:
    """Whether nobody has changed since what the change did to this row."""
    if item["after"] is None or row is None:
        return item["after"] is None and row is None
    model = MASTER_DATA[item["model"]]
    names = altered(item).keys() if item["before"] else item["after"].keys()
    now = values_of(row)
    expected = values_from(model, {name: value for name, value in item["after"].items() if name in names})
    return all(now[name] == value for name, value in expected.items())


def rows_now(changes: Iterable[Iterable[Item]]) -> dict[tuple[str, int], Model]:
    """The rows that such changes are about and that are still there, in one query a kind."""
    ids_by_model: dict[str, set[int]] = {}
    for items in changes:
        for item in items:
            ids_by_model.setdefault(item["model"], set()).add(item["id"])
    return {
        (name, row.pk): row
        for name, ids in ids_by_model.items()
        for row in MASTER_DATA[name]._default_manager.filter(pk__in=ids)
    }

"""History: the changes of a ground, and those of one row, with every field before and after."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db.models import Model, QuerySet

from allocations import access
from allocations.enums import AllocationStatus, MaintenanceKind, Priority, RequestStatus, Role
from allocations.exceptions import NotFound
from allocations.models import (
    Allocation,
    Change,
    Dyno,
    Facility,
    MaintenanceWindow,
    ProvingGround,
    TestRequest,
    TestType,
    Vehicle,
)
from allocations.models.change import Item, State
from allocations.selectors.revisions import MASTER_DATA, is_as_left, is_kept, role_to_undo, rows_now
from dynosite.accounts.models import User
from dynosite.lib.formats import day, day_range
from dynosite.lib.moments import moment

_STATUS = dict(AllocationStatus.choices) | dict(RequestStatus.choices)
_LABELS = {
    "dyno_id": "Dyno",
    "vehicle_id": "Vehicle",
    "test_type_id": "Test type",
    "facility_id": "Facility",
    "vin": "VIN",
    "weight_lbs": "Weight (lb)",
    "after_id": "After request",
    "request_id": "Request",
    "days": "Days",
    "earliest_start": "Earliest start",
    "due_date": "Due",
    "lifted_at": "Lifted",
    "created_by_id": "Owner",
}
_NAMED: dict[str, type[Model]] = {
    "dyno_id": Dyno,
    "vehicle_id": Vehicle,
    "test_type_id": TestType,
    "facility_id": Facility,
    "created_by_id": User,
}
_CHOICES = {"status": _STATUS, "kind": dict(MaintenanceKind.choices), "priority": dict(Priority.choices)}
_VERSIONED: dict[str, type[Model]] = {
    "allocation": Allocation,
    "maintenancewindow": MaintenanceWindow,
    "testrequest": TestRequest,
}
_KINDS = {"allocation": "Booking", "maintenancewindow": "Maintenance", "testrequest": "Request"} | {
    name: str(model._meta.verbose_name).capitalize() for name, model in MASTER_DATA.items()
}


@dataclass(frozen=True, slots=True)
class Difference:
    label: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class RowChange:
    """What a change did to one row: which row, whether it added it, and each field that differs."""

    model: str
    id: int
    about: str
    """The vehicle of an allocation or request, the dyno of a window; else the row's number."""
    created: bool
    differences: tuple[Difference, ...]

    @property
    def kind(self) -> str:
        return _KINDS.get(self.model, self.model.capitalize())


@dataclass(frozen=True, slots=True)
class ChangeEntry:
    """A change as a page shows it. `undoable` tells that nothing visible prevents an undo."""

    change: Change
    rows: tuple[RowChange, ...]
    undoable: bool
    total: int
    """How many of the rows in question it changed; not all of them are listed."""
    reach: int
    """How many rows it changed at all, and undoing it would."""


_UNTOLD = ("first_day", "last_day", "version", "id", "ground_id", "sort_key", "import_key")
LISTED = 6
"""Rows of one change that a list of changes spells out; an import has hundreds."""


def changes(ground: ProvingGround, *, user: User) -> QuerySet[Change]:
    """Returns the changes of a ground, newest first."""
    access.require(user, ground.pk, Role.VIEWER)
    return Change.objects.filter(ground=ground).select_related("user", "undone_by", "undoes").order_by("-at", "pk")


def history_of(row: Any, *, user: User) -> list[ChangeEntry]:
    """Returns the changes of one row of the schedule, newest first; in each only what happened to this row."""
    role = access.require(user, row.ground_id, Role.VIEWER)
    ids = [pk for pk in row.events.order_by("-pgh_id").values_list("pgh_context_id", flat=True) if pk]
    row_changes = changes(row.ground, user=user).filter(pk__in=ids)
    return entries(row_changes, role, user=user, only=(row._meta.model_name, row.pk))


def what_happened(row: Any, since: dt.datetime) -> str:
    """Describes the last change of a row after a time, to end a sentence with, such as `: move by Mia (…)`; or
    returns an empty text.
    """
    of_row = [{"model": row._meta.model_name, "id": row.pk}]
    change = (
        Change.objects.filter(ground=row.ground_id, at__gt=since, items__contains=of_row)
        .select_related("user")
        .order_by("-at")
        .first()
    )
    if change is None:
        return ""
    who = f" by {change.user.display_name}" if change.user else ""
    return f": {change.get_action_display().lower()}{who} ({change.summary})"


def change_by_id(pk: str, *, user: User) -> Change:
    """Returns the change with its user and ground. Raises NotFound if it is in none of the user's grounds."""
    change = Change.objects.filter(pk=pk, ground__in=access.grounds_of(user)).select_related("user", "ground").first()
    if change is None:
        raise NotFound(access.NOT_FOUND)
    return change


def changes_by_id(ids: Iterable[UUID], *, user: User) -> dict[UUID, Change]:
    """Returns those of the changes that the user may see, by id."""
    return Change.objects.filter(ground__in=access.grounds_of(user)).in_bulk(list(ids))


def entries(
    history: Iterable[Change], role: Role, *, user: User | None = None, only: tuple[str, int] | None = None
) -> list[ChangeEntry]:
    """Returns changes as pages show them: names in place of ids, with one query for each kind of row.

    Parameters
    ----------
    history
        Changes of one ground.
    role
        The role of `user` in the ground.
    user
        Without a user, changes that only some schedulers may undo are not undoable.
    only
        (model name, id) of the one row to show.

    Returns
    -------
    list[Entry]
        An entry for each change, with at most `LISTED` rows.
    """
    matching = [(change, [item for item in change.items if _is(item, only)]) for change in history]
    listed = [(change, items[:LISTED], len(items)) for change, items in matching]
    names = _names([item for _, items, _ in listed for item in items])
    may_write = role.covers(Role.SCHEDULER)
    versions = _versions([change for change, _ in matching]) if may_write else {}
    rows = rows_now(change.items for change, _ in matching if is_kept(change.items)) if may_write else {}
    windows = _windows_kept([change for change, _ in matching], role, user) if may_write else frozenset()
    return [
        ChangeEntry(
            change,
            tuple(_row_change(item, names) for item in items),
            _undoable(change, role, versions, rows, windows),
            total,
            len(change.items),
        )
        for change, items, total in listed
    ]


def _is(item: Item, only: tuple[str, int] | None) -> bool:
    return only is None or (item["model"], item["id"]) == only


def _versions(history: list[Change]) -> dict[tuple[str, int], int]:
    """The version that each row of the changes has now."""
    ids_by_model: dict[str, set[int]] = {name: set() for name in _VERSIONED}
    for change in history:
        for item in change.items:
            if item["model"] in ids_by_model:
                ids_by_model[item["model"]].add(item["id"])
    return {
        (name, pk): version
        for name, ids in ids_by_model.items()
        for pk, version in (_VERSIONED[name]._default_manager.filter(pk__in=ids).values_list("pk", "version"))
    }


def _windows_kept(history: list[Change], role: Role, user: User | None) -> frozenset[int]:
    """The windows in the changes that are the user's to put back."""
    ids = {item["id"]: change.ground_id for change in history for item in change.items if item["model"] == _WINDOW}
    if role.covers(Role.ADMIN) or not ids or user is None:
        return frozenset(ids) if role.covers(Role.ADMIN) else frozenset()
    ground_id = next(iter(ids.values()))
    return frozenset(access.windows_kept_by(user, ground_id).filter(pk__in=ids).values_list("pk", flat=True))


def _undoable(
    change: Change,
    role: Role,
    versions: dict[tuple[str, int], int],
    rows: Mapping[tuple[str, int], Model],
    windows: Collection[int],
) -> bool:
    """Whether the role covers an undo, it is not undone yet, and no row of it has changed since."""
    if not change.items or getattr(change, "undone_by", None) is not None:
        return False
    if is_kept(change.items):
        as_left = all(is_as_left(item, rows.get((item["model"], item["id"]))) for item in change.items)
        return role.covers(role_to_undo(change.items)) and as_left
    if any(item["model"] not in _VERSIONED for item in change.items):
        return False
    last = {(item["model"], item["id"]): (item["after"] or {}).get("version") for item in change.items}
    may = role.covers(Role.SCHEDULER) and all(_is_ours(item, role, windows) for item in change.items)
    return may and all(versions.get(row) == version for row, version in last.items())


def _is_ours(item: Item, role: Role, windows: Collection[int]) -> bool:
    """For a window: whether it is among those that the user may change, and was of a kind that the role may set."""
    if item["model"] != _WINDOW:
        return True
    states = [state for state in (item["before"], item["after"]) if state]
    return item["id"] in windows and all(role.covers(access.role_for_kind(state["kind"])) for state in states)


_WINDOW = MaintenanceWindow._meta.model_name


def _names(items: list[Item]) -> dict[tuple[str, int], str]:
    ids_by_field: dict[str, set[int]] = {name: set() for name in _NAMED}
    for item in items:
        for state in (item["before"], item["after"]):
            for name in ids_by_field:
                if state and state.get(name) and (name != _OWNER or _handed_over(item)):
                    ids_by_field[name].add(state[name])
    names: dict[tuple[str, int], str] = {}
    for name, ids in ids_by_field.items():
        for row in _NAMED[name]._default_manager.filter(pk__in=ids) if ids else ():
            names[name, row.pk] = row.display_name if isinstance(row, User) else str(row)
    return names


_OWNER = "created_by_id"


def _handed_over(item: Item) -> bool:
    before, after = item["before"] or {}, item["after"] or {}
    return _OWNER in before and _OWNER in after and before[_OWNER] != after[_OWNER]


def _row_change(item: Item, names: dict[tuple[str, int], str]) -> RowChange:
    before, after = item["before"] or {}, item["after"] or {}
    differences = []
    if "first_day" in after and (before.get("first_day"), before.get("last_day")) != (
        after["first_day"],
        after["last_day"],
    ):
        differences.append(Difference("Days", _span(before), _span(after)))
    for name, value in after.items():
        if name in _UNTOLD or before.get(name) == value or (name == _OWNER and not _handed_over(item)):
            continue
        if not before and (value in ("", None) or name in ("request_id", "status")):
            continue
        label = _LABELS.get(name, name.replace("_", " ").capitalize())
        differences.append(Difference(label, _text_of(name, before.get(name), names), _text_of(name, value, names)))
    return RowChange(item["model"], item["id"], _about(item, names), item["before"] is None, tuple(differences))


def _about(item: Item, names: dict[tuple[str, int], str]) -> str:
    state = item["after"] or item["before"] or {}
    name = "dyno_id" if item["model"] == _WINDOW else "vehicle_id"
    return names.get((name, state.get(name, 0))) or state.get("name") or state.get("tag") or str(item["id"])


def _span(state: State) -> str:
    if not state:
        return ""
    return day_range(_date(state["first_day"]), _date(state["last_day"]))


def _date(value: str | dt.date) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(value)


def _text_of(name: str, value: Any, names: dict[tuple[str, int], str]) -> str:
    if value in ("", None):
        return ""
    if name in _NAMED:
        return names.get((name, value), f"#{value}")
    if name in _CHOICES:
        return str(_CHOICES[name].get(value, value))
    if name in ("earliest_start", "due_date"):
        return day(_date(value), year=True)
    if name == "lifted_at":
        return moment(value if isinstance(value, dt.datetime) else dt.datetime.fromisoformat(value))
    if isinstance(value, bool):
        return "yes" if value else "no"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def row_history(row: Any, *, limit: int = 20) -> list[ChangeEntry]:
    """Returns the latest changes of a vehicle or dyno, newest first; none of them is undoable here."""
    ids = [pk for pk in row.events.order_by("-pgh_id").values_list("pgh_context_id", flat=True)[:limit] if pk]
    row_changes = (
        Change.objects.filter(pk__in=ids, ground_id=row.ground_id)
        .select_related("user", "undone_by")
        .order_by("-at", "pk")
    )
    return entries(row_changes, Role.VIEWER, only=(row._meta.model_name, row.pk))

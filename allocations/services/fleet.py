"""The fleet of a proving ground: dynos and what they may run, vehicles, test types, facilities.

Adding, changing and deleting take the role admin, except that a scheduler may add and change vehicles. `values` are
fields of the model by name; Invalid is raised with sentences by field. `seen_digest` is what `master_data.digest`
gave for the row that the user saw: Stale is raised if the row changed since.
"""

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from allocations.access import NOT_FOUND
from allocations.enums import Action, Role
from allocations.exceptions import NotFound
from allocations.models import Capability, Change, Dyno, Facility, TestType, Vehicle
from allocations.selectors.revisions import values_of
from allocations.services.master_data import (
    add_row,
    change_row,
    check_row,
    delete_row,
    expect_seen,
    keep,
    locked_row,
    of_ground,
    record,
)
from allocations.services.unit_of_work import Actor, UnitOfWork


@dataclass(frozen=True, slots=True)
class Runs:
    """A test type that a dyno may run, with these drives and weight classes."""

    test_type_id: int
    drives: Sequence[str]
    weight_classes: Sequence[str]


def add_dyno(
    facility_id: int, *, name: str, actor: Actor, runs: Iterable[Runs] = (), key: str | None = None, **values: Any
) -> Change:
    """Adds a dyno to a facility.

    Parameters
    ----------
    runs
        What it may run.
    values
        Further fields of Dyno.

    Raises
    ------
    Invalid
        By field.
    NotFound
        Also if a test type of `runs` is not of the same ground.
    """
    capabilities = list(runs)

    def write(work: UnitOfWork) -> None:
        ground_id = Facility.objects.filter(pk=facility_id).values_list("ground_id", flat=True).first()
        if ground_id is None:
            raise NotFound(NOT_FOUND)
        dyno = Dyno(ground_id=ground_id, facility_id=facility_id, name=name, **values)
        dyno.sort_key = name or "-"
        work.enter(ground_id, Role.ADMIN)
        add_row(work, dyno)
        work.dynos.add(dyno.pk)
        _set_runs(work, dyno, capabilities)

    params = values | {
        "facility": facility_id,
        "name": name,
        "runs": [asdict(capability) for capability in capabilities],
    }
    return keep(write, actor=actor, action=Action.ADD, key=key, request=params)


def change_dyno(
    dyno_id: int,
    *,
    actor: Actor,
    runs: Iterable[Runs] | None = None,
    seen_digest: str | None = None,
    key: str | None = None,
    **values: Any,
) -> Change:
    """Changes fields of a dyno. Its allocations stay as they are, even if it may no longer run them.

    Parameters
    ----------
    runs
        All that it may run from now on; None leaves that as it is.
    seen_digest
        What the user saw (`master_data.digest`); None is not checked.

    Raises
    ------
    Stale
        If the dyno, or what it may run, has changed since.
    Invalid
        By field.
    NotFound
        Also if the facility or a test type of `runs` is not of the same ground.
    """
    capabilities = None if runs is None else list(runs)

    def write(work: UnitOfWork) -> None:
        dyno = locked_row(work, Dyno, dyno_id, needed=Role.ADMIN)
        expect_seen(dyno, seen_digest)
        if "facility_id" in values:
            of_ground(Facility, values["facility_id"], dyno.ground_id)
        change_row(work, dyno, values)
        if capabilities is not None:
            _set_runs(work, dyno, capabilities)

    params = values | {
        "dyno": dyno_id,
        "runs": None if capabilities is None else [asdict(capability) for capability in capabilities],
    }
    return keep(write, actor=actor, action=Action.CHANGE, key=key, request=params)


def set_enabled(dyno_ids: Iterable[int], enabled: bool, *, actor: Actor, key: str | None = None) -> Change:
    """Enables or disables dynos of one ground together. Their allocations stay as they are."""
    ids = sorted(set(dyno_ids))

    def write(work: UnitOfWork) -> None:
        work.lock_dynos(ids, Role.ADMIN)
        dynos = list(Dyno.objects.filter(pk__in=ids))
        for dyno in dynos:
            change_row(work, dyno, {"enabled": enabled})
        work.summary = f"{', '.join(map(str, dynos))} {'enabled' if enabled else 'disabled'}"

    return keep(write, actor=actor, action=Action.CHANGE, key=key, request={"dynos": ids, "enabled": enabled})


def delete_dyno(dyno_id: int, *, actor: Actor) -> Change:
    """Deletes a dyno.

    Raises Refused (IN_USE) if anything refers to it; such a dyno can be disabled.
    """
    return _delete(Dyno, dyno_id, actor)


def add_vehicle(ground_id: int, *, actor: Actor, key: str | None = None, **values: Any) -> Change:
    """Adds a vehicle. Takes the role scheduler. Raises Invalid by field."""
    return _add(Vehicle, ground_id, actor, key, values, needed=Role.SCHEDULER)


def change_vehicle(
    vehicle_id: int, *, actor: Actor, seen_digest: str | None = None, key: str | None = None, **values: Any
) -> Change:
    """Changes fields of a vehicle. Takes the role scheduler. Raises Stale by `seen_digest`, and Invalid by field."""
    return _change(Vehicle, vehicle_id, actor, seen_digest, key, values, needed=Role.SCHEDULER)


def delete_vehicle(vehicle_id: int, *, actor: Actor) -> Change:
    """Deletes a vehicle. Takes the role admin. Raises Refused (IN_USE) if anything refers to it."""
    return _delete(Vehicle, vehicle_id, actor)


def add_test_type(ground_id: int, *, actor: Actor, key: str | None = None, **values: Any) -> Change:
    """Adds a test type. Raises Invalid by field."""
    return _add(TestType, ground_id, actor, key, values)


def change_test_type(
    test_type_id: int, *, actor: Actor, seen_digest: str | None = None, key: str | None = None, **values: Any
) -> Change:
    """Changes fields of a test type. Raises Stale by `seen_digest`, and Invalid by field."""
    return _change(TestType, test_type_id, actor, seen_digest, key, values)


def delete_test_type(test_type_id: int, *, actor: Actor) -> Change:
    """Deletes a test type. Raises Refused (IN_USE) if anything refers to it."""
    return _delete(TestType, test_type_id, actor)


def add_facility(ground_id: int, *, actor: Actor, key: str | None = None, **values: Any) -> Change:
    """Adds a facility. Raises Invalid by field."""
    return _add(Facility, ground_id, actor, key, values)


def change_facility(
    facility_id: int, *, actor: Actor, seen_digest: str | None = None, key: str | None = None, **values: Any
) -> Change:
    """Changes fields of a facility. Raises Stale by `seen_digest`, and Invalid by field."""
    return _change(Facility, facility_id, actor, seen_digest, key, values)


def delete_facility(facility_id: int, *, actor: Actor) -> Change:
    """Deletes a facility. Raises Refused (IN_USE) if anything refers to it."""
    return _delete(Facility, facility_id, actor)


def _add(
    model: Any, ground_id: int, actor: Actor, key: str | None, values: dict[str, Any], *, needed: Role = Role.ADMIN
) -> Change:
    def write(work: UnitOfWork) -> None:
        work.enter(ground_id, needed)
        add_row(work, model(ground_id=ground_id, **values))

    params = values | {"ground": ground_id, "of": model.__name__}
    return keep(write, actor=actor, action=Action.ADD, key=key, request=params)


def _change(
    model: Any,
    id_: int,
    actor: Actor,
    seen_digest: str | None,
    key: str | None,
    values: dict[str, Any],
    *,
    needed: Role = Role.ADMIN,
) -> Change:
    def write(work: UnitOfWork) -> None:
        row = locked_row(work, model, id_, needed=needed)
        expect_seen(row, seen_digest)
        change_row(work, row, values)

    return keep(write, actor=actor, action=Action.CHANGE, key=key, request=values | {"id": id_, "of": model.__name__})


def _delete(model: Any, id_: int, actor: Actor) -> Change:
    def write(work: UnitOfWork) -> None:
        delete_row(work, locked_row(work, model, id_, needed=Role.ADMIN))

    return keep(write, actor=actor, action=Action.DELETE)


def _set_runs(work: UnitOfWork, dyno: Dyno, capabilities: list[Runs]) -> None:
    """Makes these the capabilities of the dyno: rows that match stay, others are deleted or added."""
    missing = {
        _as_key(capability.test_type_id, capability.drives, capability.weight_classes) for capability in capabilities
    }
    for row in dyno.capabilities.all():
        if (key := _as_key(row.test_type_id, row.drives, row.weight_classes)) in missing:
            missing.discard(key)
            continue
        record(work, row, values_of(row), None)
        row.delete()
    for test_type_id, drives, weights in sorted(missing):
        of_ground(TestType, test_type_id, dyno.ground_id)
        row = Capability(dyno=dyno, test_type_id=test_type_id, drives=list(drives), weight_classes=list(weights))
        check_row(row)
        row.save(force_insert=True)
        record(work, row, None, values_of(row))


_Key = tuple[int, tuple[str, ...], tuple[str, ...]]


def _as_key(test_type_id: int, drives: Iterable[str], weight_classes: Iterable[str]) -> _Key:
    return test_type_id, tuple(sorted(drives)), tuple(sorted(weight_classes))

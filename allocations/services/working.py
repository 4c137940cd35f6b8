"""A proving ground's shutdowns and travel times, recorded with the ground as one change."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from allocations.models import Facility, ProvingGround, Shutdown, Travel
from allocations.selectors.revisions import values_of
from allocations.services.master_data import check_row, of_ground, record
from allocations.services.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ShutDays:
    """A shutdown: days on which the ground does not work, and its name."""

    name: str
    first_day: dt.date
    last_day: dt.date


@dataclass(frozen=True, slots=True)
class Way:
    """Travel from one facility to another, in whole days. With `both` the way back takes as many."""

    origin_id: int
    to_id: int
    days: int
    both: bool = False


def as_asked(rows: Iterable[ShutDays] | Iterable[Way] | None) -> list[dict[str, Any]] | None:
    """Returns the rows as data for a fingerprint of the request."""
    return None if rows is None else [asdict(row) for row in rows]


def set_shutdowns(work: UnitOfWork, ground: ProvingGround, shutdowns: Iterable[ShutDays]) -> None:
    """Makes these the ground's shutdowns: rows that match stay, others are deleted or added. Raises Invalid by
    field.
    """
    missing = {(shutdown.name, shutdown.first_day, shutdown.last_day) for shutdown in shutdowns}
    for row in ground.shutdowns.all():
        if (key := (row.name, row.first_day, row.last_day)) in missing:
            missing.discard(key)
        else:
            _remove(work, row)
    for name, first_day, last_day in sorted(missing):
        _come(work, Shutdown(ground=ground, name=name, first_day=first_day, last_day=last_day))


def set_travel(work: UnitOfWork, ground: ProvingGround, travel: Iterable[Way]) -> None:
    """Makes this the ground's travel: rows that match stay, others are deleted or added.

    A way back that is given itself takes precedence over that of `both`.

    Raises
    ------
    NotFound
        If a facility is not of the ground.
    Invalid
        By field.
    """
    ways = list(travel)
    missing = {(way.to_id, way.origin_id): way.days for way in ways if way.both}
    missing |= {(way.origin_id, way.to_id): way.days for way in ways}
    for row in ground.travel.all():
        key = (row.origin_id, row.to_id)
        if missing.get(key) == row.days:
            del missing[key]
        else:
            _remove(work, row)
    for (origin_id, to_id), days in sorted(missing.items()):
        of_ground(Facility, origin_id, ground.pk)
        of_ground(Facility, to_id, ground.pk)
        _come(work, Travel(ground=ground, origin_id=origin_id, to_id=to_id, days=days))


def _remove(work: UnitOfWork, row: Any) -> None:
    record(work, row, values_of(row), None)
    row.delete()


def _come(work: UnitOfWork, row: Any) -> None:
    check_row(row)
    row.save(force_insert=True)
    record(work, row, None, values_of(row))

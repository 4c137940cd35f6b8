"""Plain SQL against the schedule's tables, as somebody with a database client would write it."""

from contextlib import contextmanager

import pytest
from django.db import DatabaseError, connection, transaction

from allocations.tests.world import World, day


def sql(statement: str, *values: object) -> list[tuple]:
    """Runs one statement and returns its rows."""
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def refused(constraint: str):
    """The database refuses what is done inside, in a savepoint, and names the constraint or says the text."""
    with pytest.raises(DatabaseError) as error, transaction.atomic():
        yield
    cause = error.value.__cause__
    reasons = {cause.diag.constraint_name, *(cause.diag.message_primary or "").split(" · ")}
    assert constraint in reasons or constraint in (cause.diag.message_primary or ""), reasons


def insert(table: str, **values: object) -> int:
    names = ", ".join(values)
    marks = ", ".join(["%s"] * len(values))
    return sql(f"INSERT INTO allocations_{table} ({names}) VALUES ({marks}) RETURNING id", *values.values())[0][0]


def allocation(world: World, vehicle: str, dyno: str, first: int, last: int, **more: object) -> int:
    """Inserts an allocation by SQL and returns its id."""
    values = {
        "ground_id": world.north.pk,
        "vehicle_id": world.vehicles[vehicle].pk,
        "dyno_id": world.dynos[dyno].pk,
        "test_type_id": world.tests["Brake"].pk,
        "drive": "",
        "first_day": day(first),
        "last_day": day(last),
        "status": "scheduled",
        "note": "",
        "source": "form",
        "created_at": "2026-11-01T00:00:00Z",
        "version": 1,
    }
    return insert("allocation", **values | more)


def window(world: World, dyno: str, first: int, last: int, **more: object) -> int:
    """Inserts a maintenance window by SQL and returns its id."""
    values = {
        "ground_id": world.north.pk,
        "dyno_id": world.dynos[dyno].pk,
        "first_day": day(first),
        "last_day": day(last),
        "kind": "planned",
        "reason": "",
        "reference": "",
        "created_at": "2026-11-01T00:00:00Z",
        "version": 1,
    }
    return insert("maintenancewindow", **values | more)

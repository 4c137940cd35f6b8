"""Statements that are sent often, bound and prepared by the server, so that it plans each once a connection.

Django binds parameters in the client, which leaves the server to plan every statement anew: for a booking that is
more than half of its time. Query counts, execute wrappers and database errors are Django's own.
"""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from django.db import connection, models
from django.db.backends.postgresql.base import ServerBindingCursor


def fetch(statement: str, parameters: Sequence[Any] | Mapping[str, Any]) -> list[tuple[Any, ...]]:
    """Runs a statement that returns rows, in the transaction that is open if one is."""
    connection.ensure_connection()
    # The stubs leave out that this cursor takes a connection, and what Django itself does with it.
    bound = ServerBindingCursor(connection.connection)  # type: ignore[call-arg]
    with connection._prepare_cursor(bound) as cursor:  # type: ignore[attr-defined]
        cursor.execute(statement, parameters)
        if connection.queries_logged:  # Django asks this kind of cursor in vain what it has sent
            connection.queries_log[-1]["sql"] = connection.ops.compose_sql(statement, parameters)  # type: ignore[attr-defined]
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def insert(row: models.Model) -> None:
    """Like `row.save(force_insert=True)`, with the statement put together once a model. Sends no signals."""
    statement, fields = _insert_of(type(row))
    values = [field.get_db_prep_save(field.pre_save(row, True), connection) for field in fields]
    ((row.pk,),) = fetch(statement, values)
    row._state.adding, row._state.db = False, connection.alias


def column_of(field: "models.Field[Any, Any]") -> str:
    if field.column is None:
        raise TypeError(f"{field} has no column.")
    return field.column


@cache
def _insert_of(model: type[models.Model]) -> "tuple[str, list[models.Field[Any, Any]]]":
    fields = [field for field in model._meta.local_concrete_fields if not isinstance(field, models.AutoField)]
    quote = connection.ops.quote_name
    names = ", ".join(quote(column_of(field)) for field in fields)
    marks = ", ".join(["%s"] * len(fields))
    key = quote(column_of(model._meta.pk))
    return f"INSERT INTO {quote(model._meta.db_table)} ({names}) VALUES ({marks}) RETURNING {key}", fields  # noqa: S608

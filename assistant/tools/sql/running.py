"""Runs a checked query as the reader's role and returns rows, no more than a chat can show."""

import datetime as dt
from decimal import Decimal
from typing import Any

import psycopg

from allocations.exceptions import DomainError
from assistant.exceptions import Unavailable
from assistant.tools.args import QueryDatabase
from assistant.tools.caller import Caller
from assistant.tools.sql import guard, reader
from assistant.tools.sql.views import COLUMNS

MOST_ROWS = 200
LONGEST_CELL = 300


def query_database(caller: Caller, args: QueryDatabase) -> dict[str, Any]:
    """Without SQL: the views and their columns. Raises NotLetThrough, and Unavailable where no role could be made."""
    if not args.sql.strip():
        return {"views": COLUMNS, "dialect": "PostgreSQL", "rows_at_most": MOST_ROWS}
    query = guard.checked(args.sql)
    try:
        with reader.reading(caller.ground.pk) as connection:
            return _run(connection, query)
    except psycopg.errors.QueryCanceled:
        raise DomainError("The query took too long and was stopped; ask for less at once.") from None
    except psycopg.errors.ConnectionException as error:
        raise Unavailable("Queries are not available just now; try again in a moment.") from error
    except psycopg.Error as error:
        said = error.diag.message_primary or "the database refused it"
        raise DomainError(f"The query failed: {said}.") from None


def _run(connection: psycopg.Connection, query: str) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION READ ONLY")
        cursor.execute(f"SELECT * FROM ({query}) q LIMIT {MOST_ROWS + 1}")
        columns = [column.name for column in cursor.description or []]
        rows = cursor.fetchall()
        more, count = len(rows) > MOST_ROWS, len(rows)
        if more:
            cursor.execute(f"SELECT count(*) FROM ({query}) q")
            count = (cursor.fetchone() or (count,))[0]
    connection.rollback()
    shown = [[_cell(value) for value in row] for row in rows[:MOST_ROWS]]
    return {"sql": query, "columns": columns, "rows": shown, "count": count, "showing": f"{len(shown)} of {count}"}


def _cell(value: Any) -> Any:
    if value is None or isinstance(value, int | float | bool):
        return value
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= LONGEST_CELL else text[:LONGEST_CELL] + "…"

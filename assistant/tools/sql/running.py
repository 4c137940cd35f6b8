"""Runs a checked query as the reader's role and returns rows, no more than a chat can show."""

import datetime as dt
import math
from typing import Any

import psycopg

from allocations.exceptions import DomainError
from assistant.exceptions import Unavailable
from assistant.tools import phrases
from assistant.tools.args import QueryDatabase
from assistant.tools.caller import Caller
from assistant.tools.declaring import reads
from assistant.tools.sql import guard, reader
from assistant.tools.sql.views import COLUMNS

MAX_ROWS = 200
MAX_COLUMNS = 40
MAX_CELL_LENGTH = 300
MAX_ANSWER_LENGTH = 60_000
"""Characters of all cells, at most; rows beyond that are left out, and the count shows it."""
_AS_THEY_ARE = {psycopg.adapters.types[name].oid for name in ("bool int2 int4 int8 float4 float8 date").split()}
_NUMERIC = psycopg.adapters.types["numeric"].oid


@reads(
    QueryDatabase,
    "Runs one read-only SELECT (PostgreSQL), for questions that no other tool answers. The views, of this proving"
    " ground alone: " + "; ".join(f"{name}({', '.join(columns)})" for name, columns in COLUMNS.items()),
    labels=("Asked the database", "Asking the database"),
    phrase=phrases.query,
)
def query_database(caller: Caller, args: QueryDatabase) -> dict[str, Any]:
    """Returns the rows of a query on the views of the caller's ground, at most `MAX_ROWS`; without SQL, the views
    and columns.

    Raises
    ------
    NotLetThrough
        If the query is not one SELECT on the views, with functions that are allowed.
    Unavailable
        If the database roles for queries do not exist, or no connection is to be had.
    DomainError
        If the query fails, takes too long, or has too many columns.
    """
    if not args.sql.strip():
        return {"views": COLUMNS, "dialect": "PostgreSQL", "rows_at_most": MAX_ROWS}
    query = guard.checked(args.sql)
    try:
        with reader.reading(caller.ground.pk) as connection:
            return _run(connection, query)
    except psycopg.errors.QueryCanceled:
        raise DomainError("The query took too long and was stopped; ask for less at once.") from None
    except psycopg.errors.ConnectionException as error:
        raise Unavailable("Queries are not available just now; try again in a moment.") from error
    except psycopg.Error as error:
        message = (error.diag.message_primary or "the database refused it")[:MAX_CELL_LENGTH]
        raise DomainError(f"The query failed: {message}.") from None


def _run(connection: psycopg.Connection, query: str) -> dict[str, Any]:
    with reader.in_time(connection), connection.cursor() as cursor:
        reader.one_statement(cursor, "SET TRANSACTION READ ONLY")
        reader.one_statement(cursor, f"SELECT * FROM ({query}) q LIMIT 0")
        columns = list(cursor.description or [])
        if not 0 < len(columns) <= MAX_COLUMNS:
            raise DomainError(f"The query gives {len(columns)} columns; ask for 1 to {MAX_COLUMNS}.")
        reader.one_statement(cursor, _cut(query, columns))
        rows = cursor.fetchall()
        count = len(rows)
        if count > MAX_ROWS:
            reader.one_statement(cursor, f"SELECT count(*) FROM ({query}) q")
            count = (cursor.fetchone() or (count,))[0]
        connection.rollback()
    listed: list[list[Any]] = []
    size = 0
    for row in rows[:MAX_ROWS]:
        cells = [_cell(value, column) for value, column in zip(row, columns, strict=True)]
        size += sum(len(str(cell)) for cell in cells)
        if size > MAX_ANSWER_LENGTH:
            break
        listed.append(cells)
    return {
        "sql": query,
        "columns": [column.name for column in columns],
        "rows": listed,
        "count": count,
        "showing": f"{len(listed)} of {count}",
    }


def _cut(query: str, columns: list[psycopg.Column]) -> str:
    """The query with each text cut in the database: it may make far more than a process here should hold."""
    names = [f"c{number}" for number in range(len(columns))]
    cells = [
        name if column.type_code in _AS_THEY_ARE else f"left({name}::text, {MAX_CELL_LENGTH + 1})"
        for name, column in zip(names, columns, strict=True)
    ]
    return f"SELECT {', '.join(cells)} FROM ({query}) q({', '.join(names)}) LIMIT {MAX_ROWS + 1}"


def _cell(value: Any, column: psycopg.Column) -> Any:
    if column.type_code == _NUMERIC and value is not None:
        value = float(value) if len(value) <= MAX_CELL_LENGTH else value
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)  # JSON has no word for it
    if value is None or isinstance(value, int | float | bool):
        return value
    if isinstance(value, dt.date):
        return value.isoformat()
    text = str(value)
    return text if len(text) <= MAX_CELL_LENGTH else text[:MAX_CELL_LENGTH] + "…"

"""Where the graph keeps its state: LangGraph's own tables, in a schema of their own."""

import os
import threading
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from django.db import connection
from langgraph.checkpoint.postgres import PostgresSaver
from psycopg import Connection
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool

SCHEMA = "assistant_graph"
POOL = 8
"""Connections a process at most: each is needed for a moment a step, by as many turns as the process has threads."""

Pool = ConnectionPool[Connection[DictRow]]
_pools: dict[int, Pool] = {}
_opening = threading.Lock()


def login() -> dict[str, Any]:
    """How psycopg connects to the database that Django uses, with the schema of the graph in front."""
    at = connection.settings_dict
    options = {name: value for name, value in at["OPTIONS"].items() if name.startswith("ssl")}
    return options | {
        "host": at["HOST"] or None,
        "port": at["PORT"] or None,
        "dbname": str(at["NAME"]),
        "user": at["USER"],
        "password": at["PASSWORD"] or None,
        "options": f"-c search_path={SCHEMA} -c statement_timeout=60s",
        "autocommit": True,
        "prepare_threshold": 0,
        "row_factory": dict_row,
        # A thread can't be ended from without: none may wait for a server that is gone.
        "connect_timeout": 10,
        "tcp_user_timeout": 20_000,
        "keepalives_idle": 10,
    }


def set_up() -> None:
    """Makes the schema and brings its tables up to date. Not inside a transaction: it builds indexes concurrently."""
    if _is_set_up():
        return
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    with psycopg.connect(**login()) as own:
        PostgresSaver(own).setup()


def _is_set_up() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT to_regclass(%s)", [f"{SCHEMA}.checkpoint_migrations"])
        if cursor.fetchone()[0] is None:
            return False
        cursor.execute(f"SELECT max(v) FROM {SCHEMA}.checkpoint_migrations")  # noqa: S608
        return cursor.fetchone()[0] == len(PostgresSaver.MIGRATIONS) - 1


def pool() -> Pool:
    """This process's connections. Opened when first asked for, and so after the fork of a worker."""
    with _opening:
        if os.getpid() not in _pools:
            _pools.clear()
            _pools[os.getpid()] = ConnectionPool(
                connection_class=Connection[DictRow],
                kwargs=login(),
                min_size=1,
                max_size=POOL,
                timeout=30,
                open=True,
                check=ConnectionPool.check_connection,
            )
        return _pools[os.getpid()]


def close_pool() -> None:
    with _opening:
        if own := _pools.pop(os.getpid(), None):
            own.close()


def prune(thread: uuid.UUID) -> None:
    """Forgets all of a thread but its latest state."""
    PostgresSaver(pool()).prune([str(thread)], strategy="keep_latest")


def forget(threads: Iterable[uuid.UUID | str]) -> None:
    """Forgets all that the graph knows of these threads."""
    with saver() as own:
        for thread in threads:
            own.delete_thread(str(thread))


def orphans(limit: int) -> list[str]:
    """Threads whose conversation is no more."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT DISTINCT thread_id FROM {SCHEMA}.checkpoints c WHERE NOT EXISTS"  # noqa: S608
            " (SELECT 1 FROM assistant_conversation WHERE id::text = c.thread_id) LIMIT %s",
            [limit],
        )
        return [thread for (thread,) in cursor.fetchall()]


@contextmanager
def saver() -> Iterator[PostgresSaver]:
    """A saver with a connection of its own, for commands and tests."""
    with psycopg.connect(**login()) as own:
        yield PostgresSaver(own)

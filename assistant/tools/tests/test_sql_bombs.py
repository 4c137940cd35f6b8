"""What takes a backend's whole time or memory is ended from the outside, and answered in a sentence."""

import os
import re
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from assistant.conftest import context
from assistant.graph.calling import call
from assistant.tools.sql import guard, reader, role
from dynosite.tests.servers import wait_until

pytestmark = pytest.mark.usefixtures("wednesday")
MAX_MEMORY = 256 * 2**20
LONG_CALL = "SELECT repeat('a', 600000) LIKE '%' || repeat('a', 5000) || 'b' AS found"
"""One call that goes on for many seconds and looks at no clock."""


def _bomb(steps: int, last: str) -> str:
    parts = ["t0 AS (SELECT 1e131071::text AS s)"] + [
        f"t{n} AS (SELECT s || s AS s FROM t{n - 1})" for n in range(1, steps)
    ]
    return f"WITH {', '.join(parts)} SELECT {last} FROM t{steps - 1}"


BOMBS = {
    "time": LONG_CALL,
    "memory": _bomb(8, f"length(greatest({', '.join(['upper(s)', 'lower(s)'] * 30)}))"),
    "time by sleeping": "SELECT pg_sleep(60)",
}


def _sessions() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE usename = %s", [role.login_name()])
        return cursor.fetchone()[0]


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_is_refused(kind):
    with pytest.raises(guard.NotLetThrough):
        guard.checked(BOMBS[kind])


def _peak(process: int) -> int:
    """The most memory that a process of PostgreSQL on this machine has had; 0 when it is gone."""
    try:
        status = Path(f"/proc/{process}/status").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    return next((int(line.split()[1]) * 1024 for line in status.splitlines() if line.startswith("VmHWM")), 0)


@pytest.mark.skipif("DYNOSITE_THROWAWAY" not in os.environ, reason="the server is not the embedded one")
@pytest.mark.parametrize("query", [BOMBS["memory"], "SELECT length(repeat('x', 1000000000))"])
def test_a_bomb_that_the_guard_let_through_stays_within_its_memory(query, committed_world):
    peaks = []
    with reader.reading(committed_world.north.pk) as at:
        process = at.info.backend_pid
        with pytest.raises(psycopg.Error), reader.in_time(at), at.cursor() as cursor:
            reader.one_statement(cursor, query)
        peaks.append(_peak(process))

    def is_gone() -> bool:
        peaks.append(_peak(process))
        return not peaks[-1]

    wait_until(is_gone, "the end of the query's session", seconds=240)
    assert 0 < max(peaks) < MAX_MEMORY


@pytest.mark.parametrize("kind", BOMBS)
def test_a_bomb_that_the_guard_let_through_is_ended(kind, committed_world, monkeypatch):
    monkeypatch.setattr(guard, "checked", lambda text: text)
    answer = call("query_database", {"sql": BOMBS[kind]}, ctx=context(committed_world))
    assert answer["status"] == "invalid"
    assert re.search("took too long and was stopped|out of memory", answer["message"])
    wait_until(lambda: _sessions() == 0, "the end of the query's session", seconds=240)


def test_a_session_that_lifted_its_own_limit_is_ended(committed_world):
    with reader.reading(committed_world.north.pk) as at:
        at.execute("SET statement_timeout = 0")
        with pytest.raises(psycopg.errors.QueryCanceled), reader.in_time(at):
            at.execute("SELECT pg_sleep(60)")
    wait_until(lambda: _sessions() == 0, "the end of the query's session")


def test_the_clock_of_this_side_stops_with_the_query(committed_world, monkeypatch):
    monkeypatch.setattr(reader, "CANCEL_SECONDS", 0.2)
    monkeypatch.setattr(reader, "DROP_SECONDS", 0.4)
    with reader.reading(committed_world.north.pk) as at:
        with reader.in_time(at):
            at.execute("SELECT 1")
        assert at.execute("SELECT 2 FROM pg_sleep(0.6)").fetchone() == (2,)

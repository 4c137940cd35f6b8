"""The two roles of queries: what they may, what mends them, and that nothing of one query outlives it."""

import psycopg
import pytest
from django.core.management import call_command
from django.db import connection

from assistant.checks import check_reader
from assistant.conftest import context
from assistant.graph.calling import call
from assistant.tools.sql import guard, making, reader, role

pytestmark = pytest.mark.usefixtures("wednesday")


@pytest.fixture
def asking(committed_world):
    assert making.ensure() == ""
    yield committed_world
    assert making.ensure() == ""


def _as_site(statement: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(statement.format(login=role.login_name(), reader=role.role_name()))


def _answer(world, user: str = "scheduler", ground=None) -> dict:
    return call("query_database", {"sql": "SELECT count(*) FROM vehicles"}, ctx=context(world, user, ground))


def test_a_query_runs_as_a_reader_that_nobody_logs_in_as(asking):
    with reader.reading(asking.north.pk) as at:
        row = at.execute("SELECT session_user, current_user, current_setting('statement_timeout')").fetchone()
    assert row == (role.login_name(), role.role_name(), "3s")
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolcanlogin FROM pg_roles WHERE rolname = %s", [role.role_name()])
        assert cursor.fetchone() == (False,)


def test_the_login_role_by_itself_reads_nothing(asking):
    with reader.reading(asking.north.pk) as at:
        at.execute("SET ROLE NONE")
        for view in ("vehicles", "dynos"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), at.transaction():
                at.execute(f"SELECT count(*) FROM assistant_sql.{view}")


def test_resetting_the_role_does_not_lead_back_to_the_login(asking):
    with reader.reading(asking.north.pk) as at:
        at.execute("RESET ROLE")
        assert at.execute("SELECT current_user").fetchone() == (role.role_name(),)
        with pytest.raises(psycopg.Error):
            at.execute(f"ALTER ROLE {role.login_name()} PASSWORD 'owned'")


STACKED = [
    "SELECT 1; SELECT 2",
    "SELECT 1; SET statement_timeout = 0",
    "SELECT 1; COMMIT; BEGIN READ WRITE; ALTER ROLE CURRENT_USER SET statement_timeout = 0; COMMIT",
    "SELECT 1) q; ROLLBACK; BEGIN READ WRITE; ALTER ROLE SESSION_USER PASSWORD 'owned'; COMMIT; --",
]


@pytest.mark.parametrize("query", STACKED)
def test_the_protocol_takes_one_statement_only(query, asking):
    with reader.reading(asking.north.pk) as at, at.cursor() as cursor:
        with pytest.raises(psycopg.errors.SyntaxError, match=r"multiple commands|syntax error"):
            reader.one_statement(cursor, query)
        assert at.info.transaction_status == psycopg.pq.TransactionStatus.INERROR


def test_several_statements_run_by_the_other_protocol(asking):
    """The negative control."""
    with reader.reading(asking.north.pk) as at:
        at.execute("SELECT 1; SET statement_timeout = 0")
        assert at.execute("SHOW statement_timeout").fetchone() == ("0",)


@pytest.mark.parametrize("query", STACKED)
def test_stacked_statements_that_the_guard_let_through_do_nothing(query, asking, monkeypatch):
    monkeypatch.setattr(guard, "checked", lambda text: text)
    answer = call("query_database", {"sql": query}, ctx=context(asking))
    assert answer["status"] == "invalid"
    assert role.problem() == ("", "")
    assert _answer(asking, "outsider", asking.south)["rows"] == [[1]]


BROKEN = {
    "no limit": ("ALTER ROLE {login} SET statement_timeout = 0", "statement_timeout=0"),
    "a limit less": ("ALTER ROLE {login} RESET lock_timeout", "lock_timeout=500ms"),
    "more memory": ("ALTER ROLE {login} SET work_mem = '512MB'", "work_mem=512MB"),
    "settings of the reader": ("ALTER ROLE {reader} SET search_path = public", "search_path=public"),
    "another password": ("ALTER ROLE {login} PASSWORD 'owned'", "cannot connect"),
    "no login": ("ALTER ROLE {login} NOLOGIN", "cannot log in"),
    "a reader that logs in": ("ALTER ROLE {reader} LOGIN", "can log in"),
    "more connections": ("ALTER ROLE {login} CONNECTION LIMIT -1", "attributes"),
    "rights of roles": ("ALTER ROLE {reader} CREATEROLE", "attributes"),
    "an end": ("ALTER ROLE {login} VALID UNTIL '2020-01-01'", "attributes"),
    "no reader behind it": ("REVOKE {reader} FROM {login}", "a member of no role"),
    "another group": (
        "DROP ROLE IF EXISTS {reader}_group; CREATE ROLE {reader}_group; GRANT {reader}_group TO {reader}",
        "a member of ",
    ),
    "a table": ("GRANT SELECT ON public.accounts_user TO {reader}", "rights on public.accounts_user"),
    "no views": ("DROP SCHEMA assistant_sql CASCADE", "views"),
    "settings of one database": (
        "DO $$ BEGIN EXECUTE format('ALTER ROLE {login} IN DATABASE %%I SET work_mem = ''1GB''', current_database());"
        " END $$",
        "other settings",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_what_is_broken_is_named_by_check_and_mended_by_migrate(kind, asking):
    statement, words = BROKEN[kind]
    _as_site(statement.replace("%%I", "%I"))
    (warning,) = check_reader(None, databases=["default"])
    assert warning.id == "assistant.W001"
    assert words in warning.msg
    call_command("migrate", verbosity=0, interactive=False)
    assert check_reader(None, databases=["default"]) == []
    assert _answer(asking)["rows"] == [[3]]


def test_limits_that_the_role_lost_hold_all_the_same(asking):
    """A session sends them itself, so that a role whose settings were changed has them until it is mended."""
    _as_site("ALTER ROLE {login} SET statement_timeout = 0")
    _as_site("ALTER ROLE {login} SET default_transaction_read_only = off")
    with role.log_in() as at:
        names = ["statement_timeout", "default_transaction_read_only", "work_mem", "hash_mem_multiplier"]
        rows = [at.execute(f"SHOW {name}").fetchone() for name in names]
    assert rows == [("3s",), ("on",), ("4MB",), ("1",)]

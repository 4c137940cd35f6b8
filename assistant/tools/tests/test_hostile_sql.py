"""Some seventy kinds of hostile SQL, through the tool and, as if nothing stood before it, as the role alone.

Each is refused or stopped in time, tells nothing that is not the user's ground's, and changes nothing in any table.
"""

import contextlib
import time
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.contrib.sessions.backends.db import SessionStore
from django.core.management import call_command
from django.db import connection

from allocations.exceptions import DomainError
from allocations.models import Vehicle
from allocations.tests.world import build_world
from assistant.conftest import context
from assistant.graph.calling import call
from assistant.tools.args import QueryDatabase
from assistant.tools.caller import Caller
from assistant.tools.sql import guard, lists, query_database, reader, role, running
from assistant.tools.tests.hostile import HOSTILE, HUNGRY
from dynosite.tests.servers import superuser_session

PASSWORD = "not-to-be-read-by-any-query"
SOUTHERN_TOKEN = "token-of-the-south"
MAX_SECONDS = 5.0
GUARD_ALONE = {"its own settings", "notifies", "advisory locks", "another ground by a setting", "reads the token"}
"""What the role itself may do, on a connection that is closed after its one query. Nothing is read by it."""
OF_MEMORY = {
    "long texts",
    "texts that grow step by step",
    "arrays",
    "JSON",
    "long series",
    "texts that are matched by long texts",
    "numbers that grow step by step",
}
"""PostgreSQL has no limit that a role's memory could be given, and looks at no clock while it matches one text or
reckons with one number: only the guard keeps these from the whole server."""


pytestmark = [pytest.mark.usefixtures("wednesday"), pytest.mark.django_db]


@pytest.fixture
def _django_db_helper():
    """In place of pytest-django's: no transaction and no flush a test, for the world stays as it is."""


@pytest.fixture(scope="module")
def asking(django_db_setup, django_db_blocker):
    """One committed world for all of these tests: that nothing changes it is what they show."""
    with django_db_blocker.unblock():
        world = build_world()
        world.book("412W101", "NPG 21", 7, 9)
        world.users["outsider"].set_password(PASSWORD)
        world.users["outsider"].save()
        session = SessionStore()
        session["secret"] = "session-secret"
        session.save()
        with connection.cursor() as cursor:
            cursor.execute(
                "INSERT INTO assistant_private.scope VALUES (%s, %s, clock_timestamp() + interval '1 hour')",
                [SOUTHERN_TOKEN, world.south.pk],
            )
        yield world
        with connection.cursor() as cursor:
            cursor.execute("DELETE FROM assistant_private.scope")
        call_command("flush", verbosity=0, interactive=False)


@pytest.fixture
def many_vehicles(asking):
    """And no more of them after the test."""
    ids = [asking.vehicle(f"V{number:03}").pk for number in range(397)]
    yield
    Vehicle.objects.filter(pk__in=ids).delete()


def secrets_of(world) -> list[str]:
    """What only tables beside the views, or another ground's rows, have."""
    session = SessionStore.get_model_class().objects.get()
    return [
        "365W201",
        "STC #1",
        "South brake",
        "South Test Centre",
        world.users["outsider"].password,
        "argon2",
        session.session_key,
        session.session_data,
        SOUTHERN_TOKEN,
        "root:x:0:0",
    ]


def state_of_the_database() -> dict[str, Any]:
    """A checksum of every table of ours, and how much of everything else there is.

    Roles are the whole server's: that of a neighbour's database, which may be made meanwhile, is left out.
    """
    ours = role.role_name()
    others = f"SELECT oid FROM pg_roles WHERE rolname LIKE 'dynosite_sql_%' AND rolname NOT LIKE '{ours}%'"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables"
            " WHERE schemaname NOT IN ('pg_catalog', 'information_schema') ORDER BY 1"
        )
        state: dict[str, Any] = {}
        for (name,) in cursor.fetchall():
            cursor.execute(
                f"SELECT count(*), md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t"
            )
            state[name] = cursor.fetchone()
        for name, of in {
            "objects": "pg_class WHERE relnamespace <> 'pg_toast'::regnamespace",
            "functions": "pg_proc",
            "roles": f"pg_roles WHERE oid NOT IN ({others})",
            "schemas": "pg_namespace WHERE nspname !~ '^pg_(toast_)?temp'",
            "large objects": "pg_largeobject_metadata",
            "role settings": f"pg_db_role_setting WHERE setrole NOT IN ({others})",
            "extensions": "pg_extension",
        }.items():
            cursor.execute(f"SELECT count(*) FROM {of}")
            state[name] = cursor.fetchone()[0]
        cursor.execute("SELECT sequencename, last_value FROM pg_sequences WHERE schemaname = 'public' ORDER BY 1")
        state["sequences"] = cursor.fetchall()
        cursor.execute(
            "SELECT rolsuper, rolcreaterole, rolconfig FROM pg_roles WHERE rolname IN (%s, %s) ORDER BY rolname",
            [role.role_name(), role.login_name()],
        )
        state["the roles"] = cursor.fetchall()
        return state


@contextlib.contextmanager
def a_large_object() -> Iterator[None]:
    """Made by the superuser of the embedded server, as the site's user may not make any there."""
    with superuser_session() as session:
        (number,) = session.execute("SELECT lo_create(0)").fetchone()
        try:
            yield
        finally:
            session.execute("SELECT lo_unlink(%s)", [number])


def test_there_are_enough_kinds():
    assert len(HOSTILE) >= 58
    assert all(statements for statements in HOSTILE.values())


def test_the_state_tells_one_changed_row(asking):
    """The negative control: what the other tests compare does see a change, and a large object."""
    before, vehicle = state_of_the_database(), asking.vehicles["412W101"]
    with a_large_object():
        Vehicle.objects.filter(pk=vehicle.pk).update(tag="412W999")
        try:
            after = state_of_the_database()
        finally:
            Vehicle.objects.filter(pk=vehicle.pk).update(tag=vehicle.tag)
    changed = {name for name in before if before[name] != after[name]}
    assert {"public.allocations_vehicle", "large objects"} <= changed
    assert state_of_the_database()["large objects"] == before["large objects"]


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_tool_refuses_or_stops_it(kind, asking):
    ctx, secrets = context(asking), secrets_of(asking)
    before = state_of_the_database()
    for query in HOSTILE[kind]:
        if not query:
            continue  # asks for the views
        began = time.monotonic()
        answer = call("query_database", {"sql": query}, ctx=ctx)
        assert time.monotonic() - began < MAX_SECONDS, query
        assert answer["status"] == "invalid", query
        assert "rows" not in answer, query
        assert [secret for secret in secrets if secret in str(answer) and secret not in query] == [], query
    assert state_of_the_database() == before


NOT_BY_THE_GUARD = {
    "SELECT * FROM (WITH accounts_user AS (SELECT 1) SELECT 2) q, accounts_user",
    "SELECT * FROM (WITH scope AS (SELECT 1) SELECT 2) q, scope",
    "SELECT user",
    "SELECT ctid FROM dynos",
    "SELECT dynos.xmin FROM dynos",
    "SELECT tableoid FROM vehicles",
    *HOSTILE["another ground by its errors"],
}
"""Of the right form, but naming what the role doesn't have, or failing on the ground's own rows."""


@pytest.mark.parametrize("kind", HOSTILE)
def test_the_guard_lets_none_of_it_through(kind):
    for query in HOSTILE[kind]:
        if query not in NOT_BY_THE_GUARD:
            with pytest.raises(DomainError):
                guard.checked(query)


@pytest.mark.parametrize("kind", [kind for kind in HOSTILE if kind not in GUARD_ALONE | OF_MEMORY])
def test_the_role_alone_reads_and_changes_nothing_else(kind, asking):
    """As if the guard let everything through, several statements at once included."""
    secrets = secrets_of(asking)
    before = state_of_the_database()
    for query in HOSTILE[kind]:
        heard: list[str] = []
        with reader.reading(asking.north.pk) as at:
            at.execute("SET statement_timeout = '300ms'")
            at.commit()
            at.add_notice_handler(lambda notice, heard=heard: heard.append(str(notice.message_primary)))
            try:
                cursor = at.execute(query)
                heard += [str(row) for row in cursor.fetchall()] if cursor.description else []
            except (psycopg.Error, ValueError) as error:
                heard.append(str(error).partition("\nLINE")[0])
        text = " ".join(heard)
        assert [secret for secret in secrets if secret in text and secret not in query] == [], query
    assert state_of_the_database() == before


@pytest.mark.parametrize("kind", sorted(GUARD_ALONE))
def test_what_the_role_may_do_to_itself_shows_nothing_more(kind, asking):
    secrets = [secret for secret in secrets_of(asking) if secret != SOUTHERN_TOKEN]
    before = state_of_the_database()
    for query in HOSTILE[kind]:
        with reader.reading(asking.north.pk) as at:
            at.autocommit = True
            for statement in (query, "SET search_path = assistant_sql"):
                try:
                    at.execute(statement)
                except psycopg.Error:
                    continue
            rows = at.execute("SELECT tag FROM vehicles").fetchall()
        # A token of another ground's query is 32 random bytes that live for one query: only this one is known.
        guessed = SOUTHERN_TOKEN in query
        assert guessed or [secret for secret in secrets if secret in str(rows)] == [], query
        assert guessed or {tag for (tag,) in rows} <= {"412W101", "412W102", "412W103"}, query
    assert state_of_the_database() == before


@pytest.mark.parametrize("kind", HUNGRY)
def test_what_is_let_through_is_stopped_by_clock_and_limits(kind, asking, many_vehicles):
    ctx = context(asking)
    before = state_of_the_database()
    began = time.monotonic()
    answer = call("query_database", {"sql": HUNGRY[kind]}, ctx=ctx)
    assert time.monotonic() - began < MAX_SECONDS
    assert answer["status"] == "invalid"
    assert "took too long" in answer["message"] or "temporary file size" in answer["message"]
    assert state_of_the_database() == before


HARMLESS_OF_ROWS = {
    "any_value",
    "count",
    "cume_dist",
    "dense_rank",
    "first_value",
    "lag",
    "last_value",
    "lead",
    "mode",
    "percent_rank",
    "rank",
}
"""They may also be the names of columns that nobody named, as `count` is."""


def test_no_function_of_rows_is_called_by_the_name_of_a_column(asking):
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT DISTINCT proname FROM pg_proc WHERE pronargs > 0 AND pronargs - pronargdefaults <= 1"
            " AND proargtypes[0] IN ('record'::regtype, '\"any\"'::regtype, 'anyelement'::regtype,"
            " 'anynonarray'::regtype, 'anycompatible'::regtype, 'anycompatiblenonarray'::regtype)"
            " AND proname !~ '^any.*_out$'"
        )
        functions = {name for (name,) in cursor.fetchall()}
    assert {"row_to_json", "json_agg", "array_agg", "count"} <= functions
    assert functions - HARMLESS_OF_ROWS - lists.OF_ROWS == set()


GROWING = (
    "WITH a AS (SELECT {base} || {base} s FROM vehicles), b AS (SELECT s || s || s || s s FROM a){more} "
    "SELECT s FROM b"
)


def test_texts_cannot_grow_without_end():
    """A few more steps, and one query takes all memory of the database server with it."""
    assert guard.checked(GROWING.format(base="'x'", more=", c AS (SELECT s || s || s || s || s s FROM b)"))
    with pytest.raises(DomainError, match="too long"):
        guard.checked(GROWING.format(base="'x'", more=", c AS (SELECT s || s || s || s || s || s s FROM b)"))


def test_long_texts_are_cut_in_the_database_already(asking, monkeypatch):
    lengths: list[int] = []
    cell = running._cell
    monkeypatch.setattr(
        running, "_cell", lambda value, column: (lengths.append(len(str(value))), cell(value, column))[1]
    )
    result = query_database(
        Caller(context(asking)), QueryDatabase(sql=GROWING.format(base=f"'{'x' * 1000}'", more=""))
    )
    assert [len(text) for (text,) in result["rows"]] == [301, 301, 301]
    assert max(lengths) == 301


def test_a_large_answer_is_left_off_and_says_so(asking, many_vehicles):
    wide = ", ".join(f"'{'x' * 250}' AS c{n}" for n in range(10))
    result = query_database(Caller(context(asking)), QueryDatabase(sql=f"SELECT {wide} FROM vehicles"))
    assert (len(result["rows"]), result["showing"]) == (24, "24 of 400")


def test_more_columns_than_anybody_reads_are_refused(asking):
    sql = "SELECT " + ", ".join(f"{n} AS c{n}" for n in range(41))
    with pytest.raises(DomainError, match="41 columns; ask for 1 to 40"):
        query_database(Caller(context(asking)), QueryDatabase(sql=sql))


@pytest.mark.parametrize(
    ("sql", "cell"),
    [
        ("'NaN'::float", "nan"),
        ("'-Infinity'::double precision", "-inf"),
        ("1.5::decimal", 1.5),
        ("NULL::decimal", None),
        (" * ".join(["1e39"] * 8), "1" + "0" * 299 + "…"),
        ("'NaN'::decimal", "nan"),
        (" * ".join(["1e39"] * 6), 1e234),
        ("date '2026-11-18' + 1", "2026-11-19"),
        ("interval '3 days'", "3 days"),
        ("id > 0", True),
    ],
)
def test_a_cell_is_what_json_can_say(sql, cell, asking):
    result = query_database(Caller(context(asking)), QueryDatabase(sql=f"SELECT {sql} FROM dynos LIMIT 1"))
    assert result["rows"] == [[cell]]


def test_names_are_folded_as_postgresql_folds_them_and_never_taken_for_words():
    assert guard.checked("SELECT User, Dynos.NAME FROM Dynos") == 'SELECT "user", "dynos"."name" FROM "dynos"'

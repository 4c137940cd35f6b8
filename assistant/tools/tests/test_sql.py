"""Three fences around queries, each of them tried alone: what is let through, what the role may, what views show."""

import psycopg
import pytest
from django.db import connection

from allocations.exceptions import DomainError
from allocations.models import Allocation, Dyno
from assistant.conftest import context
from assistant.exceptions import Unavailable
from assistant.tools.args import QueryDatabase
from assistant.tools.caller import Caller
from assistant.tools.calling import call
from assistant.tools.sql import guard, query_database, reader

HOSTILE = [
    "SELECT pg_read_file('/etc/passwd')",
    "SELECT pg_read_binary_file('/etc/passwd')",
    "SELECT pg_ls_dir('.')",
    "SELECT pg_stat_file('postgresql.conf')",
    "SELECT lo_import('/etc/passwd')",
    "SELECT lo_export(1, '/tmp/x')",
    "COPY dynos TO '/tmp/x'",
    "COPY dynos FROM PROGRAM 'id'",
    "COPY (SELECT 1) TO STDOUT",
    "SELECT * FROM accounts_user",
    "SELECT * FROM public.accounts_user",
    "SELECT * FROM public.allocations_dyno",
    "SELECT * FROM allocations_allocation",
    "SELECT * FROM django_session",
    "SELECT * FROM assistant_private.scope",
    "SELECT assistant_private.ground()",
    "SELECT * FROM pg_shadow",
    "SELECT * FROM pg_catalog.pg_authid",
    "SELECT * FROM pg_stat_activity",
    "SELECT * FROM pg_settings",
    "SELECT * FROM information_schema.tables",
    "SELECT (SELECT password FROM accounts_user LIMIT 1) FROM dynos",
    "SELECT id FROM dynos UNION SELECT id FROM accounts_user",
    "WITH x AS (SELECT * FROM accounts_user) SELECT * FROM x",
    "SELECT * FROM dynos WHERE EXISTS (SELECT 1 FROM pg_authid)",
    "SET ROLE dynosite",
    "SET SESSION AUTHORIZATION dynosite",
    "RESET ROLE",
    "SET statement_timeout = 0",
    "SELECT set_config('dynosite.token', 'x', false)",
    "SELECT set_config('statement_timeout', '0', false)",
    "SELECT current_setting('dynosite.token')",
    "SELECT id FROM dynos WHERE set_config('dynosite.token', 'x', true) IS NOT NULL",
    "SELECT * FROM dynos FOR UPDATE",
    "SELECT * FROM dynos FOR SHARE",
    "INSERT INTO dynos (name) VALUES ('x')",
    "UPDATE dynos SET enabled = false",
    "DELETE FROM allocations",
    "TRUNCATE allocations",
    "DROP TABLE dynos",
    "DROP VIEW dynos CASCADE",
    "ALTER TABLE dynos ADD COLUMN x int",
    "CREATE TABLE x AS SELECT * FROM dynos",
    "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "SELECT * INTO x FROM dynos",
    "WITH gone AS (DELETE FROM allocations RETURNING *) SELECT * FROM gone",
    "WITH made AS (INSERT INTO dynos (name) VALUES ('x') RETURNING *) SELECT * FROM made",
    "GRANT ALL ON dynos TO PUBLIC",
    "SELECT pg_sleep(60)",
    "SELECT id FROM dynos WHERE pg_sleep(60) IS NULL",
    "SELECT repeat('x', 1000000000)",
    "SELECT lpad('x', 1000000000)",
    "SELECT count(*) FROM generate_series(1, 1000000000)",
    "SELECT * FROM generate_series(1, 100000000) a, generate_series(1, 100000000) b",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
    "SELECT 1; SELECT 2",
    "SELECT 1; DROP TABLE dynos",
    "SELECT 1; COMMIT; DELETE FROM allocations",
    "DO $$ BEGIN PERFORM pg_sleep(60); END $$",
    "CALL f()",
    "EXECUTE x",
    "PREPARE x AS SELECT 1",
    "LISTEN x",
    "NOTIFY x, 'y'",
    "SELECT pg_notify('x', 'y')",
    "SELECT pg_advisory_lock(1)",
    "SELECT pg_terminate_backend(1)",
    "SELECT pg_cancel_backend(1)",
    "SELECT nextval('accounts_user_id_seq')",
    "SELECT dblink('host=127.0.0.1', 'SELECT 1')",
    "SELECT query_to_xml('SELECT * FROM accounts_user', true, true, '')",
    "SELECT table_to_xml('accounts_user', true, true, '')",
    "SELECT database_to_xml(true, true, '')",
    "SELECT 'accounts_user'::regclass",
    "SELECT has_table_privilege('accounts_user', 'select')",
    "SELECT version()",
    "SELECT inet_server_addr()",
    "SELECT current_user",
    "VACUUM dynos",
    "EXPLAIN ANALYZE SELECT * FROM dynos",
    "SHOW ALL",
    "LOCK TABLE dynos",
    "BEGIN",
    "ROLLBACK",
    "VALUES (1)",
    "TABLE accounts_user",
    "SELECT * FROM dynos TABLESAMPLE SYSTEM (50)",
    "SELECT * FROM dynos, LATERAL (SELECT pg_sleep(1)) x",
    "SELECT * FROM unnest(ARRAY[1, 2])",
    "SELECT * FROM json_each('{}')",
    "SELECT xmlparse(document '<a/>')",
    "SELECT $1",
    "SELECT 1 FROM dynos WHERE name = name OPERATOR(pg_catalog.~) 'x'",
    "SELECT id FROM dynos ORDER BY (SELECT pg_sleep(9))",
    "SELECT random() FROM dynos",
    "not sql at all",
    "",
    "/* SELECT */",
]


@pytest.mark.parametrize("query", HOSTILE)
def test_the_guard_lets_none_of_it_through(query):
    with pytest.raises(DomainError):
        guard.checked(query)


WELCOME = [
    "SELECT test_type, count(DISTINCT dyno) FROM capabilities GROUP BY 1 ORDER BY 2 DESC",
    "select to_char(first_day, 'YYYY-MM') m, count(*) from allocations group by 1",
    "WITH busy AS (SELECT dyno, sum(days) AS d FROM allocations GROUP BY dyno) SELECT * FROM busy WHERE d > 3",
    "SELECT d.name, a.vehicle FROM dynos d LEFT JOIN allocations a ON a.dyno_id = d.id WHERE a.status <> 'cancelled'",
    "SELECT vehicle, rank() OVER (PARTITION BY dyno ORDER BY first_day) FROM allocations LIMIT 5",
    "SELECT name FROM dynos UNION SELECT tag FROM vehicles ORDER BY 1",
    "SELECT coalesce(program, '-'), round(avg(weight_lbs), 1) FROM vehicles GROUP BY 1 HAVING count(*) > 0",
    "SELECT CASE WHEN enabled THEN 'on' ELSE 'off' END FROM dynos WHERE name ILIKE 'npg%'",
    "SELECT date_trunc('month', last_day)::date, max(id) FILTER (WHERE days > 2) FROM allocations GROUP BY 1",
    "SELECT first_day + 1, extract(month FROM last_day) FROM allocations WHERE first_day >= current_date - 3",
]


@pytest.fixture
def asking(committed_world, wednesday):
    world = committed_world
    world.book("412W101", "NPG 21", 7, 9)
    return world


def test_ordinary_questions_are_answered(asking):
    caller = Caller(context(asking))
    for query in WELCOME:
        found = query_database(caller, QueryDatabase(sql=query))
        assert found["columns"], query
        assert found["showing"] == f"{len(found['rows'])} of {found['count']}"


def test_the_role_alone_reads_and_changes_nothing_else(asking):
    """As if the guard let everything through."""
    counted = (Allocation.objects.count(), Dyno.objects.count())
    answered = []
    for query in HOSTILE:
        with reader.reading(asking.north.pk) as at:
            at.execute("SET statement_timeout = '300ms'")
            at.rollback()
            try:
                cursor = at.execute(query)
                rows = cursor.fetchall() if cursor.description else []
            except (psycopg.Error, ValueError):
                continue
            answered += [
                (query, row) for row in rows if any("argon2" in str(value) or "365W" in str(value) for value in row)
            ]
    assert answered == []
    assert (Allocation.objects.count(), Dyno.objects.count()) == counted


REFUSED_TO_THE_ROLE = [
    "SELECT count(*) FROM public.accounts_user",
    "SELECT count(*) FROM public.allocations_allocation",
    "SELECT * FROM assistant_private.scope",
    "SELECT assistant_private.ground()",
    "SET ROLE dynosite",
    "SELECT pg_read_file('/etc/passwd')",
    "COPY assistant_sql.dynos TO '/tmp/x'",
    "SELECT pg_sleep(10)",
    "CREATE TABLE assistant_sql.x (id int)",
    "SET default_transaction_read_only = off; UPDATE assistant_sql.vehicles SET tag = 'x'",
    "DELETE FROM assistant_sql.vehicles",
    "SELECT * FROM assistant_sql.vehicles FOR UPDATE",
    "SELECT * FROM pg_authid",
]


def test_the_role_is_refused(asking):
    for query in REFUSED_TO_THE_ROLE:
        with reader.reading(asking.north.pk) as at:
            at.execute("SET statement_timeout = '500ms'")
            with pytest.raises(psycopg.Error):
                at.execute(query)


def test_the_scope_cannot_be_set_from_within(asking):
    with reader.reading(asking.north.pk) as at:
        assert at.execute("SELECT count(*) FROM vehicles").fetchone() == (3,)
        at.execute("SELECT set_config('dynosite.token', 'guess', false)")
        assert at.execute("SELECT count(*) FROM vehicles").fetchone() == (0,)
        at.execute("SELECT set_config('dynosite.token', %s, false)", [str(asking.south.pk)])
        assert at.execute("SELECT count(*) FROM vehicles").fetchone() == (0,)


def test_no_row_of_another_ground_leaks_through_an_error(asking):
    with reader.reading(asking.north.pk) as at:
        leaky = f"SELECT id FROM vehicles WHERE 1 / (id - {asking.vehicles['365W201'].pk}) > 5"
        assert at.execute(leaky).fetchall() == []


def test_a_token_is_gone_after_its_query(asking):
    with reader.reading(asking.north.pk):
        pass
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM assistant_private.scope")
        assert cursor.fetchone() == (0,)


def test_more_rows_than_a_chat_shows_are_counted(asking):
    for number in range(205):
        asking.vehicle(f"T{number:03}")
    found = query_database(Caller(context(asking)), QueryDatabase(sql="SELECT tag FROM vehicles ORDER BY tag"))
    assert (len(found["rows"]), found["showing"]) == (200, "200 of 208")


def test_without_a_query_the_views_are_told(asking):
    result = call("query_database", {}, ctx=context(asking))
    assert result["views"]["dynos"][:2] == ["id", "name"]


def test_an_outsider_sees_their_own_ground_only(asking):
    caller = Caller(context(asking, "outsider", asking.south))
    assert query_database(caller, QueryDatabase(sql="SELECT tag FROM vehicles"))["rows"] == [["365W201"]]


def test_a_query_that_fails_is_told_in_a_sentence(asking):
    result = call("query_database", {"sql": "SELECT nothing FROM dynos"}, ctx=context(asking))
    assert (result["status"], result["message"]) == ("invalid", 'The query failed: column "nothing" does not exist.')


def test_without_the_role_it_says_so(asking, monkeypatch):
    monkeypatch.setattr(reader, "is_ready", lambda: False)
    with pytest.raises(Unavailable, match="not available here"), reader.reading(asking.north.pk):
        pass


def test_where_the_role_cannot_be_made_the_rest_goes_on(asking):
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS dynosite_humble")
        cursor.execute("CREATE ROLE dynosite_humble")
        reader.drop_views()
        cursor.execute("SET ROLE dynosite_humble")
        try:
            problem = reader.ensure()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE dynosite_humble")
    assert "could not make the role" in problem
    assert reader.is_ready() is False
    assert reader.ensure() == ""
    assert reader.is_ready() is True

"""Three fences around queries, each of them tried alone: what is let through, what the role may, what views show."""

import psycopg
import pytest
from django.db import connection

from allocations.models import Facility, ProvingGround, Shutdown, TestType, Travel
from allocations.tests.world import day
from assistant.conftest import context
from assistant.exceptions import Unavailable
from assistant.graph.calling import call
from assistant.tools.args import QueryDatabase
from assistant.tools.caller import Caller
from assistant.tools.sql import making, query_database, reader, role

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
    "SELECT substring(name, 2, 3), substring(name from length(name) - 1), trim(both 'N' from name) FROM dynos",
    "SELECT q.count, round(100.0 * q.count / 7, 1) FROM (SELECT count(*) FROM dynos WHERE name NOT LIKE 'x_%') q",
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
        result = query_database(caller, QueryDatabase(sql=query))
        assert result["columns"], query
        assert result["showing"] == f"{len(result['rows'])} of {result['count']}"


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
    result = query_database(Caller(context(asking)), QueryDatabase(sql="SELECT tag FROM vehicles ORDER BY tag"))
    assert (len(result["rows"]), result["showing"]) == (200, "200 of 208")


def test_without_a_query_the_views_are_told(asking):
    result = call("query_database", {}, ctx=context(asking))
    assert result["views"]["dynos"][:2] == ["id", "name"]


def test_days_off_and_travel_of_this_ground_alone_can_be_asked_for(asking):
    for ground, days_off, name in ((asking.north, [5, 6], "Christmas"), (asking.south, [4], "Elsewhere")):
        ProvingGround.objects.filter(pk=ground.pk).update(days_off=days_off, holidays_country="US")
        Shutdown.objects.create(ground=ground, name=name, first_day=day(38), last_day=day(46))
    TestType.objects.filter(name="Brake").update(runs_through=False)
    npg, annex = Facility.objects.filter(ground=asking.north).order_by("-name")
    Travel.objects.create(ground=asking.north, origin=npg, to=annex, days=2)

    def rows(query):
        return query_database(Caller(context(asking)), QueryDatabase(sql=query))["rows"]

    assert rows("SELECT name FROM test_types WHERE NOT runs_through") == [["Brake"]]
    assert rows("SELECT * FROM working_calendar") == [["Saturday, Sunday", "US", ""]]
    assert rows("SELECT name, first_day FROM shutdowns") == [["Christmas", day(38).isoformat()]]
    assert rows("SELECT * FROM travel") == [["NPG", "Annex", 2]]


def test_an_outsider_sees_their_own_ground_only(asking):
    caller = Caller(context(asking, "outsider", asking.south))
    assert query_database(caller, QueryDatabase(sql="SELECT tag FROM vehicles"))["rows"] == [["365W201"]]


def test_a_query_that_fails_is_told_in_a_sentence(asking):
    result = call("query_database", {"sql": "SELECT nothing FROM dynos"}, ctx=context(asking))
    assert (result["status"], result["message"]) == ("invalid", 'The query failed: column "nothing" does not exist.')


def test_without_the_role_it_says_so(asking, monkeypatch):
    monkeypatch.setattr(role, "is_ready", lambda: False)
    with pytest.raises(Unavailable, match="not available here"), reader.reading(asking.north.pk):
        pass


def test_where_the_role_cannot_be_made_the_rest_goes_on(asking):
    with connection.cursor() as cursor:
        cursor.execute("DROP ROLE IF EXISTS dynosite_humble")
        cursor.execute("CREATE ROLE dynosite_humble")
        cursor.execute("GRANT dynosite_humble TO CURRENT_USER")
        making.drop_views()
        cursor.execute("SET ROLE dynosite_humble")
        try:
            problem = making.ensure()
        finally:
            cursor.execute("RESET ROLE")
            cursor.execute("DROP ROLE dynosite_humble")
    assert "could not make the role" in problem
    assert role.is_ready() is False
    assert making.ensure() == ""
    assert role.is_ready() is True

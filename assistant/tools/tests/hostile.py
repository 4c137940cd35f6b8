"""Hostile SQL by kind: what a model that was talked into it, or somebody who talks to it, may try."""

USER = "accounts_user"
LONG = "SELECT " + "(" * 900 + "1" + ")" * 900
DOUBLING = "WITH " + ", ".join(
    f"t{n} AS (SELECT {' || '.join(['s'] * 9)} AS s FROM t{n - 1})" if n else "t0 AS (SELECT 'xxxxxxxxxx' AS s)"
    for n in range(9)
)

GROWN = "WITH " + ", ".join(
    f"t{n} AS (SELECT s || s AS s FROM t{n - 1})" if n else f"t0 AS (SELECT '{'a' * 1200}' AS s)" for n in range(9)
)

HOSTILE: dict[str, list[str]] = {
    # Files, programs and other servers
    "reads a file": ["SELECT pg_read_file('/etc/passwd')", "SELECT pg_read_binary_file('PG_VERSION')"],
    "lists folders": [
        "SELECT pg_ls_dir('.')",
        "SELECT pg_stat_file('postgresql.conf')",
        "SELECT * FROM pg_ls_waldir()",
    ],
    "copies to a file": ["COPY dynos TO '/tmp/x'", "COPY (SELECT 1) TO STDOUT", "COPY (SELECT 1) TO PROGRAM 'id'"],
    "copies from a program": [
        "COPY dynos FROM PROGRAM 'id'",
        "COPY dynos FROM '/etc/passwd'",
        "COPY dynos FROM STDIN",
    ],
    "takes a file into a large object": ["SELECT lo_import('/etc/passwd')", "SELECT lo_export(1, '/tmp/x')"],
    "makes large objects": [
        "SELECT lo_from_bytea(0, 'x')",
        "SELECT lo_create(0)",
        "SET TRANSACTION READ WRITE; SELECT lo_creat(-1); COMMIT",
    ],
    "asks another server": [
        "SELECT dblink('host=127.0.0.1', 'SELECT 1')",
        "SELECT * FROM dblink('dbname=postgres', 'SELECT 1') AS t(a int)",
        "SELECT dblink_connect('x')",
    ],
    "makes extensions and servers": [
        "CREATE EXTENSION dblink",
        "CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw",
        "IMPORT FOREIGN SCHEMA x FROM SERVER s INTO assistant_sql",
    ],
    "loads a library": ["LOAD 'plpgsql'", "SELECT pg_reload_conf()", "ALTER SYSTEM SET log_statement = 'all'"],
    # Other tables
    "other table": [f"SELECT * FROM {USER}", "SELECT * FROM django_session", "SELECT * FROM allocations_allocation"],
    "other table with its schema": [
        f"SELECT * FROM public.{USER}",
        "SELECT * FROM public.allocations_dyno",
        'SELECT * FROM "public"."allocations_vehicle"',
        "SELECT * FROM PUBLIC . allocations_vehicle",
    ],
    "other table with its database": [f"SELECT * FROM postgres.public.{USER}"],
    "other table in a subquery": [
        f"SELECT (SELECT password FROM {USER} LIMIT 1) FROM dynos",
        f"SELECT * FROM dynos WHERE EXISTS (SELECT 1 FROM {USER})",
        f"SELECT id FROM dynos WHERE id IN (SELECT id FROM {USER})",
        f"SELECT id FROM dynos ORDER BY (SELECT password FROM {USER} LIMIT 1)",
        f"SELECT count(*) FILTER (WHERE EXISTS (SELECT 1 FROM {USER})) FROM dynos",
    ],
    "other table in a union": [
        f"SELECT id FROM dynos UNION SELECT id FROM {USER}",
        f"SELECT name FROM dynos EXCEPT SELECT password FROM {USER}",
    ],
    "other table in a join": [
        f"SELECT * FROM dynos, {USER}",
        f"SELECT * FROM dynos d LEFT JOIN public.{USER} u ON true",
        f"SELECT * FROM dynos, LATERAL (SELECT password FROM {USER}) x",
    ],
    "other table in a CTE": [
        f"WITH x AS (SELECT * FROM {USER}) SELECT * FROM x",
        f"WITH dynos AS (SELECT * FROM {USER}) SELECT * FROM dynos",
    ],
    "name of a CTE out of its scope": [
        "SELECT * FROM (WITH pg_roles AS (SELECT 1) SELECT 2) q, pg_roles",
        "SELECT * FROM (WITH pg_stat_activity AS (SELECT 1) SELECT 2) q, pg_stat_activity",
        f"SELECT * FROM (WITH {USER} AS (SELECT 1) SELECT 2) q, {USER}",
        "SELECT * FROM (WITH scope AS (SELECT 1) SELECT 2) q, scope",
    ],
    "TABLE and VALUES": [f"TABLE {USER}", "VALUES (1)", f"SELECT (TABLE {USER})", "SELECT * FROM (VALUES (1)) v"],
    "private schema": [
        "SELECT * FROM assistant_private.scope",
        "SELECT assistant_private.ground()",
        "SELECT * FROM assistant_graph.checkpoints",
    ],
    "names in quotes and Unicode": [
        f'SELECT * FROM "{USER}"',
        'SELECT * FROM U&"accounts\\005Fuser"',
        'SELECT * FROM "assistant_private"."scope"',
        "SELECT * FROM ａccounts_user",
        "SELECT * FROM accounts_user\u200b",
        "SELECT U&'\\0070'",
    ],
    "comments that hide": [
        f"SELECT * FROM/**/{USER}",
        f"SELECT * FROM dynos /* ' */ , /*/**/*/ {USER} --",
        f"SELECT id FROM dynos --\n, {USER}",
        "/* SELECT */",
    ],
    # Catalogs
    "passwords of roles": ["SELECT * FROM pg_shadow", "SELECT * FROM pg_catalog.pg_authid", "SELECT * FROM pg_user"],
    "catalogs": [
        "SELECT * FROM pg_class",
        "SELECT * FROM pg_catalog.pg_proc",
        "SELECT * FROM pg_stats",
        "SELECT * FROM pg_largeobject",
        "SELECT relname, n_live_tup FROM pg_stat_all_tables",
    ],
    "information schema": ["SELECT * FROM information_schema.tables", "SELECT * FROM information_schema.columns"],
    "settings of the server": [
        "SELECT * FROM pg_settings",
        "SHOW ALL",
        "SHOW data_directory",
        "SELECT * FROM pg_hba_file_rules",
        "SELECT * FROM pg_file_settings",
    ],
    "queries of others": [
        "SELECT * FROM pg_stat_activity",
        "SELECT * FROM pg_locks",
        "SELECT * FROM pg_prepared_xacts",
    ],
    "definition of a view or function": [
        "SELECT pg_get_viewdef('assistant_sql.dynos')",
        "SELECT pg_get_functiondef('assistant_private.ground()'::regprocedure)",
        "SELECT * FROM pg_views",
    ],
    "casts to an object": [
        f"SELECT '{USER}'::regclass",
        f"SELECT CAST('public.{USER}' AS regclass)",
        "SELECT 'dynosite'::regrole",
        "SELECT 'ground'::regproc",
        f"SELECT to_regclass('public.{USER}')",
        "SELECT 1::oid",
    ],
    "asks for its rights": [
        f"SELECT has_table_privilege('{USER}', 'select')",
        "SELECT pg_has_role('dynosite', 'member')",
    ],
    "asks who and where it is": [
        "SELECT version()",
        "SELECT current_user",
        "SELECT session_user",
        "SELECT user",
        "SELECT current_database()",
        "SELECT current_catalog",
        "SELECT inet_server_addr()",
        "SELECT pg_backend_pid()",
    ],
    "system columns": ["SELECT ctid FROM dynos", "SELECT dynos.xmin FROM dynos", "SELECT tableoid FROM vehicles"],
    # Another's rights, another ground
    "another role": [
        "SET ROLE dynosite",
        "SET SESSION AUTHORIZATION dynosite",
        "RESET ROLE",
        "SET LOCAL ROLE NONE",
        "RESET SESSION AUTHORIZATION",
    ],
    "its own settings": [
        "SET statement_timeout = 0",
        "SET search_path = public",
        "SET default_transaction_read_only = off",
        "SELECT set_config('statement_timeout', '0', false)",
        "RESET ALL",
        "DISCARD ALL",
        "SELECT set_config('search_path', 'public', false) FROM dynos",
    ],
    "another ground by a setting": [
        "SELECT set_config('dynosite.token', 'x', false)",
        "SELECT id FROM dynos WHERE set_config('dynosite.token', 'x', true) IS NOT NULL",
        "SET dynosite.token = 'token-of-the-south'",
        "SET dynosite.token = '1'; SELECT * FROM vehicles",
        "SELECT * FROM vehicles, (SELECT set_config('dynosite.token', '2', false)) s",
    ],
    "reads the token": ["SELECT current_setting('dynosite.token')", "SHOW dynosite.token"],
    "another ground by its errors": [
        "SELECT id FROM vehicles WHERE tag::int > 0",
        "SELECT CAST(max(tag) AS INT) FROM vehicles",
        "SELECT 1 / (SELECT count(*) FROM vehicles WHERE tag LIKE '365W%')",
    ],
    # Writes
    "inserts": ["INSERT INTO dynos (name) VALUES ('x')", f"INSERT INTO public.{USER} DEFAULT VALUES"],
    "updates": ["UPDATE dynos SET enabled = false", "UPDATE public.allocations_vehicle SET tag = 'x'"],
    "deletes": ["DELETE FROM allocations", "DELETE FROM public.allocations_allocation", "TRUNCATE allocations"],
    "merges": ["MERGE INTO dynos USING vehicles ON true WHEN MATCHED THEN DELETE"],
    "writes in a CTE": [
        "WITH gone AS (DELETE FROM allocations RETURNING *) SELECT * FROM gone",
        "WITH made AS (INSERT INTO dynos (name) VALUES ('x') RETURNING *) SELECT * FROM made",
        "WITH a AS (UPDATE vehicles SET tag = 'x' RETURNING id) SELECT count(*) FROM a",
    ],
    "writes after a read": [
        "SET TRANSACTION READ WRITE; DELETE FROM public.allocations_allocation; COMMIT",
        "SET default_transaction_read_only = off; COMMIT; UPDATE vehicles SET tag = 'x'; COMMIT",
    ],
    "makes tables": [
        "CREATE TABLE x AS SELECT * FROM dynos",
        "SELECT * INTO x FROM dynos",
        "CREATE TABLE assistant_sql.x (id int)",
        "CREATE TABLE public.x (id int)",
    ],
    "makes temporary tables": [
        "CREATE TEMP TABLE x AS SELECT * FROM dynos",
        "SELECT * INTO TEMP x FROM dynos",
        "SET TRANSACTION READ WRITE; CREATE TEMP TABLE x AS SELECT 1; COMMIT",
    ],
    "makes other things": [
        "CREATE VIEW v AS SELECT 1",
        "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "CREATE ROLE x SUPERUSER",
        "CREATE SCHEMA x",
        "CREATE SEQUENCE x",
        "COMMENT ON VIEW dynos IS 'x'",
    ],
    "drops and alters": [
        "DROP TABLE dynos",
        "DROP VIEW dynos CASCADE",
        "DROP SCHEMA assistant_private CASCADE",
        "ALTER TABLE dynos ADD COLUMN x int",
        "ALTER VIEW vehicles RESET (security_barrier)",
        "ALTER ROLE CURRENT_USER SUPERUSER",
        "ALTER ROLE CURRENT_USER SET statement_timeout = 0",
    ],
    "grants": [
        "GRANT ALL ON dynos TO PUBLIC",
        "GRANT dynosite TO CURRENT_USER",
        "REASSIGN OWNED BY CURRENT_USER TO x",
    ],
    "sequences": [
        f"SELECT nextval('public.{USER}_id_seq')",
        f"SELECT setval('public.{USER}_id_seq', 1)",
        f"SELECT last_value FROM public.{USER}_id_seq",
    ],
    "locks rows": [
        "SELECT * FROM dynos FOR UPDATE",
        "SELECT * FROM dynos FOR SHARE",
        "SELECT 1 FROM dynos FOR KEY SHARE",
    ],
    "locks tables": ["LOCK TABLE dynos", "LOCK TABLE public.allocations_allocation IN ACCESS EXCLUSIVE MODE"],
    # Statements that are no query
    "several statements": [
        "SELECT 1; SELECT 2",
        "SELECT 1; DROP TABLE dynos",
        "SELECT 1; COMMIT; DELETE FROM allocations",
        "SELECT 1) q; DELETE FROM public.allocations_allocation; SELECT * FROM (SELECT 1",
    ],
    "transactions": [
        "BEGIN",
        "ROLLBACK",
        "COMMIT",
        "SAVEPOINT x",
        "PREPARE TRANSACTION 'x'",
        "SET TRANSACTION READ WRITE",
    ],
    "blocks of code": ["DO $$ BEGIN PERFORM pg_sleep(60); END $$", "CALL f()", "DO LANGUAGE plpgsql 'BEGIN END'"],
    "prepared statements and cursors": [
        "PREPARE x AS SELECT 1",
        "EXECUTE x",
        "DECLARE c CURSOR FOR SELECT 1",
        "FETCH ALL FROM c",
        "SELECT $1",
        "SELECT %s",
    ],
    "explains": [
        "EXPLAIN ANALYZE SELECT * FROM dynos",
        f"EXPLAIN SELECT * FROM {USER}",
        "EXPLAIN (ANALYZE) DELETE FROM allocations",
        "EXPLAIN ANALYZE SELECT pg_sleep(60)",
    ],
    "keeps house": ["VACUUM dynos", "ANALYZE", "REINDEX DATABASE CONCURRENTLY", "CLUSTER", "CHECKPOINT"],
    # Side effects
    "notifies": ["LISTEN x", "NOTIFY x, 'y'", "SELECT pg_notify('x', 'y')", "UNLISTEN *"],
    "advisory locks": [
        "SELECT pg_advisory_lock(1)",
        "SELECT pg_try_advisory_xact_lock(1)",
        "SELECT pg_advisory_unlock_all()",
    ],
    "other sessions": ["SELECT pg_terminate_backend(1)", "SELECT pg_cancel_backend(1)", "SELECT pg_rotate_logfile()"],
    "statistics and snapshots": ["SELECT pg_stat_reset()", "SELECT pg_export_snapshot()", "SELECT txid_current()"],
    "SQL in a text": [
        f"SELECT query_to_xml('SELECT * FROM {USER}', true, true, '')",
        f"SELECT table_to_xml('{USER}', true, true, '')",
        "SELECT database_to_xml(true, true, '')",
        f"SELECT ts_stat('SELECT password FROM {USER}')",
    ],
    # Time and memory
    "sleeps": [
        "SELECT pg_sleep(60)",
        "SELECT id FROM dynos WHERE pg_sleep(60) IS NULL",
        "SELECT * FROM dynos, LATERAL (SELECT pg_sleep(60)) x",
        "SELECT id FROM dynos ORDER BY (SELECT pg_sleep(60))",
        "SELECT 1 FROM dynos HAVING pg_sleep_for('1 minute') IS NULL",
    ],
    "endless joins": [
        "SELECT count(*) FROM " + ", ".join(f"allocations a{n}" for n in range(60)),
        "SELECT count(*) FROM " + " CROSS JOIN ".join(f"vehicles a{n}" for n in range(20)),
    ],
    "recursion": [
        "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r) SELECT count(*) FROM r",
        "WITH RECURSIVE r(s) AS (SELECT 'x' UNION ALL SELECT s || s FROM r) SELECT length(s) FROM r",
    ],
    "long series": [
        "SELECT count(*) FROM generate_series(1, 1000000000)",
        "SELECT * FROM generate_series(1, 100000000) a, generate_series(1, 100000000) b",
        "SELECT generate_series(1, 1000000000) FROM dynos",
        "SELECT * FROM unnest(ARRAY[1, 2])",
        "SELECT * FROM ROWS FROM (generate_series(1, 9), generate_series(1, 9))",
    ],
    "long texts": [
        "SELECT repeat('x', 1000000000)",
        "SELECT lpad('x', 1000000000)",
        "SELECT rpad(name, 1000000000) FROM dynos",
        "SELECT format('%1000000000s', 'x')",
        "SELECT string_agg(a.name, '') FROM dynos a, vehicles b, vehicles c",
        "SELECT replace(name, '', 'xxxxxxxx') FROM dynos",
        "SELECT 'x'::char(10000000) FROM vehicles",
    ],
    "texts that grow step by step": [f"{DOUBLING} SELECT s FROM t8", f"{DOUBLING} SELECT length(s) FROM t8"],
    "regular expressions": [
        "SELECT 1 FROM dynos WHERE name ~ '(a+)+$'",
        "SELECT regexp_replace(repeat('a', 30), '(a*)*b', '')",
        "SELECT 1 FROM dynos WHERE name SIMILAR TO '(a+)+b'",
        "SELECT regexp_matches(name, '(x+x+)+y') FROM dynos",
        "SELECT 1 FROM dynos WHERE name = name OPERATOR(pg_catalog.~) 'x'",
    ],
    "regular expressions by another name": [
        "SELECT substring(name from '(a+)+b') FROM dynos",
        "SELECT substring(name, '(x+x+)+y') FROM dynos",
        "SELECT substring(name, facility) FROM dynos",
        "SELECT substring(tag, 1, length('x') || '1') FROM vehicles",
    ],
    "texts that are matched by long texts": [
        f"{GROWN} SELECT s LIKE '%' || left(s, 300000) || 'b%' FROM t8",
        f"{GROWN} SELECT trim(both upper(s) || 'a' from s) FROM t7",
        f"{GROWN} SELECT btrim(s, s) FROM t8",
        f"{GROWN} SELECT to_char(current_date, s) FROM t8",
        f"SELECT 1 FROM dynos WHERE name ILIKE '{'%a' * 60}'",
        f"SELECT trim(both '{'b' * 21}' from name) FROM dynos",
    ],
    "numbers that grow step by step": [
        "WITH a AS (SELECT 9e130000::decimal / 7 AS x) SELECT " + " + ".join(["x % 3"] * 12) + " FROM a",
    ],
    "a function as a column": [
        "SELECT d.row_to_json FROM dynos d",
        "SELECT d.to_jsonb FROM dynos d",
        'SELECT "d"."json_agg" FROM dynos d',
        "SELECT dynos.JSON_AGG FROM dynos",
        "SELECT t.array_agg FROM (SELECT a.name FROM dynos a, dynos b) t",
        "SELECT q.pg_typeof FROM (SELECT name, 1 AS pg_typeof FROM dynos) q",
        "SELECT 1 FROM dynos d WHERE d.record_out IS NOT NULL",
    ],
    "XML": [
        "SELECT xmlparse(document '<a/>')",
        "SELECT xml '<!DOCTYPE x [<!ENTITY a SYSTEM \"file:///etc/passwd\">]><x>&a;</x>'",
        "SELECT xpath('//x', '<x/>')",
    ],
    "JSON": [
        "SELECT json_agg(a) FROM allocations a, allocations b, allocations c",
        "SELECT * FROM json_each('{}')",
        "SELECT jsonb_path_query('[1]', '$[*]')",
        "SELECT row_to_json(d) FROM dynos d",
        "SELECT to_jsonb(d) FROM dynos d",
    ],
    "arrays": ["SELECT array_fill(1, ARRAY[100000000])", "SELECT array_agg(id) FROM dynos", "SELECT ARRAY[1]"],
    "samples and chance": [
        "SELECT * FROM dynos TABLESAMPLE SYSTEM (50)",
        "SELECT random() FROM dynos",
        "SELECT gen_random_uuid()",
    ],
    "more than can be read": [LONG, "SELECT " + "1 + " * 900 + "1", "SELECT " + "NOT " * 900 + "true", "not sql", ""],
}

HUNGRY = {
    "joins that stay in bounds": "SELECT count(*) FROM vehicles a, vehicles b, vehicles c, vehicles d, vehicles e",
    "sorts of much": "SELECT a.tag || b.tag || c.tag FROM vehicles a, vehicles b, vehicles c ORDER BY 1 DESC",
}
"""Nothing in them that isn't let through; the clock and the limits of the role have to stop them."""

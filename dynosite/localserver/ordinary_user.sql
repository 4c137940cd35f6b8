-- Makes the site's user `dynosite` an ordinary one on a server that was made with `dynosite` as its superuser.
-- Run in the site's database, in one transaction, as another superuser: a session cannot rename its own user.
-- The superuser is `postgres` from then on. Passwords are set by whoever runs this.

ALTER ROLE dynosite RENAME TO postgres;
CREATE ROLE dynosite LOGIN CREATEROLE CREATEDB;
GRANT SET ON PARAMETER temp_file_limit TO dynosite;

DO $$
DECLARE
    statement text;
BEGIN
    EXECUTE format('ALTER DATABASE %I OWNER TO dynosite', current_database());
    FOR statement IN
        -- The roles of queries, which the site's user mends and ends.
        SELECT format('GRANT %I TO dynosite WITH ADMIN OPTION', rolname) FROM pg_roles WHERE rolname LIKE 'dynosite_sql_%'
        UNION ALL
        SELECT format('ALTER SCHEMA %I OWNER TO dynosite', nspname)
        FROM pg_namespace
        WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND nspowner = 'postgres'::regrole
        UNION ALL
        -- Sequences of columns go with their tables.
        SELECT format('ALTER TABLE %s OWNER TO dynosite', c.oid::regclass)
        FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND c.relowner = 'postgres'::regrole
            AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (
                SELECT 1 FROM pg_depend d
                WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e')
            )
        UNION ALL
        SELECT format('ALTER ROUTINE %s OWNER TO dynosite', p.oid::regprocedure)
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.proowner = 'postgres'::regrole AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'
            AND NOT EXISTS (
                SELECT 1 FROM pg_depend d
                WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e'
            )
    LOOP
        EXECUTE statement;
    END LOOP;
END
$$;

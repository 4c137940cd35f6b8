#!/bin/sh
# Runs once, when the data of a new server is made: the site's own user and database. The superuser has no password
# afterwards, so that nobody logs in as it over the network: docker compose exec postgres psql --username=postgres
set -eu
psql --set=ON_ERROR_STOP=1 --username=postgres --dbname=template1 --command='
    REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC'
psql --set=ON_ERROR_STOP=1 --set=password="$POSTGRES_PASSWORD" --username=postgres --dbname=postgres <<'SQL'
CREATE ROLE dynosite LOGIN CREATEROLE PASSWORD :'password';
GRANT SET ON PARAMETER temp_file_limit TO dynosite;
CREATE DATABASE dynosite OWNER dynosite;
ALTER ROLE postgres PASSWORD NULL;
SQL

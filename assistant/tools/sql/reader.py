"""The database role that queries run as, its views, and the tokens that scope them. Made after every `migrate`."""

import hashlib
import hmac
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from psycopg import sql

from assistant.exceptions import Unavailable
from assistant.tools.sql.views import VIEWS

logger = logging.getLogger(__name__)

TOKEN_SECONDS = 20
CONNECTIONS = 8
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "3s",
    "lock_timeout": "500ms",
    "idle_in_transaction_session_timeout": "10s",
    "work_mem": "8MB",
    "search_path": "assistant_sql",
}

_PRIVATE = """
    CREATE SCHEMA IF NOT EXISTS assistant_private;
    REVOKE ALL ON SCHEMA assistant_private FROM PUBLIC;
    CREATE TABLE IF NOT EXISTS assistant_private.scope (
        token text PRIMARY KEY, ground_id bigint NOT NULL, expires_at timestamptz NOT NULL);
    CREATE OR REPLACE FUNCTION assistant_private.ground() RETURNS bigint
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog AS
        $$ SELECT ground_id FROM assistant_private.scope
           WHERE token = current_setting('dynosite.token', true) AND expires_at > clock_timestamp() $$;
    DROP SCHEMA IF EXISTS assistant_sql CASCADE;
    CREATE SCHEMA assistant_sql;
"""


def role_name() -> str:
    """A role a database: one server may have several, such as those of tests."""
    name = str(connection.settings_dict["NAME"])
    return f"dynosite_sql_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _password() -> str:
    """Follows from the secret key, so that it is kept nowhere."""
    return hmac.new(settings.SECRET_KEY.encode(), role_name().encode(), hashlib.sha256).hexdigest()


def _mark() -> str:
    """What the schema's comment says when it is as this code wants it."""
    wanted = repr((VIEWS, LIMITS, _PRIVATE, CONNECTIONS, _password()))
    return hashlib.sha256(wanted.encode()).hexdigest()


def is_ready() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(n.oid, 'pg_namespace') FROM pg_namespace n "
            "WHERE n.nspname = 'assistant_sql' AND EXISTS (SELECT 1 FROM pg_roles WHERE rolname = %s)",
            [role_name()],
        )
        row = cursor.fetchone()
    return bool(row and row[0] == _mark())


def ensure() -> str:
    """Makes role, schema and views where they are not right; returns what stands in the way, or nothing."""
    if is_ready():
        return ""
    try:
        with transaction.atomic():
            _make()
    except DatabaseError as error:
        return (
            f"The database user {connection.settings_dict['USER']} could not make the role {role_name()} for "
            f"read-only queries ({str(error).strip().splitlines()[0]}). Everything else works; query_database "
            "says that it is not available. Give the user CREATEROLE, and CREATE on the database, and migrate again."
        )
    return ""


def _make() -> None:
    with connection.cursor() as cursor:
        cursor.execute(_PRIVATE)
        for name, (_, select) in VIEWS.items():
            cursor.execute(f"CREATE VIEW assistant_sql.{name} WITH (security_barrier) AS {select}")
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role_name()])
        role = sql.Identifier(role_name())
        verb = "ALTER" if cursor.fetchone() else "CREATE"
        raw = cursor.connection
        secret = raw.pgconn.encrypt_password(_password().encode(), role_name().encode(), b"scram-sha-256")
        statements = [
            sql.SQL(verb + " ROLE {} LOGIN NOINHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT {} PASSWORD {}").format(
                role, sql.Literal(CONNECTIONS), sql.Literal(secret.decode())
            ),
            sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
                sql.Identifier(str(connection.settings_dict["NAME"])), role
            ),
            sql.SQL("GRANT USAGE ON SCHEMA assistant_sql TO {}").format(role),
            sql.SQL("GRANT SELECT ON ALL TABLES IN SCHEMA assistant_sql TO {}").format(role),
            sql.SQL("GRANT EXECUTE ON FUNCTION assistant_private.ground() TO {}").format(role),
            *[
                sql.SQL("ALTER ROLE {} SET {} = {}").format(role, sql.Identifier(name), sql.Literal(value))
                for name, value in LIMITS.items()
            ],
        ]
        for statement in statements:
            cursor.execute(statement.as_string(raw))
        cursor.execute(f"COMMENT ON SCHEMA assistant_sql IS '{_mark()}'")
    try:
        with transaction.atomic(), connection.cursor() as cursor:
            # Only a superuser may set it; without it the timeout is what bounds temporary files.
            cursor.execute(f"ALTER ROLE {role_name()} SET temp_file_limit = '64MB'")
    except DatabaseError:
        logger.info("temp_file_limit is not set for %s", role_name())


def drop_views() -> None:
    """Before tables change under them; `ensure` makes them again."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS assistant_sql CASCADE")


def drop_role() -> None:
    """For a database that goes. Roles are the server's and would stay."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role_name()])
        if cursor.fetchone():
            cursor.execute(f"DROP OWNED BY {role_name()}; DROP ROLE {role_name()}")


@contextmanager
def reading(ground_id: int) -> Iterator[psycopg.Connection]:
    """A fresh read-only connection that sees this ground only, and sees nothing once it is closed.

    Raises Unavailable where there is no role to connect as.
    """
    if not is_ready():
        raise Unavailable(
            "Queries are not available here: the database role that they run as could not be made. "
            "An admin finds the reason in what `manage.py migrate` said."
        )
    token = secrets.token_urlsafe(32)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assistant_private.scope VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))",
            [token, ground_id, TOKEN_SECONDS],
        )
    at = connection.settings_dict
    try:
        login = psycopg.connect(
            host=at["HOST"] or None, port=at["PORT"] or None, dbname=str(at["NAME"]), user=role_name(),
            password=_password(), connect_timeout=3, options=f"-c dynosite.token={token}",
            sslmode=at["OPTIONS"].get("sslmode", "prefer"),
        )  # fmt: skip
    except psycopg.OperationalError as error:
        _forget(token)
        logger.warning("The role for queries cannot connect: %s", error)
        raise Unavailable("Queries are not available just now; try again in a moment.") from None
    try:
        yield login
    finally:
        login.close()
        _forget(token)


def _forget(token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM assistant_private.scope WHERE token = %s OR expires_at < clock_timestamp()", [token]
        )

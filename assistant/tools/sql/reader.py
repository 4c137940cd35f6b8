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

HOW_TO_MAKE = "Give the database's user CREATEROLE, and CREATE on the database, and run `manage.py migrate`."
HOW_TO_CONNECT = (
    "The server has to let it in with a password (pg_hba.conf), not through a pooler that knows only other users."
)
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

_STRICTER = (
    "ALTER ROLE {role} SET temp_file_limit = '64MB'",
    'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC',
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC",
)
"""What only a superuser or the database's owner may set. Where they may not, the guard and read-only transactions are
what keeps queries from these."""


def role_name() -> str:
    """A role a database: one server may have several, such as those of tests."""
    name = str(connection.settings_dict["NAME"])
    return f"dynosite_sql_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def _password() -> str:
    """Follows from the secret key, so that it is kept nowhere."""
    return hmac.new(settings.SECRET_KEY.encode(), role_name().encode(), hashlib.sha256).hexdigest()


def _mark() -> str:
    """What the schema's comment says when it is as this code wants it."""
    wanted = repr((VIEWS, LIMITS, _PRIVATE, _STRICTER, CONNECTIONS, _password()))
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
            f"read-only queries ({_first_line(error)}). Everything else works; query_database says that it is not "
            f"available. {HOW_TO_MAKE}"
        )
    return ""


def problem() -> tuple[str, str]:
    """Why queries do not work here, and what to do about it; two empty texts where they do."""
    if not is_ready():
        return f"The role {role_name()} for read-only queries, or a view, is not as it should be.", HOW_TO_MAKE
    try:
        _login("").close()
    except psycopg.OperationalError as error:
        return f"The role for read-only queries cannot connect: {_first_line(error)}.", HOW_TO_CONNECT
    return "", ""


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]


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
    for statement in _STRICTER:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(statement.format(role=role_name(), database=connection.settings_dict["NAME"]))
        except DatabaseError as error:
            logger.info("The role for queries goes without %s: %s", statement, str(error).strip())


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
            "An admin finds out what is missing with `manage.py check --database default`."
        )
    token = secrets.token_urlsafe(32)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO assistant_private.scope VALUES (%s, %s, clock_timestamp() + make_interval(secs => %s))",
            [token, ground_id, TOKEN_SECONDS],
        )
    try:
        login = _login(token)
    except psycopg.OperationalError as error:
        _forget(token)
        logger.warning("The role for queries cannot connect: %s", error)
        raise Unavailable("Queries are not available just now: their database role could not connect.") from None
    try:
        yield login
    finally:
        login.close()
        _forget(token)


def _login(token: str) -> psycopg.Connection:
    """As the role, in the same way as the site itself connects."""
    at = connection.settings_dict
    secured = {name: value for name, value in at["OPTIONS"].items() if name.startswith("ssl")}
    return psycopg.connect(
        host=at["HOST"] or None, port=at["PORT"] or None, dbname=str(at["NAME"]), user=role_name(),
        password=_password(), connect_timeout=3, options=f"-c dynosite.token={token}", **secured,
    )  # fmt: skip


def _forget(token: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "DELETE FROM assistant_private.scope WHERE token = %s OR expires_at < clock_timestamp()", [token]
        )

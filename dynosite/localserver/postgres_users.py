"""The two users of the embedded PostgreSQL: its superuser, who only prepares it, and the site's own."""

from pathlib import Path

import psycopg
from psycopg import sql
from psycopg.conninfo import make_conninfo

from dynosite.localserver.unprivileged import EmbeddedError

SITE, SUPERUSER = "dynosite", "postgres"
_UPGRADE = "dynosite_upgrade"
_WRONG_PASSWORD = "password authentication failed"  # noqa: S105
_ORDINARY_USER = Path(__file__).with_name("ordinary_user.sql")
_NO_LARGE_OBJECTS = (
    "REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC"
)
"""The site has none, and queries shall not make any."""


def is_prepared(port: int, password: str, superuser_password: str) -> bool:
    """Whether the server takes connections. Makes the site's user and database where there are none yet.

    A server that an earlier version made, with the site's user as its superuser, gets an ordinary one in its place.

    Raises
    ------
    EmbeddedError
        When the site's password is not the one that the data has.
    """
    try:
        try:
            _prepare(port, password, superuser_password)
        except psycopg.OperationalError as error:
            if _WRONG_PASSWORD not in str(error):
                raise
            _demote(port, password, superuser_password)
        _connect(port, SITE, password, SITE).close()
    except psycopg.OperationalError as error:
        if _WRONG_PASSWORD in str(error):
            raise EmbeddedError(
                "The data of PostgreSQL and the password in servers.json do not belong together. Put the file back, "
                "or remove both to start anew."
            ) from None
        return False
    return True


def _connect(port: int, user: str, password: str, database: str, *, autocommit: bool = True) -> psycopg.Connection:
    login = make_conninfo(
        host="127.0.0.1", port=port, user=user, password=password, dbname=database, connect_timeout=3
    )
    return psycopg.connect(login, autocommit=autocommit)


def _prepare(port: int, password: str, superuser_password: str) -> None:
    with _connect(port, SUPERUSER, superuser_password, "postgres") as connection:
        connection.execute(f"DROP ROLE IF EXISTS {_UPGRADE}")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [SITE]).fetchone():
            with connection.transaction():
                connection.execute(f"CREATE ROLE {SITE} LOGIN CREATEROLE CREATEDB")
                connection.execute(f"GRANT SET ON PARAMETER temp_file_limit TO {SITE}")
                _set_password(connection, SITE, password)
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [SITE]).fetchone():
            return
    with _connect(port, SUPERUSER, superuser_password, "template1") as template:
        template.execute(_NO_LARGE_OBJECTS)
    with _connect(port, SUPERUSER, superuser_password, "postgres") as connection:
        connection.execute(f"CREATE DATABASE {SITE} OWNER {SITE}")


def _demote(port: int, password: str, superuser_password: str) -> None:
    """As one transaction, by a superuser of its own that is gone afterwards. Does nothing where it is done."""
    with _connect(port, SITE, password, "postgres") as connection:
        row = connection.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
        if row != (True,):
            return
        if not connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [SITE]).fetchone():
            connection.execute(f"CREATE DATABASE {SITE}")
        if not connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [_UPGRADE]).fetchone():
            connection.execute(f"CREATE ROLE {_UPGRADE} SUPERUSER LOGIN")
        _set_password(connection, _UPGRADE, superuser_password)
    with _connect(port, _UPGRADE, superuser_password, SITE, autocommit=False) as connection:
        connection.execute(_ORDINARY_USER.read_text(encoding="utf-8").encode())
        _set_password(connection, SUPERUSER, superuser_password)
        _set_password(connection, SITE, password)
    with _connect(port, SUPERUSER, superuser_password, SITE) as connection:
        connection.execute(_NO_LARGE_OBJECTS)
        connection.execute(f"DROP ROLE {_UPGRADE}")


def _set_password(connection: psycopg.Connection, user: str, password: str) -> None:
    """Sent as its hash, so that it stands in no log."""
    secret = connection.pgconn.encrypt_password(password.encode(), user.encode(), b"scram-sha-256").decode()
    connection.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(secret)))

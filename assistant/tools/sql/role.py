"""The two database roles that queries run by, and whether they are as they should be.

The reader may read the views and nothing else, and nobody logs in as it. The login role has no right but to log in
and to become the reader. What it could change about itself (limits, its password) it would have to change from within
a query, which is one statement in a read-only transaction.
"""

import hashlib
import hmac
from collections.abc import Iterator
from typing import NamedTuple

import psycopg
from django.conf import settings
from django.db import connection

from assistant.tools.sql.views import VIEWS

HOW_TO_MAKE = "Give the database's user CREATEROLE, and CREATE on the database, and run `manage.py migrate`."
HOW_TO_CONNECT = (
    "The server has to let it in with a password (pg_hba.conf), not through a pooler that knows only other users. "
    "`manage.py migrate` sets its password again."
)
CONNECTIONS = 8
LIMITS = {
    "default_transaction_read_only": "on",
    "statement_timeout": "3s",
    "lock_timeout": "500ms",
    "idle_in_transaction_session_timeout": "10s",
    "client_connection_check_interval": "1s",
    "work_mem": "4MB",
    "hash_mem_multiplier": "1",
    "max_parallel_workers_per_gather": "0",
    "search_path": "assistant_sql",
}
"""Of each session, which sends them itself too: those of the role count for whoever else would log in as it."""
_TEMPORARY_FILES = "temp_file_limit=64MB"

PRIVATE = """
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

STRICTER = (
    "ALTER ROLE {login} SET temp_file_limit = '64MB'",
    "REVOKE TEMPORARY ON DATABASE {database} FROM PUBLIC",
    "REVOKE CREATE ON SCHEMA public FROM PUBLIC",
    "REVOKE EXECUTE ON FUNCTION lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea) FROM PUBLIC",
)
"""What only a superuser or the database's owner may set. Where they may not, the guard and read-only transactions are
what keeps queries from these."""

_ROLES = """
    SELECT r.rolname, r.rolcanlogin, r.rolinherit,
        ARRAY(SELECT right_ FROM (VALUES ('SUPERUSER', r.rolsuper), ('CREATEROLE', r.rolcreaterole),
              ('CREATEDB', r.rolcreatedb), ('REPLICATION', r.rolreplication), ('BYPASSRLS', r.rolbypassrls))
              AS rights (right_, has) WHERE has ORDER BY 1), r.rolconnlimit,
        coalesce(r.rolvaliduntil, 'infinity') < 'infinity',
        ARRAY(SELECT setting FROM pg_db_role_setting s, unnest(s.setconfig) setting
              WHERE s.setrole = r.oid AND s.setdatabase = 0 ORDER BY 1),
        ARRAY(SELECT coalesce(d.datname, s.setdatabase::text) FROM pg_db_role_setting s
              LEFT JOIN pg_database d ON d.oid = s.setdatabase
              WHERE s.setrole = r.oid AND s.setdatabase <> 0 ORDER BY 1),
        ARRAY(SELECT DISTINCT g.rolname FROM pg_auth_members m JOIN pg_roles g ON g.oid = m.roleid
              WHERE m.member = r.oid ORDER BY 1)
    FROM pg_roles r WHERE r.rolname = ANY(%s)
"""
_GRANTED = """
    SELECT DISTINCT format('%%I.%%I', n.nspname, c.relname) FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace, aclexplode(c.relacl) granted
    JOIN pg_roles r ON r.oid = granted.grantee
    WHERE n.nspname <> 'assistant_sql' AND r.rolname = ANY(%s) ORDER BY 1
"""


class Role(NamedTuple):
    """What the server knows of a role."""

    name: str
    logs_in: bool
    inherits: bool
    rights: list[str]
    connections: int
    ends: bool
    settings: list[str]
    databases: list[str]
    """Where it has settings of that database only."""
    groups: list[str]

    @property
    def is_login(self) -> bool:
        return self.name == login_name()


def role_name() -> str:
    """The reader. A role a database: one server may have several, such as those of tests."""
    name = str(connection.settings_dict["NAME"])
    return f"dynosite_sql_{hashlib.sha256(name.encode()).hexdigest()[:12]}"


def login_name() -> str:
    return f"{role_name()}_login"


def password() -> str:
    """Follows from the secret key, so that it is kept nowhere."""
    return hmac.new(settings.SECRET_KEY.encode(), role_name().encode(), hashlib.sha256).hexdigest()


def mark() -> str:
    """What the schema's comment says when it is as this code wants it."""
    held = repr((VIEWS, LIMITS, PRIVATE, STRICTER, CONNECTIONS, password()))
    return hashlib.sha256(held.encode()).hexdigest()


def is_ready() -> bool:
    return not _fault()


def problem() -> tuple[str, str]:
    """Why queries do not work here, and what to do about it; two empty texts where they do."""
    if fault := _fault():
        return fault, HOW_TO_MAKE
    if tables := tables_granted():
        return f"The roles for read-only queries have rights on {', '.join(tables)}.", HOW_TO_MAKE
    if refusal := _refusal():
        return f"The role for read-only queries cannot connect: {refusal}.", HOW_TO_CONNECT
    return "", ""


def log_in(token: str = "") -> psycopg.Connection:
    """As the login role that becomes the reader, in the same way as the site itself connects."""
    at = connection.settings_dict
    secured = {name: value for name, value in at["OPTIONS"].items() if name.startswith("ssl")}
    session = {"role": role_name(), "dynosite.token": token, **LIMITS}
    return psycopg.connect(
        host=at["HOST"] or None,
        port=at["PORT"] or None,
        dbname=str(at["NAME"]),
        user=login_name(),
        password=password(),
        connect_timeout=3,
        options=" ".join(f"-c {name}={value}" for name, value in session.items()),
        **secured,
    )


def _refusal() -> str:
    try:
        log_in().close()
    except psycopg.OperationalError as error:
        return first_line(error)
    return ""


def roles() -> dict[str, Role]:
    with connection.cursor() as cursor:
        cursor.execute(_ROLES, [[role_name(), login_name()]])
        return {row[0]: Role(*row) for row in cursor.fetchall()}


def _fault() -> str:
    """What is not as it should be, in a sentence; empty where all is."""
    names = (role_name(), login_name())
    existing = roles()
    for name in names:
        if name not in existing:
            return f"The role {name} for read-only queries is not there."
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT obj_description(oid, 'pg_namespace') FROM pg_namespace WHERE nspname = 'assistant_sql'"
        )
        comment = cursor.fetchone()
    if comment != (mark(),):
        return "The views for read-only queries are not as they should be."
    return next((fault for name in names for fault in _faults_of(existing[name])), "")


def _faults_of(role: Role) -> Iterator[str]:
    if role.logs_in is not role.is_login:
        yield f"The role {role.name} {'cannot log in' if role.is_login else 'can log in'}."
    if role.rights or role.inherits or role.ends or role.connections != (CONNECTIONS if role.is_login else -1):
        yield f"The role {role.name} has attributes that it should not have."
    if role.groups != ([role_name()] if role.is_login else []):
        yield f"The role {role.name} is a member of {', '.join(role.groups) or 'no role'}."
    right = {f"{name}={value}" for name, value in LIMITS.items()} if role.is_login else set()
    odd = sorted((set(role.settings) ^ right) - ({_TEMPORARY_FILES} if role.is_login else set()))
    if odd or role.databases:
        yield f"The role {role.name} has other settings than it should have: {', '.join(odd or role.databases)}."


def tables_granted() -> list[str]:
    """Tables beside the views that the roles were given rights on."""
    with connection.cursor() as cursor:
        cursor.execute(_GRANTED, [[role_name(), login_name()]])
        return [name for (name,) in cursor.fetchall()]


def first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0]

"""Makes and mends the roles and views of queries, after every `migrate`."""

import logging
from collections.abc import Iterator

from django.db import DatabaseError, connection, transaction
from psycopg import sql

from assistant.tools.sql import role
from assistant.tools.sql.role import Role, login_name, role_name
from assistant.tools.sql.views import VIEWS

logger = logging.getLogger(__name__)


def ensure() -> str:
    """Makes roles, schema and views where they are not right; returns what stands in the way, or nothing."""
    if not any(role.problem()):
        return ""
    try:
        with transaction.atomic():
            _make()
    except DatabaseError as error:
        return (
            f"The database user {connection.settings_dict['USER']} could not make the role {role_name()} for "
            f"read-only queries ({role.first_line(error)}). Everything else works; query_database says that it is "
            f"not available. {role.HOW_TO_MAKE}"
        )
    return " ".join(role.problem()).strip()


def _make() -> None:
    with connection.cursor() as cursor:
        cursor.execute(role.PRIVATE)
        for name, (_, select) in VIEWS.items():
            cursor.execute(f"CREATE VIEW assistant_sql.{name} WITH (security_barrier) AS {select}")
        raw = cursor.connection
        secret = raw.pgconn.encrypt_password(role.password().encode(), login_name().encode(), b"scram-sha-256")
        for table in role.tables_granted():
            cursor.execute(f"REVOKE ALL ON {table} FROM {', '.join(sorted(role.roles()))}")
        for statement in _statements(role.roles(), secret.decode()):
            cursor.execute(statement.as_string(raw))
        cursor.execute(f"COMMENT ON SCHEMA assistant_sql IS '{role.mark()}'")
    names = {"login": login_name(), "database": connection.ops.quote_name(str(connection.settings_dict["NAME"]))}
    for stricter in role.STRICTER:
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.execute(stricter.format(**names))
        except DatabaseError as error:
            logger.debug("The role for queries goes without %s: %s", stricter, role.first_line(error))


def _statements(existing: dict[str, Role], secret: str) -> Iterator[sql.Composed]:
    """What makes the two roles, or mends those that are there."""
    reader, login = sql.Identifier(role_name()), sql.Identifier(login_name())
    forms = {
        role_name(): sql.SQL("NOLOGIN CONNECTION LIMIT -1 PASSWORD NULL"),
        login_name(): sql.SQL("LOGIN CONNECTION LIMIT {} PASSWORD {}").format(
            sql.Literal(role.CONNECTIONS), sql.Literal(secret)
        ),
    }
    for name, form in forms.items():
        identifier = sql.Identifier(name)
        verb = sql.SQL("ALTER" if name in existing else "CREATE")
        attributes = sql.SQL("NOINHERIT VALID UNTIL 'infinity'")
        yield sql.SQL("{} ROLE {} {} {}").format(verb, identifier, attributes, form)
        if name in existing:
            yield from _undone(existing[name])
    database = sql.Identifier(str(connection.settings_dict["NAME"]))
    for text in (
        "GRANT CONNECT ON DATABASE {database} TO {login}",
        "GRANT USAGE ON SCHEMA assistant_sql TO {reader}",
        "GRANT SELECT ON ALL TABLES IN SCHEMA assistant_sql TO {reader}",
        "GRANT EXECUTE ON FUNCTION assistant_private.ground() TO {reader}",
        "GRANT {reader} TO {login}",
    ):
        yield sql.SQL(text).format(database=database, login=login, reader=reader)
    for name, value in role.LIMITS.items():
        yield sql.SQL("ALTER ROLE {} SET {} = {}").format(login, sql.Identifier(name), sql.Literal(value))
    # The site's user has the rights of both, so that it may end their sessions, and drop them with a database.
    yield sql.SQL(
        "DO $$ BEGIN IF current_setting('is_superuser') = 'off' THEN GRANT {}, {} TO CURRENT_USER; END IF; END $$"
    ).format(reader, login)


def _undone(existing: Role) -> Iterator[sql.Composed]:
    """What somebody gave a role, or it gave itself. Rights that only a superuser may take away need one."""
    identifier = sql.Identifier(existing.name)
    for right in existing.rights:
        yield sql.SQL("ALTER ROLE {} {}").format(identifier, sql.SQL(f"NO{right}"))
    if existing.settings:
        yield sql.SQL("ALTER ROLE {} RESET ALL").format(identifier)
    for database in existing.databases:
        yield sql.SQL("ALTER ROLE {} IN DATABASE {} RESET ALL").format(identifier, sql.Identifier(database))
    for group in existing.groups:
        yield sql.SQL("REVOKE {} FROM {}").format(sql.Identifier(group), identifier)


def drop_views() -> None:
    """Before tables change under them; `ensure` makes them again."""
    with connection.cursor() as cursor:
        cursor.execute("DROP SCHEMA IF EXISTS assistant_sql CASCADE")


def drop_role() -> None:
    """For a database that goes. Roles are the server's and would stay."""
    with connection.cursor() as cursor:
        for name in (login_name(), role_name()):
            cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name])
            if cursor.fetchone():
                cursor.execute(f"DROP OWNED BY {name}; DROP ROLE {name}")

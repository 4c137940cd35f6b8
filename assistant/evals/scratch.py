"""A database of its own for as long as an eval takes."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from django.conf import settings
from django.core.management import call_command
from django.db import connection, connections
from django.db.backends.postgresql.base import DatabaseWrapper

from assistant.tools.sql import making


@contextmanager
def scratch_database() -> Iterator[str]:
    """Makes a new database beside the one that is configured, migrates it, and drops it at the end.

    Within it, the whole process works on the new one. Raises a DatabaseError where the user may not make any.
    """
    name, own = f"dynosite_eval_{uuid.uuid4().hex[:12]}", connection.settings_dict["NAME"]
    with connection.cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{name}"')
    try:
        _use(name)
        call_command("migrate", verbosity=0, interactive=False)
        yield name
    finally:
        try:
            making.drop_role()
        finally:
            _use(str(own))
            with connection.cursor() as cursor:
                cursor.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _use(name: str) -> None:
    connections.close_all()
    own = connections["default"]
    if isinstance(own, DatabaseWrapper):
        own.close_pool()
    settings.DATABASES["default"]["NAME"] = name
    connection.settings_dict["NAME"] = name

"""System checks of what the assistant needs of the database."""

from typing import Any

from django.core.checks import Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection

from assistant.models import Run
from assistant.tools.sql import reader


@register(Tags.database)
def check_reader(app_configs: Any, databases: Any = None, **kwargs: Any) -> list:
    """`manage.py check --database default`: whether queries can run, and what is missing where they cannot."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    try:
        if Run._meta.db_table not in connection.introspection.table_names():
            return []  # before the first migrate, which makes the role
        problem, hint = reader.problem()
    except DatabaseError:
        return []  # other checks say so
    return [Warning(problem, hint=hint, id="assistant.W001")] if problem else []

"""What the assistant needs of the database beside its tables: made by every `migrate`, with no step by hand."""

import sys
from typing import Any

from django.db import DEFAULT_DB_ALIAS

from assistant.graph import checkpoints
from assistant.tools.sql import making


def before_migrate(sender: Any, using: str, plan: Any = None, **kwargs: Any) -> None:
    """Views over tables that are about to change would stand in the way."""
    if using == DEFAULT_DB_ALIAS and plan:
        making.drop_views()


def after_migrate(sender: Any, using: str, plan: Any = None, **kwargs: Any) -> None:
    if using != DEFAULT_DB_ALIAS or any(backwards for _, backwards in plan or ()):
        return
    checkpoints.set_up()
    if problem := making.ensure():
        sys.stderr.write(f"{problem}\n")

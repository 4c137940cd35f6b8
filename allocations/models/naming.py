"""What models do to names when they are checked."""

from collections.abc import Callable

from django.core.exceptions import ValidationError
from django.db import models

from dynosite.lib.plain_text import one_line


def field_of(model: type[models.Model], name: str) -> models.Field:
    """A field of the model's own: a column of its table."""
    field = model._meta.get_field(name)
    if isinstance(field, models.Field):
        return field
    raise TypeError(f"{model.__name__}.{name} is not a field of its own.")


def tidy(row: models.Model, *fields: str) -> None:
    """Makes each of the texts one line that holds nothing invisible, so that two of them cannot look the same.

    Raises ValidationError by field where nothing is left, or too much.
    """
    problems = {}
    for name in fields:
        field = field_of(type(row), name)
        text = one_line(getattr(row, name) or "")
        if not text and not field.blank:
            problems[name] = "This has nothing that can be seen."
        elif field.max_length is not None and len(text) > field.max_length:
            problems[name] = f"This has {field.max_length} characters at most."
        setattr(row, name, text)
    if problems:
        raise ValidationError(problems)


def check_name(row: models.Model, problem_of: Callable[[str], str]) -> None:
    """Raises ValidationError for a name that cannot be given. One that the row has already can stay."""
    name = row.name  # type: ignore[attr-defined]  # it is asked of rows that have one
    problem = problem_of(name)
    if problem and not type(row)._default_manager.filter(pk=row.pk, name=name).exists():
        raise ValidationError({"name": problem})

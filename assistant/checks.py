"""System checks of what the assistant needs of the database, and of how its models are set up."""

from typing import Any

from django.conf import settings
from django.core.checks import Error, Tags, Warning, register
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection

from assistant.models import Run
from assistant.spend.prices import has_price
from assistant.tools.sql import role


@register(Tags.database)
def check_reader(app_configs: Any, databases: Any = None, **kwargs: Any) -> list:
    """`manage.py check --database default`: whether queries can run, and what is missing where they cannot."""
    if DEFAULT_DB_ALIAS not in (databases or []):
        return []
    try:
        if Run._meta.db_table not in connection.introspection.table_names():
            return []  # before the first migrate, which makes the role
        problem, hint = role.problem()
    except DatabaseError:
        return []  # other checks say so
    return [Warning(problem, hint=hint, id="assistant.W001")] if problem else []


@register()
def check_models(app_configs: Any, **kwargs: Any) -> list:
    """What would leave the assistant offline, or its cost unknown, without anybody being told."""
    problems: list = []
    names = settings.ASSISTANT_MODELS
    if odd := [name for name in names if not all(name.partition(":"))]:
        hint = "Write provider:model, for example google_genai:gemini-2.5-flash."
        problems.append(Error(f"ASSISTANT_MODELS has {', '.join(odd)}.", hint=hint, id="assistant.E002"))
    if unpriced := [name for name in names if name not in odd and not has_price(name)]:
        hint = f"Set ASSISTANT_PRICES={unpriced[0]}=in/out, in US dollars for a million tokens (0/0 for a free one)."
        problem = (
            f"{', '.join(unpriced)} has no price: its cost is counted as nothing, and budgets of cost refuse it."
        )
        problems.append(Warning(problem, hint=hint, id="assistant.W003"))
    google = any(name.startswith("google_genai:") for name in names)
    if settings.GEMINI_API_KEY and not google:
        hint = "Name one in ASSISTANT_MODELS, or leave ASSISTANT_MODELS out."
        problems.append(Warning("There is a GEMINI_API_KEY and no Gemini model.", hint=hint, id="assistant.W004"))
    if google and not settings.GEMINI_API_KEY:
        hint = "Set GEMINI_API_KEY; until then every question to it fails as misconfigured."
        problems.append(Warning("A Gemini model is named without GEMINI_API_KEY.", hint=hint, id="assistant.W005"))
    return problems

"""The scenarios of a proving ground, and how far the answer to one is."""

import uuid
from typing import Any

from django.core.cache import cache
from django.db.models import QuerySet

from allocations import access
from allocations.enums import Role
from allocations.exceptions import NotFound
from allocations.models import Scenario
from dynosite.accounts.models import User


def scenario_by_id(scenario_id: uuid.UUID | str, *, user: User, needed: Role = Role.VIEWER) -> Scenario:
    """Raises NotFound, and NotAllowed where the user's role does not cover `needed`."""
    scenario = Scenario.objects.filter(pk=scenario_id).select_related("ground", "made_by").first()
    if scenario is None:
        raise NotFound(access.NOT_FOUND)
    access.require(user, scenario.ground_id, needed)
    return scenario


def scenarios_of(ground_id: int, *, user: User) -> QuerySet[Scenario]:
    """The deleted ones too. Raises NotFound if the user is not a member of the ground."""
    access.require(user, ground_id, Role.VIEWER)
    return Scenario.objects.filter(ground_id=ground_id).select_related("made_by")


def scenario_progress(scenario: Scenario) -> dict[str, Any]:
    """`stage` of `stages`, which is `doing`, with the best so far and its bound."""
    return cache.get(scenario.progress_key) or {}

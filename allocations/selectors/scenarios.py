"""The scenarios of a proving ground, and how far the solving of one has come."""

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
    """Returns the scenario with its ground and author.

    Raises
    ------
    NotFound
        If the scenario does not exist, or the user is not a member of its ground.
    NotAllowed
        If the user's role does not cover `needed`.
    """
    scenario = Scenario.objects.filter(pk=scenario_id).select_related("ground", "made_by").first()
    if scenario is None:
        raise NotFound(access.NOT_FOUND)
    access.require(user, scenario.ground_id, needed)
    return scenario


def scenarios_of(ground_id: int, *, user: User) -> QuerySet[Scenario]:
    """Returns the scenarios of a ground, deleted ones too."""
    access.require(user, ground_id, Role.VIEWER)
    return Scenario.objects.filter(ground_id=ground_id).select_related("made_by")


def scenario_progress(scenario: Scenario) -> dict[str, Any]:
    """Returns how far a scenario is: `stage` of `stages`, what it is `doing`, and the best `objective` and `bound` so
    far.
    """
    return cache.get(scenario.progress_key) or {}

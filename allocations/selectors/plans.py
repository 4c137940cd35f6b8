"""The plans of a proving ground, and how far the solving of one has come."""

import uuid
from typing import TYPE_CHECKING

from django.core.cache import cache
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from allocations import access
from allocations.enums import Role
from allocations.exceptions import NotFound
from allocations.models import Change, Plan, PlanItem
from dynosite.accounts.models import User

if TYPE_CHECKING:
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class _Numbers(TypedDict):
        placed: int
        moved: int
        unplaced: int

    ListedPlan = WithAnnotations[Plan, _Numbers]


def plan_by_id(plan_id: uuid.UUID | str, *, user: User, needed: Role = Role.VIEWER) -> Plan:
    """Returns the plan with its ground, author, and the change that applied it.

    Raises
    ------
    NotFound
        If the plan does not exist, or the user is not a member of its ground.
    NotAllowed
        If the user's role does not cover `needed`.
    """
    plan = Plan.objects.filter(pk=plan_id).select_related("ground", "made_by", "applied").first()
    if plan is None:
        raise NotFound(access.NOT_FOUND)
    access.require(user, plan.ground_id, needed)
    return plan


def plans_of(ground_id: int, *, user: User) -> "QuerySet[ListedPlan]":
    """Returns the plans of a ground, deleted ones too, annotated with how many items are `placed`, `moved` and
    `unplaced`.
    """
    access.require(user, ground_id, Role.VIEWER)

    def number(**conditions: object) -> Coalesce:
        items = PlanItem.objects.filter(plan=OuterRef("pk"), **conditions).order_by().values("plan")
        return Coalesce(Subquery(items.annotate(number=Count("pk")).values("number")), 0)

    return (
        Plan.objects.filter(ground_id=ground_id)
        .select_related("made_by", "ground")
        .annotate(
            placed=number(request__isnull=False, dyno__isnull=False),
            moved=number(allocation__isnull=False, dyno__isnull=False),
            unplaced=number(dyno__isnull=True),
        )
    )


def search_curve(plan: Plan) -> list[tuple[float, int, int]]:
    """Returns (seconds, objective, bound) as the search went on, or goes on now."""
    return plan.curve or cache.get(plan.progress_key) or []


def undo_of(plan: Plan) -> Change | None:
    """Returns the change that undid the plan after it was applied, or None."""
    return Change.objects.filter(undoes=plan.applied_id).first() if plan.applied_id else None

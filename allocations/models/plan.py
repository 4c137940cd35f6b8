import uuid

from django.conf import settings
from django.db import models

from allocations.enums import Movable, PlanState
from allocations.models.allocation import Allocation
from allocations.models.change import Change
from allocations.models.dyno import Dyno
from allocations.models.ground import ProvingGround
from allocations.models.request import TestRequest


class Plan(models.Model):
    """Many placements proposed together: what was asked, how far the search came, and what became of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="plans")
    state = models.CharField(max_length=10, choices=PlanState.choices, default=PlanState.QUEUED)
    first_day = models.DateField()
    last_day = models.DateField()
    movable = models.CharField(max_length=10, choices=Movable.choices, default=Movable.NOTHING)
    frozen_until = models.DateField(null=True, blank=True)
    seconds = models.PositiveSmallIntegerField(default=20)
    problem = models.JSONField(default=dict, help_text="As `allocations.planning` reads it.")
    curve = models.JSONField(default=list, help_text="Seconds, objective and bound, as the search went on.")
    objective = models.BigIntegerField(null=True)
    bound = models.BigIntegerField(null=True)
    proven = models.BooleanField(default=False)
    error = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    applied = models.ForeignKey(Change, on_delete=models.SET_NULL, null=True, related_name="+")

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=PlanState.values), name="plan_state"),
            models.CheckConstraint(condition=models.Q(movable__in=Movable.values), name="plan_movable"),
            models.CheckConstraint(condition=models.Q(last_day__gte=models.F("first_day")), name="plan_days_order"),
        ]

    def __str__(self) -> str:
        return f"Plan of {self.made_at:%Y-%m-%d %H:%M}" if self.made_at else "Plan"


class PlanItem(models.Model):
    """One test of a plan: a waiting request or an allocation that may move; without a dyno it found no place."""

    plan = models.ForeignKey(Plan, on_delete=models.CASCADE, related_name="items")
    request = models.ForeignKey(TestRequest, on_delete=models.CASCADE, null=True, related_name="+")
    allocation = models.ForeignKey(Allocation, on_delete=models.CASCADE, null=True, related_name="+")
    version = models.PositiveIntegerField(help_text="Of the request or allocation, when the plan was made.")
    dyno = models.ForeignKey(Dyno, on_delete=models.CASCADE, null=True, related_name="+")
    first_day = models.DateField(null=True)
    last_day = models.DateField(null=True)
    late = models.PositiveIntegerField(default=0, help_text="Days after the due date.")
    reason = models.TextField(blank=True)

    class Meta:
        ordering = ["first_day", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(request__isnull=False) ^ models.Q(allocation__isnull=False),
                name="plan_item_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.request or self.allocation}"

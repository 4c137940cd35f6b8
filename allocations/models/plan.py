import uuid
import zoneinfo

from django.conf import settings
from django.db import models

from allocations.enums import Movable, PlanState
from allocations.models.allocation import Allocation
from allocations.models.change import Change
from allocations.models.dyno import Dyno
from allocations.models.ground import ProvingGround
from allocations.models.job import Job
from allocations.models.request import TestRequest
from dynosite.lib.formats import day_range


class Plan(Job):
    """Many placements proposed together: what was asked, how far the search came, and what became of it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="plans")
    name = models.CharField(max_length=80, blank=True)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=PlanState.choices, default=PlanState.QUEUED)
    chosen = models.JSONField(null=True, blank=True, help_text="Ids of the requests to place; none: all that wait.")
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
    again_of = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, related_name="agains")
    deleted_at = models.DateTimeField(null=True, help_text="It can be brought back.")

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=PlanState.values), name="plan_state"),
            models.CheckConstraint(condition=models.Q(movable__in=Movable.values), name="plan_movable"),
            models.CheckConstraint(condition=models.Q(last_day__gte=models.F("first_day")), name="plan_days_order"),
        ]

    def __str__(self) -> str:
        if self.name:
            return self.name
        if not self.made_at:
            return "Plan"
        moment = self.made_at.astimezone(zoneinfo.ZoneInfo(self.ground.time_zone))
        return f"Plan of {day_range(moment.date(), moment.date())}, {moment:%H:%M}"

    @property
    def may_be_applied(self) -> bool:
        return self.state == PlanState.READY and self.deleted_at is None

    @property
    def under_way(self) -> bool:
        return self.state in (PlanState.QUEUED, PlanState.SOLVING)

    @property
    def gap(self) -> int | None:
        """How far from the best it may be, in percent; none where nothing is known."""
        if self.objective is None or self.bound is None:
            return None
        return round(100 * (self.objective - self.bound) / self.objective) if self.objective > 0 else 0


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
    applied = models.BooleanField(default=False)

    class Meta:
        ordering = ["first_day", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(request__isnull=False) ^ models.Q(allocation__isnull=False),
                name="plan_item_of_one",
            )
        ]

    def __str__(self) -> str:
        return f"{self.test}"

    @property
    def test(self) -> TestRequest | Allocation:
        """What is placed: both have a vehicle and a test type."""
        row = self.request or self.allocation
        if row is None:
            raise ValueError("An item of a plan is of a request or of an allocation.")
        return row

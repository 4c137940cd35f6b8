import uuid

from django.conf import settings
from django.db import models

from allocations.enums import Movable, ScenarioState
from allocations.models.ground import ProvingGround
from allocations.models.job import Job


class Scenario(Job):
    """A question to the planner, what would be if, and its answer. It never touches the schedule."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="scenarios")
    name = models.CharField(max_length=80)
    note = models.TextField(blank=True)
    state = models.CharField(max_length=10, choices=ScenarioState.choices, default=ScenarioState.DRAFT)
    first_day = models.DateField()
    last_day = models.DateField()
    movable = models.CharField(max_length=10, choices=Movable.choices, default=Movable.NOTHING)
    frozen_until = models.DateField(null=True, blank=True)
    seconds = models.PositiveSmallIntegerField(default=10, help_text="For each of the plans that are compared.")
    edits = models.JSONField(default=list, help_text="As `allocations.selectors.scenario_edits` reads them.")
    result = models.JSONField(default=dict)
    error = models.TextField(blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    asked_at = models.DateTimeField(null=True, help_text="When its answer was last asked for.")
    deleted_at = models.DateTimeField(null=True, help_text="It can be brought back.")

    class Meta:
        ordering = ["-made_at"]
        constraints = [
            models.CheckConstraint(condition=models.Q(state__in=ScenarioState.values), name="scenario_state"),
            models.CheckConstraint(condition=models.Q(movable__in=Movable.values), name="scenario_movable"),
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")), name="scenario_days_order"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def under_way(self) -> bool:
        return self.state in (ScenarioState.QUEUED, ScenarioState.SOLVING)

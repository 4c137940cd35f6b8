import pghistory
from django.conf import settings
from django.db import models

from allocations.enums import DisplacedTo, MaintenanceKind
from allocations.models.dyno import Dyno
from allocations.models.ground import ProvingGround, ground_stays
from allocations.models.guards import frees_all, occupies, stay_checks, within_ground
from dynosite.lib.days import DayRange
from dynosite.lib.recurring import MAX_WORDS_LENGTH


@pghistory.track()
class MaintenanceWindow(models.Model):
    """Days on which a dyno takes no vehicle. A window that is lifted stays, with the time it was lifted."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="windows", editable=False)
    dyno = models.ForeignKey(Dyno, on_delete=models.PROTECT, related_name="windows")
    first_day = models.DateField()
    last_day = models.DateField()
    kind = models.CharField(max_length=12, choices=MaintenanceKind.choices, default=MaintenanceKind.PLANNED)
    reason = models.CharField(max_length=200, blank=True)
    reference = models.CharField(max_length=60, blank=True, help_text="Work order or ticket.")
    series = models.UUIDField(null=True, blank=True, editable=False)
    """Shared by the windows that were set together as one that comes again, on one dyno."""
    repeats = models.CharField(max_length=MAX_WORDS_LENGTH, null=True, blank=True, editable=False)
    """How a series comes again, in words, as it was set: single windows may be changed or lifted since."""
    lifted_at = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["first_day", "id"]
        constraints = [
            *stay_checks("window"),
            models.CheckConstraint(condition=models.Q(kind__in=MaintenanceKind.values), name="window_kind"),
            models.CheckConstraint(
                condition=models.Q(series__isnull=True, repeats__isnull=True)
                | models.Q(series__isnull=False, repeats__isnull=False),
                name="window_series",
            ),
        ]
        indexes = [
            models.Index(fields=["ground", "first_day", "last_day"], name="window_ground_days"),
            models.Index(fields=["series"], condition=models.Q(series__isnull=False), name="window_of_series"),
        ]
        triggers = [
            ground_stays,
            within_ground(("dyno_id", "allocations_dyno")),
            occupies(key="window_id", vehicle="NULL::bigint", absent="{row}.lifted_at IS NOT NULL"),
            frees_all("window_id"),
        ]

    def __str__(self) -> str:
        return f"{self.dyno}: {self.get_kind_display()} {DayRange(self.first_day, self.last_day)}"


class Displacement(models.Model):
    """An allocation that a maintenance window pushed aside: where it stood and what became of it."""

    window = models.ForeignKey(MaintenanceWindow, on_delete=models.CASCADE, related_name="displacements")
    allocation = models.ForeignKey("Allocation", on_delete=models.CASCADE, related_name="displacements")
    answer = models.CharField(max_length=10, choices=DisplacedTo.choices)
    dyno = models.ForeignKey(Dyno, on_delete=models.PROTECT, related_name="+")
    first_day = models.DateField()
    last_day = models.DateField()
    status = models.CharField(max_length=10)
    request = models.ForeignKey("TestRequest", on_delete=models.SET_NULL, null=True, related_name="+")
    restored_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ["id"]

    def __str__(self) -> str:
        return f"{self.allocation_id}: {self.answer}"

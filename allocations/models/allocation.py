import pghistory
from django.conf import settings
from django.db import models

from allocations.enums import AllocationStatus, Door, Drive
from allocations.models.dyno import Dyno
from allocations.models.ground import ProvingGround, TestType, ground_stays
from allocations.models.guards import frees_all, occupies, stay_checks, within_ground
from allocations.models.request import TestRequest
from allocations.models.vehicle import Vehicle
from dynosite.lib.days import DayRange


@pghistory.track()
class Allocation(models.Model):
    """A vehicle on a dyno for whole days, both ends inclusive. Written by `allocations.services` alone."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="allocations")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="allocations")
    dyno = models.ForeignKey(Dyno, on_delete=models.PROTECT, related_name="allocations", db_index=False)
    test_type = models.ForeignKey(TestType, on_delete=models.PROTECT, related_name="allocations")
    drive = models.CharField(max_length=3, choices=Drive.choices, blank=True)
    first_day = models.DateField()
    last_day = models.DateField()
    status = models.CharField(max_length=10, choices=AllocationStatus.choices, default=AllocationStatus.SCHEDULED)
    request = models.ForeignKey(
        TestRequest, on_delete=models.SET_NULL, null=True, blank=True, related_name="allocations"
    )
    note = models.TextField(blank=True)
    source = models.CharField(max_length=10, choices=Door.choices)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="allocations"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1)

    class Meta:
        ordering = ["first_day", "id"]
        constraints = [
            *stay_checks("allocation"),
            models.CheckConstraint(condition=models.Q(status__in=AllocationStatus.values), name="allocation_status"),
            models.CheckConstraint(condition=models.Q(source__in=Door.values), name="allocation_source"),
            models.CheckConstraint(condition=models.Q(drive__in=["", *Drive.values]), name="allocation_drive"),
        ]
        indexes = [
            models.Index(fields=["dyno", "first_day", "last_day"], name="allocation_dyno_days"),
            models.Index(fields=["ground", "first_day"], name="allocation_ground_first"),
            models.Index(
                fields=["dyno", "last_day"],
                name="allocation_running",
                condition=models.Q(status=AllocationStatus.RUNNING),
            ),
        ]
        triggers = [
            ground_stays,
            within_ground(
                ("dyno_id", "allocations_dyno"),
                ("vehicle_id", "allocations_vehicle"),
                ("test_type_id", "allocations_testtype"),
                ("request_id", "allocations_testrequest"),
            ),
            occupies(key="allocation_id", vehicle="{row}.vehicle_id", absent="{row}.status = 'cancelled'"),
            frees_all("allocation_id"),
        ]

    def __str__(self) -> str:
        return f"{self.vehicle} on {self.dyno}, {self.days}"

    @property
    def days(self) -> DayRange:
        return DayRange(self.first_day, self.last_day)

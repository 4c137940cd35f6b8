import pghistory
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models

from allocations.enums import Drive, Priority, RequestStatus
from allocations.models.ground import ProvingGround, TestType, ground_stays
from allocations.models.guards import within_ground
from allocations.models.vehicle import Vehicle
from allocations.rulebook import MAX_STAY_DAYS


@pghistory.track()
class TestRequest(models.Model):
    """A test that wants a place. It stays, as `placed`, behind the allocation that it was given."""

    __test__ = False  # not a test case

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="requests")
    vehicle = models.ForeignKey(Vehicle, on_delete=models.PROTECT, related_name="requests")
    test_type = models.ForeignKey(TestType, on_delete=models.PROTECT, related_name="requests")
    step = models.CharField(max_length=60, blank=True)
    drive = models.CharField(
        max_length=3,
        choices=Drive.choices,
        blank=True,
        help_text="Where it is tested as another than the vehicle's own.",
    )
    days = models.PositiveSmallIntegerField(validators=[MinValueValidator(1), MaxValueValidator(MAX_STAY_DAYS)])
    miles = models.PositiveIntegerField(null=True, blank=True)
    miles_per_day = models.PositiveIntegerField(null=True, blank=True)
    extra_days = models.PositiveSmallIntegerField(null=True, blank=True)
    earliest_start = models.DateField(null=True, blank=True)
    due_date = models.DateField(null=True, blank=True)
    priority = models.CharField(max_length=10, choices=Priority.choices, default=Priority.NORMAL)
    after = models.ForeignKey("self", on_delete=models.SET_NULL, null=True, blank=True, related_name="followers")
    status = models.CharField(max_length=10, choices=RequestStatus.choices, default=RequestStatus.WAITING)
    note = models.TextField(blank=True)
    import_key = models.CharField(
        max_length=64, null=True, blank=True, editable=False, help_text="Which row of an imported workbook it was."
    )
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, editable=False, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    version = models.PositiveIntegerField(default=1, editable=False)

    class Meta:
        ordering = ["earliest_start", "id"]
        constraints = [
            models.UniqueConstraint(fields=["ground", "import_key"], name="request_import_key_once"),
            models.CheckConstraint(condition=models.Q(days__gte=1, days__lte=MAX_STAY_DAYS), name="request_days"),
            models.CheckConstraint(condition=models.Q(status__in=RequestStatus.values), name="request_status"),
            models.CheckConstraint(condition=models.Q(priority__in=Priority.values), name="request_priority"),
            models.CheckConstraint(condition=models.Q(drive__in=["", *Drive.values]), name="request_drive"),
            models.CheckConstraint(
                condition=models.Q(due_date__isnull=True)
                | models.Q(earliest_start__isnull=True)
                | models.Q(due_date__gte=models.F("earliest_start")),
                name="request_due_after_earliest",
                violation_error_message="The due date is before the earliest start.",
            ),
        ]
        indexes = [models.Index(fields=["ground", "status", "earliest_start"], name="request_ground_status")]
        triggers = [
            ground_stays,
            within_ground(
                ("vehicle_id", "allocations_vehicle"),
                ("test_type_id", "allocations_testtype"),
                ("after_id", "allocations_testrequest"),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.test_type} of {self.vehicle}"

    @property
    def tested_as(self) -> str:
        return self.drive or self.vehicle.drive

import pghistory
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models.functions import Upper

from allocations import vehicle_details
from allocations.enums import Drive, WeightClass, weight_class_of
from allocations.models.ground import ProvingGround, ground_stays
from allocations.models.naming import tidy


@pghistory.track()
class Vehicle(models.Model):
    """A vehicle under test, or a placeholder for one that has no tag yet. It may go to any facility of its ground."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="vehicles")
    tag = models.CharField(max_length=60, blank=True)
    vin = models.CharField("VIN", max_length=30, null=True, blank=True, default=None)
    build_id = models.CharField("build ID", max_length=60, blank=True)
    program = models.CharField(max_length=60, blank=True)
    model_year = models.PositiveSmallIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1980), MaxValueValidator(2100)]
    )
    powertrain = models.CharField(max_length=60, blank=True)
    build_type = models.CharField(max_length=60, blank=True)
    team = models.CharField(max_length=60, blank=True)
    cost_centre = models.CharField("cost center", max_length=60, blank=True)
    drive = models.CharField(max_length=3, choices=Drive.choices)
    weight_lbs = models.PositiveIntegerField(
        "weight (lb)", null=True, blank=True, validators=[MinValueValidator(500), MaxValueValidator(100_000)]
    )
    weight_class = models.CharField(max_length=4, choices=WeightClass.choices)
    placeholder = models.BooleanField(default=False)
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["tag", "vin"]
        constraints = [
            models.UniqueConstraint(
                "ground",
                Upper("vin"),
                name="vehicle_vin_once",
                violation_error_message="Another vehicle of this proving ground has this VIN.",
            ),
            models.UniqueConstraint(
                "ground",
                Upper("tag"),
                condition=~models.Q(tag=""),
                name="vehicle_tag_once",
                violation_error_message="Another vehicle of this proving ground has this tag.",
            ),
            models.CheckConstraint(
                condition=~models.Q(tag="") | models.Q(vin__isnull=False),
                name="vehicle_named",
                violation_error_message="A vehicle needs a tag or a VIN.",
            ),
            models.CheckConstraint(condition=~models.Q(vin=""), name="vehicle_vin_not_empty"),
            models.CheckConstraint(condition=models.Q(drive__in=Drive.values), name="vehicle_drive"),
            models.CheckConstraint(
                condition=models.Q(weight_class__in=WeightClass.values), name="vehicle_weight_class"
            ),
            models.CheckConstraint(
                condition=models.Q(weight_lbs__isnull=True)
                | models.Q(weight_lbs__lte=10_000, weight_class=WeightClass.LIGHT)
                | models.Q(weight_lbs__gt=10_000, weight_class=WeightClass.HEAVY),
                name="vehicle_weight_fits_class",
                violation_error_message="Up to 10,000 lb is <10K, more is >10K.",
            ),
        ]
        triggers = [ground_stays]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        return self.tag or self.vin or ""

    @property
    def details(self) -> list[tuple[str, object]]:
        """Label and value of what describes it, as far as it is known."""
        return vehicle_details.described(self)

    @property
    def details_on_bookings(self) -> list[tuple[str, object]]:
        return vehicle_details.described(self, vehicle_details.ON_BOOKINGS)

    @property
    def listed_details(self) -> list[tuple[str, object]]:
        """Label and value, also where there is none: a list's columns."""
        return [(detail.label, getattr(self, detail.name)) for detail in vehicle_details.LISTED]

    def clean(self) -> None:
        tidy(self, "tag", "vin", *vehicle_details.TEXTS)
        self.vin = (self.vin or "").upper() or None
        if self.weight_lbs and self.weight_class and weight_class_of(self.weight_lbs) != self.weight_class:
            raise ValidationError({"weight_class": f"{self.weight_lbs:,} lb is {weight_class_of(self.weight_lbs)}."})

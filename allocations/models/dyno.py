import re
from typing import Any, ClassVar

import pghistory
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator
from django.db import models
from django.db.models.functions import Lower

from allocations.enums import Drive, WeightClass
from allocations.models.ground import Facility, ProvingGround, TestType, ground_stays
from allocations.models.guards import same_ground, within_ground
from allocations.models.naming import check_name, tidy
from allocations.names import dyno_name_problem

MAX_WARM_UP_DAYS = 30
MORE_SETTINGS = ("warm_up_days",)
SETTINGS = ("available_from", "available_to", *MORE_SETTINGS)
"""Columns that say when a dyno takes tests: the form, the page, the list's CSV and the administration follow."""


def natural_key(name: str) -> str:
    """Sorts 'NPG 3' before 'NPG 21'."""
    return re.sub(r"\d+", lambda number: number.group().zfill(8), " ".join(name.casefold().split()))[:120]


@pghistory.track()
class Dyno(models.Model):
    pgh_event_model: ClassVar[type[models.Model]]
    """Where its former states are, which `pghistory` sets."""
    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="dynos")
    facility = models.ForeignKey(Facility, on_delete=models.PROTECT, related_name="dynos")
    name = models.CharField(max_length=60)
    sort_key = models.CharField(max_length=120, editable=False)
    enabled = models.BooleanField(default=True)
    available_from = models.DateField(null=True, blank=True)
    available_to = models.DateField(null=True, blank=True)
    warm_up_days = models.PositiveSmallIntegerField(
        "days of warm-up after maintenance",
        default=0,
        db_default=0,
        blank=True,
        validators=[MaxValueValidator(MAX_WARM_UP_DAYS)],
        help_text="Days after a maintenance window on which no test starts or runs.",
    )
    notes = models.TextField(blank=True)

    class Meta:
        ordering = ["sort_key"]
        constraints = [
            models.UniqueConstraint("ground", Lower("name"), name="dyno_name_once"),
            models.CheckConstraint(
                condition=models.Q(available_from__isnull=True)
                | models.Q(available_to__isnull=True)
                | models.Q(available_to__gte=models.F("available_from")),
                name="dyno_available_order",
                violation_error_message="The dyno's last available day is before its first.",
            ),
            models.CheckConstraint(
                condition=models.Q(warm_up_days__lte=MAX_WARM_UP_DAYS),
                name="dyno_warm_up_days",
                violation_error_message=f"A dyno warms up for at most {MAX_WARM_UP_DAYS} days.",
            ),
        ]
        triggers = [ground_stays, within_ground(("facility_id", "allocations_facility"))]

    def __str__(self) -> str:
        return self.name

    def save(self, **kwargs) -> None:
        self.sort_key = natural_key(self.name)
        if kwargs.get("update_fields"):
            kwargs["update_fields"] = {*kwargs["update_fields"], "sort_key"}
        super().save(**kwargs)

    def clean(self) -> None:
        tidy(self, "name")
        check_name(self, dyno_name_problem)

    @property
    def settings(self) -> list[tuple[str, Any]]:
        """Label and value of the settings that are set."""
        labels = {field.name: str(field.verbose_name) for field in self._meta.fields}
        pairs = ((labels[name], getattr(self, name)) for name in SETTINGS)
        return [(label, value) for label, value in pairs if value]


@pghistory.track()
class Capability(models.Model):
    """One kind of test that a dyno may run, on which drives and weight classes."""

    dyno = models.ForeignKey(Dyno, on_delete=models.CASCADE, related_name="capabilities")
    test_type = models.ForeignKey(TestType, on_delete=models.PROTECT, related_name="capabilities")
    drives = ArrayField(models.CharField(max_length=3, choices=Drive.choices))
    weight_classes = ArrayField(models.CharField(max_length=4, choices=WeightClass.choices))

    class Meta:
        ordering = ["test_type__name", "id"]
        verbose_name_plural = "capabilities"
        constraints = [
            models.UniqueConstraint(fields=["dyno", "test_type", "drives", "weight_classes"], name="capability_once"),
            models.CheckConstraint(
                condition=models.Q(drives__contained_by=Drive.values, drives__len__gte=1), name="capability_drives"
            ),
            models.CheckConstraint(
                condition=models.Q(weight_classes__contained_by=WeightClass.values, weight_classes__len__gte=1),
                name="capability_weight_classes",
            ),
        ]
        triggers = [same_ground(("dyno_id", "allocations_dyno"), ("test_type_id", "allocations_testtype"))]

    def __str__(self) -> str:
        return f"{self.test_type}: {', '.join(self.drives)}; {', '.join(self.weight_classes)}"

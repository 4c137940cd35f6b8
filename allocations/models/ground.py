import datetime as dt
import zoneinfo

import pghistory
import pgtrigger
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from allocations.enums import Role
from dynosite.lib import clock


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name} is no time zone; one is, for example, America/Detroit.")


ground_stays = pgtrigger.ReadOnly(name="ground_stays", fields=["ground"])


@pghistory.track()
class ProvingGround(models.Model):
    """What is scheduled together, and the wall between tenants."""

    code = models.CharField(
        max_length=20,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9][A-Z0-9_-]*$", "Capital letters, digits, - and _ only.")],
    )
    name = models.CharField(max_length=100)
    time_zone = models.CharField(max_length=60, default="America/Detroit", validators=[validate_time_zone])

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def today(self) -> dt.date:
        return clock.today(self.time_zone)


@pghistory.track()
class Membership(models.Model):
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "ground"], name="membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_role"),
        ]

    def __str__(self) -> str:
        return f"{self.user}: {self.role} of {self.ground.code}"


@pghistory.track()
class Facility(models.Model):
    """Where in the ground a dyno stands; a group on the calendar."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="facilities")
    name = models.CharField(max_length=60)
    position = models.PositiveSmallIntegerField(default=0, help_text="Order on the calendar, then by name.")

    class Meta:
        ordering = ["position", "name"]
        verbose_name_plural = "facilities"
        constraints = [models.UniqueConstraint("ground", Lower("name"), name="facility_name_once")]
        triggers = [ground_stays]

    def __str__(self) -> str:
        return self.name


@pghistory.track()
class TestType(models.Model):
    __test__ = False  # not a test case

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="test_types")
    code = models.SlugField(max_length=60)
    name = models.CharField(max_length=60)
    colour = models.CharField(
        max_length=7, default="#2464c9", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "A colour is #rrggbb.")]
    )
    miles_per_day = models.PositiveIntegerField(null=True, blank=True)
    default_days = models.PositiveSmallIntegerField(default=7)

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("ground", Lower("name"), name="test_type_name_once"),
            models.UniqueConstraint(fields=["ground", "code"], name="test_type_code_once"),
            models.CheckConstraint(
                condition=models.Q(default_days__gte=1, default_days__lte=366), name="test_type_default_days"
            ),
        ]
        triggers = [ground_stays]

    def __str__(self) -> str:
        return self.name

import calendar
import datetime as dt
import zoneinfo
from typing import ClassVar

import pghistory
import pgtrigger
from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from allocations.enums import Role
from allocations.models.guards import within_ground
from allocations.models.naming import check_name, tidy
from allocations.names import name_problem
from allocations.rulebook import MAX_STAY_DAYS, MAX_TRAVEL_DAYS
from dynosite.lib import clock
from dynosite.lib.days import DayRange
from dynosite.lib.workdays import countries


def validate_time_zone(name: str) -> None:
    if name not in zoneinfo.available_timezones():
        raise ValidationError(f"{name} is not a time zone; one is, for example, America/Detroit.")


WEEKDAYS = list(enumerate(calendar.day_name))

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

    days_off = ArrayField(
        models.PositiveSmallIntegerField(choices=WEEKDAYS),
        default=list,
        blank=True,
        help_text="Days of the week on which no test is started.",
    )
    holidays_country = models.CharField(
        max_length=2, blank=True, help_text="Whose public holidays are days off: US, DE, … Empty: none."
    )
    holidays_subdivision = models.CharField(max_length=10, blank=True, help_text="A state or the like: MI, BY, …")

    class Meta:
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(days_off__contained_by=list(range(7)), days_off__len__lte=6),
                name="ground_days_off",
                violation_error_message="At least one day of the week has to be worked.",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        tidy(self, "name")
        self.days_off = sorted(set(self.days_off or []))
        self.holidays_country = self.holidays_country.strip().upper()
        self.holidays_subdivision = self.holidays_subdivision.strip().upper()
        subdivisions = countries()
        if self.holidays_country and self.holidays_country not in subdivisions:
            raise ValidationError({"holidays_country": f"No holidays are known of {self.holidays_country}."})
        if self.holidays_subdivision:
            parts = {part.upper(): part for part in subdivisions.get(self.holidays_country, [])}
            if self.holidays_subdivision not in parts:
                hint = f" It has {', '.join(sorted(parts))}." if parts else ""
                sentence = f"{self.holidays_country or 'No country'} has no part {self.holidays_subdivision}.{hint}"
                raise ValidationError({"holidays_subdivision": sentence})
            self.holidays_subdivision = parts[self.holidays_subdivision]

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

    def clean(self) -> None:
        tidy(self, "name")
        check_name(self, name_problem)


@pghistory.track()
class Shutdown(models.Model):
    """Days on which a whole ground does not work."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="shutdowns")
    name = models.CharField(max_length=60)
    first_day = models.DateField()
    last_day = models.DateField()

    class Meta:
        ordering = ["first_day", "id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(last_day__gte=models.F("first_day")),
                name="shutdown_days_order",
                violation_error_message="The last day is before the first.",
            ),
            models.CheckConstraint(
                condition=models.Q(last_day__lt=models.F("first_day") + models.Value(MAX_STAY_DAYS)),
                name="shutdown_days_length",
                violation_error_message=f"{MAX_STAY_DAYS} days at the longest.",
            ),
        ]
        indexes = [models.Index(fields=["ground", "last_day"], name="shutdown_ground_last")]
        triggers = [ground_stays]

    def __str__(self) -> str:
        return f"{self.name}, {DayRange(self.first_day, self.last_day)}"

    def clean(self) -> None:
        tidy(self, "name")


@pghistory.track()
class Travel(models.Model):
    """Whole days that a vehicle needs from one facility to another; a way that has no row takes none."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.CASCADE, related_name="travel")
    origin = models.ForeignKey(Facility, verbose_name="from", on_delete=models.CASCADE, related_name="+")
    to = models.ForeignKey(Facility, on_delete=models.CASCADE, related_name="+")
    days = models.PositiveSmallIntegerField()

    class Meta:
        ordering = ["origin__name", "to__name"]
        verbose_name_plural = "travel"
        constraints = [
            models.UniqueConstraint(
                fields=["origin", "to"], name="travel_once", violation_error_message="This way is listed twice."
            ),
            models.CheckConstraint(
                condition=~models.Q(origin=models.F("to")),
                name="travel_leads_elsewhere",
                violation_error_message="Travel leads from one facility to another.",
            ),
            models.CheckConstraint(
                condition=models.Q(days__gte=1, days__lte=MAX_TRAVEL_DAYS),
                name="travel_days",
                violation_error_message=f"From 1 to {MAX_TRAVEL_DAYS} days; a way that takes none needs no row.",
            ),
        ]
        triggers = [
            ground_stays,
            within_ground(("origin_id", "allocations_facility"), ("to_id", "allocations_facility")),
        ]

    def __str__(self) -> str:
        return f"{self.origin} to {self.to}: {self.days}"


@pghistory.track()
class TestType(models.Model):
    __test__ = False  # not a test case
    pgh_event_model: ClassVar[type[models.Model]]
    """Where its former states are, which `pghistory` sets."""

    ground = models.ForeignKey(ProvingGround, on_delete=models.PROTECT, related_name="test_types")
    code = models.SlugField(max_length=60)
    name = models.CharField(max_length=60)
    colour = models.CharField(
        max_length=7, default="#2464c9", validators=[RegexValidator(r"^#[0-9a-fA-F]{6}$", "A colour is #rrggbb.")]
    )
    miles_per_day = models.PositiveIntegerField(null=True, blank=True)
    default_days = models.PositiveSmallIntegerField(default=7)
    runs_through = models.BooleanField(
        default=True,
        help_text="It runs on over days off. Else it pauses on them: its days are days worked.",
    )

    class Meta:
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint("ground", Lower("name"), name="test_type_name_once"),
            models.UniqueConstraint(fields=["ground", "code"], name="test_type_code_once"),
            models.CheckConstraint(
                condition=models.Q(default_days__gte=1, default_days__lte=MAX_STAY_DAYS),
                name="test_type_default_days",
            ),
        ]
        triggers = [ground_stays]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        tidy(self, "name")

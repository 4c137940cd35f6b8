"""What to book: the test, and from when. Where is the answer to it."""

import datetime as dt
from functools import cached_property
from typing import Any

from django import forms

from allocations.models import Dyno
from allocations.rulebook import MAX_STAY_DAYS
from allocations.selectors.ground_rules import rules_of
from allocations.web.forms.fields import GroundForm, VehicleField, drive_field, test_type_field
from dynosite.lib.days import DayRange, day_of
from dynosite.lib.forms import DayField
from dynosite.lib.workdays import WorkingCalendar


class BookingForm(GroundForm):
    vehicle = VehicleField()
    test_type = test_type_field()
    drive = drive_field()
    first_day = DayField(label="First day")
    days = forms.IntegerField(
        min_value=1, max_value=MAX_STAY_DAYS, required=False, help_text="Empty: as the test type has it"
    )
    last_day = DayField(label="Last day", required=False, help_text="In place of the number of days")
    dyno = forms.ModelChoiceField(Dyno.objects.all(), required=False, empty_label="Any that fits")

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        first, last, days = data.get("first_day"), data.get("last_day"), data.get("days")
        if not first or "days" in self.errors or "last_day" in self.errors:
            return data
        if last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        elif last and (last - first).days >= MAX_STAY_DAYS:
            self.add_error("last_day", f"The limit is {MAX_STAY_DAYS} days.")
        elif last and days and data.get("test_type"):
            number = self.calendar.length(DayRange(first, last), pauses=self.pauses)
            if number != days:
                worked = " worked" if self.pauses and self.calendar else ""
                self.add_error("last_day", f"That makes {number} days{worked}, not {days}: clear one of the two.")
        return data

    @cached_property
    def calendar(self) -> WorkingCalendar:
        """Which days the ground works."""
        return rules_of(self.ground).calendar

    @property
    def more_filled_in(self) -> bool:
        """Whether a field under "More" holds something, or something wrong."""
        return any(self[name].value() for name in ("last_day", "drive", "dyno")) or bool(self["last_day"].errors)

    @property
    def pauses(self) -> bool:
        """Whether the test stands still on days off."""
        return not self.cleaned_data["test_type"].runs_through

    @property
    def length(self) -> int:
        """How many days the test takes; of one that pauses, days worked. Of a valid form."""
        data = self.cleaned_data
        if data.get("last_day"):
            return self.calendar.length(DayRange(data["first_day"], data["last_day"]), pauses=self.pauses)
        return data.get("days") or data["test_type"].default_days

    @property
    def stay(self) -> DayRange:
        """The days of the test if it starts on the day asked. Of a valid form."""
        first, last = self.cleaned_data["first_day"], self.cleaned_data.get("last_day")
        return DayRange(first, last) if last else self.stay_from(first)

    def stay_from(self, first_day: dt.date) -> DayRange:
        """The days of the test if it starts on another day. Of a valid form."""
        return self.calendar.stretch(first_day, self.length, pauses=self.pauses)


def read_place(text: str) -> tuple[int, dt.date] | None:
    """The dyno and first day that a place's button names."""
    dyno, _, day = text.partition("/")
    try:
        return int(dyno), day_of(day)
    except ValueError:
        return None

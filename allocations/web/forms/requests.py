"""A test that wants a place."""

from typing import Any

from django import forms
from django.db.models import Q

from allocations.enums import Priority, RequestStatus
from allocations.models import TestRequest
from allocations.rulebook import MAX_STAY_DAYS
from allocations.selectors.people import people
from allocations.web.forms.fields import (
    GroundForm,
    VehicleField,
    drive_field,
    field_of,
    owner_choices,
    test_type_field,
)
from dynosite.lib.forms import DayField

FIELDS = (
    "step",
    "drive",
    "days",
    "miles",
    "miles_per_day",
    "extra_days",
    "earliest_start",
    "due_date",
    "priority",
    "note",
)


_WHILE_IT_WAITS = (
    "vehicle",
    "test_type",
    "days",
    "miles",
    "miles_per_day",
    "extra_days",
    "earliest_start",
    "after",
)
"""What cannot be changed any more once the request has its place."""


class RequestForm(GroundForm):
    vehicle = VehicleField()
    test_type = test_type_field()
    step = forms.CharField(required=False, max_length=60, help_text="Such as a phase of the program")
    drive = drive_field()
    days = forms.IntegerField(
        min_value=1,
        max_value=MAX_STAY_DAYS,
        required=False,
        help_text="Empty: from the miles, or the test type's own",
    )
    miles = forms.IntegerField(min_value=1, max_value=1_000_000, required=False)
    miles_per_day = forms.IntegerField(min_value=1, max_value=10_000, required=False, label="Miles a day")
    extra_days = forms.IntegerField(min_value=0, max_value=100, required=False, label="Extra days")
    earliest_start = DayField(label="Earliest start", required=False)
    due_date = DayField(label="Due", required=False)
    priority = forms.ChoiceField(choices=Priority.choices, initial=Priority.NORMAL)
    after = forms.ModelChoiceField(
        TestRequest.objects.exclude(status=RequestStatus.CANCELLED),
        required=False,
        empty_label="Nothing",
        help_text="Another request of the same vehicle that comes first",
    )
    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea({"rows": 3}))
    owner = forms.TypedChoiceField(coerce=int, required=False, empty_value=None)
    version = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, request: TestRequest | None = None, **more: Any) -> None:
        super().__init__(*args, **more)
        if request:
            # What it comes after already can be chosen also when it is cancelled, so that the form does not drop it.
            others = Q(vehicle=request.vehicle_id) & ~Q(status=RequestStatus.CANCELLED)
            rows = TestRequest.objects.filter(others | Q(pk=request.after_id)).exclude(pk=request.pk)
            rows = rows.filter(ground=request.ground_id).select_related("vehicle", "test_type")
            field_of(self, "after", forms.ModelChoiceField).queryset = rows
            field_of(self, "owner", forms.ChoiceField).choices = owner_choices(request.ground, request.created_by_id)
            for name in _WHILE_IT_WAITS if request.status == RequestStatus.PLACED else ():
                self.fields[name].disabled = True
        else:
            del self.fields["after"], self.fields["owner"]

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        if data.get("earliest_start") and data.get("due_date") and data["due_date"] < data["earliest_start"]:
            self.add_error("due_date", "The due date is before the earliest start.")
        test_type = data.get("test_type")
        if not data.get("days") and "days" not in self.errors and test_type:
            data["days"] = self._days_of_the_miles(data) or test_type.default_days
            if data["days"] > MAX_STAY_DAYS:
                self.add_error("days", f"The miles make {data['days']} days; {MAX_STAY_DAYS} days is the limit.")
        return data

    @staticmethod
    def _days_of_the_miles(data: dict[str, Any]) -> int:
        a_day = data.get("miles_per_day") or data["test_type"].miles_per_day
        if not data.get("miles") or not a_day:
            return 0
        return -(-data["miles"] // a_day) + (data.get("extra_days") or 0)

    @property
    def values(self) -> dict[str, Any]:
        """What the service takes, beside vehicle and test type. Of a valid form."""
        values = {name: self.cleaned_data[name] for name in FIELDS}
        if "after" in self.cleaned_data:
            values["after_id"] = self.cleaned_data["after"].pk if self.cleaned_data["after"] else None
        if self.cleaned_data.get("owner"):
            values["created_by_id"] = self.cleaned_data["owner"]
        return values


class ManyForm(GroundForm):
    """What is set of several requests; what is empty stays as it is."""

    priority = forms.ChoiceField(choices=[("", "As it is"), *Priority.choices], required=False)
    due_date = DayField(label="Due", required=False, help_text="Empty: as it is")
    no_due_date = forms.BooleanField(label="No due date", required=False)
    owner = forms.TypedChoiceField(coerce=int, required=False, empty_value=None)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        field_of(self, "owner", forms.ChoiceField).choices = [("", "As it is"), *people(self.ground)]

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        if data.get("due_date") and data.get("no_due_date"):
            self.add_error("no_due_date", "Choose a due date or none.")
        return data

    @property
    def values(self) -> dict[str, Any]:
        """What the service takes. Of a valid form."""
        data = self.cleaned_data
        values = {"priority": data["priority"], "due_date": data["due_date"], "created_by_id": data["owner"]}
        values = {name: value for name, value in values.items() if value}
        return values | ({"due_date": None} if data["no_due_date"] else {})

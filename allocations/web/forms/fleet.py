"""Vehicles and dynos: the fields as the models have them; what is right is decided by the services."""

from typing import Any

from django import forms

from allocations import vehicle_details
from allocations.enums import Drive, WeightClass
from allocations.exceptions import Invalid
from allocations.models import Dyno, Facility, ProvingGround, TestType, Vehicle
from allocations.models.dyno import SETTINGS
from allocations.services.fleet import Runs
from allocations.services.master_data import digest
from allocations.web.forms.fields import field_of
from dynosite.lib.forms import DayField


class KeptForm(forms.ModelForm):
    """A model's fields, cleaned one by one; the checks of the whole row are the service's, under its lock."""

    seen = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)
    """A digest of the row as it was shown, so that what somebody else has changed since is not overwritten."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        if self.instance.pk:
            self.initial["seen"] = digest(self.instance)

    @property
    def seen_before(self) -> str | None:
        return self.cleaned_data["seen"] or None

    def _post_clean(self) -> None:
        """The instance is left as it is: only the service writes."""

    @property
    def values(self) -> dict[str, Any]:
        return {self.fields_to_columns.get(name, name): value for name, value in self._plain().items()}

    fields_to_columns: dict[str, str] = {}

    def _plain(self) -> dict[str, Any]:
        return {
            name: getattr(value, "pk", value) if name in self.fields_to_columns else value
            for name, value in self.cleaned_data.items()
            if name in (self._meta.fields or ())
        }

    def take(self, invalid: Invalid) -> None:
        """Shows what the service found beside the fields that it is about."""
        for name, sentences in invalid.errors.items():
            for sentence in sentences:
                self.add_error(name if name in self.fields else None, sentence)


class VehicleForm(KeptForm):
    class Meta:
        model = Vehicle
        fields = (
            "tag",
            "vin",
            *vehicle_details.NAMES,
            "drive",
            "weight_lbs",
            "weight_class",
            "placeholder",
            "notes",
        )
        widgets = {"notes": forms.Textarea({"rows": 3})}
        help_texts = {
            "tag": "What people call it",
            "placeholder": "A placeholder for a vehicle that has not arrived yet",
            "weight_lbs": "Empty where it is not known",
        }

    @property
    def details(self) -> list[forms.BoundField]:
        return [self[name] for name in vehicle_details.NAMES]


class DynoForm(KeptForm):
    fields_to_columns = {"facility": "facility_id"}

    class Meta:
        model = Dyno
        fields = ("name", "facility", "enabled", *SETTINGS, "notes")
        widgets = {"notes": forms.Textarea({"rows": 3})}
        field_classes = {"available_from": DayField, "available_to": DayField}
        help_texts = {"enabled": "Disabled, it takes no new bookings"}

    @property
    def settings(self) -> list[forms.BoundField]:
        return [self[name] for name in SETTINGS]

    def __init__(self, *args: Any, ground: ProvingGround, **more: Any) -> None:
        super().__init__(*args, **more)
        field_of(self, "facility", forms.ModelChoiceField).queryset = Facility.objects.filter(ground=ground)


class RunForm(forms.Form):
    """One row of what a dyno may run. An empty test type is no row."""

    test_type = forms.ModelChoiceField(TestType.objects.all(), required=False, empty_label="–")
    drives = forms.MultipleChoiceField(choices=Drive.choices, required=False, widget=forms.CheckboxSelectMultiple)
    weight_classes = forms.MultipleChoiceField(
        choices=[(value, value) for value in WeightClass.values],
        required=False,
        widget=forms.CheckboxSelectMultiple,
        label="Weight classes",
    )

    def __init__(self, *args: Any, ground: ProvingGround, **more: Any) -> None:
        super().__init__(*args, **more)
        field_of(self, "test_type", forms.ModelChoiceField).queryset = TestType.objects.filter(ground=ground)

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        if data.get("test_type"):
            for name in ("drives", "weight_classes"):
                if not data.get(name):
                    self.add_error(name, "Choose one at least.")
        return data


RunFormSet = forms.formset_factory(RunForm, extra=2, max_num=200, absolute_max=200)


def runs_of(formset: forms.BaseFormSet) -> list[Runs]:
    rows = [form.cleaned_data for form in formset if form.cleaned_data.get("test_type")]
    return [Runs(row["test_type"].pk, row["drives"], row["weight_classes"]) for row in rows]

"""Moving, completing and cancelling an allocation."""

from typing import Any

from django import forms

from allocations.models import Allocation, Dyno
from allocations.rulebook import MAX_STAY_DAYS
from allocations.web.forms.fields import GroundForm, drive_field, field_of, owner_choices
from dynosite.lib.forms import DayField


class MoveForm(GroundForm):
    """An empty last day keeps the length: a first day that is moved takes it along, with scripts or without."""

    dyno = forms.ModelChoiceField(Dyno.objects.all(), empty_label=None)
    first_day = DayField(label="First day")
    last_day = DayField(label="Last day, if another length", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        elif first and last and (last - first).days >= MAX_STAY_DAYS:
            self.add_error("last_day", f"The limit is {MAX_STAY_DAYS} days.")
        return data


class ExtendForm(forms.Form):
    """Nothing said is until today."""

    days = forms.IntegerField(label="Days more", required=False, min_value=0, max_value=MAX_STAY_DAYS)
    version = forms.IntegerField(widget=forms.HiddenInput)


class DetailsForm(forms.Form):
    """What a booking says beside its place."""

    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea({"rows": 2}))
    drive = forms.ChoiceField(label="Tested as", required=False)
    owner = forms.TypedChoiceField(coerce=int, required=False, empty_value=None)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, allocation: Allocation, **more: Any) -> None:
        initial = {name: getattr(allocation, name) for name in ("note", "drive", "version")}
        more["initial"] = initial | {"owner": allocation.created_by_id}
        super().__init__(*args, **more)
        field_of(self, "drive", forms.ChoiceField).choices = drive_field().choices
        owners = owner_choices(allocation.ground, allocation.created_by_id)
        field_of(self, "owner", forms.ChoiceField).choices = owners

    @property
    def values(self) -> dict[str, Any]:
        """What the service takes. Of a valid form."""
        data = self.cleaned_data
        owner = {"created_by_id": data["owner"]} if data["owner"] else {}
        return {"note": data["note"], "drive": data["drive"]} | owner


class CompleteForm(forms.Form):
    last_day = DayField(label="Last day that it ran")
    version = forms.IntegerField(widget=forms.HiddenInput)


class CancelForm(forms.Form):
    reason = forms.CharField(
        required=False, max_length=500, widget=forms.Textarea({"rows": 2}), help_text="Shown in the history"
    )
    cancel_request = forms.BooleanField(required=False, label="Cancel the test request behind it as well")
    version = forms.IntegerField(widget=forms.HiddenInput)

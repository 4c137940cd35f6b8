"""Moving, completing and cancelling an allocation."""

from typing import Any

from django import forms

from allocations.models import Dyno
from allocations.rulebook import LONGEST_STAY
from allocations.web.forms.fields import GroundForm
from dynosite.lib.forms import DayField


class MoveForm(GroundForm):
    """An empty last day keeps the length: a first day that is moved takes it along, with scripts or without."""

    dyno = forms.ModelChoiceField(Dyno.objects.all(), empty_label=None)
    first_day = DayField(label="First day")
    last_day = DayField(label="Last day, if another length", required=False)
    version = forms.IntegerField(widget=forms.HiddenInput)

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        elif first and last and (last - first).days >= LONGEST_STAY:
            self.add_error("last_day", f"{LONGEST_STAY} days is the longest stay.")
        return data


class ExtendForm(forms.Form):
    """Nothing said is until today."""

    days = forms.IntegerField(label="Days more", required=False, min_value=0, max_value=LONGEST_STAY)
    version = forms.IntegerField(widget=forms.HiddenInput)


class CompleteForm(forms.Form):
    last_day = DayField(label="Last day that it ran")
    version = forms.IntegerField(widget=forms.HiddenInput)


class CancelForm(forms.Form):
    reason = forms.CharField(
        required=False, max_length=500, widget=forms.Textarea({"rows": 2}), help_text="Shown in the history"
    )
    cancel_request = forms.BooleanField(required=False, label="Cancel the test request behind it as well")
    version = forms.IntegerField(widget=forms.HiddenInput)

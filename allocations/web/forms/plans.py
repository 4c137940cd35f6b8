"""What a plan is asked for."""

from collections.abc import Collection
from typing import Any

from django import forms
from django.db.models import QuerySet

from allocations.enums import Movable
from allocations.models import TestRequest
from dynosite.lib.formats import full_date
from dynosite.lib.forms import DayField


class PlanForm(forms.Form):
    name = forms.CharField(required=False, max_length=80, help_text="To tell it from others later")
    which = forms.ChoiceField(
        label="Requests",
        choices=[("all", "All that wait"), ("picked", "Only those I tick")],
        initial="all",
        widget=forms.RadioSelect,
    )
    first_day = DayField(label="From")
    last_day = DayField(
        label="To",
        help_text="Requests without a place by then stay waiting",
    )
    movable = forms.ChoiceField(label="What may move", choices=Movable.choices, initial=Movable.NOTHING)
    frozen_until = DayField(
        label="Frozen until",
        required=False,
        help_text="What starts by this day is not moved",
    )
    seconds = forms.IntegerField(label="Time limit in seconds", min_value=1, max_value=300, initial=20)

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", f"This is before {full_date(first)}, the first day.")
        if data.get("movable") == Movable.LATER and not data.get("frozen_until"):
            self.add_error("frozen_until", "Say until which day nothing may be moved.")
        return data

    @property
    def values(self) -> dict[str, Any]:
        """What the service takes, beside the requests. Of a valid form."""
        return {name: value for name, value in self.cleaned_data.items() if name != "which"}

    requests: list[int] | None = None
    """The ids of the requests to place, or None for all."""

    def has_requests(self, picked: Collection[int], waiting: QuerySet[TestRequest]) -> bool:
        """Takes those picked that are the ground's own and wait. Of a valid form; False leaves an error on it."""
        if self.cleaned_data["which"] == "all":
            return True
        self.requests = list(waiting.filter(pk__in=picked).order_by("pk").values_list("pk", flat=True))
        if not self.requests:
            self.add_error("which", "Tick at least one request that still waits.")
        return bool(self.requests)


class PlanWordsForm(forms.Form):
    name = forms.CharField(required=False, max_length=80)
    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea({"rows": 2}))

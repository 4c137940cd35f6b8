"""What a proving ground has beside its name: days off, shutdowns, and the days that vehicles travel."""

from typing import Any

from django import forms
from django.http import HttpRequest

from allocations.admin.base import Rows
from allocations.admin.forms import DomainForm, LabelledFormSet
from allocations.admin.scope import ground_ids
from allocations.models import Facility, ProvingGround, Shutdown, Travel
from allocations.models.ground import WEEKDAYS
from allocations.services.working import ShutDays, Way


class GroundForm(DomainForm):
    days_off = forms.TypedMultipleChoiceField(
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="Days of the week on which no test is started.",
    )

    class Meta:
        model = ProvingGround
        fields = "__all__"


class _OfGround(Rows):
    formset = LabelledFormSet

    def _holds(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(ground_ids(request))

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = _holds


class ShutdownInline(_OfGround):
    model = Shutdown
    verbose_name_plural = "shutdowns"
    fields = ["name", "first_day", "last_day"]


class TravelForm(forms.ModelForm):
    both = forms.BooleanField(
        required=False, label="And back", help_text="The way back takes as long, unless it has a row of its own."
    )


class TravelFormSet(LabelledFormSet):
    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name in ("origin", "to"):
            form.fields[name].queryset = Facility.objects.filter(ground_id=self.instance.pk)


class TravelInline(_OfGround):
    model = Travel
    form = TravelForm
    formset = TravelFormSet
    verbose_name_plural = "travel between facilities: whole days between the last day here and the first day there"
    fields = ["origin", "to", "days", "both"]


def wanted_of(formsets: Any) -> dict[str, Any]:
    """What the inlines ask for, as the service takes it."""
    values: dict[str, Any] = {}
    for formset in formsets:
        rows = [form.cleaned_data for form in formset.forms]
        rows = [row for row in rows if row and not row.get("DELETE")]
        if formset.model is Shutdown:
            values["shutdowns"] = [
                ShutDays(row["name"], row["first_day"], row["last_day"]) for row in rows if row.get("name")
            ]
        elif formset.model is Travel:
            values["travel"] = [
                Way(row["origin"].pk, row["to"].pk, row["days"], row["both"]) for row in rows if row.get("origin")
            ]
    return values

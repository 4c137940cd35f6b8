"""What a scenario asks about, and a form for each kind of edit that it may make."""

from typing import Any

from django import forms

from allocations.enums import Drive, Movable, WeightClass
from allocations.models import Dyno, MaintenanceWindow
from allocations.rulebook import MAX_STAY_DAYS
from allocations.web.forms.fields import GroundForm, field_of, test_type_field
from dynosite.lib.formats import full_date
from dynosite.lib.forms import DayField


class ScenarioForm(forms.Form):
    name = forms.CharField(max_length=80, help_text="The question, such as: one more AWD dyno")
    first_day = DayField(label="From")
    last_day = DayField(label="To")
    movable = forms.ChoiceField(
        label="What may move",
        choices=Movable.choices,
        initial=Movable.NOTHING,
        help_text="Tests that lose their dyno get another place in any case",
    )
    frozen_until = DayField(label="Frozen until", required=False, help_text="What starts by this day is not moved")
    seconds = forms.IntegerField(
        label="Seconds a plan", min_value=1, max_value=120, initial=10, help_text="Up to five plans are made"
    )
    note = forms.CharField(required=False, max_length=2000, widget=forms.Textarea({"rows": 2}))

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", f"This is before {full_date(first)}, the first day.")
        if data.get("movable") == Movable.LATER and not data.get("frozen_until"):
            self.add_error("frozen_until", "Say until which day nothing may be moved.")
        return data


class MonthField(forms.DateField):
    widget = forms.DateInput({"type": "month", "placeholder": "2027-05"}, format="%Y-%m")

    def __init__(self, **more: Any) -> None:
        more.setdefault("error_messages", {"invalid": "A month is written like 2027-05."})
        super().__init__(input_formats=["%Y-%m"], **more)


def dyno_field(label: str = "Dyno", **more: Any) -> forms.ModelChoiceField:
    return forms.ModelChoiceField(Dyno.objects.filter(enabled=True), label=label, empty_label="Choose …", **more)


def drives_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Drives", choices=Drive.choices, initial=Drive.values, widget=forms.CheckboxSelectMultiple
    )


def weights_field() -> forms.MultipleChoiceField:
    return forms.MultipleChoiceField(
        label="Weights", choices=WeightClass.choices, initial=WeightClass.values, widget=forms.CheckboxSelectMultiple
    )


class EditForm(GroundForm):
    """`data` is the edit as the service takes it. Of a valid form."""

    do = ""
    title = ""
    icon = "pencil"

    @property
    def edit(self) -> dict[str, Any]:
        data = {"do": self.do}
        for name, value in self.cleaned_data.items():
            if value not in (None, ""):
                data[name] = value.pk if hasattr(value, "pk") else value
        return data

    def _runs(self) -> dict[str, Any]:
        data = self.cleaned_data
        return {"test_type": data["test_type"].pk, "drives": data["drives"], "weights": data["weights"]}


class LikeDynoForm(EditForm):
    do, title, icon = "add-dyno", "A dyno more, like another", "plus"
    like = dyno_field("Like")
    count = forms.IntegerField(label="How many", min_value=1, max_value=10, initial=1)


class NewDynoForm(EditForm):
    do, title, icon = "add-dyno", "A dyno more, of a new kind", "plus"
    test_type = test_type_field()
    drives = drives_field()
    weights = weights_field()

    @property
    def edit(self) -> dict[str, Any]:
        return {"do": self.do, "runs": [self._runs()]}


class RemoveDynoForm(EditForm):
    do, title, icon = "remove-dyno", "Remove a dyno", "minus"
    dyno = dyno_field()


class AddCapabilityForm(EditForm):
    do, title, icon = "add-capability", "A dyno runs more", "zap"
    dyno = dyno_field()
    test_type = test_type_field()
    drives = drives_field()
    weights = weights_field()

    @property
    def edit(self) -> dict[str, Any]:
        return {"do": self.do, "dyno": self.cleaned_data["dyno"].pk, "runs": self._runs()}


class AddMaintenanceForm(EditForm):
    do, title, icon = "add-maintenance", "Maintenance more", "wrench"
    dyno = dyno_field()
    first_day = DayField(label="First day")
    last_day = DayField(label="Last day")


class ScenarioWindowForm(EditForm):
    window = forms.ModelChoiceField(
        MaintenanceWindow.objects.filter(lifted_at=None).select_related("dyno"), empty_label="Choose …"
    )

    def __init__(self, *args: Any, since: Any = None, **more: Any) -> None:
        super().__init__(*args, **more)
        if since:
            field = field_of(self, "window", forms.ModelChoiceField)
            field.queryset = field.queryset.filter(last_day__gte=since) if field.queryset is not None else None


class MoveMaintenanceForm(ScenarioWindowForm):
    do, title, icon = "move-maintenance", "Maintenance at another time", "move-horizontal"
    first_day = DayField(label="New first day", help_text="As long as it is")


class RemoveMaintenanceForm(ScenarioWindowForm):
    do, title, icon = "remove-maintenance", "Maintenance less", "wrench"


class MoreTestsForm(EditForm):
    do, title, icon = "more-tests", "More tests in a month", "inbox"
    test_type = test_type_field()
    count = forms.IntegerField(label="How many", min_value=1, max_value=500, initial=50)
    month = MonthField()
    days = forms.IntegerField(
        label="Days each",
        min_value=1,
        max_value=MAX_STAY_DAYS,
        required=False,
        help_text="Empty: as tests of this type take",
    )
    drive = forms.ChoiceField(choices=[("", "As they are"), *Drive.choices], required=False)
    weight = forms.ChoiceField(choices=[("", "As they are"), *WeightClass.choices], required=False)


class CloseWeekendsForm(EditForm):
    do, title, icon = "close-weekends", "Weekends closed", "ban"
    pause = forms.BooleanField(
        label="Tests pause over them",
        required=False,
        initial=True,
        help_text="If not, they run through; no test begins on a weekend",
    )

    @property
    def edit(self) -> dict[str, Any]:
        return {"do": self.do, "pause": self.cleaned_data["pause"]}


FORMS: dict[str, type[EditForm]] = {
    "like": LikeDynoForm,
    "new": NewDynoForm,
    "without": RemoveDynoForm,
    "capability": AddCapabilityForm,
    "tests": MoreTestsForm,
    "weekends": CloseWeekendsForm,
    "maintenance": AddMaintenanceForm,
    "later": MoveMaintenanceForm,
    "lifted": RemoveMaintenanceForm,
}

"""What a plan is asked for."""

from django import forms

from allocations.enums import Movable
from allocations.web.forms.fields import DayField


class PlanForm(forms.Form):
    first_day = DayField(label="From")
    last_day = DayField(
        label="To",
        help_text="What finds no place by then stays waiting",
    )
    movable = forms.ChoiceField(label="What may move", choices=Movable.choices, initial=Movable.NOTHING)
    frozen_until = DayField(
        label="Frozen until",
        required=False,
        help_text="What starts by this day is not moved",
    )
    seconds = forms.IntegerField(label="Seconds to think", min_value=1, max_value=300, initial=20)

    def clean(self):
        data = super().clean()
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", f"This is before {first}, the first day.")
        if data.get("movable") == Movable.LATER and not data.get("frozen_until"):
            self.add_error("frozen_until", "Say until which day nothing is to be moved.")
        return data

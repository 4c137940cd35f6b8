"""What a plan is asked for."""

from django import forms

from allocations.enums import Movable


class PlanForm(forms.Form):
    first_day = forms.DateField(label="From", widget=forms.DateInput({"type": "date"}))
    last_day = forms.DateField(
        label="To",
        widget=forms.DateInput({"type": "date"}),
        help_text="What finds no place by then stays waiting",
    )
    movable = forms.ChoiceField(label="What may move", choices=Movable.choices, initial=Movable.NOTHING)
    frozen_until = forms.DateField(
        label="Frozen until",
        required=False,
        widget=forms.DateInput({"type": "date"}),
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

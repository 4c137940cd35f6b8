"""A maintenance window, and an answer for each booking that it hits."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any

from django import forms

from allocations.enums import DisplacedTo, MaintenanceKind
from allocations.models import Dyno
from allocations.rulebook import LONGEST_STAY
from allocations.selectors.maintenance import Answer, Hit
from allocations.web.forms.booking import read_place
from allocations.web.forms.fields import GroundForm
from dynosite.lib.days import DayRange
from dynosite.lib.forms import DayField


class WindowForm(GroundForm):
    dyno = forms.ModelChoiceField(Dyno.objects.all(), empty_label="Choose …")
    first_day = DayField(label="First day")
    last_day = DayField(label="Last day")
    kind = forms.ChoiceField(choices=MaintenanceKind.choices)
    reason = forms.CharField(required=False, max_length=200)
    reference = forms.CharField(required=False, max_length=60, help_text="Work order or ticket")
    others = forms.ChoiceField(
        label="To repair what it hits, may move",
        choices=[("move", "The displaced, and others to make room"), ("stay", "The displaced only")],
    )  # fmt: skip

    def __init__(self, *args: Any, outage_only: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        if outage_only:
            kind = self.fields["kind"]
            kind.choices = [(MaintenanceKind.OUTAGE.value, MaintenanceKind.OUTAGE.label)]
            kind.help_text = "Planned maintenance and calibration are set by an admin"

    def clean(self) -> dict[str, Any]:
        data = super().clean()
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        elif first and last and (last - first).days >= LONGEST_STAY:
            self.add_error("last_day", f"{LONGEST_STAY} days at the longest; set a second window after it.")
        return data

    @property
    def others_stay(self) -> bool:
        return self.cleaned_data["others"] == "stay"

    @property
    def days(self) -> DayRange:
        return DayRange(self.cleaned_data["first_day"], self.cleaned_data["last_day"])


def read_answers(data: Mapping[str, str], hits: Iterable[Hit]) -> dict[int, Answer]:
    """The answers that were chosen: `answer-ID`, for a move with `place-ID`, and the version that was looked at."""
    answers = {}
    for hit in hits:
        id_ = hit.allocation.pk
        chosen, version = data.get(f"answer-{id_}", ""), data.get(f"version-{id_}", "")
        if chosen not in DisplacedTo.values:
            continue
        dyno_id: int | None = None
        first: dt.date | None = None
        if chosen == DisplacedTo.MOVE:
            place = read_place(data.get(f"place-{id_}", ""))
            if place is None:
                continue
            dyno_id, first = place
        seen = int(version) if version.isdecimal() and len(version) < 10 else None
        answers[id_] = Answer(DisplacedTo(chosen), dyno_id, first, seen)
    return answers

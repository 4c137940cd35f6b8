"""A maintenance window, and an answer for each booking that it hits."""

import datetime as dt
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from django import forms

from allocations.enums import DisplacedTo, MaintenanceKind
from allocations.models import Dyno
from allocations.rulebook import MAX_STAY_DAYS
from allocations.selectors.maintenance import Answer, Hit, Slot
from allocations.selectors.series import MAX_WINDOWS
from allocations.web.forms.booking import read_place
from allocations.web.forms.fields import GroundForm, field_of
from dynosite.lib.days import DayRange
from dynosite.lib.forms import DayField
from dynosite.lib.params import number_of
from dynosite.lib.recurring import MAX_EVERY, MAX_TIMES, Recurrence, Unit

REPEATS = [
    ("", "Does not repeat"),
    (Unit.WEEK.value, "By weeks, same weekday"),
    (Unit.MONTH_WEEKDAY.value, "By months, same weekday"),
    (Unit.MONTH_DAY.value, "By months, same date"),
]
SERIES = ("repeat", "every", "times", "until", "also")
"""Fields of windows that are set together."""


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
    )
    repeat = forms.ChoiceField(label="Repeats", choices=REPEATS, required=False)
    every = forms.IntegerField(
        label="Every", min_value=1, max_value=MAX_EVERY, required=False, help_text="Weeks or months"
    )
    times = forms.IntegerField(
        label="How many times", min_value=2, max_value=MAX_TIMES, required=False, help_text="The first one included"
    )
    until = DayField(label="Or until", required=False, help_text="The last one begins on this day or before it")
    also = forms.ModelMultipleChoiceField(
        Dyno.objects.filter(enabled=True),
        label="On these dynos too",
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )

    def __init__(self, *args: Any, outage_only: bool = False, single: bool = False, **more: Any) -> None:
        super().__init__(*args, **more)
        if single:
            for name in SERIES:
                del self.fields[name]
        if outage_only:
            kind = field_of(self, "kind", forms.ChoiceField)
            kind.choices = [(MaintenanceKind.OUTAGE.value, MaintenanceKind.OUTAGE.label)]
            kind.help_text = "Planned maintenance and calibration are set by an admin"

    def clean(self) -> dict[str, Any]:
        super().clean()
        data = self.cleaned_data
        first, last = data.get("first_day"), data.get("last_day")
        if first and last and last < first:
            self.add_error("last_day", "The last day is before the first.")
        elif first and last and (last - first).days >= MAX_STAY_DAYS:
            self.add_error("last_day", f"{MAX_STAY_DAYS} days at the longest; set a second window after it.")
        if first and last and data.get("dyno") and not self.errors:
            self._check_series(data)
        return data

    def _check_series(self, data: dict[str, Any]) -> None:
        starts = self._starts(data)
        if data.get("repeat"):
            self._check_repeat(data, starts)
        dynos = {data.get("dyno"), *data.get("also", ())}
        if len(starts) * len(dynos) > MAX_WINDOWS:
            sentence = f"These are {len(starts) * len(dynos)} windows; {MAX_WINDOWS} are the most at once."
            self.add_error("also", sentence)

    def _check_repeat(self, data: dict[str, Any], starts: list[dt.date]) -> None:
        length = (data["last_day"] - data["first_day"]).days + 1
        if not data.get("times") and not data.get("until"):
            self.add_error("times", "Say how many times, or until which day.")
        elif len(starts) > MAX_TIMES:
            self.add_error("until", f"It would come more than {MAX_TIMES} times; choose an earlier day.")
        elif len(starts) == 1:
            self.add_error("until", "By this day it comes only once; choose a later day.")
        elif any((after - before).days < length for before, after in pairwise(starts)):
            self.add_error("every", f"A window of {length} days would still last when the next one begins.")

    def _starts(self, data: dict[str, Any]) -> list[dt.date]:
        if not data.get("repeat"):
            return [data["first_day"]]
        recurrence = Recurrence(Unit(data["repeat"]), data.get("every") or 1)
        return recurrence.days(data["first_day"], times=data.get("times"), until=data.get("until"))

    @property
    def others_stay(self) -> bool:
        return self.cleaned_data["others"] == "stay"

    @property
    def days(self) -> DayRange:
        return DayRange(self.cleaned_data["first_day"], self.cleaned_data["last_day"])

    @property
    def slots(self) -> list[Slot]:
        """The windows that it asks for, of a valid form: each time that it comes, on each of the dynos."""
        data, length = self.cleaned_data, self.days.days
        dynos = {data["dyno"].pk, *(dyno.pk for dyno in data.get("also", ()))}
        return [Slot(dyno, DayRange.starting(first, length)) for first in self._starts(data) for dyno in dynos]

    @property
    def repeats(self) -> str:
        """How it comes again, in words; nothing where it does not."""
        data = self.cleaned_data
        if not data.get("repeat"):
            return ""
        return Recurrence(Unit(data["repeat"]), data.get("every") or 1).words(data["first_day"])


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
        seen_version = number_of(version)
        answers[id_] = Answer(DisplacedTo(chosen), dyno_id, first, seen_version)
    return answers

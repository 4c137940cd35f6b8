"""The step between a maintenance window and its saving: what becomes of each test that it hits."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core import signing
from django.db.models import QuerySet

from allocations.enums import DisplacedTo
from allocations.models import Allocation, Dyno
from allocations.selectors.availability import Place
from allocations.selectors.maintenance import Answer, Hit, Return
from dynosite.lib.formats import day_range
from dynosite.lib.forms import DayField

PREFIX = "fallout-"
FACTS = f"{PREFIX}facts"
OTHER = "other"
_SALT = "allocations.admin.fallout"


def facts_of(hits: Sequence[Hit], returns: Sequence[Return]) -> dict[str, Any]:
    """What the page shows, to see later whether it is still so."""
    return {
        "hits": {str(hit.allocation.pk): [hit.allocation.version, str(hit.allocation)] for hit in hits},
        "returns": {str(each.displacement.pk): not each.refusals for each in returns},
    }


def facts_shown(posted: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return signing.loads(posted.get(FACTS, ""), salt=_SALT)
    except signing.BadSignature:
        return None


def differences(shown: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """Sentences of what has changed since the page was shown."""
    before, after = shown["hits"], now["hits"]
    found = [f"New within the window: {after[id_][1]}." for id_ in after if id_ not in before]
    found += [f"No longer within the window: {before[id_][1]}." for id_ in before if id_ not in after]
    for id_ in before.keys() & after.keys():
        if before[id_] != after[id_]:
            found.append(f"Changed: {before[id_][1]} is now {after[id_][1]}.")
    if shown["returns"] != now["returns"]:
        found.append("What can come back is no longer the same.")
    return found


class FalloutForm(forms.Form):
    """An answer for each hit, and a tick for each of those that can come back."""

    def __init__(
        self,
        posted: Mapping[str, Any] | None,
        *,
        hits: Sequence[Hit],
        returns: Sequence[Return],
        dynos: QuerySet[Dyno],
    ):
        super().__init__(posted, prefix=None, use_required_attribute=False)
        self.hits, self.returns = hits, returns
        self.facts = signing.dumps(facts_of(hits, returns), salt=_SALT)
        for hit in hits:
            self._ask_about(hit, dynos)
        for each in returns:
            self.fields[f"{PREFIX}back-{each.displacement.pk}"] = forms.BooleanField(
                required=False, initial=True, label=returning(each)
            )
            self.initial[f"{PREFIX}back-{each.displacement.pk}"] = True

    def _ask_about(self, hit: Hit, dynos: QuerySet[Dyno]) -> None:
        if not hit.answers:
            return
        id_ = hit.allocation.pk
        self.fields[f"{PREFIX}answer-{id_}"] = forms.ChoiceField(
            choices=_choices(hit),
            widget=forms.RadioSelect,
            initial=_choices(hit)[0][0],
            label=str(hit.allocation),
            error_messages={
                "required": "Choose what becomes of it.",
                "invalid_choice": "That place is gone; choose again.",
            },
        )
        if DisplacedTo.MOVE in hit.answers:
            label = f"for {hit.allocation.vehicle}"
            self.fields[f"{PREFIX}dyno-{id_}"] = forms.ModelChoiceField(dynos, required=False, label=f"Dyno {label}")
            self.fields[f"{PREFIX}first-{id_}"] = DayField(required=False, label=f"First day {label}")

    def rows(self) -> list[dict[str, Any]]:
        """For the template: each hit with its bound fields."""
        names = ("answer", "dyno", "first")
        return [
            {"hit": hit, "allocation": hit.allocation}
            | {
                name: self[f"{PREFIX}{name}-{hit.allocation.pk}"]
                for name in names
                if f"{PREFIX}{name}-{hit.allocation.pk}" in self.fields
            }
            for hit in self.hits
        ]

    def back_rows(self) -> list[Any]:
        return [self[f"{PREFIX}back-{each.displacement.pk}"] for each in self.returns]

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for hit in self.hits:
            id_ = hit.allocation.pk
            if values.get(f"{PREFIX}answer-{id_}") != OTHER:
                continue
            for name, sentence in (("dyno", "Choose the dyno."), ("first", "Say the first day there.")):
                field = f"{PREFIX}{name}-{id_}"
                if not values.get(field) and field not in self.errors:
                    self.add_error(field, sentence)
        return values

    @property
    def blocked(self) -> list[Allocation]:
        """Completed tests within the window: it cannot stand."""
        return [hit.allocation for hit in self.hits if not hit.answers]

    def answers(self) -> dict[int, Answer]:
        return {hit.allocation.pk: self._answer(hit) for hit in self.hits}

    def _answer(self, hit: Hit) -> Answer:
        id_, version = hit.allocation.pk, hit.allocation.version
        chosen = self.cleaned_data[f"{PREFIX}answer-{id_}"]
        if chosen == OTHER:
            dyno = self.cleaned_data[f"{PREFIX}dyno-{id_}"]
            return Answer(DisplacedTo.MOVE, dyno.pk, self.cleaned_data[f"{PREFIX}first-{id_}"], version)
        if chosen.startswith(f"{DisplacedTo.MOVE.value}:"):
            _, dyno_id, first = chosen.split(":")
            return Answer(DisplacedTo.MOVE, int(dyno_id), dt.date.fromisoformat(first), version)
        return Answer(DisplacedTo(chosen), version=version)

    def bring_back(self) -> list[int]:
        ids = [each.displacement.pk for each in self.returns]
        return [id_ for id_ in ids if self.cleaned_data[f"{PREFIX}back-{id_}"]]


def _choices(hit: Hit) -> list[tuple[str, str]]:
    found = []
    for answer in hit.answers:
        if answer != DisplacedTo.MOVE:
            found.append((answer.value, answer.label))
            continue
        if hit.place:
            found.append((_move_to(hit.place), f"Move to {_written(hit.place)}"))
        found.append((OTHER, "Move to another place:"))
    # What asks for more to be typed stands last, next to its fields.
    return sorted(found, key=lambda choice: choice[0] == OTHER)


def _move_to(place: Place) -> str:
    return f"{DisplacedTo.MOVE.value}:{place.dyno_id}:{place.first_day:%Y-%m-%d}"


def _written(place: Place) -> str:
    return f"{place.dyno} ({place.facility}), {day_range(place.first_day, place.last_day)}"


def returning(each: Return) -> str:
    """'412W101 (Brake) back to NPG 1, 19 – 21 Nov 2026'."""
    was = each.displacement
    days = day_range(was.first_day, was.last_day)
    return f"{was.allocation.vehicle} ({was.allocation.test_type}) back to {was.dyno}, {days}"

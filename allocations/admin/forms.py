"""Forms of the administration: what a service refuses comes back into the form, beside its field where it has one."""

from typing import Any

from django import forms
from django.utils.text import capfirst

from allocations.exceptions import DomainError, Invalid, Refused
from allocations.rulebook import TOPICS
from allocations.services.master_data import digest
from dynosite.lib.formats import day_range


class DomainForm(forms.ModelForm):
    """Gets what the service refused as one more error, where `domain_error` is set (see `GroundAdmin`)."""

    domain_error: DomainError | None = None

    @property
    def as_seen(self) -> dict[str, Any]:
        """What the service takes to tell whether the row has changed since it was shown."""
        return {}

    def _post_clean(self) -> None:
        super()._post_clean()  # type: ignore[misc]  # the stubs leave it out
        if self.domain_error:
            for field, sentence in errors_of(self.domain_error):
                self.add_error(field if field in self.fields else None, sentence)


class SeenForm(DomainForm):
    """Carries a digest of the row as it was shown, for rows that have no version."""

    seen = forms.CharField(required=False, max_length=32, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen" in self.fields and self.instance.pk:
            self.initial["seen"] = digest(self.instance)

    @property
    def as_seen(self) -> dict[str, Any]:
        return {"seen_digest": self.cleaned_data["seen"] or None} if self.instance.pk else {}


def with_seen(fieldsets: Any, row: Any) -> list[tuple]:
    """The fieldsets, with the hidden field of `SeenForm` where a row is changed."""
    return [*fieldsets, (None, {"fields": ["seen"]})] if row else list(fieldsets)


class VersionedForm(DomainForm):
    """Carries the version that was seen, so that a change of what somebody else has changed is refused."""

    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "seen" in self.fields and self.instance.pk:
            self.initial["seen"] = self.instance.version

    @property
    def as_seen(self) -> dict[str, Any]:
        """Without a version: none that was seen."""
        return {"version": self.cleaned_data["seen"] or 0} if "seen" in self.cleaned_data else {}


def errors_of(error: DomainError) -> list[tuple[str | None, str]]:
    """Pairs of field and sentence; the nearest places are named in one more sentence."""
    if isinstance(error, Invalid):
        return [(name or None, sentence) for name, sentences in error.errors.items() for sentence in sentences]
    if not isinstance(error, Refused):
        return [(None, error.sentence)]
    sentences: list[tuple[str | None, str]] = []
    for refusal in error.refusals:
        topic = TOPICS.get(refusal.code)
        sentences.append((topic.field if topic else None, refusal.sentence))
    if error.places:
        places = "; ".join(f"{p.where} ({p.facility}), {day_range(p.first_day, p.last_day)}" for p in error.places)
        sentences.append((None, f"The nearest places that would do: {places}."))
    return sentences


class LabelledFormSet(forms.BaseInlineFormSet):
    """Rows of a table, whose column headings alone do not tell a screen reader what a field is."""

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        for name, field in form.fields.items():
            label = "Delete this row" if name == "DELETE" else capfirst(field.label or name.replace("_", " "))
            getattr(field.widget, "widget", field.widget).attrs["aria-label"] = label

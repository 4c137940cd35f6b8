"""Dynos, with what they may run."""

import datetime as dt
from collections.abc import Iterable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db import transaction
from django.db.models import Count, Q, QuerySet
from django.http import HttpRequest, HttpResponse

from allocations.admin.asking import ConfirmationRequired, confirmed, repeated
from allocations.admin.base import GroundAdmin, Rows
from allocations.admin.forms import LabelledFormSet, SeenForm, with_seen
from allocations.admin.scope import actor_of, ground_ids
from allocations.enums import OPEN_STATUSES, Drive, WeightClass
from allocations.models import Allocation, Capability, Change, Dyno
from allocations.models.dyno import SETTINGS
from allocations.services import fleet
from allocations.services.fleet import Runs
from allocations.services.unit_of_work import Actor
from dynosite.lib import clock


class CapabilityForm(forms.ModelForm):
    drives = forms.MultipleChoiceField(choices=Drive.choices, widget=forms.CheckboxSelectMultiple)
    weight_classes = forms.MultipleChoiceField(choices=WeightClass.choices, widget=forms.CheckboxSelectMultiple)


class CapabilityFormSet(LabelledFormSet):
    def clean(self) -> None:
        super().clean()
        facility = self.instance.facility_id and self.instance.facility
        for form in self.forms:
            test_type = form.cleaned_data.get("test_type") if form.is_valid() else None
            if test_type and facility and test_type.ground_id != facility.ground_id:
                form.add_error("test_type", f"{test_type} is a test type of another proving ground.")


class CapabilityInline(Rows):
    model = Capability
    form = CapabilityForm
    formset = CapabilityFormSet
    verbose_name_plural = "may run"

    def _holds(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(ground_ids(request))

    has_view_permission = has_add_permission = has_change_permission = has_delete_permission = _holds


class DynoForm(SeenForm):
    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        facility = values.get("facility")
        if facility and self.instance.pk is None:
            self.instance.ground = facility.ground
        elif facility and facility.ground_id != self.instance.ground_id:
            self.add_error("facility", "A dyno stays in its proving ground.")
        return values


@admin.register(Dyno)
class DynoAdmin(GroundAdmin):
    form = DynoForm
    inlines = [CapabilityInline]
    deletable = True
    fieldsets = [
        (None, {"fields": ["facility", "name", "enabled"]}),
        ("Availability", {"fields": SETTINGS, "description": "Empty: without an end."}),
        ("Notes", {"fields": ["notes"]}),
    ]
    list_display = ["name", "facility", "ground_code", "enabled", "runs", "available_from", "available_to"]
    list_filter = [
        ("ground", admin.RelatedOnlyFieldListFilter),
        ("facility", admin.RelatedOnlyFieldListFilter),
        "enabled",
        ("capabilities__test_type", admin.RelatedOnlyFieldListFilter),
    ]
    search_fields = ["name", "facility__name", "notes"]
    actions = ["enable", "disable"]
    ordering = ["ground__name", "sort_key"]

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return with_seen(super().get_fieldsets(request, obj), obj)

    def get_queryset(self, request: HttpRequest) -> QuerySet:
        rows = super().get_queryset(request).select_related("ground", "facility")
        return rows.annotate(kinds=Count("capabilities__test_type", distinct=True))

    @admin.display(description="test types", ordering="kinds")
    def runs(self, dyno: Dyno) -> int:
        return dyno.kinds  # type: ignore[attr-defined]  # counted by `get_queryset`

    def save_model(self, request: HttpRequest, obj: Dyno, form: Any, change: bool) -> None:
        """Nothing yet: a dyno is written together with what it may run."""

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        if change and not confirmed(request):
            stranded = _left_outside(form.instance, form.initial)
            if stranded:
                raise ConfirmationRequired(
                    "admin/stranded.html",
                    title=f"{form.instance}: tests that keep a place it no longer offers",
                    allocations=stranded,
                    button="Save it all the same",
                )
        values = self.values(form) | {"runs": [run for formset in formsets for run in _runs(formset)]}
        self.refresh(form.instance, self.save(actor_of(request), form.instance, values, change))

    def save(self, actor: Actor, row: Dyno, values: dict[str, Any], change: bool) -> Change:
        if change:
            return fleet.change_dyno(row.pk, actor=actor, **values)
        return fleet.add_dyno(values.pop("facility_id"), actor=actor, **values)

    def remove(self, actor: Actor, row: Dyno) -> Change:
        return fleet.delete_dyno(row.pk, actor=actor)

    @admin.action(description="Enable the dynos selected", permissions=["change"])
    def enable(self, request: HttpRequest, dynos: QuerySet) -> None:
        self._set_enabled(request, dynos, True)

    @admin.action(description="Disable the dynos selected", permissions=["change"])
    def disable(self, request: HttpRequest, dynos: QuerySet) -> HttpResponse | None:
        stranded = _coming(dyno.pk for dyno in dynos if dyno.enabled)
        if stranded and not confirmed(request):
            return self.page(
                request,
                "admin/stranded.html",
                title="Disable dynos that have tests coming",
                allocations=stranded,
                button="Disable them all the same",
                fields=repeated(request),
            )
        self._set_enabled(request, dynos, False)
        return None

    def _set_enabled(self, request: HttpRequest, dynos: QuerySet, enabled: bool) -> None:
        ids_by_ground: dict[int, list[int]] = {}
        for dyno in dynos:
            ids_by_ground.setdefault(dyno.ground_id, []).append(dyno.pk)
        with transaction.atomic():
            done = [fleet.set_enabled(ids, enabled, actor=actor_of(request)) for ids in ids_by_ground.values()]
        for change in done:
            self.message_user(request, f"{change.summary}.", messages.SUCCESS)


def _runs(formset: Any) -> list[Runs]:
    return [
        Runs(row["test_type"].pk, row["drives"], row["weight_classes"])
        for row in (form.cleaned_data for form in formset.forms)
        if row and not row.get("DELETE") and row.get("test_type")
    ]


def _coming(dyno_ids: Iterable[int], *outside: Q) -> list[Allocation]:
    """Allocations of these dynos that are not over; with `outside`, those of them that it is true of."""
    today = clock.today("UTC") - dt.timedelta(days=1)  # no ground is farther behind
    return list(
        Allocation.objects.filter(*outside, dyno_id__in=list(dyno_ids), status__in=OPEN_STATUSES, last_day__gte=today)
        .select_related("vehicle", "dyno", "test_type")
        .order_by("dyno__sort_key", "first_day")
    )


def _left_outside(dyno: Dyno, before: dict[str, Any]) -> list[Allocation]:
    """The allocations that keep their place though the dyno, as it is to be, would refuse them."""
    outside = Q()
    if before["enabled"] and not dyno.enabled:
        return _coming([dyno.pk])
    if dyno.available_from and dyno.available_from != before["available_from"]:
        outside |= Q(first_day__lt=dyno.available_from)
    if dyno.available_to and dyno.available_to != before["available_to"]:
        outside |= Q(last_day__gt=dyno.available_to)
    return _coming([dyno.pk], outside) if outside else []

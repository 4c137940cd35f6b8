"""Vehicles, test types and facilities."""

from typing import Any

from django import forms
from django.contrib import admin
from django.http import HttpRequest

from allocations import vehicle_details
from allocations.admin.base import GroundAdmin
from allocations.admin.forms import SeenForm, with_seen
from allocations.admin.scope import ground_ids
from allocations.models import Change, Facility, TestType, Vehicle
from allocations.services import fleet
from allocations.services.unit_of_work import Actor

GROUND = ("ground", admin.RelatedOnlyFieldListFilter)


class FleetAdmin(GroundAdmin):
    """A row names its ground when it is added, and stays there."""

    form = SeenForm
    deletable = True

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        return with_seen(super().get_fieldsets(request, obj), obj)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["ground"] if obj else []

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        grounds = ground_ids(request)
        only = {"ground": next(iter(grounds))} if len(grounds) == 1 else {}
        return only | super().get_changeform_initial_data(request)

    def get_queryset(self, request: HttpRequest):
        return super().get_queryset(request).select_related("ground")


class ProgramFilter(admin.SimpleListFilter):
    """Programs are plain text: those of another ground must not show among the choices."""

    title = "program"
    parameter_name = "program"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        rows = model_admin.get_queryset(request).exclude(program="").order_by("program")
        return [(name, name) for name in rows.values_list("program", flat=True).distinct()[:100]]

    def queryset(self, request: HttpRequest, rows: Any) -> Any:
        return rows.filter(program=self.value()) if self.value() else rows


@admin.register(Vehicle)
class VehicleAdmin(FleetAdmin):
    fieldsets = [
        (None, {"fields": ["ground", ("tag", "vin"), "placeholder"]}),
        ("Under test", {"fields": ["drive", ("weight_class", "weight_lbs")]}),
        ("Build", {"fields": [vehicle_details.NAMES[at : at + 2] for at in range(0, len(vehicle_details.NAMES), 2)]}),
        ("Notes", {"fields": ["notes"]}),
    ]
    list_display = [
        "label",
        "vin",
        "program",
        "model_year",
        "drive",
        "weight_class",
        *(detail.name for detail in vehicle_details.LISTED),
        "placeholder",
        "ground_code",
    ]
    list_filter = [GROUND, "drive", "weight_class", "placeholder", ProgramFilter]
    search_fields = ["tag", "vin", *vehicle_details.NAMES]
    ordering = ["tag", "vin"]

    @admin.display(ordering="tag")
    def label(self, vehicle: Vehicle) -> str:
        return vehicle.label

    def save(self, actor: Actor, row: Vehicle, values: dict[str, Any], change: bool) -> Change:
        if change:
            return fleet.change_vehicle(row.pk, actor=actor, **values)
        return fleet.add_vehicle(values.pop("ground_id"), actor=actor, **values)

    def remove(self, actor: Actor, row: Vehicle) -> Change:
        return fleet.delete_vehicle(row.pk, actor=actor)


class TestTypeForm(SeenForm):
    class Meta:
        widgets = {"colour": forms.TextInput(attrs={"type": "color"})}


@admin.register(TestType)
class TestTypeAdmin(FleetAdmin):
    form = TestTypeForm
    fields = ["ground", "name", "code", "colour", "miles_per_day", "default_days", "runs_through"]
    list_display = ["name", "code", "colour", "miles_per_day", "default_days", "runs_through", "ground_code"]
    list_filter = [GROUND]
    search_fields = ["name", "code"]

    def get_prepopulated_fields(self, request: HttpRequest, obj: Any = None) -> dict[str, Any]:
        return {} if obj else {"code": ["name"]}

    def save(self, actor: Actor, row: TestType, values: dict[str, Any], change: bool) -> Change:
        if change:
            return fleet.change_test_type(row.pk, actor=actor, **values)
        return fleet.add_test_type(values.pop("ground_id"), actor=actor, **values)

    def remove(self, actor: Actor, row: TestType) -> Change:
        return fleet.delete_test_type(row.pk, actor=actor)


@admin.register(Facility)
class FacilityAdmin(FleetAdmin):
    fields = ["ground", "name", "position"]
    list_display = ["name", "position", "ground_code"]
    list_filter = [GROUND]
    search_fields = ["name"]

    def save(self, actor: Actor, row: Facility, values: dict[str, Any], change: bool) -> Change:
        if change:
            return fleet.change_facility(row.pk, actor=actor, **values)
        return fleet.add_facility(values.pop("ground_id"), actor=actor, **values)

    def remove(self, actor: Actor, row: Facility) -> Change:
        return fleet.delete_facility(row.pk, actor=actor)

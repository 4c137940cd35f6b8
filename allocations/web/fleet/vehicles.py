"""Vehicles: the list, a page for each, and keeping them."""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from django.db.models import QuerySet
from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods, require_safe

from allocations.enums import Drive, Role, WeightClass
from allocations.exceptions import Invalid
from allocations.models import Vehicle
from allocations.selectors.allocations import ahead
from allocations.selectors.history import row_history
from allocations.selectors.requests import request_list
from allocations.selectors.search import VEHICLE_FIELDS
from allocations.selectors.vehicles import vehicle_by_id, vehicle_list
from allocations.services.fleet import add_vehicle, change_vehicle
from allocations.vehicle_details import LISTED, VEHICLE_DETAILS
from allocations.web.domain_errors import actor_of, attempt, key_of, say_done, warn_of_misfits
from allocations.web.forms.fleet import VehicleForm
from allocations.web.ground_context import current_ground, shell_of
from allocations.web.listing import list_page, listing
from allocations.web.live import live_list
from dynosite.accounts.requests import UserRequest
from dynosite.lib.csv_files import csv_answer
from dynosite.lib.htmx import wants_fragment

if TYPE_CHECKING:
    from allocations.selectors.vehicles import ListedVehicle

SORTS = {
    "tag": "tag",
    "program": "program",
    **{detail.name: detail.name for detail in LISTED},
    "drive": "drive",
    "weight": "weight_class",
    "where": "where",
    "next": "next_day",
    "waiting": "waiting",
}
CSV: dict[str, Callable[[Any], Any]] = {
    "Tag": lambda row: row.tag,
    "VIN": lambda row: row.vin,
    **{detail.label: attrgetter(detail.name) for detail in VEHICLE_DETAILS},
    "Drive": lambda row: row.drive,
    "Weight (lb)": lambda row: row.weight_lbs,
    "Weight class": lambda row: row.weight_class,
    "Placeholder": lambda row: "yes" if row.placeholder else "",
    "On dyno today": lambda row: row.where,
    "Next test": lambda row: row.next_day,
    "Waiting requests": lambda row: row.waiting,
}
"""The columns of the list as a file."""
FEW = 50
"""Bookings and requests that a vehicle's page shows until it is asked for all."""
FILTERS = ("drive", "weight", "show")
SHOW_CHOICES = [
    ("", "All"),
    ("placeholder", "Placeholders"),
    ("waiting", "With waiting requests"),
    ("now", "On a dyno today"),
]


@require_safe
def index(request: UserRequest) -> HttpResponseBase:
    ground = current_ground(request)
    chosen = {name: request.GET.get(name, "") for name in FILTERS}
    rows = _narrowed(vehicle_list(ground, user=request.user), chosen)
    results = listing(request, rows, search=VEHICLE_FIELDS, sorts=SORTS, default="tag", filtered=any(chosen.values()))
    if request.GET.get("format") == "csv":
        return csv_answer(f"vehicles-{ground.code.lower()}", list(CSV), results.rows.iterator(), _csv)
    context = {
        "chosen": chosen,
        "drives": Drive.values,
        "weights": WeightClass.values,
        "shown": SHOW_CHOICES,
        "details": LISTED,
    }
    return list_page(request, "vehicles", results, context)


def _narrowed(rows: "QuerySet[ListedVehicle]", chosen: dict[str, str]) -> "QuerySet[ListedVehicle]":
    if chosen["drive"]:
        rows = rows.filter(drive=chosen["drive"])
    if chosen["weight"]:
        rows = rows.filter(weight_class=chosen["weight"])
    if chosen["show"] == "placeholder":
        rows = rows.filter(placeholder=True)
    if chosen["show"] == "waiting":
        rows = rows.filter(waiting__gt=0)
    if chosen["show"] == "now":
        rows = rows.filter(where__isnull=False)
    return rows


def _csv(row: Any) -> list[Any]:
    return [value_of(row) for value_of in CSV.values()]


class Part(NamedTuple):
    rows: list[Any]
    total: int

    @property
    def is_cut(self) -> bool:
        return self.total > len(self.rows)


def _part(rows: QuerySet, limit: int | None) -> Part:
    listed = list(rows[:limit])
    return Part(listed, rows.count() if limit and len(listed) == limit else len(listed))


@require_safe
def detail(request: UserRequest, pk: int) -> HttpResponse:
    vehicle = _vehicle(request, pk)
    allocations = vehicle.allocations.select_related("dyno__facility", "test_type", "vehicle").order_by("-first_day")
    limit = None if request.GET.get("all") == "1" else FEW
    context = {
        "live": live_list(request),
        "vehicle": vehicle,
        "allocations": _part(allocations, limit),
        "requests": _part(request_list(vehicle.ground, user=request.user).filter(vehicle=vehicle), limit),
        "history": row_history(vehicle),
        "trail": [("Vehicles", reverse("allocations:vehicle-list")), (str(vehicle), "")],
        "today": vehicle.ground.today(),
        "may_schedule": shell_of(request).may_schedule,
    }
    template = "_coming.html" if wants_fragment(request, "list") else "detail.html"
    return render(request, f"allocations/vehicles/{template}", context)


@require_http_methods(["GET", "HEAD", "POST"])
def create(request: UserRequest) -> HttpResponse:
    ground = current_ground(request, Role.SCHEDULER)
    form = VehicleForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = attempt(
                lambda: add_vehicle(ground.pk, actor=actor_of(request), key=key_of(request), **form.values)
            )
        except Invalid as invalid:
            form.take(invalid)
        else:
            if not outcome.refused:
                say_done(request, outcome.change)
                return redirect("allocations:vehicle-detail", outcome.change.items[0]["id"])
            form.add_error(None, outcome.sentences[0])
    return _form_page(request, form, None)


@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: UserRequest, pk: int) -> HttpResponse:
    vehicle = _vehicle(request, pk, Role.SCHEDULER)
    form = VehicleForm(request.POST or None, instance=vehicle)
    if request.method == "POST" and form.is_valid():
        try:
            outcome = attempt(
                lambda: change_vehicle(
                    pk, actor=actor_of(request), seen_digest=form.seen_before, key=key_of(request), **form.values
                )
            )
        except Invalid as invalid:
            form.take(invalid)
        else:
            if not outcome.refused:
                say_done(request, outcome.change)
                warn_of_misfits(request, ahead(vehicle.allocations.all(), vehicle.ground))
                return redirect("allocations:vehicle-detail", pk)
            form.add_error(None, outcome.sentences[0])
    return _form_page(request, form, vehicle)


def _vehicle(request: UserRequest, pk: int, needed: Role = Role.VIEWER) -> Vehicle:
    vehicle = vehicle_by_id(pk, user=request.user)
    shell_of(request).show_ground(vehicle.ground_id)
    current_ground(request, needed)
    return vehicle


def _form_page(request: UserRequest, form: VehicleForm, vehicle: Vehicle | None) -> HttpResponse:
    trail = [("Vehicles", reverse("allocations:vehicle-list"))]
    if vehicle:
        trail.append((str(vehicle), reverse("allocations:vehicle-detail", args=[vehicle.pk])))
    trail.append(("Change" if vehicle else "New vehicle", ""))
    context = {"form": form, "vehicle": vehicle, "trail": trail}
    return render(request, "allocations/vehicles/form.html", context, status=422 if form.is_bound else 200)

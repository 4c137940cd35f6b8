"""Rows as plain data: with ids, and the address of the record's own page. Days are inclusive, weights in pounds."""

import datetime as dt
from typing import TYPE_CHECKING, TypedDict

from django.urls import reverse

from allocations.selectors.availability import Place
from allocations.selectors.lateness import lateness_of_allocation
from allocations.selectors.running import overrun_since
from dynosite.lib.days import DayRange

if TYPE_CHECKING:
    from assistant.tools.row_types import Allocation, Dyno, MaintenanceWindow, TestRequest, Vehicle


class VehicleRow(TypedDict):
    id: int
    vehicle: str
    vin: str | None
    program: str
    drive: str
    weight_lbs: int | None
    weight_class: str
    url: str


class DynoRow(TypedDict):
    id: int
    dyno: str
    enabled: bool
    available_from: dt.date | None
    available_to: dt.date | None
    url: str


class AllocationRow(TypedDict):
    id: int
    vehicle: str
    vehicle_id: int
    dyno: str
    dyno_id: int
    test_type: str
    first_day: dt.date
    last_day: dt.date
    status: str
    overrun: bool
    late: str | None
    days_late: int
    url: str


class WindowRow(TypedDict):
    id: int
    dyno: str
    dyno_id: int
    first_day: dt.date
    last_day: dt.date
    kind: str
    reason: str
    url: str


class RequestRow(TypedDict):
    id: int
    vehicle: str
    vehicle_id: int
    test_type: str
    days: int
    earliest_start: dt.date | None
    due_date: dt.date | None
    priority: str
    status: str
    url: str


class PlaceRow(TypedDict):
    dyno: str
    dyno_id: int
    first_day: dt.date
    last_day: dt.date
    more_alike: int | None
    url: str


class SpanRow(TypedDict):
    first_day: dt.date
    last_day: dt.date


def vehicle(row: "Vehicle") -> VehicleRow:
    return {
        "id": row.pk,
        "vehicle": row.label,
        "vin": row.vin,
        "program": row.program,
        "drive": row.drive,
        "weight_lbs": row.weight_lbs,
        "weight_class": row.weight_class,
        "url": reverse("allocations:vehicle-detail", args=[row.pk]),
    }


def dyno(row: "Dyno") -> DynoRow:
    return {
        "id": row.pk,
        "dyno": row.name,
        "enabled": row.enabled,
        "available_from": row.available_from,
        "available_to": row.available_to,
        "url": reverse("allocations:dyno-detail", args=[row.pk]),
    }


def allocation(row: "Allocation") -> AllocationRow:
    late = lateness_of_allocation(row)
    return {
        "id": row.pk,
        "vehicle": row.vehicle.label,
        "vehicle_id": row.vehicle_id,
        "dyno": row.dyno.name,
        "dyno_id": row.dyno_id,
        "test_type": row.test_type.name,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "status": row.status,
        "overrun": overrun_since(row) is not None,
        "late": late.kind.value if late else None,
        "days_late": late.days if late else 0,
        "url": reverse("allocations:allocation-detail", args=[row.pk]),
    }


def window(row: "MaintenanceWindow") -> WindowRow:
    return {
        "id": row.pk,
        "dyno": row.dyno.name,
        "dyno_id": row.dyno_id,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "kind": row.kind,
        "reason": row.reason,
        "url": reverse("allocations:window-detail", args=[row.pk]),
    }


def request(row: "TestRequest") -> RequestRow:
    return {
        "id": row.pk,
        "vehicle": row.vehicle.label,
        "vehicle_id": row.vehicle_id,
        "test_type": row.test_type.name,
        "days": row.days,
        "earliest_start": row.earliest_start,
        "due_date": row.due_date,
        "priority": row.priority,
        "status": row.status,
        "url": reverse("allocations:request-detail", args=[row.pk]),
    }


def place(row: Place) -> PlaceRow:
    return {
        "dyno": row.dyno,
        "dyno_id": row.dyno_id,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "more_alike": len(row.alike) or None,
        "url": reverse("allocations:dyno-detail", args=[row.dyno_id]),
    }


def span(days: DayRange) -> SpanRow:
    return {"first_day": days.first, "last_day": days.last}

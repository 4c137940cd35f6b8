"""Rows as data: with ids, and the address of the record's own page."""

from typing import TYPE_CHECKING, Any

from django.urls import reverse

from allocations.selectors.availability import Place
from allocations.selectors.lateness import lateness_of_allocation
from allocations.selectors.running import overrun_since
from dynosite.lib.days import DayRange

if TYPE_CHECKING:
    from assistant.tools.row_types import Allocation, Dyno, MaintenanceWindow, TestRequest, Vehicle


def vehicle(row: "Vehicle") -> dict[str, Any]:
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


def dyno(row: "Dyno") -> dict[str, Any]:
    return {
        "id": row.pk,
        "dyno": row.name,
        "enabled": row.enabled,
        "available_from": row.available_from,
        "available_to": row.available_to,
        "url": reverse("allocations:dyno-detail", args=[row.pk]),
    }


def allocation(row: "Allocation") -> dict[str, Any]:
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
        "late": late and late.kind.value,
        "days_late": late.days if late else 0,
        "url": reverse("allocations:allocation-detail", args=[row.pk]),
    }


def window(row: "MaintenanceWindow") -> dict[str, Any]:
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


def request(row: "TestRequest") -> dict[str, Any]:
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


def place(row: Place) -> dict[str, Any]:
    return {
        "dyno": row.dyno,
        "dyno_id": row.dyno_id,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "more_alike": len(row.alike) or None,
        "url": reverse("allocations:dyno-detail", args=[row.dyno_id]),
    }


def span(days: DayRange) -> dict[str, Any]:
    return {"first_day": days.first, "last_day": days.last}

"""The schedule of a ground as rows of the forecast: every request, and every booking that no request is behind."""

import datetime as dt
from collections import defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from allocations import vehicle_details
from allocations.enums import AllocationStatus, RequestStatus
from allocations.exchange.cells import fold, is_error
from allocations.exchange.dynos import meaning
from allocations.exchange.snapshot import own_identity
from allocations.models import Allocation, Dyno, ProvingGround, TestRequest
from allocations.names import quoted

STATUS_WORDS = {
    AllocationStatus.SCHEDULED: "G",
    AllocationStatus.RUNNING: "RUNNING",
    AllocationStatus.COMPLETED: "COMPLETED",
    AllocationStatus.CANCELLED: "CANCELLED",
}


def schedule_rows(ground: ProvingGround, only: Collection[int] | None = None) -> Iterator[dict[str, Any]]:
    """Each row by the field names of the forecast's columns, in the order of first days.

    With `only`, the rows of these bookings, and of no request that waits.
    """
    stays = Allocation.objects.filter(ground=ground).select_related(
        "vehicle", "dyno__facility", "test_type", "request"
    )
    behind = defaultdict(list)
    names = Dyno.objects.filter(ground=ground).values_list("name", "facility__name")
    facility_of = {fold(name): fold(facility) for name, facility in names}
    rows: list[tuple] = []
    for stay in stays.order_by("first_day", "id"):
        if stay.status != AllocationStatus.CANCELLED:
            if stay.request_id:
                behind[stay.request_id].append(stay)
            first_of_request = stay.request_id is not None and len(behind[stay.request_id]) == 1
            rows.append(
                (
                    stay.first_day,
                    stay.pk,
                    _booking_row(ground, stay, stay.request if first_of_request else None, facility_of),
                )
            )
        elif stay.request_id is None:
            rows.append((stay.first_day, stay.pk, _booking_row(ground, stay, None, facility_of)))
    if only is not None:
        return (row for _, pk, row in sorted(rows, key=lambda entry: entry[:2]) if pk in only)
    requests = TestRequest.objects.filter(ground=ground).select_related("vehicle", "test_type")
    for request in requests.exclude(pk__in=behind):
        rows.append((request.earliest_start or dt.date.max, request.pk, _request_row(ground, request)))
    rows.sort(key=lambda entry: entry[:2])
    return (row for _, _, row in rows)


def _booking_row(
    ground: ProvingGround, stay: Allocation, request: TestRequest | None, facility_of: dict[str, str]
) -> dict[str, Any]:
    began = stay.status in (AllocationStatus.RUNNING, AllocationStatus.COMPLETED)
    is_cancelled = stay.status == AllocationStatus.CANCELLED
    requested = (request.earliest_start if request else None) or stay.first_day
    facility, dyno = place_words(stay.dyno, facility_of)
    return _common(ground, stay, request, stay.days.days) | {
        "facility": facility,
        "dyno": dyno,
        "status": STATUS_WORDS[AllocationStatus(stay.status)],
        "estimated": requested,
        "new_estimate": stay.first_day if not began and requested != stay.first_day else None,
        "actual": stay.first_day if began else None,
        "projected": _end(request.due_date) if request and request.due_date else None,
        "completed": stay.last_day if stay.status == AllocationStatus.COMPLETED else None,
        "notes": _notes(stay.note, request.note if request else ""),
        "identity": (request and request.import_key)
        or own_identity(ground.code, "R" if request else "A", request.pk if request else stay.pk),
        "first_day": stay.first_day,
        "last_day": stay.last_day,
        "place": stay.dyno.name if not is_cancelled else "",
    }


def _request_row(ground: ProvingGround, request: TestRequest) -> dict[str, Any]:
    waiting = request.status != RequestStatus.CANCELLED
    return _common(ground, request, request, request.days) | {
        "facility": None,
        "dyno": "No dyno available" if waiting else None,
        "status": "G" if waiting else "CANCELLED",
        "estimated": request.earliest_start,
        "projected": _end(request.due_date) if request.due_date else None,
        "notes": request.note or None,
        "identity": request.import_key or own_identity(ground.code, "R", request.pk),
        "first_day": None,
        "last_day": None,
        "place": "",
    }


def _common(
    ground: ProvingGround, row: Allocation | TestRequest, request: TestRequest | None, days: int
) -> dict[str, Any]:
    vehicle = row.vehicle
    added = (request.extra_days or 0) if request else 0
    return {
        "test": row.test_type.name,
        **{name: getattr(vehicle, name) or None for name in vehicle_details.NAMES},
        "tag": vehicle.tag or None,
        "vin": vehicle.vin,
        "step": (request.step if request else "") or None,
        "weight": vehicle.weight_class,
        "drive": vehicle.drive,
        "constraint": row.drive or vehicle.drive,
        "miles": request.miles if request else None,
        "miles_per_day": request.miles_per_day if request else None,
        # The sheet adds the extra days to those of the test; a booking cut below them has none to add.
        "days": days - added if added <= days else days,
        "extra_days": request.extra_days if request and added <= days else None,
        "total_days": days,
    }


def place_words(dyno: Dyno, facility_of: dict[str, str]) -> tuple[str, str | int]:
    """Facility and dyno as the two columns say them: `NPG 3` at NPG is NPG and 3.

    A name that would be read as another dyno, or as none, stands whole and quoted. `facility_of` has the ground's
    dynos by folded name.
    """
    facility, name = dyno.facility.name, dyno.name
    if name.casefold().startswith(f"{facility.casefold()} "):
        name = name[len(facility) + 1 :]
    if is_error(name) or meaning(facility, name, facility_of) != fold(dyno.name):
        return facility, quoted(dyno.name)
    return facility, int(name) if name.isascii() and name.isdecimal() and name == str(int(name)) else name


def _end(day: dt.date) -> dt.datetime:
    """The moment that a stay ends whose last day this is: the sheet's ends are the start plus the days."""
    return dt.datetime.combine(day + dt.timedelta(days=1), dt.time(0))


def _notes(*notes: str) -> str | None:
    return "; ".join(dict.fromkeys(part for note in notes for part in note.split("; ") if part)) or None

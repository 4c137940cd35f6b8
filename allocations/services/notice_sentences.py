"""The sentences by which people hear of a change to a booking or request of theirs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from allocations.enums import Action, AllocationStatus, RequestStatus
from allocations.models import Allocation, TestRequest
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date

State = Mapping[str, Any]
REQUEST_LABELS = {
    "days": "days",
    "earliest_start": "earliest start",
    "due_date": "due date",
    "priority": "priority",
    "drive": "drive",
    "test_type_id": "test type",
    "vehicle_id": "vehicle",
    "after_id": "order",
    "miles": "miles",
    "note": "note",
}
DAYS = ("earliest_start", "due_date")
PLAIN_VALUES = (*DAYS, "days", "priority", "miles")
"""Fields whose values people can read; of other fields only the name is shown."""


def about_booking(
    row: Allocation, before: State | None, after: State, names: Mapping[int, str], *, waits: bool
) -> str:
    """Returns what happened to a booking.

    Parameters
    ----------
    before, after
        Its fields before and after the change; `before` is None if a request has just got its place.
    names
        Names of dynos by id.
    waits
        Whether the vehicle has a waiting request now.
    """
    subject = f"{row.vehicle}, {row.test_type}"
    new = _place(after, names)
    if before is None:
        return f"{subject}: your request has its place, {new}{_from_due(row, after)}."
    old = _place(before, names)
    if after["status"] == AllocationStatus.CANCELLED:
        return f"{subject}: off {old}; " + ("it waits for another place." if waits else "cancelled.")
    if before["status"] == AllocationStatus.CANCELLED:
        return f"{subject}: back on {new}{_from_due(row, after)}."
    if after["status"] == AllocationStatus.COMPLETED:
        return f"{subject}: completed on {new}{_from_plan(before, after)}."
    same = (before["dyno_id"], before["first_day"]) == (after["dyno_id"], after["first_day"])
    if same and after["last_day"] < before["last_day"]:
        return f"{subject}: cut on {old}; it ends on {full_date(_day(after['last_day']))}" + (
            " and its rest waits." if waits else "."
        )
    return f"{subject}: moved from {old} to {new}{_from_due(row, after)}."


def about_request(row: TestRequest, before: State, after: State) -> str:
    """Returns what happened to a waiting request; empty if that is no news."""
    if after["status"] == RequestStatus.CANCELLED:
        return f"Your request for {row}: cancelled."
    if before["status"] == RequestStatus.CANCELLED:
        return f"Your request for {row}: waits for a place again."
    differences = [_difference(name, before, after) for name in REQUEST_LABELS if before[name] != after[name]]
    return f"Your request for {row}: changed ({'; '.join(differences)})." if differences else ""


def about_dyno(row: Allocation, dyno: State) -> str:
    """Returns that the dyno of a booking is disabled, or no longer available on its days. `dyno` are its fields
    now.
    """
    why = f"available until {full_date(_day(dyno['available_to']))} only" if dyno["enabled"] else "disabled"
    return f"{row.vehicle}, {row.test_type}: {dyno['name']}, where it stands {row.days}, is now {why}."


def about_many(action: Action, number: int, late: int) -> str:
    """Returns one sentence for many bookings and requests of one person, of which `late` end after their due date."""
    outcome = {
        Action.PLAN: "placed or moved by a plan",
        Action.UNDO: "put back, as a change was undone",
        Action.CANCEL_REQUEST: "cancelled",
    }.get(action, "changed")
    sentence = f"{number} of your bookings and requests were {outcome}."
    return f"{sentence} {late} of them end after their due date." if late else sentence


def days_from_due(row: Allocation, after: State) -> int | None:
    """Returns the days from the last day of a booking to the due date of its request, negative if late; None without
    one.
    """
    due = row.request.due_date if row.request else None
    return (due - _day(after["last_day"])).days if due else None


def _place(state: State, names: Mapping[int, str]) -> str:
    return f"{names[state['dyno_id']]}, {DayRange(_day(state['first_day']), _day(state['last_day']))}"


def _from_due(row: Allocation, after: State) -> str:
    days = days_from_due(row, after)
    due = row.request.due_date if row.request else None
    if days is None or due is None:
        return ""
    if not days:
        return f"; it ends on its due date, {full_date(due)}"
    return f"; it ends {count(abs(days), 'day')} {'before' if days > 0 else 'after'} its due date, {full_date(due)}"


def _from_plan(before: State, after: State) -> str:
    days = (_day(before["last_day"]) - _day(after["last_day"])).days
    if not days:
        return ""
    return f", {count(abs(days), 'day')} {'before' if days > 0 else 'after'} the planned last day"


def _difference(name: str, before: State, after: State) -> str:
    label = REQUEST_LABELS[name]
    if name not in PLAIN_VALUES:
        return label
    values: Sequence[Any] = [before[name], after[name]]
    texts = [full_date(_day(value)) if value and name in DAYS else str(value) for value in values]
    return f"{label} " + " to ".join("none" if text == "None" else text for text in texts)


def _day(value: dt.date | str) -> dt.date:
    return dt.date.fromisoformat(value) if isinstance(value, str) else value

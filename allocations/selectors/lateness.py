"""Lateness: one definition for the calendar, lists, requests, the assistant's tools and its SQL views.

A booking is late in one of three ways, of which the first that holds counts:

- it runs, and its last day is past (an overrun): late by the days since then;
- it is scheduled, and its first day is past: late by the days since then;
- it is scheduled or runs, and ends after the due date of its request: late by the days between.

A request is late if it waits and can no longer make its due date, or if its place ends after it.
"""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db.models import CharField, Count, F, IntegerField, Q, QuerySet, Value
from django.db.models.expressions import RawSQL
from django.db.models.functions import Greatest

from allocations import access
from allocations.enums import OPEN_STATUSES, AllocationStatus, LateKind, RequestStatus
from allocations.models import Allocation, ProvingGround, TestRequest
from allocations.rulebook import held_to

if TYPE_CHECKING:
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    from dynosite.accounts.models import User

    class _Late(TypedDict):
        late_kind: str | None
        days_late: int

    LateAllocation = WithAnnotations[Allocation, _Late]


@dataclass(frozen=True, slots=True)
class Lateness:
    kind: LateKind
    days: int
    sentence: str


def lateness_of(status: str, first: dt.date, last: dt.date, due: dt.date | None, today: dt.date) -> Lateness | None:
    """Returns how a booking is late, or None.

    Parameters
    ----------
    status
        An `AllocationStatus`.
    due
        The due date of its request, if it has one.
    """
    if status not in OPEN_STATUSES:
        return None
    overdue = due is not None and last > due
    after = f" It ends after its due date, {_day(due)}." if overdue and due else ""
    if held_to(status, last, today):
        missed = f" It was due on {_day(due)}." if due and due < today else ""
        sentence = f"It should have ended on {_day(last)}.{missed}"
        return Lateness(LateKind.OVERRUN, (today - last).days, sentence)
    if status == AllocationStatus.SCHEDULED and first < today:
        return Lateness(LateKind.UNSTARTED, (today - first).days, f"It should have started on {_day(first)}.{after}")
    if overdue and due:
        return Lateness(LateKind.PAST_DUE, (last - due).days, after.strip())
    return None


def lateness_of_allocation(allocation: Allocation) -> Lateness | None:
    """Returns how an allocation is late, or None."""
    due = allocation.request.due_date if allocation.request else None
    return lateness_of(allocation.status, allocation.first_day, allocation.last_day, due, allocation.ground.today())


def _day(day: dt.date) -> str:
    return f"{day:%a} {day.day} {day:%b}"


_DUE = "(SELECT late_r.due_date FROM public.allocations_testrequest late_r WHERE late_r.id = {a}.request_id)"
_CASES = (
    ("overrun", "{a}.status = 'running' AND {a}.last_day < {today}", "{today} - {a}.last_day"),
    ("unstarted", "{a}.status = 'scheduled' AND {a}.first_day < {today}", "{today} - {a}.first_day"),
    ("past-due", f"{{a}}.status IN ('scheduled', 'running') AND {{a}}.last_day > {_DUE}", f"{{a}}.last_day - {_DUE}"),
)


def late_sql(allocation: str, today: str) -> tuple[str, str]:
    """Returns SQL for the lateness of a row of allocations.

    Parameters
    ----------
    allocation
        The alias of the row's table.
    today
        A day as SQL.

    Returns
    -------
    tuple[str, str]
        SQL of the kind (a text or NULL), and of the days late.
    """
    kinds = " ".join(f"WHEN {condition} THEN '{kind}'" for kind, condition, _ in _CASES)
    numbers = " ".join(f"WHEN {condition} THEN {days}" for _, condition, days in _CASES)
    return (
        f"CASE {kinds} END".format(a=allocation, today=today),
        f"CASE {numbers} END".format(a=allocation, today=today),
    )


def late_allocations(ground: ProvingGround, *, user: "User") -> "QuerySet[LateAllocation]":
    """Returns the bookings of a ground that are late, each with `late_kind` and `days_late`."""
    access.require(user, ground.pk, access.Role.VIEWER)
    kind, days = late_sql("allocations_allocation", "%s::date")
    today = ground.today()
    return (
        Allocation.objects.filter(ground=ground, status__in=OPEN_STATUSES)
        .select_related("vehicle", "dyno__facility", "test_type", "request", "ground")
        .annotate(
            late_kind=RawSQL(kind, [today] * kind.count("%s"), output_field=CharField()),  # noqa: S611
            days_late=RawSQL(days, [today] * days.count("%s"), output_field=IntegerField()),  # noqa: S611
        )
        .filter(late_kind__isnull=False)
    )


def late_counts(rows: "QuerySet[LateAllocation]") -> Mapping[LateKind, int]:
    """Returns how many of the rows of `late_allocations` are late in each way."""
    numbers = dict(rows.order_by().values_list("late_kind").annotate(number=Count("pk")))
    return {kind: numbers.get(kind.value, 0) for kind in LateKind}


def late_requests(today: dt.date) -> Q:
    """Returns the condition on `requests.request_list` for requests that are late."""
    start = Greatest(F("earliest_start"), Value(today))
    waits = Q(status=RequestStatus.WAITING, due_date__lt=F("days") - 1 + start)
    return waits | Q(status=RequestStatus.PLACED, place_end__gt=F("due_date"))


def is_late(request: TestRequest, today: dt.date, place_end: dt.date | None = None) -> bool:
    """Tells whether one request is late, as `late_requests` does. `place_end` is the day to which its place is
    held.
    """
    if request.due_date is None:
        return False
    if request.status == RequestStatus.WAITING:
        start = max(today, request.earliest_start or today)
        return start + dt.timedelta(days=request.days - 1) > request.due_date
    return request.status == RequestStatus.PLACED and place_end is not None and place_end > request.due_date


def end_of(place: Allocation, today: dt.date) -> dt.date:
    """Returns the day to which a place is held: its last day, or today if it runs past that."""
    return max(place.last_day, held_to(place.status, place.last_day, today) or place.last_day)

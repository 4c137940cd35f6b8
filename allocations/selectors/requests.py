"""Reads of test requests, within the grounds of the user who asks."""

import datetime as dt
from typing import TYPE_CHECKING

from django.db.models import Case, F, IntegerField, OuterRef, Q, QuerySet, Subquery, Value, When

from allocations import access
from allocations.enums import AllocationStatus, Priority, RequestStatus
from allocations.exceptions import NotFound
from allocations.models import Allocation, ProvingGround, TestRequest, Vehicle

if TYPE_CHECKING:
    from dynosite.accounts.models import User


def request_by_id(pk: int, *, user: "User") -> TestRequest:
    found = (
        TestRequest.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "vehicle", "test_type", "after__vehicle", "after__test_type", "created_by")
        .first()
    )
    if found is None:
        raise NotFound(access.NOT_FOUND)
    return found


def request_list(ground: ProvingGround, *, user: "User") -> QuerySet[TestRequest]:
    """Requests with `urgency` (a number that sorts), `placed_on` and `placed_last` of the place they have.

    The vehicle and test type come along. The order is that in which requests are best given their places.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    place = (
        Allocation.objects.filter(request=OuterRef("pk"))
        .exclude(status=AllocationStatus.CANCELLED)
        .order_by("-first_day")
    )
    order = [When(priority=value, then=Value(number)) for number, value in enumerate(reversed(Priority.values))]
    return (
        TestRequest.objects.filter(ground=ground)
        .select_related("vehicle", "test_type")
        .annotate(
            urgency=Case(*order, output_field=IntegerField()),
            place_id=Subquery(place.values("pk")[:1]),
            place_dyno=Subquery(place.values("dyno__name")[:1]),
            place_first=Subquery(place.values("first_day")[:1]),
            place_last=Subquery(place.values("last_day")[:1]),
        )
        .order_by("urgency", F("due_date").asc(nulls_last=True), "pk")
    )


def waiting_of(vehicle: Vehicle, *, user: "User", limit: int = 5) -> QuerySet[TestRequest]:
    """The vehicle's requests that wait, in the order in which they are best given their places."""
    return request_list(vehicle.ground, user=user).filter(vehicle=vehicle, status=RequestStatus.WAITING)[:limit]


def late(today: dt.date) -> Q:
    """Requests that miss their due date: they wait and can no longer make it, or have a place that ends after it."""
    waits = Q(status=RequestStatus.WAITING, due_date__lt=F("days") - 1 + Value(today))
    return waits | Q(status=RequestStatus.PLACED, place_last__gt=F("due_date"))


def is_late(request: TestRequest, today: dt.date, place_last: dt.date | None = None) -> bool:
    """The same as `late`, of one request."""
    if request.due_date is None:
        return False
    if request.status == RequestStatus.WAITING:
        start = max(today, request.earliest_start or today)
        return start + dt.timedelta(days=request.days - 1) > request.due_date
    return request.status == RequestStatus.PLACED and place_last is not None and place_last > request.due_date

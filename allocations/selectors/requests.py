"""Reads of test requests."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

from django.db.models import Case, DateField, F, IntegerField, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Greatest

from allocations import access
from allocations.enums import AllocationStatus, Priority, RequestStatus
from allocations.exceptions import NotFound
from allocations.models import Allocation, ProvingGround, TestRequest, Vehicle

if TYPE_CHECKING:
    from dynosite.accounts.models import User


def request_by_id(pk: int, *, user: "User") -> TestRequest:
    """Returns the request with the rows that it refers to. Raises NotFound if it is in none of the user's grounds."""
    request = (
        TestRequest.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "vehicle", "test_type", "after__vehicle", "after__test_type", "created_by")
        .first()
    )
    if request is None:
        raise NotFound(access.NOT_FOUND)
    return request


def request_list(ground: ProvingGround, *, user: "User") -> QuerySet[TestRequest]:
    """Returns the requests of a ground in the order in which they are best placed: by urgency, due date and id.

    They are annotated with `urgency` (a number, most urgent first) and the place that they have (`place_id`,
    `place_dyno`, `place_first`, `place_last`). `place_end` is its last day, or today if it runs past that.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    place = (
        Allocation.objects.filter(request=OuterRef("pk"))
        .exclude(status=AllocationStatus.CANCELLED)
        .order_by("-first_day")
    )
    runs = When(status=AllocationStatus.RUNNING, then=Greatest("last_day", Value(ground.today())))
    end = Case(runs, default=F("last_day"), output_field=DateField())
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
            place_end=Subquery(place.annotate(end=end).values("end")[:1]),
        )
        .order_by("urgency", F("due_date").asc(nulls_last=True), "pk")
    )


def requests_named(ids: Iterable[int], ground: ProvingGround, *, user: "User") -> list[TestRequest]:
    """Returns the requests with these ids, as `request_list` orders them, with their owners.

    Raises NotFound if one is not in the ground.
    """
    numbers = set(ids)
    rows = list(request_list(ground, user=user).filter(pk__in=numbers).select_related("created_by"))
    if len(rows) < len(numbers):
        raise NotFound(access.NOT_FOUND)
    return rows


def waiting_of(vehicle: Vehicle, *, user: "User", limit: int = 5) -> QuerySet[TestRequest]:
    """Returns the vehicle's waiting requests, in the order in which they are best placed."""
    return request_list(vehicle.ground, user=user).filter(vehicle=vehicle, status=RequestStatus.WAITING)[:limit]

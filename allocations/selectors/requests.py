"""Reads of test requests, within the grounds of the user who asks."""

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
    request = (
        TestRequest.objects.filter(pk=pk, ground__in=access.grounds_of(user))
        .select_related("ground", "vehicle", "test_type", "after__vehicle", "after__test_type", "created_by")
        .first()
    )
    if request is None:
        raise NotFound(access.NOT_FOUND)
    return request


def request_list(ground: ProvingGround, *, user: "User") -> QuerySet[TestRequest]:
    """Requests with `urgency` (a number that sorts), what stands of the place they have (`place_…`).

    `place_end` is its last day, or today where it runs past that. The vehicle and test type come along. The order is
    that in which requests are best given their places.
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
    """The requests with these ids, as `request_list` orders them, with their owners. Raises NotFound if one is not
    there."""
    numbers = set(ids)
    rows = list(request_list(ground, user=user).filter(pk__in=numbers).select_related("created_by"))
    if len(rows) < len(numbers):
        raise NotFound(access.NOT_FOUND)
    return rows


def waiting_of(vehicle: Vehicle, *, user: "User", limit: int = 5) -> QuerySet[TestRequest]:
    """The vehicle's requests that wait, in the order in which they are best given their places."""
    return request_list(vehicle.ground, user=user).filter(vehicle=vehicle, status=RequestStatus.WAITING)[:limit]

"""Reads of vehicles."""

from typing import TYPE_CHECKING

from django.db.models import Count, DateField, Exists, OuterRef, Q, QuerySet, Subquery
from django.db.models.functions import Coalesce

from allocations import access
from allocations.enums import AllocationStatus, RequestStatus
from allocations.exceptions import NotFound
from allocations.models import Allocation, Occupancy, ProvingGround, TestRequest, Vehicle
from allocations.selectors.running import overrunning

if TYPE_CHECKING:
    import datetime as dt
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class _Today(TypedDict):
        waiting: int
        where: str | None
        next_day: dt.date | None
        tested: bool

    ListedVehicle = WithAnnotations[Vehicle, _Today]

    from dynosite.accounts.models import User

OFFERED = 1_500
"""Vehicles that a form offers by name, at most; others are found by typing."""


def vehicles(ground: ProvingGround, *, user: "User") -> QuerySet[Vehicle]:
    """Returns the vehicles of a ground."""
    access.require(user, ground.pk, access.Role.VIEWER)
    return Vehicle.objects.filter(ground=ground)


def vehicle_by_id(pk: int, *, user: "User") -> Vehicle:
    """Returns the vehicle with its ground. Raises NotFound if it is in none of the user's grounds."""
    vehicle = Vehicle.objects.filter(pk=pk, ground__in=access.grounds_of(user)).select_related("ground").first()
    if vehicle is None:
        raise NotFound(access.NOT_FOUND)
    return vehicle


def vehicle_named(text: str, ground: ProvingGround, *, user: "User") -> Vehicle | None:
    """Returns the vehicle with this tag, or else with this VIN, whatever the case; None if there is none."""
    text = " ".join(text.split())
    matches = vehicles(ground, user=user).filter(Q(tag__iexact=text) | Q(vin__iexact=text)).select_related("ground")
    return min(matches, key=lambda vehicle: vehicle.tag.casefold() != text.casefold(), default=None)


def vehicles_like(text: str, ground: ProvingGround, *, user: "User", limit: int = 3) -> list[Vehicle]:
    """Returns vehicles whose tag, VIN or build id contains the text; none for an empty text."""
    text = " ".join(text.split())
    condition = Q(tag__icontains=text) | Q(vin__icontains=text) | Q(build_id__icontains=text)
    return list(vehicles(ground, user=user).filter(condition)[:limit]) if text else []


def vehicle_names(ground: ProvingGround, *, user: "User") -> list[tuple[str, str]]:
    """Returns what a form offers: (tag or VIN, a few words about the vehicle), at most `OFFERED`."""
    rows = vehicles(ground, user=user).values_list("tag", "vin", "program", "drive", "weight_class")[:OFFERED]
    return [
        (tag or vin or "", " · ".join(filter(None, [vin if tag else "", program, drive, weight])))
        for tag, vin, program, drive, weight in rows
    ]


def vehicle_list(ground: ProvingGround, *, user: "User") -> "QuerySet[ListedVehicle]":
    """Returns the vehicles of a ground, annotated with what they are doing.

    `waiting` is how many requests wait, `where` their dyno today, `next_day` the first day of their next test,
    `tested` whether they have any allocation.
    """
    today = ground.today()
    coming = (
        Allocation.objects.filter(vehicle=OuterRef("pk"), first_day__gt=today)
        .exclude(status=AllocationStatus.CANCELLED)
        .order_by("first_day")
    )
    now = Occupancy.objects.filter(
        Q(last_day__gte=today) | overrunning(today, "allocation__"), vehicle=OuterRef("pk"), first_day__lte=today
    ).order_by("first_day")
    waiting = (
        TestRequest.objects.filter(vehicle=OuterRef("pk"), status=RequestStatus.WAITING)
        .order_by()
        .values("vehicle")
        .annotate(number=Count("pk"))
    )
    return vehicles(ground, user=user).annotate(
        waiting=Coalesce(Subquery(waiting.values("number")), 0),
        where=Subquery(now.values("dyno__name")[:1]),
        next_day=Subquery(coming.values("first_day")[:1], output_field=DateField()),
        tested=Exists(Allocation.objects.filter(vehicle=OuterRef("pk"))),
    )

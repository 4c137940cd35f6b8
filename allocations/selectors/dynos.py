"""Reads of dynos and facilities."""

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from django.db.models import BooleanField, DateField, OuterRef, Prefetch, Q, QuerySet, Subquery
from django.db.models.expressions import RawSQL

from allocations import access
from allocations.enums import AllocationStatus
from allocations.exceptions import NotFound
from allocations.models import Allocation, Capability, Dyno, Facility, MaintenanceWindow, Occupancy, ProvingGround
from allocations.selectors.availability_sql import WARM_UP
from allocations.selectors.running import overrunning
from allocations.selectors.series import places_in_series

if TYPE_CHECKING:
    import datetime as dt
    from typing import TypedDict

    from django_stubs_ext import WithAnnotations

    class _Today(TypedDict):
        vehicle_now: str | None
        vin_now: str | None
        allocation_now: int | None
        window_now: int | None
        until: dt.date | None
        next_free: dt.date | None

    ListedDyno = WithAnnotations[Dyno, _Today]

    from dynosite.accounts.models import User

_WARM_UP = WARM_UP.format(dyno="allocations_dyno")
_NEXT_FREE = f"""(
    SELECT lower(datemultirange(daterange(
            greatest(%s::date, allocations_dyno.available_from), allocations_dyno.available_to, '[]'))
        - coalesce(range_agg(daterange(o.first_day, o.last_day + {_WARM_UP}, '[]')), '{{}}')
        - coalesce((
            SELECT range_agg(daterange(a.first_day, NULL)) FROM allocations_allocation a
            WHERE a.dyno_id = allocations_dyno.id AND a.status = 'running' AND a.last_day < %s), '{{}}'))
    FROM allocations_occupancy o
    WHERE o.dyno_id = allocations_dyno.id AND o.last_day + {_WARM_UP} >= %s
        AND greatest(%s::date, allocations_dyno.available_from)
            <= coalesce(allocations_dyno.available_to, 'infinity'))"""  # noqa: S608 a fragment of ours

WITH_CAPABILITIES = Prefetch("capabilities", Capability.objects.select_related("test_type"))


def dynos(ground: ProvingGround, *, user: "User") -> QuerySet[Dyno]:
    """Returns the dynos of a ground, with their facilities."""
    access.require(user, ground.pk, access.Role.VIEWER)
    return Dyno.objects.filter(ground=ground).select_related("facility")


def dyno_by_id(pk: int, *, user: "User") -> Dyno:
    """Returns the dyno with its ground and facility. Raises NotFound if it is in none of the user's grounds."""
    dyno = Dyno.objects.filter(pk=pk, ground__in=access.grounds_of(user)).select_related("ground", "facility").first()
    if dyno is None:
        raise NotFound(access.NOT_FOUND)
    return dyno


def dyno_list(ground: ProvingGround, *, user: "User") -> "QuerySet[ListedDyno]":
    """Returns the dynos of a ground, annotated with what is on them today and when they are free.

    `vehicle_now`, `vin_now`, `allocation_now` and `window_now` name today's stay, `until` is its last day,
    `next_free` the next day without one. If a test runs past its end, `until` is a past day and `next_free` is None.
    """
    today = ground.today()
    now = Occupancy.objects.filter(
        Q(last_day__gte=today) | overrunning(today, "allocation__"), dyno=OuterRef("pk"), first_day__lte=today
    ).order_by("first_day")
    return dynos(ground, user=user).annotate(
        vehicle_now=Subquery(now.values("vehicle__tag")[:1]),
        vin_now=Subquery(now.values("vehicle__vin")[:1]),
        allocation_now=Subquery(now.values("allocation_id")[:1]),
        window_now=Subquery(now.values("window_id")[:1]),
        until=Subquery(now.values("last_day")[:1], output_field=DateField()),
        next_free=RawSQL(_NEXT_FREE, [today, today, today, today], output_field=DateField()),  # noqa: S611
    )


def dynos_by_ids(ids: Collection[int], *, ground: ProvingGround) -> dict[int, Dyno]:
    """Returns those of the ids that are dynos of the ground, by id."""
    return Dyno.objects.filter(ground=ground).in_bulk(ids)


def dynos_that_run(test_type_id: int) -> QuerySet[Any, Any]:
    """Returns the ids of dynos with a capability for the test type, for whatever drives and weights."""
    return Capability.objects.filter(test_type=test_type_id).values("dyno")


def facilities(ground: ProvingGround, *, user: "User") -> QuerySet[Facility]:
    """Returns the facilities of a ground."""
    access.require(user, ground.pk, access.Role.VIEWER)
    return Facility.objects.filter(ground=ground)


def coming_allocations(dyno: Dyno, *, limit: int = 30) -> list[Allocation]:
    """Returns the allocations on a dyno from today on, earliest first."""
    today = dyno.ground.today()
    rows = Allocation.objects.filter(Q(last_day__gte=today) | overrunning(today), dyno=dyno)
    rows = rows.exclude(status=AllocationStatus.CANCELLED).select_related("vehicle", "dyno__facility", "test_type")
    return list(rows.order_by("first_day")[:limit])


def windows_of(dyno: Dyno, *, limit: int = 30) -> Sequence[MaintenanceWindow]:
    """Returns the dyno's maintenance windows, current ones first; those of a series have `place_in_series`."""
    rows = MaintenanceWindow.objects.filter(dyno=dyno).annotate(
        past=RawSQL("(lifted_at IS NOT NULL OR last_day < %s)", [dyno.ground.today()], output_field=BooleanField())
    )
    windows = list(rows.order_by("past", "first_day")[:limit])
    places = places_in_series(windows)
    for window in windows:
        # For the page alone.
        window.place_in_series = places.get(window.pk, "")  # type: ignore[attr-defined]
    return windows

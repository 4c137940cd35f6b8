"""Figures over the schedule: what is booked twice, how many tests, how busy the dynos are."""

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from django.db import connection
from django.db.models import F, Q, QuerySet
from django.db.models.expressions import OuterRef, Subquery

from allocations import access
from allocations.enums import AllocationStatus
from allocations.models import (
    Allocation,
    Capability,
    Change,
    Dyno,
    MaintenanceWindow,
    Occupancy,
    ProvingGround,
    TestType,
)
from allocations.rulebook import held_to
from allocations.selectors.ground_rules import rules_of
from allocations.selectors.running import overrunning
from allocations.selectors.use import DayCount, count_states, presence_of, states_of
from dynosite.lib.days import DayRange

if TYPE_CHECKING:
    from dynosite.accounts.models import User


def capabilities_of(ground: ProvingGround, *, user: "User") -> dict[int, list[dict[str, Any]]]:
    """Returns by dyno id the test types that it runs, as dictionaries: test_type, drives, weight_classes."""
    access.require(user, ground.pk, access.Role.VIEWER)
    by_dyno: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for row in Capability.objects.filter(dyno__ground=ground).select_related("test_type"):
        by_dyno[row.dyno_id].append(
            {"test_type": row.test_type.name, "drives": row.drives, "weight_classes": row.weight_classes}
        )
    return by_dyno


def allocations_between(
    ground: ProvingGround,
    *,
    user: "User",
    status: str | None = None,
    days: DayRange | None = None,
    test_type: TestType | None = None,
    dyno: Dyno | None = None,
    vehicle_id: int | None = None,
) -> QuerySet[Allocation]:
    """Returns allocations that overlap the days, earliest first; all days without them.

    Tests that run past their end overlap all days through today. Without a `status`, all that are not cancelled.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    query = Allocation.objects.filter(ground=ground).select_related(
        "vehicle", "dyno", "test_type", "ground", "request"
    )
    query = query.filter(status=status) if status else query.exclude(status=AllocationStatus.CANCELLED)
    if days:
        today = ground.today()
        over = overrunning(today) if today >= days.first else Q(pk__in=())
        query = query.filter(Q(last_day__gte=days.first) | over, first_day__lte=days.last)
    if test_type:
        query = query.filter(test_type=test_type)
    if dyno:
        query = query.filter(dyno=dyno)
    if vehicle_id:
        query = query.filter(vehicle_id=vehicle_id)
    return query.order_by("first_day", "pk")


def windows_between(
    ground: ProvingGround, *, user: "User", days: DayRange, dyno: Dyno | None = None
) -> QuerySet[MaintenanceWindow]:
    """Returns maintenance windows that are not lifted and overlap the days."""
    access.require(user, ground.pk, access.Role.VIEWER)
    query = MaintenanceWindow.objects.filter(
        ground=ground, lifted_at=None, first_day__lte=days.last, last_day__gte=days.first
    ).select_related("dyno")
    return query.filter(dyno=dyno) if dyno else query


def maintenance_history(
    ground: ProvingGround, *, user: "User", days: DayRange | None = None, dyno: Dyno | None = None
) -> QuerySet[MaintenanceWindow]:
    """Returns windows that have begun by today, latest first, lifted ones too; with `days`, those that overlap
    them.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    windows = MaintenanceWindow.objects.filter(ground=ground, first_day__lte=ground.today())
    if days:
        windows = windows.filter(first_day__lte=days.last, last_day__gte=days.first)
    if dyno:
        windows = windows.filter(dyno=dyno)
    return windows.select_related("dyno").order_by("-first_day", "dyno__sort_key", "pk")


_CONFLICTS = """
    WITH stays AS (
        SELECT 'allocation' AS kind, id, dyno_id, vehicle_id, first_day,
            CASE WHEN status = 'running' THEN greatest(last_day, %(today)s) ELSE last_day END AS last_day
        FROM allocations_allocation WHERE ground_id = %(ground)s AND status <> 'cancelled'
        UNION ALL
        SELECT 'maintenance', id, dyno_id, NULL, first_day, last_day
        FROM allocations_maintenancewindow WHERE ground_id = %(ground)s AND lifted_at IS NULL)
    SELECT d.name, coalesce(nullif(v.tag, ''), v.vin), a.dyno_id = b.dyno_id, a.kind, a.id, b.kind, b.id,
        greatest(a.first_day, b.first_day), least(a.last_day, b.last_day)
    FROM stays a JOIN stays b ON (a.kind, a.id) < (b.kind, b.id)
        AND (a.dyno_id = b.dyno_id OR a.vehicle_id = b.vehicle_id)
        AND a.first_day <= b.last_day AND b.first_day <= a.last_day
    JOIN allocations_dyno d ON d.id = b.dyno_id
    LEFT JOIN allocations_vehicle v ON v.id = a.vehicle_id
    WHERE %(first)s::date IS NULL OR (a.last_day >= %(first)s AND a.first_day <= %(last)s)
    ORDER BY 8, a.id LIMIT 200"""


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two stays that share a dyno or a vehicle on these days, each as (kind, id).

    The guards of the database let this happen only by time: a test that runs past its end into the days of the next.
    """

    name: str
    same_dyno: bool
    one: tuple[str, int]
    other: tuple[str, int]
    days: DayRange


def conflicts(ground: ProvingGround, *, user: "User", days: DayRange | None = None) -> list[Conflict]:
    """Returns stays that share a dyno or a vehicle, at most 200, earliest first; with `days`, those that overlap
    them.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    with connection.cursor() as cursor:
        cursor.execute(
            _CONFLICTS,
            {
                "ground": ground.pk,
                "today": ground.today(),
                "first": days.first if days else None,
                "last": days.last if days else None,
            },
        )
        return [
            Conflict(
                dyno if same_dyno else vehicle, same_dyno, (kind, id_), (other_kind, other), DayRange(first, last)
            )
            for dyno, vehicle, same_dyno, kind, id_, other_kind, other, first, last in cursor.fetchall()
        ]


@dataclass(frozen=True, slots=True)
class Use:
    """How busy one dyno is; `selectors.use` says what counts."""

    dyno: Dyno
    days: DayCount


def utilisation(ground: ProvingGround, days: DayRange, *, user: "User", dyno: Dyno | None = None) -> list[Use]:
    """Returns how busy each dyno, or one of them, is on the days."""
    access.require(user, ground.pk, access.Role.VIEWER)
    dynos = [dyno] if dyno else list(Dyno.objects.filter(ground=ground))
    stays: dict[bool, dict[int, list[DayRange]]] = {False: defaultdict(list), True: defaultdict(list)}
    today = ground.today()
    rows = Occupancy.objects.filter(
        Q(last_day__gte=days.first) | overrunning(today, "allocation__"), dyno__in=dynos, first_day__lte=days.last
    )
    for dyno_id, first, last, window, status in rows.values_list(
        "dyno_id", "first_day", "last_day", "window_id", "allocation__status"
    ):
        held = max(last, held_to(status, last, today) or last)
        stays[window is not None][dyno_id].append(DayRange(first, held))
    closed = rules_of(ground).calendar.closed(days)
    return [
        Use(
            dyno,
            count_states(
                states_of(
                    days,
                    present=presence_of(dyno, days),
                    booked=stays[False][dyno.pk],
                    maintenance=stays[True][dyno.pk],
                    closed=closed,
                )
            ),
        )
        for dyno in dynos
    ]


def latest_changes(ground: ProvingGround, *, user: "User", limit: int = 10) -> list[Change]:
    """Returns the user's own latest changes that are not undone, newest first."""
    access.require(user, ground.pk, access.Role.VIEWER)
    undone = Change.objects.filter(undoes=OuterRef("pk")).values("pk")[:1]
    query = Change.objects.filter(ground=ground, user=user, undoes=None).annotate(undone=Subquery(undone))
    return list(query.filter(undone=None).order_by(F("at").desc())[:limit])


def change_of(change_id: UUID, ground: ProvingGround, *, user: "User") -> Change | None:
    """Returns the change, or None if the ground has none of this id."""
    access.require(user, ground.pk, access.Role.VIEWER)
    return Change.objects.filter(pk=change_id, ground=ground).first()

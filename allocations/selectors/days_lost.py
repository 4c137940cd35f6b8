"""Tests that pause and lose days worked when the days off of their ground change, and what may happen to each."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

from allocations.enums import OPEN_STATUSES, AllocationStatus, LostDaysTo
from allocations.models import Allocation
from allocations.rulebook import ExistingPlacement, violations
from allocations.selectors.availability import DynoDays, Place, Placement, nearest_places, query_for, question_of
from dynosite.lib.days import DayRange
from dynosite.lib.workdays import WorkingCalendar


@dataclass(frozen=True, slots=True)
class Loss:
    """A test that would work fewer days than before, and the answers that it may get, the proposed one first.

    Attributes
    ----------
    length
        The days that it works by the old calendar.
    lost
        How many of them it loses.
    extended
        The days on its dyno by which it would work as many again.
    place
        A place to move to, or None.
    """

    allocation: Allocation
    length: int
    lost: int
    extended: DayRange
    place: Place | None
    answers: tuple[LostDaysTo, ...]


def losses(ground_id: int, before: WorkingCalendar, after: WorkingCalendar, *, today: dt.date) -> list[Loss]:
    """Returns the tests that have not ended and lose days worked from one calendar to the other, earliest first.

    The places and extensions that are proposed do not overlap one another.
    """
    rows = (
        Allocation.objects.filter(
            ground=ground_id,
            status__in=OPEN_STATUSES,
            test_type__runs_through=False,
            last_day__gte=today,
        )
        .select_related("vehicle", "test_type", "dyno", "ground", "request")
        .order_by("first_day", "id")
    )
    occupied: list[DynoDays] = []
    all_losses = []
    for row in rows:
        lost = before.worked(row.days) - after.worked(row.days)
        if lost > 0:
            all_losses.append(_loss(row, before.length(row.days, pauses=True), lost, after, occupied, today))
    return all_losses


def _loss(
    row: Allocation, length: int, lost: int, after: WorkingCalendar, occupied: list[DynoDays], today: dt.date
) -> Loss:
    extended = after.stretch(row.first_day, length, pauses=True)
    place = None
    if _may_extend(row, extended, occupied):
        occupied.append(DynoDays(row.dyno_id, extended.first, extended.last))
        answers = [LostDaysTo.EXTEND]
    else:
        answers = []
    if row.status == AllocationStatus.SCHEDULED:
        place = _place_for(row, length, occupied, today)
        if place and not answers:
            occupied.append(DynoDays(place.dyno_id, place.first_day, place.last_day))
        answers += [LostDaysTo.MOVE] if place else []
        answers += [LostDaysTo.WAIT]
    return Loss(row, length, lost, extended, place, (*answers, LostDaysTo.KEEP))


def _may_extend(row: Allocation, days: DayRange, occupied: Iterable[DynoDays]) -> bool:
    if any(dyno == row.dyno_id and DayRange(first, last).overlaps(days) for dyno, first, last in occupied):
        return False
    existing = ExistingPlacement(row.days, row.dyno_id)
    question = question_of(Placement.of(row, days=days, existing=existing))
    return question is not None and not violations(question)


def _place_for(row: Allocation, length: int, occupied: list[DynoDays], today: dt.date) -> Place | None:
    query = query_for(row.vehicle, row.test_type_id, length, drive=row.drive)
    near = max(row.first_day, today)
    places = nearest_places(query, near, not_before=today, leaving_out=row.pk, occupied=occupied, limit=1)
    return places[0] if places else None

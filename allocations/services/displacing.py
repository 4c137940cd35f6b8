"""Carries out what becomes of the tests that a maintenance window displaces, and puts them back."""

import datetime as dt
from collections.abc import Collection, Mapping

from django.utils import timezone

from allocations.enums import AllocationStatus, DisplacedTo, RefusalCode, RequestStatus
from allocations.exceptions import Refusal, Refused
from allocations.models import Allocation, Displacement, TestRequest
from allocations.rulebook import ExistingPlacement
from allocations.selectors.availability import Placement
from allocations.selectors.ground_rules import length_of, stretch_of
from allocations.selectors.maintenance import Answer, Slot, blocked, cannot_return
from allocations.services.placing import displaced_request, replace, require_bookable, waiting_rest
from allocations.services.unit_of_work import UnitOfWork, expect_version
from dynosite.lib.days import DayRange


def expect_answers(hits: list[Allocation], answers: Mapping[int, Answer]) -> None:
    """Raises Refused if an allocation that a window hits is completed or has no answer.

    Parameters
    ----------
    hits
        Allocations on the days of the window.
    answers
        By allocation id.

    Raises
    ------
    Refused
        BAD_ANSWER if one of the hits is completed; FALLOUT_UNANSWERED, naming each hit that has no answer.
    """
    done = [hit for hit in hits if hit.status == AllocationStatus.COMPLETED]
    if done:
        sentence = f"{done[0]} is completed: the window must begin after it or end before it."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    open_ = [hit for hit in hits if hit.pk not in answers]
    if open_:
        names = "; ".join(str(hit) for hit in open_)
        sentence = f"These are within the window and need an answer each: {names}."
        raise Refused.because(RefusalCode.FALLOUT_UNANSWERED, sentence)


def displace_all(
    work: UnitOfWork,
    chosen: Mapping[int, Answer],
    others: Mapping[int, Answer],
    *,
    at: Mapping[int, Slot],
    slots: Collection[Slot],
) -> list[Displacement]:
    """Carries out the answers for all allocations that have to leave or make room.

    Parameters
    ----------
    chosen
        The answers by allocation id: for those that are hit, and for the `others`.
    others
        The part of `chosen` that is not hit and only makes room.
    at
        By allocation id, the window that it gives way to.
    slots
        All windows that are to be set; no test may be moved into one of them.

    Returns
    -------
    list[Displacement]
        One displacement for each allocation, not saved and without its window.

    Raises
    ------
    Refused
        With everything that stands in the way, of all allocations: WRONG_STATUS if one was changed since its answer
        was found; BAD_ANSWER if an answer does not suit its allocation; and the rules that fail at a new place.
    Stale
        Without `others`, if an allocation is not at the version of its answer.
    """
    rows = work.lock(Allocation, chosen)
    blocked_days = blocked(slots)
    _expect_unchanged(rows, chosen, others)
    moving = [id_ for id_, answer in chosen.items() if answer.to == DisplacedTo.MOVE]
    if len(moving) > 1:
        # They may swap places: all leave theirs before the first takes its new one.
        Allocation.objects.filter(pk__in=moving).update(status=AllocationStatus.CANCELLED)
    displaced, refusals = [], []
    for row in sorted(rows.values(), key=lambda row: (row.pk in moving, row.first_day, row.pk)):
        try:
            displaced.append(_displace(work, row, chosen[row.pk], at[row.pk].days, blocked_days))
        except Refused as refused:
            refusals += refused.refusals
    if refusals:
        raise Refused(refusals)
    return displaced


def _expect_unchanged(
    rows: Mapping[int, Allocation], chosen: Mapping[int, Answer], others: Mapping[int, Answer]
) -> None:
    if not others:
        for id_, row in rows.items():
            expect_version(row, chosen[id_].version)
    changed = [
        Refusal(RefusalCode.WRONG_STATUS, f"{row} was changed since the options were made.")
        for id_, row in rows.items()
        if chosen[id_].version not in (None, row.version)
        or (id_ in others and (row.status != AllocationStatus.SCHEDULED or chosen[id_].to != DisplacedTo.MOVE))
    ]
    if changed:
        raise Refused(changed)


def _displace(
    work: UnitOfWork, hit: Allocation, answer: Answer, window: DayRange, blocked_days: Mapping[Slot, DayRange]
) -> Displacement:
    displacement = Displacement(
        allocation=hit,
        answer=answer.to,
        dyno_id=hit.dyno_id,
        first_day=hit.first_day,
        last_day=hit.last_day,
        status=hit.status,
    )
    _expect_kept(hit, answer, window)
    if answer.to == DisplacedTo.MOVE:
        _move(work, hit, answer, blocked_days)
    elif answer.to == DisplacedTo.SHORTEN:
        displacement.request = _shorten(work, hit, window)
    else:
        displacement.request = _leave(work, hit, waits=answer.to == DisplacedTo.WAIT)
    return displacement


def _expect_kept(hit: Allocation, answer: Answer, window: DayRange) -> None:
    """What ran before the window stays in the records: a running test is cut short, not moved or removed."""
    if hit.status != AllocationStatus.RUNNING:
        return
    if answer.to == DisplacedTo.MOVE:
        sentence = f"{hit} is running and cannot be moved as a whole; cut it, or let it wait."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    if answer.to != DisplacedTo.SHORTEN and hit.first_day < window.first:
        sentence = f"{hit} is running; cut it at the day before the window, so that what ran stays in the records."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)


def _move(work: UnitOfWork, hit: Allocation, answer: Answer, blocked_days: Mapping[Slot, DayRange]) -> None:
    target = answer.dyno_id or hit.dyno_id
    first = answer.first_day or hit.first_day
    days = DayRange(first, answer.last_day) if answer.last_day else _as_long(hit, first)
    if any(slot.dyno_id == target and blocked.overlaps(days) for slot, blocked in blocked_days.items()):
        raise Refused.because(RefusalCode.BAD_ANSWER, f"{hit} would be moved into the window itself.")
    replace(work, hit, target, days, status=hit.status)


def _as_long(hit: Allocation, first: dt.date) -> DayRange:
    return stretch_of(hit.ground_id, hit.test_type_id, first, length_of(hit.ground_id, hit.test_type_id, hit.days))


def _shorten(work: UnitOfWork, hit: Allocation, window: DayRange) -> TestRequest:
    if hit.first_day >= window.first:
        sentence = f"{hit} has no day before the window; it cannot be shortened."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    remaining = length_of(hit.ground_id, hit.test_type_id, DayRange(window.first, hit.last_day))
    note = f"The rest of {hit}, cut short by maintenance."
    until = window.first - dt.timedelta(days=1)
    over = hit.status == AllocationStatus.RUNNING and until < hit.ground.today()
    work.update(hit, last_day=until, status=AllocationStatus.COMPLETED if over else hit.status)
    return waiting_rest(work, hit, days=remaining, earliest=window.first, note=note)


def _leave(work: UnitOfWork, hit: Allocation, *, waits: bool) -> TestRequest | None:
    work.update(hit, status=AllocationStatus.CANCELLED)
    request = displaced_request(work, hit, waits=waits)
    if request is None and waits:
        length = length_of(hit.ground_id, hit.test_type_id, hit.days)
        request = waiting_rest(work, hit, days=length, earliest=hit.first_day, note="Displaced by maintenance.")
    return request


def put_back(work: UnitOfWork, returning: Collection[int]) -> None:
    """Puts displaced allocations back to where they were.

    Parameters
    ----------
    returning
        Ids of displacements whose dynos are locked.

    Raises
    ------
    Refused
        WRONG_STATUS if one is completed or cancelled by now; BAD_ANSWER if its request has another place; and every
        rule that fails at an old place.
    """
    displaced = list(
        Displacement.objects.filter(pk__in=returning).order_by("first_day", "id").select_related("allocation")
    )
    work.lock_vehicles(displacement.allocation.vehicle_id for displacement in displaced)
    rows = work.lock(Allocation, [displacement.allocation_id for displacement in displaced])
    if wrong := [
        refusal
        for displacement in displaced
        for refusal in cannot_return(displacement, rows[displacement.allocation_id])
    ]:
        raise Refused(wrong)
    if len(rows) > 1:
        # One may be where another has to return to.
        Allocation.objects.filter(pk__in=rows).update(status=AllocationStatus.CANCELLED)
    for displacement in displaced:
        allocation = rows[displacement.allocation_id]
        days = DayRange(displacement.first_day, displacement.last_day)
        existing = ExistingPlacement(days)
        require_bookable(Placement.of(allocation, dyno_id=displacement.dyno_id, days=days, existing=existing))
        if displacement.request_id:
            _take_back_request(work, displacement.request_id, allocation)
        work.update(
            allocation,
            dyno_id=displacement.dyno_id,
            first_day=displacement.first_day,
            last_day=displacement.last_day,
            status=displacement.status,
        )
        displacement.restored_at = timezone.now()
        displacement.save(update_fields=["restored_at"])


def _take_back_request(work: UnitOfWork, request_id: int, allocation: Allocation) -> None:
    request = work.lock(TestRequest, [request_id])[request_id]
    if request.status == RequestStatus.PLACED:
        sentence = f"{request} has got another place in the meantime; cancel that first."
        raise Refused.because(RefusalCode.BAD_ANSWER, sentence)
    own = allocation.request_id == request.pk
    work.update(request, status=RequestStatus.PLACED if own else RequestStatus.CANCELLED)

"""Steps that booking, maintenance, requests and undo share. Each works inside a `UnitOfWork`, on rows that it has
locked.
"""

import dataclasses
import datetime as dt
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import OPEN_STATUSES, RefusalCode, RequestStatus, Weight
from allocations.exceptions import NotFound, Refusal, Refused, Stale
from allocations.models import Allocation, TestRequest, Vehicle
from allocations.rulebook import MAX_STAY_DAYS, ExistingPlacement, Question, violations
from allocations.selectors.availability import NEAREST, Placement, nearest_places, query_for, question_of
from allocations.selectors.ground_rules import length_of
from allocations.selectors.lanes import best_of_each
from allocations.selectors.wishes import concerns_of, wish_of
from allocations.services.unit_of_work import UnitOfWork
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange


def vehicle_of(vehicle_id: int) -> Vehicle:
    """Returns the vehicle. Raises NotFound if it does not exist; rights are not checked."""
    try:
        return Vehicle.objects.get(pk=vehicle_id)
    except Vehicle.DoesNotExist:
        raise NotFound(NOT_FOUND) from None


@contextmanager
def offering_places(
    vehicle_id: int,
    test_type_id: int,
    days: DayRange,
    *,
    user: User,
    drive: str = "",
    leaving_out: int | None = None,
    length: int | None = None,
    but: tuple[int, dt.date | None] | None = None,
) -> Iterator[None]:
    """Adds the nearest places that would do to a refusal that passes through.

    The search runs after the refused transaction has ended. Nothing is added to a refusal that has places, or that
    only asks for confirmation, or if `days` are no possible stay.

    Parameters
    ----------
    days
        The days that were refused. The search is for places near their first one.
    user
        Whose rights count for the places offered.
    leaving_out
        An allocation whose own days count as free.
    length
        How many days the test takes, if that differs from what `days` come to.
    but
        (dyno id, first day) of the place that it has now, which is not offered; with None for the day, no place on
        this dyno is.

    Raises
    ------
    Refused
        The refusal that passed through, with its `places` filled.
    NotFound
        If the vehicle does not exist, or the user is not a member of its ground.
    """
    try:
        yield
    except Refused as refused:
        if 1 <= days.days <= MAX_STAY_DAYS and not refused.places and not refused.to_confirm:
            vehicle = vehicle_of(vehicle_id)
            access.require(user, vehicle.ground_id, access.Role.VIEWER)
            today = vehicle.ground.today()
            search = partial(
                nearest_places,
                query_for(
                    vehicle, test_type_id, length or length_of(vehicle.ground_id, test_type_id, days), drive=drive
                ),
                days.first,
                not_before=min(today, days.first),
                leaving_out=leaving_out,
                but=but,
            )
            refused.places = best_of_each(lambda number: search(limit=number), vehicle.ground_id, NEAREST)
        raise


def require_bookable(placement: Placement) -> Question:
    """Returns the facts of a placement that the rulebook allows.

    Raises
    ------
    Refused
        With every rule that fails.
    NotFound
        If the vehicle, the dyno or the test type does not exist.
    """
    question = question_of(placement)
    if question is None:
        raise NotFound(NOT_FOUND)
    if refusals := violations(question):
        raise Refused(refusals)
    return question


def place(
    work: UnitOfWork,
    placement: Placement,
    *,
    note: str = "",
    request_id: int | None = None,
    confirmed: Collection[str] = (),
    rest_waits: bool = False,
) -> Allocation:
    """Inserts an allocation on a dyno and vehicle that are locked, after checking the rulebook under the lock.

    Parameters
    ----------
    request_id
        The waiting request that gets its place by this. It is locked here and becomes placed.
    confirmed
        Codes of concerns that the user accepted.
    rest_waits
        Whether the days that the request asks for beyond these go on waiting, as a request of their own.

    Raises
    ------
    Refused
        With every rule that fails; WRONG_STATUS if the request does not wait or is for another vehicle or test type;
        with codes to confirm if concerns were not accepted.
    NotFound
        If the vehicle, dyno, test type or request does not exist in the ground.
    """
    request = None
    if request_id is not None:
        request = work.lock(TestRequest, [request_id])[request_id]
        if request.status != RequestStatus.WAITING:
            raise Refused.because(RefusalCode.WRONG_STATUS, f"The request is {request.status} and no longer waits.")
        if (request.vehicle_id, request.test_type_id) != (placement.vehicle_id, placement.test_type_id):
            raise Refused.because(RefusalCode.WRONG_STATUS, "The request is for another vehicle or test type.")
        placement = dataclasses.replace(placement, drive=placement.drive or request.drive)
    question = require_bookable(placement)
    days = placement.days
    if rest_waits:
        confirmed = {*confirmed, RefusalCode.FEWER_DAYS}
    wish = wish_of(request) if request else None
    expect_confirmed(concerns_of(question.ground, question.test.pauses, days, wish=wish), confirmed)
    allocation = Allocation(
        ground_id=work.ground_id,
        vehicle_id=placement.vehicle_id,
        dyno_id=placement.dyno_id,
        test_type_id=placement.test_type_id,
        drive=placement.drive,
        first_day=days.first,
        last_day=days.last,
        note=note,
        request_id=request_id,
        source=work.actor.door,
        created_by=work.actor.user,
    )
    work.insert(allocation)
    if request is not None:
        length = length_of(work.ground_id, placement.test_type_id, days) if rest_waits else request.days
        if length < request.days:
            _let_rest_wait(work, allocation, request, length)
        work.update(request, status=RequestStatus.PLACED, days=min(length, request.days))
    work.summary = f"{question.test.vehicle} on {question.dyno.name}, {days}: {question.test.test_type}"
    return allocation


def expect_confirmed(concerns: Iterable[Refusal], confirmed: Collection[str]) -> None:
    """Raises Refused with the concerns that have to be confirmed and were not.

    Parameters
    ----------
    concerns
        What the wish of a request, or the distance from today, has against a place (`selectors.wishes.concerns_of`).
    confirmed
        Codes of concerns that the user accepted.
    """
    open_ = [concern for concern in concerns if concern.code.weight is Weight.ASKS and concern.code not in confirmed]
    if open_:
        raise Refused(open_)


def _let_rest_wait(work: UnitOfWork, allocation: Allocation, request: TestRequest, length: int) -> None:
    """Makes the days of a request beyond `length` a request that comes after it."""
    earliest = allocation.last_day + dt.timedelta(days=1)
    waiting_rest(
        work,
        allocation,
        days=request.days - length,
        earliest=earliest,
        note=f"The rest of {request}.",
        after_id=request.pk,
    )


def locked_allocation(work: UnitOfWork, allocation_id: int, *, dynos: Iterable[int] = ()) -> Allocation:
    """Locks the dynos, the vehicle and the allocation itself, in that order, and returns the allocation.

    Parameters
    ----------
    dynos
        Ids of further dynos to lock, such as the one to move to.

    Raises
    ------
    NotFound
        If the allocation, or one of the dynos, does not exist in a ground of the actor's.
    Stale
        If somebody else moved it to another dyno before it was locked.
    """
    unlocked = Allocation.objects.filter(pk=allocation_id).values("dyno_id", "vehicle_id", "ground_id").first()
    if unlocked is None:
        raise NotFound(NOT_FOUND)
    work.enter(unlocked["ground_id"])
    work.lock_dynos([unlocked["dyno_id"], *dynos])
    work.lock_vehicles([unlocked["vehicle_id"]])
    allocation = work.lock(Allocation, [allocation_id])[allocation_id]
    if allocation.dyno_id != unlocked["dyno_id"]:
        raise Stale("Somebody else has moved this a moment ago; look at it as it is now and try again.")
    return allocation


def replace(
    work: UnitOfWork,
    allocation: Allocation,
    dyno_id: int,
    days: DayRange,
    *,
    status: str | None = None,
    existing: ExistingPlacement | None = None,
    confirmed: Collection[str] | None = None,
) -> None:
    """Gives a locked allocation another dyno or other days, after checking the rulebook.

    Parameters
    ----------
    status
        Its new status; without it, as before.
    existing
        The placement whose rules are not checked again; without it, the one that it has now.
    confirmed
        Codes of concerns that the user accepted. None: concerns are not looked at.

    Raises
    ------
    Refused
        WRONG_STATUS if it is completed or cancelled; every rule that fails; codes to confirm.
    """
    if allocation.status not in OPEN_STATUSES:
        raise Refused.because(RefusalCode.WRONG_STATUS, f"It is {allocation.status} and can no longer be moved.")
    existing = existing or ExistingPlacement(allocation.days, allocation.dyno_id)
    question = require_bookable(Placement.of(allocation, dyno_id=dyno_id, days=days, existing=existing))
    if confirmed is not None:
        wish = wish_of(allocation.request) if allocation.request else None
        concerns = concerns_of(question.ground, question.test.pauses, days, wish=wish, stood=allocation.days)
        expect_confirmed(concerns, confirmed)
    work.update(
        allocation,
        dyno_id=dyno_id,
        first_day=days.first,
        last_day=days.last,
        status=status or allocation.status,
    )
    work.summary = f"{question.test.vehicle} to {question.dyno.name}, {days}: {question.test.test_type}"


def displaced_request(work: UnitOfWork, allocation: Allocation, *, waits: bool) -> TestRequest | None:
    """Lets the request of an allocation that lost its place wait again, or cancels it.

    Returns
    -------
    TestRequest | None
        The request, locked, or None if the allocation has none. A request that is not placed stays as it is.
    """
    if allocation.request_id is None:
        return None
    request = work.lock(TestRequest, [allocation.request_id])[allocation.request_id]
    if request.status == RequestStatus.PLACED:
        work.update(request, status=RequestStatus.WAITING if waits else RequestStatus.CANCELLED)
    return request


def waiting_rest(
    work: UnitOfWork, allocation: Allocation, *, days: int, earliest: dt.date, note: str, after_id: int | None = None
) -> TestRequest:
    """Inserts a waiting request for what an allocation leaves undone, with the step, priority and due date of its
    request.

    Parameters
    ----------
    days
        How many days are left to do; for a test that pauses on days off, days worked.
    earliest
        The earliest start. A due date before it is dropped.
    after_id
        The request that the new one comes after.
    """
    origin = allocation.request
    rest = TestRequest(
        ground_id=allocation.ground_id,
        vehicle_id=allocation.vehicle_id,
        test_type_id=allocation.test_type_id,
        drive=allocation.drive,
        days=days,
        earliest_start=earliest,
        step=origin.step if origin else "",
        priority=origin.priority if origin else "normal",
        due_date=origin.due_date if origin and origin.due_date and origin.due_date >= earliest else None,
        note=note,
        after_id=after_id,
        created_by=work.actor.user,
    )
    work.insert(rest)
    return rest

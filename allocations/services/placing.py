"""The steps that booking, maintenance, requests and undo share. Each works inside a `UnitOfWork`, on rows it has
locked."""

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
from allocations.rulebook import LONGEST_STAY, ExistingPlacement, Question, violations
from allocations.selectors.availability import NEAREST, Placement, nearest_places, query_for, question_of
from allocations.selectors.ground_rules import length_of
from allocations.selectors.lanes import best_of_each
from allocations.selectors.wishes import concerns_of, wish_of
from allocations.services.unit_of_work import UnitOfWork
from dynosite.accounts.models import User
from dynosite.lib.days import DayRange


def vehicle_of(vehicle_id: int) -> Vehicle:
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
    """Adds the nearest places that would do to a refusal on its way out, after its transaction has ended.

    `length` is how many days the test takes, where that is not what `days` come to. `but` is the dyno and first day
    that it has already, which is no answer; without the day, no place on this dyno is.
    """
    try:
        yield
    except Refused as refused:
        if 1 <= days.days <= LONGEST_STAY and not refused.places and not refused.to_confirm:
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
    """The facts of a placement that the rulebook allows.

    Raises Refused with every rule that failed, NotFound if vehicle, dyno or test type is missing.
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
    """A new allocation on a locked dyno, after the rulebook has been asked under the lock.

    `confirmed` are the codes of what was asked about and is meant so; with `rest_waits` the days that the request
    asks for beyond these go on waiting.
    """
    request = None
    if request_id is not None:
        request = work.lock(TestRequest, [request_id])[request_id]
        if request.status != RequestStatus.WAITING:
            raise Refused.because(RefusalCode.WRONG_STATUS, f"The request is {request.status} and waits no more.")
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
    """Raises Refused with what has to be confirmed and is not."""
    open_ = [concern for concern in concerns if concern.code.weight is Weight.ASKS and concern.code not in confirmed]
    if open_:
        raise Refused(open_)


def _let_rest_wait(work: UnitOfWork, allocation: Allocation, request: TestRequest, length: int) -> None:
    """The days of a request beyond `length` become a request that comes after it."""
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
    """Locks the allocation's dyno, the further `dynos`, its vehicle and the allocation itself, in that order."""
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
    """Gives a locked allocation another dyno or other days, after asking the rulebook.

    `existing` is what is not asked about, where that is more than where it stands now. `confirmed` are the codes of
    what was asked about and is meant so; without it nothing is asked that could be confirmed.
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
    """Lets the request behind an allocation that lost its place wait again, or cancels it too."""
    if allocation.request_id is None:
        return None
    request = work.lock(TestRequest, [allocation.request_id])[allocation.request_id]
    if request.status == RequestStatus.PLACED:
        work.update(request, status=RequestStatus.WAITING if waits else RequestStatus.CANCELLED)
    return request


def waiting_rest(
    work: UnitOfWork, allocation: Allocation, *, days: int, earliest: dt.date, note: str, after_id: int | None = None
) -> TestRequest:
    """A waiting request for what an allocation leaves undone, with the particulars of its own request."""
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

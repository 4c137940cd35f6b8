"""Booking: a vehicle on a dyno for whole days. All writes to allocations start here.

What `actor`, `key`, `version` and `confirmed` mean, and the errors that every service raises, is in the package.
"""

import datetime as dt
from collections.abc import Collection
from functools import partial
from typing import Any

from allocations import access
from allocations.access import NOT_FOUND
from allocations.enums import OPEN_STATUSES, Action, AllocationStatus, RefusalCode, Weight
from allocations.exceptions import NotFound, Refused
from allocations.models import Allocation, Change, Dyno, TestType
from allocations.rulebook import MAX_STAY_DAYS, ExistingPlacement, check_days, violations_of_start
from allocations.selectors.availability import Placement, find_places, query_for, question_of
from allocations.selectors.ground_rules import rules_for
from allocations.selectors.running import extended
from allocations.services.placing import (
    displaced_request,
    locked_allocation,
    offering_places,
    place,
    replace,
    vehicle_of,
)
from allocations.services.running import expect_same_first_day, let_rest_wait, move_rest, rest_of
from allocations.services.unit_of_work import Actor, UnitOfWork, expect_version
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date

NEEDING_CONFIRMATION = frozenset(code for code in RefusalCode if code.weight is Weight.ASKS)
MAX_BACKUP_DAYS = 7
"""Days after `first_day` by which auto-booking with backup starts at the latest."""


def book(
    vehicle_id: int,
    dyno_id: int,
    *,
    test_type_id: int,
    first_day: dt.date,
    last_day: dt.date,
    actor: Actor,
    drive: str = "",
    note: str = "",
    request_id: int | None = None,
    confirmed: Collection[str] = (),
    rest_waits: bool = False,
    key: str | None = None,
) -> Change:
    """Books a vehicle on a dyno.

    Parameters
    ----------
    drive
        What the vehicle is tested as. Empty: the drive of the request, or else the vehicle's own.
    request_id
        The waiting request that gets its place by this booking.
    confirmed
        Codes of concerns that the user accepted, such as FEWER_DAYS (`Weight.ASKS`).
    rest_waits
        Whether the days that the request asks for beyond these wait as a request of their own.

    Raises
    ------
    Refused
        With every rule that fails, and in `places` the nearest places that would do. WRONG_STATUS if the request no
        longer waits or is for another vehicle or test type. With only codes to confirm (`to_confirm`) if concerns
        were not accepted.
    """
    days = DayRange(first_day, last_day)
    params = {"vehicle": vehicle_id, "dyno": dyno_id, "test_type": test_type_id, "days": days.iso(), "drive": drive}

    def write(work: UnitOfWork) -> None:
        work.lock_dynos([dyno_id])
        work.lock_vehicles([vehicle_id])
        placement = Placement(vehicle_id, dyno_id, test_type_id, days, drive=drive)
        place(work, placement, note=note, request_id=request_id, confirmed=confirmed, rest_waits=rest_waits)

    with offering_places(vehicle_id, test_type_id, days, drive=drive, user=actor.user):
        return UnitOfWork.run(
            write, actor=actor, action=Action.BOOK, key=key, request=params | {"request": request_id}
        )


class _RaceLostError(Exception):
    """The place was taken by another write before its dyno was locked."""


def auto_book(
    vehicle_id: int,
    *,
    test_type_id: int,
    first_day: dt.date,
    days: int,
    actor: Actor,
    backup: bool = False,
    max_backup_days: int = MAX_BACKUP_DAYS,
    dyno_id: int | None = None,
    drive: str = "",
    note: str = "",
    request_id: int | None = None,
    confirmed: Collection[str] = (),
    key: str | None = None,
) -> Change:
    """Books the best free place.

    Parameters
    ----------
    first_day
        The day on which the test starts; with `backup` the earliest one.
    days
        How many days the test takes; for a test that pauses on days off, days worked.
    backup
        Whether a later start will do, up to `max_backup_days` after `first_day`.
    dyno_id
        Search on this dyno only.
    drive, request_id, confirmed
        As for `book`.

    Raises
    ------
    Refused
        NO_PLACE if no place is free, with the nearest places. DAYS_LENGTH if the test takes too many days. Also as
        `book` does.
    """
    stay = DayRange.starting(first_day, days)
    latest = first_day + dt.timedelta(days=max_backup_days if backup else 0)
    params = {"vehicle": vehicle_id, "test_type": test_type_id, "days": stay.iso(), "latest": latest, "drive": drive}
    if dyno_id:
        params["dyno"] = dyno_id

    def write(work: UnitOfWork, *, candidates: int) -> None:
        vehicle = vehicle_of(vehicle_id)
        work.enter(vehicle.ground_id)
        if wrong := check_days(stay):
            raise Refused(wrong)
        query = query_for(vehicle, test_type_id, days, drive=drive)
        search = partial(
            find_places,
            query,
            first_day=first_day,
            latest=latest,
            rules=rules_for(vehicle.ground_id, test_type_id),
            dynos=[dyno_id] if dyno_id else None,
        )
        places = search(limit=candidates)
        if not places:
            raise _no_place(vehicle.label, test_type_id, stay, latest, dyno_id)
        work.lock_dynos({candidate.dyno_id for candidate in places})
        work.lock_vehicles([vehicle_id])
        best = next(iter(search()), None)
        if best is None or best.dyno_id not in work.dynos:
            raise _RaceLostError
        work.dynos = {best.dyno_id}
        placement = Placement(vehicle_id, best.dyno_id, test_type_id, best.days, drive=drive)
        place(work, placement, note=note, request_id=request_id, confirmed=confirmed)

    with offering_places(vehicle_id, test_type_id, stay, drive=drive, user=actor.user, length=days):
        for candidates in (1, 1, 5, 1000):
            try:
                return UnitOfWork.run(
                    partial(write, candidates=candidates),
                    actor=actor,
                    action=Action.BOOK,
                    key=key,
                    request=params | {"request": request_id},
                )
            except _RaceLostError:
                continue
        raise _no_place(vehicle_of(vehicle_id).label, test_type_id, stay, latest, dyno_id)


def move(
    allocation_id: int,
    *,
    actor: Actor,
    dyno_id: int | None = None,
    first_day: dt.date | None = None,
    last_day: dt.date | None = None,
    rest_waits: bool = False,
    version: int | None = None,
    confirmed: Collection[str] = (),
    key: str | None = None,
) -> Change:
    """Moves a scheduled or running allocation to another dyno, to other days, or both.

    If a running test goes to another dyno, what has run stays in the records and the rest becomes an allocation
    there.

    Parameters
    ----------
    dyno_id, first_day
        Without them, as now.
    last_day
        Without it the allocation keeps its length; for a test that pauses on days off, its days worked.
    rest_waits
        Whether the days of its request that the move leaves open become a waiting request.

    Raises
    ------
    Refused
        With every rule that fails and the nearest places that would do. WRONG_STATUS if it is completed or cancelled,
        or if it is running and its first day would change or its last day would be before today. With only codes to
        confirm if concerns were not accepted.
    Stale
        Also if somebody else moved it to another dyno at the same moment.
    """
    params = {"allocation": allocation_id, "dyno": dyno_id, "first": first_day, "last": last_day, "version": version}
    params |= {"rest": True} if rest_waits else {}
    confirmed_codes = {*confirmed, RefusalCode.FEWER_DAYS} if rest_waits else confirmed
    target: dict[str, Any] = {}

    def write(work: UnitOfWork) -> None:
        allocation = locked_allocation(work, allocation_id, dynos=[dyno_id] if dyno_id else [])
        expect_version(allocation, version)
        target.update(allocation=allocation, place=(allocation.dyno_id, allocation.days, allocation.status))
        to = dyno_id or allocation.dyno_id
        if allocation.status == AllocationStatus.RUNNING and to != allocation.dyno_id:
            days = rest_of(allocation, to, first_day, last_day)
            target["days"] = days
            allocation = move_rest(work, allocation, to, days, confirmed=confirmed_codes)
        else:
            expect_same_first_day(allocation, first_day, last_day)
            first = first_day or allocation.first_day
            if first != allocation.first_day and last_day is None:
                days = _shifted(allocation, first)
            else:
                days = DayRange(first, last_day or allocation.last_day)
            target["days"] = days
            replace(work, allocation, to, days, existing=_as_it_ran(allocation, to, days), confirmed=confirmed_codes)
        if rest_waits:
            let_rest_wait(work, allocation)

    try:
        return UnitOfWork.run(write, actor=actor, action=Action.MOVE, key=key, request=params)
    except Refused as refused:
        if "days" in target and target["days"].days in range(1, MAX_STAY_DAYS + 1):
            allocation = target["allocation"]
            dyno, days, status = target["place"]
            with offering_places(
                allocation.vehicle_id,
                allocation.test_type_id,
                target["days"],
                drive=allocation.drive,
                user=actor.user,
                leaving_out=allocation_id,
                but=(dyno, None if status == AllocationStatus.RUNNING else days.first),
            ):
                raise refused
        raise


def _as_it_ran(allocation: Allocation, dyno_id: int, days: DayRange) -> ExistingPlacement | None:
    """The placement not to check again: whether a running test was allowed on days that it has run already is not
    asked.
    """
    ran = allocation.status == AllocationStatus.RUNNING and days.last <= allocation.ground.today()
    return ExistingPlacement(days, dyno_id) if ran else None


def extend(
    allocation_id: int, *, actor: Actor, days: int = 0, version: int | None = None, key: str | None = None
) -> Change:
    """Gives a running test more days.

    It runs on whatever its request asked for, so nothing has to be confirmed.

    Parameters
    ----------
    days
        Days beyond its last day, or beyond today if it has run over. 0: until today.

    Raises
    ------
    Refused
        WRONG_STATUS if the test is not running, or has these days already. Also every rule that fails on the new
        days.
    """
    allocation = Allocation.objects.select_related("ground").filter(pk=allocation_id).first()
    if allocation is None:
        raise NotFound(NOT_FOUND)
    access.require(actor.user, allocation.ground_id, access.Role.SCHEDULER)
    _expect_status(allocation, AllocationStatus.RUNNING, to="extended")
    last_day = extended(allocation, max(0, days))
    if last_day <= allocation.last_day:
        sentence = (
            f"It is booked until {full_date(allocation.last_day)} already; say by how many days it is to go on."
        )
        raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
    # The version from which the last day was computed, if the caller named none.
    return move(
        allocation_id,
        last_day=last_day,
        version=version or allocation.version,
        confirmed=NEEDING_CONFIRMATION,
        actor=actor,
        key=key,
    )


def cancel(
    allocation_id: int,
    *,
    actor: Actor,
    version: int | None = None,
    keep_request: bool = True,
    key: str | None = None,
) -> Change:
    """Cancels a scheduled or running allocation.

    Parameters
    ----------
    keep_request
        Whether its request waits again. If not, the request is cancelled too.

    Raises
    ------
    Refused
        WRONG_STATUS if it is completed or cancelled.
    """

    def write(work: UnitOfWork) -> None:
        allocation = locked_allocation(work, allocation_id)
        expect_version(allocation, version)
        _expect_status(allocation, *OPEN_STATUSES, to="cancelled")
        work.update(allocation, status=AllocationStatus.CANCELLED)
        displaced_request(work, allocation, waits=keep_request)
        work.summary = f"{allocation} cancelled"

    params = {"allocation": allocation_id, "version": version, "keep_request": keep_request}
    return UnitOfWork.run(write, actor=actor, action=Action.CANCEL, key=key, request=params)


def start(allocation_id: int, *, actor: Actor, version: int | None = None, key: str | None = None) -> Change:
    """Starts a scheduled test: it runs from now on.

    Raises
    ------
    Refused
        WRONG_STATUS if it is not scheduled, or before its first day. DYNO_TAKEN or VEHICLE_ELSEWHERE while another
        test on the dyno, or of the vehicle, runs past its end.
    """

    def write(work: UnitOfWork) -> None:
        allocation = locked_allocation(work, allocation_id)
        expect_version(allocation, version)
        _expect_status(allocation, AllocationStatus.SCHEDULED, to="started")
        if allocation.first_day > allocation.ground.today():
            sentence = (
                f"It is scheduled from {full_date(allocation.first_day)} on; move it to today to start it earlier."
            )
            raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
        question = question_of(Placement.of(allocation))
        if question and (refusals := violations_of_start(question)):
            raise Refused(refusals)
        work.update(allocation, status=AllocationStatus.RUNNING)
        work.summary = f"{allocation} started"

    return UnitOfWork.run(
        write, actor=actor, action=Action.START, key=key, request={"allocation": allocation_id, "version": version}
    )


def complete(
    allocation_id: int,
    *,
    actor: Actor,
    last_day: dt.date | None = None,
    version: int | None = None,
    key: str | None = None,
) -> Change:
    """Completes a scheduled or running test; days that it did not use become free.

    Parameters
    ----------
    last_day
        The day on which it ended. Without it, the last day planned.

    Raises
    ------
    Refused
        WRONG_STATUS if it is completed or cancelled, or if the last day has not come yet. Also every rule that fails
        on days after the planned last day.
    """

    def write(work: UnitOfWork) -> None:
        allocation = locked_allocation(work, allocation_id)
        expect_version(allocation, version)
        _expect_status(allocation, *OPEN_STATUSES, to="completed")
        ended = last_day or allocation.last_day
        if ended > allocation.ground.today():
            sentence = f"{full_date(ended)} has not come yet; say the last day that the test ran."
            raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
        days = DayRange(allocation.first_day, ended)
        if days != allocation.days:
            # It has run: whether the dyno may run it now, or whether the day it ended was worked, is not checked.
            ran = ExistingPlacement(days, allocation.dyno_id)
            replace(work, allocation, allocation.dyno_id, days, status=AllocationStatus.COMPLETED, existing=ran)
        else:
            work.update(allocation, status=AllocationStatus.COMPLETED)
        work.summary = f"{allocation} completed"

    params = {"allocation": allocation_id, "last": last_day, "version": version}
    return UnitOfWork.run(write, actor=actor, action=Action.COMPLETE, key=key, request=params)


def _shifted(allocation: Allocation, first: dt.date) -> DayRange:
    rules, pauses = rules_for(allocation.ground_id, allocation.test_type_id)
    length = rules.calendar.length(allocation.days, pauses=pauses)
    return rules.calendar.stretch(first, length, pauses=pauses)


def _expect_status(allocation: Allocation, *allowed: AllocationStatus, to: str) -> None:
    if allocation.status not in allowed:
        raise Refused.because(RefusalCode.WRONG_STATUS, f"It is {allocation.status} and cannot be {to}.")


def _no_place(
    vehicle: str, test_type_id: int, stay: DayRange, latest: dt.date, dyno_id: int | None = None
) -> Refused:
    test_type = TestType.objects.values_list("name", flat=True).get(pk=test_type_id)
    start = (
        f"on {full_date(stay.first)}"
        if latest == stay.first
        else f"from {full_date(stay.first)} to {full_date(latest)}"
    )
    if dyno_id:
        dyno = Dyno.objects.values_list("name", flat=True).get(pk=dyno_id)
        sentence = f"{dyno} has no {count(stay.days, 'day')} free for {test_type} of {vehicle} starting {start}."
        return Refused.because(RefusalCode.NO_PLACE, sentence)
    sentence = f"No dyno that may run {test_type} for {vehicle} has {count(stay.days, 'day')} free starting {start}."
    return Refused.because(RefusalCode.NO_PLACE, sentence)

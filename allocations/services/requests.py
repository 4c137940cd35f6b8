"""Test requests: tests that wait for a place."""

import datetime as dt
from typing import Any

from allocations.access import NOT_FOUND
from allocations.enums import Action, Priority, RefusalCode, RequestStatus
from allocations.exceptions import NotFound, Refused
from allocations.models import Change, TestRequest, TestType
from allocations.request_rules import check_dates, check_waits
from allocations.rulebook import check_days
from allocations.services.details import change_placed, expect_member, lock_places
from allocations.services.placing import vehicle_of
from allocations.services.unit_of_work import Actor, UnitOfWork, expect_version
from dynosite.lib.days import DayRange


def create_request(
    vehicle_id: int,
    *,
    test_type_id: int,
    days: int,
    actor: Actor,
    step: str = "",
    drive: str = "",
    miles: int | None = None,
    miles_per_day: int | None = None,
    extra_days: int | None = None,
    earliest_start: dt.date | None = None,
    due_date: dt.date | None = None,
    priority: str = Priority.NORMAL,
    after_id: int | None = None,
    note: str = "",
    key: str | None = None,
) -> Change:
    """Adds a request that waits for a place.

    Parameters
    ----------
    days
        Days on the dyno; for a test type that pauses on days off, days worked.
    step
        The step of the vehicle's program that the test belongs to.
    drive
        What it is tested as; empty: the vehicle's own drive.
    miles, miles_per_day, extra_days
        What `days` was computed from, if anything.
    due_date
        The last day by which the test should end.
    after_id
        The request whose test has to end before this one starts.

    Raises
    ------
    Refused
        DAYS_LENGTH if `days` are too many, DAYS_ORDER if it would be due before its earliest start.
    NotFound
        Also if the test type or the earlier request is not of the vehicle's ground.
    """
    values = {name: value for name, value in locals().items() if name not in ("vehicle_id", "actor", "key")}

    def write(work: UnitOfWork) -> None:
        vehicle = vehicle_of(vehicle_id)
        work.enter(vehicle.ground_id)
        request = TestRequest(ground_id=vehicle.ground_id, vehicle=vehicle, created_by=actor.user, **values)
        _check(request)
        work.insert(request)
        work.summary = f"{request} requested, {days} days"

    params = values | {"vehicle": vehicle_id}
    return UnitOfWork.run(write, actor=actor, action=Action.REQUEST, key=key, request=params)


def change_request(
    request_id: int, *, actor: Actor, version: int | None = None, key: str | None = None, **values: Any
) -> Change:
    """Changes fields of a request.

    Parameters
    ----------
    values
        Fields of TestRequest while it waits; those of `details.AFTER_PLACING` when it has its place.

    Raises
    ------
    Refused
        WRONG_STATUS if the request is cancelled, or has its place and a field can no longer change; DAYS_LENGTH;
        DAYS_ORDER if it would be due before its earliest start, or come after itself; a code of the capability rule
        if the dyno of its place does not take the drive.
    NotFound
        Also if the test type, the earlier request, or the new owner is not of the ground.
    """

    def write(work: UnitOfWork) -> None:
        _enter(work, request_id)
        places = lock_places(work, request_id) if "drive" in values else []
        request = work.lock(TestRequest, [request_id])[request_id]
        expect_version(request, version)
        expect_member(work, values.get("created_by_id"))
        if request.status == RequestStatus.PLACED:
            change_placed(work, request, values, places)
            work.summary = f"Request changed: {request}"
            return
        _expect_waiting(request)
        before = {name: getattr(request, name) for name in values}
        for name, value in values.items():
            setattr(request, name, value)
        _check(request)
        for name, value in before.items():
            setattr(request, name, value)
        work.update(request, **values)
        work.summary = f"Request changed: {request}"

    params = values | {"request": request_id, "version": version}
    return UnitOfWork.run(write, actor=actor, action=Action.CHANGE_REQUEST, key=key, request=params)


def cancel_request(request_id: int, *, actor: Actor, version: int | None = None, key: str | None = None) -> Change:
    """Cancels a waiting request. Raises Refused (WRONG_STATUS) if it does not wait."""

    def write(work: UnitOfWork) -> None:
        request = _locked(work, request_id)
        expect_version(request, version)
        _expect_waiting(request)
        work.update(request, status=RequestStatus.CANCELLED)
        work.summary = f"Request cancelled: {request}"

    params = {"request": request_id, "version": version}
    return UnitOfWork.run(write, actor=actor, action=Action.CANCEL_REQUEST, key=key, request=params)


def _locked(work: UnitOfWork, request_id: int) -> TestRequest:
    _enter(work, request_id)
    return work.lock(TestRequest, [request_id])[request_id]


def _enter(work: UnitOfWork, request_id: int) -> None:
    ground_id = TestRequest.objects.filter(pk=request_id).values_list("ground_id", flat=True).first()
    if ground_id is None:
        raise NotFound(NOT_FOUND)
    work.enter(ground_id)


def _expect_waiting(request: TestRequest) -> None:
    if refusals := check_waits(request.status):
        raise Refused(refusals)


def _check(request: TestRequest) -> None:
    """Raises Refused or NotFound if the rows of a request are not of one ground, or its days are not possible."""
    if request.vehicle.ground_id != request.ground_id:
        raise NotFound(NOT_FOUND)
    if not TestType.objects.filter(pk=request.test_type_id, ground_id=request.ground_id).exists():
        raise NotFound(NOT_FOUND)
    if request.after_id is not None:
        if not TestRequest.objects.filter(pk=request.after_id, ground_id=request.ground_id).exists():
            raise NotFound(NOT_FOUND)
        if _follows_itself(request):
            raise Refused.because(RefusalCode.DAYS_ORDER, "The request would have to come after itself.")
    if wrong := check_days(DayRange.starting(request.earliest_start or dt.date(2000, 1, 1), request.days)):
        raise Refused(wrong)
    if wrong := check_dates(request.earliest_start, request.due_date):
        raise Refused(wrong)


def _follows_itself(request: TestRequest) -> bool:
    visited: set[int] = set()
    earlier = request.after_id
    while earlier is not None and earlier not in visited:
        if earlier == request.pk:
            return True
        visited.add(earlier)
        earlier = TestRequest.objects.filter(pk=earlier).values_list("after_id", flat=True).first()
    return False

"""What a booking, or a request that has its place, holds besides its days: note, drive, owner, due date, priority."""

from dataclasses import replace
from typing import Any

from allocations.access import NOT_FOUND
from allocations.enums import OPEN_STATUSES, Action, AllocationStatus, RefusalCode, RequestStatus
from allocations.exceptions import NotFound, Refused
from allocations.models import Allocation, Change, Membership, TestRequest
from allocations.rulebook import CAPABILITY, violations
from allocations.selectors.availability import Placement, question_of
from allocations.services.placing import locked_allocation
from allocations.services.unit_of_work import Actor, UnitOfWork, expect_version

AFTER_PLACING = frozenset({"due_date", "priority", "note", "step", "drive", "created_by_id"})
"""Fields of a request that can still change when it has its place. Its days and order are then those of the place."""


def change_booking(
    allocation_id: int, *, actor: Actor, version: int | None = None, key: str | None = None, **values: Any
) -> Change:
    """Changes the note, drive or owner of a booking. The drive of the request behind it follows.

    Parameters
    ----------
    values
        `note`; `drive`, what the vehicle is tested as; `created_by_id`, the owner, a member of the ground.

    Raises
    ------
    Refused
        WRONG_STATUS if the booking is cancelled; DRIVE_NOT_TAKEN, or another code of the capability rule, if the dyno
        does not take the drive. Bookings that are completed are not checked.
    NotFound
        If the new owner is not a member of the ground.
    TypeError
        If `values` has any other field.
    """
    if unknown := values.keys() - {"note", "drive", "created_by_id"}:
        raise TypeError(f"A booking's {', '.join(sorted(unknown))} cannot be changed here.")

    def write(work: UnitOfWork) -> None:
        allocation = locked_allocation(work, allocation_id)
        expect_version(allocation, version)
        if allocation.status == AllocationStatus.CANCELLED:
            raise Refused.because(RefusalCode.WRONG_STATUS, "It is cancelled and can no longer be changed.")
        new = {name: value for name, value in values.items() if getattr(allocation, name) != value}
        expect_member(work, new.get("created_by_id"))
        if "drive" in new:
            _expect_drive(allocation, new["drive"])
        if new:
            work.update(allocation, **new)
        if "drive" in new and allocation.request_id:
            request = work.lock(TestRequest, [allocation.request_id])[allocation.request_id]
            if request.status == RequestStatus.PLACED and request.drive != new["drive"]:
                work.update(request, drive=new["drive"])
        work.summary = f"Booking changed: {allocation}"

    params = values | {"allocation": allocation_id, "version": version}
    return UnitOfWork.run(write, actor=actor, action=Action.CHANGE, key=key, request=params)


def lock_places(work: UnitOfWork, request_id: int) -> list[Allocation]:
    """Locks the scheduled and running bookings of a request, with their dynos and vehicles. Call it before the
    request is locked.
    """
    stays = Allocation.objects.filter(request=request_id, status__in=OPEN_STATUSES)
    places = list(stays.values_list("pk", "dyno_id", "vehicle_id"))
    if not places:
        return []
    work.lock_dynos(dyno for _, dyno, _ in places)
    work.lock_vehicles(vehicle for _, _, vehicle in places)
    return list(work.lock(Allocation, [pk for pk, _, _ in places]).values())


def change_placed(work: UnitOfWork, request: TestRequest, values: dict[str, Any], places: list[Allocation]) -> None:
    """Changes a locked request that has its place; the drive of its bookings follows.

    Parameters
    ----------
    values
        New values by field, of `AFTER_PLACING` only.
    places
        The bookings that `lock_places` locked.

    Raises
    ------
    Refused
        WRONG_STATUS if a field can change only while the request waits; a code of the capability rule if a dyno does
        not take the drive.
    """
    new = {name: value for name, value in values.items() if getattr(request, name) != value}
    if wrong := sorted(new.keys() - AFTER_PLACING):
        names = " and ".join(name.removesuffix("_id").replace("_", " ") for name in wrong)
        sentence = f"The request has its place: its {names} can be changed only while it waits."
        raise Refused.because(RefusalCode.WRONG_STATUS, sentence)
    if "drive" in new:
        for place in places:
            _expect_drive(place, new["drive"])
            if place.drive != new["drive"]:
                work.update(place, drive=new["drive"])
    if new:
        work.update(request, **new)


def expect_member(work: UnitOfWork, user_id: int | None) -> None:
    """Raises NotFound if the user is not a member of the ground of the work. None is not checked."""
    if user_id is not None and not Membership.objects.filter(ground_id=work.ground_id, user_id=user_id).exists():
        raise NotFound(NOT_FOUND)


def _expect_drive(allocation: Allocation, drive: str) -> None:
    """Raises Refused if the dyno does not take the drive. A completed test has run, so it is not checked."""
    if allocation.status not in OPEN_STATUSES:
        return
    question = question_of(replace(Placement.of(allocation), drive=drive))
    if question and (refusals := violations(question, [CAPABILITY])):
        raise Refused(refusals)

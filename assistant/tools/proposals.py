"""Tools that write: each makes a draft, checked by a rehearsal, and writes nothing. Approvals carry drafts out."""

import datetime as dt
import uuid
from typing import TYPE_CHECKING

from allocations.enums import OPEN_STATUSES, AllocationStatus, RefusalCode, RequestStatus
from allocations.exceptions import DomainError, NotFound, Refusal, Refused
from allocations.selectors import fit, reports, requests
from allocations.selectors.allocations import allocation_by_id
from allocations.selectors.running import progress_of
from assistant.exceptions import Unclear
from assistant.tools import args as a
from assistant.tools import cards, commands, lookup, rows
from assistant.tools.caller import Caller
from assistant.tools.commands import Draft
from assistant.tools.declaring import proposes
from assistant.tools.maintenance import giving_way
from assistant.tools.read import days_between, days_of
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date
from dynosite.lib.moments import moment
from dynosite.lib.params import uuid_of

if TYPE_CHECKING:
    from assistant.tools.row_types import Allocation, Change, Dyno, TestRequest, TestType, Vehicle


def _ids_of(change: "Change", model: str) -> list[int]:
    return [item["id"] for item in change.items if item["model"] == model]


def _past(caller: Caller, first: dt.date) -> list[str]:
    return [f"{full_date(first)} lies in the past."] if first < caller.today else []


def _waiting_request(caller: Caller, vehicle: "Vehicle", test_type: "TestType") -> "TestRequest | None":
    """The only waiting request that this booking could be the place of, or None."""
    candidates = requests.request_list(caller.ground, user=caller.user).filter(
        vehicle=vehicle, test_type=test_type, status=RequestStatus.WAITING
    )[:2]
    return candidates[0] if len(candidates) == 1 else None


def _draft_of_booking(
    caller: Caller,
    step: commands.BookStep | commands.AutoBookStep,
    request: "TestRequest | None",
    extra: list[str] | None = None,
) -> Draft:
    def look(change: "Change") -> tuple["Allocation", list[str]]:
        row = allocation_by_id(_ids_of(change, "allocation")[0], user=caller.user)
        return row, cards.checks(row)

    (row, checks), to_confirm = commands.rehearse_asking(step, user=caller.user, look=look)
    lines = [
        cards.line("Vehicle", row.vehicle.label),
        cards.line("Test", row.test_type.name),
        cards.line("Dyno", row.dyno.name),
        cards.line("Days", cards.days_in_words(row.days)),
    ]
    if request:
        lines.append(cards.line("Request", "placed", old="waiting"))
    exact: commands.BookStep = {
        "do": "book",
        "vehicle_id": row.vehicle_id,
        "dyno_id": row.dyno_id,
        "test_type_id": row.test_type_id,
        "first_day": row.first_day,
        "last_day": row.last_day,
        "drive": row.drive,
        "request_id": request.pk if request else None,
    }
    if to_confirm:
        exact["confirmed"] = step.get("confirmed", [])
    warnings = _past(caller, row.first_day) + to_confirm + (extra or [])
    if request and request.due_date and row.last_day > request.due_date:
        warnings.append(f"The request was due {full_date(request.due_date)}.")
    if step["do"] == "auto-book" and row.first_day != step["first_day"]:
        warnings.append(
            f"{full_date(commands.day_of(step['first_day']))} is not free; this is the first start after it."
        )
    return Draft(
        exact,
        cards.card(
            f"Book {row.vehicle.label} on {row.dyno.name}",
            lines,
            checks=checks,
            warnings=warnings,
            bars=[cards.bar(row, "new")],
            links=cards.links_of(row),
        ),
    )


@proposes(
    a.BookAllocation,
    "Proposes to book a vehicle on the dyno that the user named.",
    labels=("Prepared a booking", "Preparing a booking"),
    single_booking=True,
)
def book_allocation(caller: Caller, args: a.BookAllocation) -> Draft:
    """Drafts a booking on the dyno that the user named. The vehicle's only waiting request for the test is placed by
    it.
    """
    vehicle = lookup.vehicle(caller, args.vehicle)
    dyno = lookup.dyno(caller, args.dyno)
    test_type = lookup.test_type(caller, args.test_type)
    request = _waiting_request(caller, vehicle, test_type)
    step: commands.BookStep = {
        "do": "book",
        "vehicle_id": vehicle.pk,
        "dyno_id": dyno.pk,
        "test_type_id": test_type.pk,
        "first_day": args.start_date,
        "last_day": args.end_date,
        "drive": request.drive if request else "",
        "request_id": request.pk if request else None,
    }
    return _draft_of_booking(caller, step, request)


@proposes(
    a.AutoAllocate,
    "Finds the best dyno for a vehicle's test from start_date and proposes to book it. With backup it may "
    "start up to max_backup_days later.",
    labels=("Looked for a place", "Looking for a place"),
    single_booking=True,
)
def auto_allocate_vehicle(caller: Caller, args: a.AutoAllocate) -> Draft:
    """Drafts a booking at the best place. If there is none, Refused also has the vehicle's own bookings in the
    way.
    """
    vehicle = lookup.vehicle(caller, args.vehicle)
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else None
    test_type = lookup.test_type(caller, args.test_type)
    request = _waiting_request(caller, vehicle, test_type)
    step: commands.AutoBookStep = {
        "do": "auto-book",
        "vehicle_id": vehicle.pk,
        "test_type_id": test_type.pk,
        "first_day": args.start_date,
        "days": args.days_to_complete,
        "backup": args.backup,
        "max_backup_days": args.max_backup_days,
        "dyno_id": dyno.pk if dyno else None,
        "drive": request.drive if request else "",
        "request_id": request.pk if request else None,
    }
    try:
        return _draft_of_booking(caller, step, request)
    except Refused as refused:
        days = DayRange.starting(args.start_date, args.days_to_complete)
        _explain(caller, refused, vehicle, test_type, days, dyno)
        raise


def _explain(
    caller: Caller,
    refused: Refused,
    vehicle: "Vehicle",
    test_type: "TestType",
    days: DayRange,
    dyno: "Dyno | None" = None,
) -> None:
    """Adds to a refusal what is in the way, the vehicle's own bookings first."""
    sentences = {refusal.sentence for refusal in refused.refusals}
    own = reports.allocations_between(caller.ground, user=caller.user, vehicle_id=vehicle.pk, days=days)
    own = own.select_related("created_by")
    for row in own:
        owner = f" Booked by {row.created_by.display_name}." if row.created_by else ""
        refused.refusals.append(
            Refusal(
                RefusalCode.VEHICLE_ELSEWHERE,
                f"{vehicle.label} is on {row.dyno} already ({row.test_type}): {row.days}.{owner}",
            )
        )
    if own:
        return
    options = fit.fits(caller.ground, user=caller.user, days=days, test_type=test_type, vehicle=vehicle, dyno=dyno)
    for option in sorted(options, key=lambda option: not option.may)[:6]:
        for refusal in option.refusals:
            if refusal.sentence not in sentences:
                refused.refusals.append(refusal)


def one_allocation(caller: Caller, args: a.OneAllocation, *, dyno: str | None = None) -> "Allocation":
    """Returns the allocation that the arguments describe: by its id, or the only one that can still change and fits.

    Parameters
    ----------
    dyno
        The name of a dyno that it is on.

    Raises
    ------
    NotFound
        If none fits.
    Unclear
        If several fit; `candidates` are these.
    DomainError
        If neither an id, a vehicle nor a dyno is given.
    """
    if args.allocation is not None:
        row = allocation_by_id(args.allocation, user=caller.user)
        if row.ground_id != caller.ground.pk:
            raise NotFound("There is no such thing here.")
        return row
    if not args.vehicle and not dyno:
        raise DomainError("Say which allocation: by its id, or by its vehicle.")
    vehicle = lookup.vehicle(caller, args.vehicle) if args.vehicle else None
    within = days_of(args.within_start, args.within_end)
    query = reports.allocations_between(
        caller.ground,
        user=caller.user,
        vehicle_id=vehicle.pk if vehicle else None,
        days=within,
        dyno=lookup.dyno(caller, dyno) if dyno else None,
        test_type=lookup.test_type(caller, args.within_test) if args.within_test else None,
    )
    candidates = list(query.filter(status__in=OPEN_STATUSES))
    if len(candidates) == 1:
        return allocation_by_id(candidates[0].pk, user=caller.user)
    raise _not_one(str(vehicle.label if vehicle else dyno), candidates, args.within_test, within)


def _not_one(name: str, candidates: "list[Allocation]", test: str | None, within: DayRange | None) -> DomainError:
    """The error if several bookings fit, or none does."""
    if candidates:
        listed = "; ".join(f"{row.dyno}, {row.test_type}, {row.days}" for row in candidates[:5])
        return Unclear(
            f"{name} has {len(candidates)} bookings; say which: {listed}.",
            [rows.allocation(row) for row in candidates],
        )
    of_test = f" for {test}" if test else ""
    when = f" within {within}" if within else ""
    return NotFound(f"{name} has no booking{of_test}{when} that could be changed.")


@proposes(
    a.MoveAllocation,
    "Proposes to move a booking to other days, another dyno, or both. A new first day alone keeps the length.",
    labels=("Prepared a move", "Preparing a move"),
)
def move_allocation(caller: Caller, args: a.MoveAllocation) -> Draft:
    """Drafts a move. Raises DomainError if no day and no other dyno is given."""
    old = one_allocation(caller, args)
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else old.dyno
    if args.start_date is None and args.end_date is None and dyno.pk == old.dyno_id:
        raise DomainError("Say where to: another first day, another last day, or another dyno.")
    # Without a last day the service keeps the length, of a running test that goes elsewhere that of its rest.
    step: commands.MoveStep = {
        "do": "move",
        "allocation_id": old.pk,
        "version": old.version,
        "dyno_id": dyno.pk,
        "first_day": args.start_date,
        "last_day": args.end_date,
    }

    def look(change: "Change") -> tuple["Allocation", list[str], "Allocation"]:
        row = allocation_by_id(_ids_of(change, "allocation")[-1], user=caller.user)
        return row, cards.checks(row), allocation_by_id(old.pk, user=caller.user)

    (new, checks, stays), to_confirm = commands.rehearse_asking(step, user=caller.user, look=look)
    step |= {"first_day": new.first_day, "last_day": new.last_day}
    lines = [
        cards.line("Vehicle", new.vehicle.label),
        cards.line("Test", new.test_type.name),
        cards.line("Dyno", new.dyno.name, old=old.dyno.name),
        cards.line("Days", cards.days_in_words(new.days), old=cards.days_in_words(old.days)),
    ]
    warnings = (_past(caller, new.first_day) if new.first_day != old.first_day else []) + to_confirm
    if new.pk != old.pk:
        warnings.append(f"The test is running: {stays.dyno} keeps what ran, {stays.days}, and only its rest moves.")
    elif old.status == AllocationStatus.RUNNING:
        warnings.append("The test is running.")
    drawn = cards.card(
        f"Move {new.vehicle.label} to {new.dyno.name}, {new.days}",
        lines,
        checks=checks,
        warnings=warnings,
        bars=[cards.bar(old, "old"), cards.bar(new, "new")],
        links=cards.links_of(new),
    )
    return Draft(step, drawn)


@proposes(
    a.CancelAllocation,
    "Proposes to cancel one booking.",
    labels=("Prepared a cancellation", "Preparing a cancellation"),
)
def cancel_allocation(caller: Caller, args: a.CancelAllocation) -> Draft:
    """Drafts a cancellation, with a warning if the test is running."""
    old = one_allocation(caller, args, dyno=args.dyno)
    step: commands.CancelStep = {"do": "cancel", "allocation_id": old.pk, "version": old.version}
    commands.rehearse(step, user=caller.user, look=lambda change: None)
    lines = [
        cards.line("Vehicle", old.vehicle.label),
        cards.line("Test", old.test_type.name),
        cards.line("Dyno", old.dyno.name),
        cards.line("Days", cards.days_in_words(old.days)),
        cards.line("Status", "cancelled", old=old.status),
    ]
    warnings = []
    if old.status == AllocationStatus.RUNNING:
        progress = progress_of(old)
        warnings.append(
            f"The test is running: {progress.run} of {count(progress.booked, 'day')} have run. "
            "Completing it instead, on its page, keeps them in the records."
        )
    if old.request_id:
        warnings.append("Its request waits for another place then.")
    drawn = cards.card(
        f"Cancel {old.vehicle.label} on {old.dyno.name}, {old.days}",
        lines,
        warnings=warnings,
        bars=[cards.bar(old, "old")],
        links=cards.links_of(old),
    )
    return Draft(step, drawn)


@proposes(
    a.SetMaintenance,
    "Proposes a maintenance window for a dyno, with a new place or a wait for each booking that it hits. "
    "A dyno that is broken or down has the kind outage, which schedulers may set too; other kinds take an "
    "admin.",
    labels=("Prepared maintenance", "Preparing maintenance"),
)
def set_maintenance(caller: Caller, args: a.SetMaintenance) -> Draft:
    dyno = lookup.dyno(caller, args.dyno)
    days = days_between(args.start_date, args.end_date)
    way = giving_way(caller, dyno, days, args.kind.value)
    step: commands.MaintenanceStep = {
        "do": "maintenance",
        "dyno_id": dyno.pk,
        "first_day": args.start_date,
        "last_day": args.end_date,
        "kind": args.kind.value,
        "reason": args.reason,
        "answers": way.answers,
    }
    commands.rehearse(step, user=caller.user, look=lambda change: None)
    lines = [
        cards.line("Dyno", dyno.name),
        cards.line("Maintenance", args.kind.label + (f": {args.reason}" if args.reason else "")),
        cards.line("Days", cards.days_in_words(days)),
    ]
    bars: list[cards.Bar] = [
        {
            "kind": "new",
            "dyno_id": dyno.pk,
            "dyno": dyno.name,
            "vehicle": "",
            "test_type": "maintenance",
            "first_day": days.first,
            "last_day": days.last,
        }
    ]
    drawn = cards.card(
        f"Set maintenance of {dyno.name}, {days}",
        lines + way.lines,
        bars=bars + way.bars,
        warnings=_past(caller, days.first) + way.warnings,
        links=[{"label": dyno.name, "url": rows.dyno(dyno)["url"]}, *way.links],
    )
    return Draft(step, drawn)


def _id_of(text: str) -> uuid.UUID:
    pk = uuid_of(text)
    if pk is None:
        raise NotFound(f"There is no change {text} here.")
    return pk


@proposes(
    a.UndoChange,
    "Proposes to undo a change; without an id the user's own latest.",
    labels=("Prepared an undo", "Preparing an undo"),
)
def undo_change(caller: Caller, args: a.UndoChange) -> Draft:
    """Drafts an undo of a change, or of the user's own latest. Raises NotFound if there is none."""
    if args.change:
        change = reports.change_of(_id_of(args.change), caller.ground, user=caller.user)
    else:
        change = next(iter(reports.latest_changes(caller.ground, user=caller.user, limit=1)), None)
    if change is None:
        raise NotFound("There is no change of yours here that could be undone.")
    step: commands.UndoStep = {"do": "undo", "change_id": str(change.pk)}
    commands.rehearse(step, user=caller.user, look=lambda undone: None)
    lines = [
        cards.line("Change", change.summary),
        cards.line("Made", f"{moment(change.at, caller.ground.time_zone)}, {change.get_door_display()}"),
    ]
    return Draft(step, cards.card(f"Undo: {change.summary}", lines))

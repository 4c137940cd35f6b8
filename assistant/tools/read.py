"""Tools that read. Each takes the caller and its arguments, and returns data with ids."""

import datetime as dt
from collections import defaultdict
from typing import TYPE_CHECKING

from django.db.models import Q

from allocations.enums import AllocationStatus, LateKind, RequestStatus
from allocations.exceptions import DomainError
from allocations.selectors import dynos, fit, grounds, lanes, lateness, reports, requests
from allocations.selectors.use import DayCount
from assistant.tools import args as a
from assistant.tools import lookup, phrases, rows
from assistant.tools.caller import Caller
from assistant.tools.declaring import Result, reads
from dynosite.lib import clock
from dynosite.lib.days import DayRange
from dynosite.lib.formats import full_date

if TYPE_CHECKING:
    from assistant.tools.row_types import Allocation

MAX_LISTED = 50
"""Rows of a result, at most; `count` has the number of all."""


@reads(
    a.NoArgs,
    "Today's date, weekday and time at the proving ground.",
    labels=("Looked at the calendar", "Looking at the calendar"),
    phrase=phrases.now,
)
def get_datetime_now(caller: Caller, args: a.NoArgs) -> Result:
    """Returns the date, weekday, time and time zone at the proving ground, and the ISO week."""
    now = clock.now(caller.ground.time_zone)
    return {
        "date": now.date(),
        "weekday": f"{now:%A}",
        "written": f"{now:%A, %-d %B %Y}",
        "time": f"{now:%H:%M}",
        "time_zone": caller.ground.time_zone,
        "week": now.isocalendar().week,
    }


@reads(
    a.ListDynos,
    "The proving ground's dynos and what each may run; with a test type, drive or weight only those that fit.",
    labels=("Looked at the dynos", "Looking at the dynos"),
    counted=("dynos", "dyno"),
    phrase=phrases.dynos_listed,
)
def list_dynos(caller: Caller, args: a.ListDynos) -> Result:
    """Returns `dynos` that fit what was `asked`, each with what it runs. A weight is in pounds."""
    test_type = lookup.test_type(caller, args.test_type) if args.test_type else None
    drive = lookup.drive(args.drive_type)
    filtered = bool(test_type or drive or args.weight_lbs)
    can = {
        option.dyno.pk
        for option in fit.fits(
            caller.ground, user=caller.user, test_type=test_type, drive=drive, weight_lbs=args.weight_lbs
        )
        if not option.refusals
    }
    runs = reports.capabilities_of(caller.ground, user=caller.user)
    query = dynos.dynos(caller.ground, user=caller.user)
    if args.dyno:
        query = query.filter(pk=lookup.dyno(caller, args.dyno).pk)
    listed = [
        rows.dyno(row) | {"facility": row.facility.name, "runs": runs.get(row.pk, [])}
        for row in query
        if not filtered or row.pk in can
    ]
    return {
        "dynos": listed,
        "count": len(listed),
        "asked": {
            "test_type": test_type and test_type.name,
            "drive_type": drive or None,
            "weight_lbs": args.weight_lbs,
        },
    }


def days_between(first: dt.date, last: dt.date) -> DayRange:
    """Returns the days. Raises DomainError if the last one is before the first."""
    if last < first:
        raise DomainError(f"The last day ({full_date(last)}) is before the first ({full_date(first)}).")
    return DayRange(first, last)


def days_of(start: dt.date | None, end: dt.date | None) -> DayRange | None:
    """Returns the days from one to the other, or the one day that is given; None without any."""
    first, last = start or end, end or start
    return days_between(first, last) if first and last else None


@reads(
    a.FindDynos,
    "Dynos that are free on all days from start_date to end_date for a test of this weight, drive and "
    "type; of the others why not. Leave out what was not said.",
    labels=("Looked for free dynos", "Looking for free dynos"),
    counted=("free", "free dyno"),
    phrase=phrases.dynos_free,
)
def find_available_dynos(caller: Caller, args: a.FindDynos) -> Result:
    """Returns dynos that are `free` on all of the days, `partly_free` ones with their gaps, and why others are
    `not_free`.
    """
    days = days_between(args.start_date, args.end_date)
    test_type = lookup.test_type(caller, args.test_type) if args.test_type else None
    options = fit.fits(
        caller.ground,
        user=caller.user,
        days=days,
        test_type=test_type,
        drive=lookup.drive(args.drive_type),
        weight_lbs=args.weight_lbs,
        dyno=lookup.dyno(caller, args.dyno) if args.dyno else None,
    )
    free = [option for option in options if not option.refusals]
    partly = [option for option in options if option.refusals and option.may and option.free]
    pools = lanes.pools_of(caller.ground.pk)
    return {
        "days": rows.span(days),
        "free": [
            rows.dyno(option.dyno)
            | {"facility": option.dyno.facility.name}
            | ({"pool_id": pools[option.dyno.pk][0]} if option.dyno.pk in pools else {})
            for option in free
        ],
        "partly_free": [
            rows.dyno(option.dyno) | {"free": [rows.span(gap) for gap in option.free]}
            for option in partly[:MAX_LISTED]
        ],
        "not_free": [
            rows.dyno(option.dyno) | {"reasons": [refusal.sentence for refusal in option.refusals]}
            for option in options
            if option.refusals
        ],
    }


@reads(
    a.CheckVehicle,
    "Where and when a vehicle is booked, and which of its tests wait. By tag, VIN or id.",
    labels=("Looked up a vehicle", "Looking up a vehicle"),
    counted=("allocations", "booking"),
    phrase=phrases.vehicle,
)
def check_vehicle_allocation(caller: Caller, args: a.CheckVehicle) -> Result:
    """Returns a vehicle with its current and coming `allocations`, its latest `past` ones, and its `waiting`
    requests.
    """
    vehicle = lookup.vehicle(caller, args.vehicle)
    bookings = list(reports.allocations_between(caller.ground, user=caller.user, vehicle_id=vehicle.pk))
    today = caller.today
    waiting = requests.request_list(caller.ground, user=caller.user).filter(
        vehicle=vehicle, status=RequestStatus.WAITING
    )
    coming = [
        row
        for row in bookings
        if row.status == AllocationStatus.RUNNING
        or (row.last_day >= today and row.status != AllocationStatus.COMPLETED)
    ]
    return {
        "vehicle": rows.vehicle(vehicle),
        "allocations": [rows.allocation(row) for row in coming[:MAX_LISTED]],
        "past": [rows.allocation(row) for row in reversed(bookings) if row not in coming][:10],
        "waiting": [rows.request(row) for row in waiting[:MAX_LISTED]],
        "today": today,
    }


@reads(
    a.Period,
    "Dynos or vehicles that are booked twice on the same days.",
    labels=("Looked for conflicts", "Looking for conflicts"),
    counted=("count", "conflict"),
    phrase=phrases.conflicts,
)
def detect_conflicts(caller: Caller, args: a.Period) -> Result:
    """Returns `conflicts`: pairs of stays, as (kind, id), that share a dyno or a vehicle on the same days."""
    days = days_of(args.start_date, args.end_date)
    conflicts = reports.conflicts(caller.ground, user=caller.user, days=days)
    return {
        "conflicts": [
            {
                "what": conflict.name,
                "shared": "dyno" if conflict.same_dyno else "vehicle",
                "stays": [conflict.one, conflict.other],
            }
            | rows.span(conflict.days)
            for conflict in conflicts[:MAX_LISTED]
        ],
        "count": len(conflicts),
    }


@reads(
    a.CountCompleted,
    "How many tests are completed, in all and by test type.",
    labels=("Counted completed tests", "Counting completed tests"),
    counted=("count", "test"),
    phrase=phrases.completed,
)
def completed_tests_count(caller: Caller, args: a.CountCompleted) -> Result:
    """Returns how many tests are completed, in all and `by_test_type`, and the latest ten."""
    test_type = lookup.test_type(caller, args.test_type) if args.test_type else None
    days = days_of(args.start_date, args.end_date)
    completed = reports.allocations_between(
        caller.ground, user=caller.user, status=AllocationStatus.COMPLETED, days=days, test_type=test_type
    )
    by_type: dict[str, int] = defaultdict(int)
    for name in completed.values_list("test_type__name", flat=True):
        by_type[name] += 1
    return {
        "count": sum(by_type.values()),
        "by_test_type": dict(by_type),
        "days": days and rows.span(days),
        "tests": [rows.allocation(row) for row in completed.order_by("-last_day")[:10]],
    }


@reads(
    a.TestsByStatus,
    "Booked tests of a status (scheduled, running, completed, cancelled), on days, of a test type or on a dyno.",
    labels=("Looked up tests", "Looking up tests"),
    counted=("count", "test"),
    phrase=phrases.by_status,
)
def get_tests_by_status(caller: Caller, args: a.TestsByStatus) -> Result:
    """Returns `tests` of a status, and for one dyno without a status also its `maintenance`.

    Raises DomainError if there is no such status.
    """
    status = (args.status or "").strip().casefold() or None
    if status and status not in AllocationStatus.values:
        raise DomainError(f"{args.status} is not a status; it is one of {', '.join(AllocationStatus.values)}.")
    days = days_of(args.start_date, args.end_date)
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else None
    tests = reports.allocations_between(
        caller.ground,
        user=caller.user,
        status=status,
        days=days,
        dyno=dyno,
        test_type=lookup.test_type(caller, args.test_type) if args.test_type else None,
    )
    windows = []
    if dyno and status is None:
        span = days or DayRange(caller.today, caller.today + dt.timedelta(days=365))
        windows = [
            rows.window(row) for row in reports.windows_between(caller.ground, user=caller.user, days=span, dyno=dyno)
        ]
        if not days:
            tests = tests.filter(Q(last_day__gte=caller.today) | Q(status=AllocationStatus.RUNNING))
    return {
        "status_asked": status,
        "days": days and rows.span(days),
        "dyno": dyno and rows.dyno(dyno),
        "tests": [rows.allocation(row) for row in tests[:MAX_LISTED]],
        "count": tests.count(),
        "maintenance": windows,
    }


@reads(
    a.CheckMaintenance,
    "Dynos that are in maintenance or disabled: today, on the days given, or what comes for one dyno.",
    labels=("Looked at maintenance", "Looking at maintenance"),
    counted=("count", "window"),
    phrase=phrases.maintenance,
)
def maintenance_check(caller: Caller, args: a.CheckMaintenance) -> Result:
    """Returns windows and `disabled` dynos: for today, for the given days, or for one dyno within a year."""
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else None
    today = caller.today
    stated = days_of(args.start_date, args.end_date)
    days = stated or (DayRange(today, today + dt.timedelta(days=365)) if dyno else DayRange(today, today))
    windows = list(reports.windows_between(caller.ground, user=caller.user, days=days, dyno=dyno))
    return {
        "days": rows.span(days),
        "said": stated is not None,
        "today": today,
        "dyno": dyno and rows.dyno(dyno),
        "maintenance": [rows.window(row) for row in windows[:MAX_LISTED]],
        "count": len(windows),
        "disabled": [
            rows.dyno(row)
            for row in dynos.dynos(caller.ground, user=caller.user).filter(enabled=False)
            if dyno is None or row.pk == dyno.pk
        ],
    }


@reads(
    a.ExplainFit,
    "Why a dyno can or cannot run a vehicle's test: test type, drive, weight class, and with days also "
    "what is there then. Without a dyno, every dyno.",
    labels=("Checked what fits", "Checking what fits"),
    phrase=phrases.fit,
)
def explain_fit(caller: Caller, args: a.ExplainFit) -> Result:
    """Returns `answers`: for each dyno and test type whether the dyno `can` run the vehicle, and if not, the
    `reasons`.
    """
    vehicle = lookup.vehicle(caller, args.vehicle)
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else None
    days = days_of(args.start_date, args.end_date)
    types = (
        [lookup.test_type(caller, args.test_type)]
        if args.test_type
        else list(grounds.test_types(caller.ground, user=caller.user))
    )
    answers = []
    for test_type in types:
        for option in fit.fits(
            caller.ground, user=caller.user, days=days, test_type=test_type, vehicle=vehicle, dyno=dyno
        ):
            answers.append(
                {
                    "dyno": option.dyno.name,
                    "url": rows.dyno(option.dyno)["url"],
                    "test_type": test_type.name,
                    "can": not option.refusals,
                    "reasons": [refusal.sentence for refusal in option.refusals],
                }
            )
    return {
        "vehicle": rows.vehicle(vehicle),
        "dyno": dyno and rows.dyno(dyno),
        "days": days and rows.span(days),
        "test_type": types[0].name if args.test_type else None,
        "answers": answers,
    }


@reads(
    a.Utilisation,
    "How busy the dynos, or one of them, are on the days, in percent.",
    labels=("Worked out the use", "Working out the use"),
    counted=("dynos", "dyno"),
    phrase=phrases.utilisation,
)
def utilisation_report(caller: Caller, args: a.Utilisation) -> Result:
    """Returns the use of each dyno and of all, in per cent, with the days that count. Raises DomainError beyond 1,100
    days.
    """
    days = days_of(args.start_date, args.end_date)
    dyno = lookup.dyno(caller, args.dyno) if args.dyno else None
    if days is None or days.days > 1100:
        raise DomainError("That is too long; ask for three years at most.")
    uses = reports.utilisation(caller.ground, days, user=caller.user, dyno=dyno)
    total = sum((use.days for use in uses), start=DayCount())
    return {
        "days": rows.span(days),
        "dynos": [
            {
                "dyno": use.dyno.name,
                "url": rows.dyno(use.dyno)["url"],
                "percent": use.days.percent,
                "booked_days": use.days.booked,
                "free_days": use.days.free,
                "maintenance_days": use.days.maintenance,
                "days_off": use.days.off,
                "days_not_available": use.days.absent,
            }
            for use in uses
        ],
        "percent": total.percent,
    }


@reads(
    a.ListLate,
    "Booked tests that are late, the longest first: past their end, not started, or ending after their "
    "due date; and waiting requests that can no longer make theirs.",
    labels=("Looked at what is late", "Looking at what is late"),
    counted=("count", "late test"),
    phrase=phrases.late,
)
def list_late_tests(caller: Caller, args: a.ListLate) -> Result:
    """Returns late `tests`, latest first, how many in each way, and requests that can no longer meet their due date.

    Raises DomainError if there is no such kind of lateness.
    """
    kind = (args.kind or "").strip().casefold().replace(" ", "-") or None
    if kind and kind not in LateKind.values:
        raise DomainError(f"{args.kind} is not a kind of lateness; it is one of {', '.join(LateKind.values)}.")
    every = lateness.late_allocations(caller.ground, user=caller.user)
    late = every.filter(late_kind=kind) if kind else every
    waiting = requests.request_list(caller.ground, user=caller.user).filter(
        lateness.late_requests(caller.today), status=RequestStatus.WAITING
    )
    return {
        "kind": kind,
        "tests": [_late_row(row) for row in late.order_by("-days_late", "pk")[:MAX_LISTED]],
        "count": late.count(),
        "by_kind": {LateKind(name).value: number for name, number in lateness.late_counts(every).items()},
        "waiting": [rows.request(row) for row in waiting[:MAX_LISTED]],
        "waiting_count": waiting.count(),
    }


def _late_row(row: "Allocation") -> Result:
    late = lateness.lateness_of_allocation(row)
    return rows.allocation(row) | {"why": late.sentence if late else ""}


@reads(
    a.ListRequests,
    "Tests that wait for a place (or were placed, or cancelled).",
    labels=("Looked at the requests", "Looking at the requests"),
    counted=("count", "request"),
    phrase=phrases.requests,
)
def list_requests(caller: Caller, args: a.ListRequests) -> Result:
    """Returns `requests` of a status, in the order in which they are best placed. Raises DomainError if there is no
    such status.
    """
    status = (args.status or RequestStatus.WAITING).casefold()
    if status not in RequestStatus.values:
        raise DomainError(
            f"{args.status} is not a status of a request; it is one of {', '.join(RequestStatus.values)}."
        )
    query = requests.request_list(caller.ground, user=caller.user).filter(status=status)
    if args.vehicle:
        query = query.filter(vehicle=lookup.vehicle(caller, args.vehicle))
    return {
        "status_asked": status,
        "requests": [rows.request(row) for row in query[:MAX_LISTED]],
        "count": query.count(),
    }

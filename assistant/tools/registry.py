"""All tools: name, what a model is told, arguments, the role that it takes, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from allocations.enums import Role
from assistant.tools import act, planning, read
from assistant.tools import args as a
from assistant.tools.caller import Caller
from assistant.tools.sql import query_database
from assistant.tools.sql.views import COLUMNS


@dataclass(frozen=True)
class Tool:
    """`run` returns data of a tool that reads, or the draft of one that writes (`writes`)."""

    name: str
    description: str
    args: type[BaseModel]
    run: Callable[[Caller, Any], Any]
    role: Role = Role.VIEWER
    writes: bool = False
    single_booking: bool = False


def _read(run: Callable[[Caller, Any], Any], args: type[BaseModel], description: str) -> Tool:
    return Tool(run.__name__, description, args, run)


def _write(
    run: Callable[[Caller, Any], Any],
    args: type[BaseModel],
    description: str,
    role: Role = Role.SCHEDULER,
    *,
    single_booking: bool = False,
) -> Tool:
    description += " It only proposes: nothing is written until the user approves the card."
    return Tool(run.__name__, description, args, run, role, writes=True, single_booking=single_booking)


_TOOLS = (
    _read(read.get_datetime_now, a.NoArgs, "Today's date, weekday and time at the proving ground."),
    _read(
        read.list_dynos, a.ListDynos,
        "The proving ground's dynos and what each may run; with a test type, drive or weight only those that fit.",
    ),
    _read(
        read.find_available_dynos, a.FindDynos,
        "Dynos that are free on all days from start_date to end_date for a test of this weight, drive and type; of"
        " the others why not. Leave out what was not said.",
    ),
    _read(
        read.check_vehicle_allocation, a.CheckVehicle,
        "Where and when a vehicle is booked, and which of its tests wait. By tag, VIN or id.",
    ),
    _read(read.detect_conflicts, a.Period, "Dynos or vehicles that are booked twice on the same days."),
    _read(read.completed_tests_count, a.CountCompleted, "How many tests are completed, in all and by test type."),
    _read(
        read.get_tests_by_status, a.TestsByStatus,
        "Booked tests of a status (scheduled, running, completed, cancelled), on days, of a test type or on a dyno.",
    ),
    _read(
        read.maintenance_check, a.CheckMaintenance,
        "Dynos that are in maintenance or disabled: today, on the days given, or what comes for one dyno.",
    ),
    _read(
        read.explain_fit, a.ExplainFit,
        "Why a dyno can or cannot run a vehicle's test: test type, drive, weight class, and with days also what is"
        " there then. Without a dyno, every dyno.",
    ),
    _read(read.utilisation_report, a.Utilisation, "How busy the dynos, or one of them, are on the days, in percent."),
    _read(
        read.list_late_tests, a.ListLate,
        "Booked tests that are late, the longest first: past their end, not started, or ending after their due date;"
        " and waiting requests that can no longer make theirs.",
    ),
    _read(read.list_requests, a.ListRequests, "Tests that wait for a place (or were placed, or cancelled)."),
    _read(
        query_database, a.QueryDatabase,
        "Runs one read-only SELECT (PostgreSQL), for questions that no other tool answers. The views, of this proving"
        " ground alone: " + "; ".join(f"{name}({', '.join(columns)})" for name, columns in COLUMNS.items()),
    ),
    _write(
        act.auto_allocate_vehicle, a.AutoAllocate,
        "Finds the best dyno for a vehicle's test from start_date and proposes to book it. With backup it may start"
        " up to max_backup_days later.",
        single_booking=True,
    ),
    _write(
        act.book_allocation, a.BookAllocation, "Proposes to book a vehicle on the dyno that the user named.",
        single_booking=True,
    ),
    _write(
        act.move_allocation, a.MoveAllocation,
        "Proposes to move a booking to other days, another dyno, or both. A new first day alone keeps the length.",
    ),
    _write(act.cancel_allocation, a.CancelAllocation, "Proposes to cancel one booking."),
    _write(
        act.set_maintenance, a.SetMaintenance,
        "Proposes a maintenance window for a dyno, with a new place or a wait for each booking that it hits. A dyno"
        " that is broken or down has the kind outage, which schedulers may set too; other kinds take an admin.",
    ),
    _write(
        planning.plan_requests, a.PlanRequests,
        "Proposes a place for every waiting request at once, or for so many of the most urgent.",
    ),
    _write(act.undo_change, a.UndoChange, "Proposes to undo a change; without an id the user's own latest."),
)  # fmt: skip

TOOLS: dict[str, Tool] = {tool.name: tool for tool in _TOOLS}


def offered(caller: Caller) -> list[Tool]:
    """The tools that this user may use here: no writes for viewers, none that the admin has switched off."""
    off = set(caller.settings.tools_off)
    return [tool for tool in TOOLS.values() if caller.role.covers(tool.role) and tool.name not in off]

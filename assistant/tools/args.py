"""The arguments of the tools. Their descriptions are read by models, and shown in the form in which a proposal is
edited.
"""

import datetime as dt
import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from allocations.enums import MaintenanceKind


def _none_if_empty(value: Any) -> Any:
    return (
        None if isinstance(value, str) and value.strip().casefold() in {"", "none", "null", "any", "all"} else value
    )


def _whole(value: Any) -> Any:
    """`4,800 lb` is 4800."""
    if isinstance(value, str) and (
        match := re.fullmatch(r"([\d,]+)(?:\.0*)?\s*(?:lbs?|pounds?|days?)?\.?", value.strip())
    ):
        return match[1].replace(",", "")
    return _none_if_empty(value)


_Day = Annotated[dt.date, Field(ge=dt.date(1900, 1, 1), le=dt.date(2999, 12, 31))]
"""Far from the limits of dates, so that days can be added."""
Day = Annotated[_Day, Field(description="A day as YYYY-MM-DD.")]
MaybeDay = Annotated[_Day | None, BeforeValidator(_none_if_empty), Field(description="A day as YYYY-MM-DD.")]
MaybeText = Annotated[Annotated[str, Field(max_length=200)] | None, BeforeValidator(_none_if_empty)]
MaybeNumber = Annotated[int | None, BeforeValidator(_whole)]
Vehicle = Annotated[str, Field(description="The vehicle's tag, VIN or id.", min_length=1, max_length=60)]
DynoName = Annotated[str, Field(description="The dyno's name.", min_length=1, max_length=60)]
TestName = Annotated[str, Field(description="The test type's name.", min_length=1, max_length=60)]
MaybeDyno = Annotated[MaybeText, Field(description="The dyno's name, where only one is meant.")]
MaybeTest = Annotated[MaybeText, Field(description="The test type's name.")]


class Args(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)


class NoArgs(Args):
    pass


class ListDynos(Args):
    dyno: MaybeDyno = None
    test_type: MaybeTest = None
    drive_type: MaybeText = Field(None, description="2WD or AWD.")
    weight_lbs: MaybeNumber = Field(None, description="The vehicle's weight in pounds.")


class FindDynos(Args):
    start_date: Day
    end_date: Day
    weight_lbs: MaybeNumber = Field(None, description="The vehicle's weight in pounds.")
    drive_type: MaybeText = Field(None, description="2WD or AWD.")
    test_type: MaybeTest = None
    dyno: MaybeDyno = None


class CheckVehicle(Args):
    vehicle: Vehicle


class Period(Args):
    start_date: MaybeDay = None
    end_date: MaybeDay = None


class CountCompleted(Period):
    test_type: MaybeTest = None


class TestsByStatus(Period):
    status: MaybeText = Field(
        None, description="scheduled, running, completed or cancelled; without it all that are not cancelled."
    )
    test_type: MaybeTest = None
    dyno: MaybeDyno = None


class CheckMaintenance(Period):
    dyno: MaybeDyno = None


class ExplainFit(Period):
    vehicle: Vehicle
    dyno: MaybeDyno = None
    test_type: MaybeTest = None


class Utilisation(Args):
    start_date: Day
    end_date: Day
    dyno: MaybeDyno = None


class ListLate(Args):
    kind: MaybeText = Field(
        None, description="overrun (past its end), unstarted or past-due (ends after its due date); without it all."
    )


class ListRequests(Args):
    status: MaybeText = Field("waiting", description="waiting, placed or cancelled.")
    vehicle: MaybeText = Field(None, description="A vehicle's tag, VIN or id.")


class QueryDatabase(Args):
    sql: str = Field(
        "", description="One SELECT statement of PostgreSQL; empty to be told the views.", max_length=4000
    )


class AutoAllocate(Args):
    vehicle: Vehicle
    test_type: TestName
    start_date: Day
    days_to_complete: Annotated[int, BeforeValidator(_whole)] = Field(description="Days on the dyno.", ge=1, le=366)
    backup: bool = Field(False, description="Whether a later start will do where none is free on start_date.")
    max_backup_days: int = Field(7, description="With backup: days that it may start later at most.", ge=0, le=180)
    dyno: MaybeDyno = None


class BookAllocation(Args):
    vehicle: Vehicle
    dyno: DynoName
    test_type: TestName
    start_date: Day
    end_date: Day


class OneAllocation(Args):
    allocation: MaybeNumber = Field(None, description="The allocation's id, where it is known.")
    vehicle: MaybeText = Field(None, description="The vehicle's tag, VIN or id; with `within_…` if it has several.")
    within_start: MaybeDay = Field(None, description="The allocation meant is within these days.")
    within_end: MaybeDay = None
    within_test: MaybeTest = None


class MoveAllocation(OneAllocation):
    dyno: MaybeText = Field(None, description="The dyno to move to; without it the same.")
    start_date: MaybeDay = Field(None, description="The new first day; alone it keeps the length.")
    end_date: MaybeDay = Field(None, description="The new last day.")


class CancelAllocation(OneAllocation):
    dyno: MaybeDyno = None


class SetMaintenance(Args):
    dyno: DynoName
    start_date: Day
    end_date: Day
    kind: MaintenanceKind = MaintenanceKind.PLANNED
    reason: str = Field("", max_length=200)


class PlanRequests(Args):
    at_most: Annotated[Annotated[int, Field(ge=1, le=5_000)] | None, BeforeValidator(_whole)] = Field(
        None, description="Only so many requests, the most urgent first; without it all that wait."
    )
    plan: MaybeText = Field(None, description="Set by the card's own form; leave it out.")
    items: list[int] | None = Field(None, max_length=5_000, description="Set by the card's own form; leave it out.")


class UndoChange(Args):
    change: MaybeText = Field(None, description="The change's id; without it the user's own latest.")

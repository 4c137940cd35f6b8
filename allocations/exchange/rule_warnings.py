"""Rows that an import books although the ground's days off or its travel would not allow it: said, not refused.

A workbook is history as well as a plan, so what it says is taken as it stands. Whoever imports it sees at which rows
the planner and the booking form would have said no.
"""

import datetime as dt
import itertools
from dataclasses import dataclass

from allocations.enums import AllocationStatus
from allocations.exchange.cells import fold
from allocations.exchange.outcome import BOOKED, COMPLETED, Decision, ImportPlan, VehicleKey
from allocations.models import Allocation, Facility, ProvingGround, TestType
from allocations.rulebook import GroundRules, days_between, too_near
from allocations.selectors.ground_rules import rules_of
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, day


@dataclass(frozen=True)
class Misfit:
    row: int
    test: str
    vehicle: str
    reason: str


@dataclass(frozen=True)
class _Stay:
    facility: int
    name: str
    days: DayRange
    row: int | None = None

    @property
    def where(self) -> str:
        sheet = f"row {self.row}, " if self.row else ""
        return f"{sheet}at {self.name} {self.days}"


def misfits_of(outcome: ImportPlan, ground: ProvingGround | None) -> list[Misfit]:
    """Of the rows that would be booked and are not there yet, in the order of the sheet; completed ones are past."""
    if ground is None:
        return []
    rules = rules_of(ground)
    booked = [decision for decision in outcome.decisions if decision.outcome == BOOKED and not decision.already_there]
    booked = [b for b in booked if b.row.stay and b.row.status != COMPLETED]
    misfits = _on_days_off(booked, ground, rules) if rules.calendar else []
    if rules.travel:
        misfits += _too_near(booked, outcome, ground, rules)
    return sorted(misfits, key=lambda misfit: misfit.row)


def _misfit(decision: Decision, reason: str) -> Misfit:
    row = decision.row
    return Misfit(row.number, row.test_type, row.vin or row.tag, reason)


def _on_days_off(booked: list[Decision], ground: ProvingGround, rules: GroundRules) -> list[Misfit]:
    pausing = TestType.objects.filter(ground=ground, runs_through=False).values_list("name", flat=True)
    pauses = {fold(name) for name in pausing}
    misfits = []
    for booking in booked:
        row = booking.row
        words = []
        if row.first and (why := rules.calendar.why_closed(row.first)):
            words.append(f"begins on a day off: {_named(row.first, why)}")
        if row.last and fold(row.test_type) in pauses and (why := rules.calendar.why_closed(row.last)):
            words.append(f"pauses on days off and ends on one: {_named(row.last, why)}")
        if words:
            misfits.append(_misfit(booking, f"It {' and '.join(words)}."))
    return misfits


def _named(of: dt.date, why: str) -> str:
    return day(of, year=True) + ("" if why == f"{of:%A}" else f" ({why})")


def _too_near(booked: list[Decision], outcome: ImportPlan, ground: ProvingGround, rules: GroundRules) -> list[Misfit]:
    facilities = {fold(name): pk for pk, name in Facility.objects.filter(ground=ground).values_list("pk", "name")}
    dynos = {fold(name): facility for name, facility in ground.dynos.values_list("name", "facility__name")} | {
        key: spec.facility for key, spec in outcome.dynos.items()
    }
    stays: dict[VehicleKey, list[tuple[_Stay, Decision | None]]] = {}
    for booking in booked:
        name = dynos.get(booking.dyno or "", "")
        if (facility := facilities.get(fold(name))) and booking.row.stay:
            stay = _Stay(facility, name, booking.row.stay, booking.row.number)
            stays.setdefault(booking.vehicle, []).append((stay, booking))
    key_of = {outcome.known_vehicles[key]: key for key in stays if key in outcome.known_vehicles}
    rows = Allocation.objects.filter(ground=ground, vehicle__in=key_of).exclude(status=AllocationStatus.CANCELLED)
    for vehicle, facility, name, first, last in rows.values_list(
        "vehicle_id", "dyno__facility_id", "dyno__facility__name", "first_day", "last_day"
    ):
        stays[key_of[vehicle]].append((_Stay(facility, name, DayRange(first, last)), None))
    misfits = []
    for of_vehicle in stays.values():
        of_vehicle.sort(key=lambda pair: pair[0].days.first)
        for (one, before), (other, after) in itertools.pairwise(of_vehicle):
            origin, destination = (one.facility, one.days), (other.facility, other.days)
            decision = after or before
            if decision and too_near(origin, destination, rules.travel):
                way = count(days_between(one.facility, other.facility, rules.travel), "day")
                stood = one if after else other
                misfits.append(
                    _misfit(decision, f"Too near to another stay, {stood.where}: the way takes {way} between.")
                )
    return misfits

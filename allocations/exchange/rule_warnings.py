"""Rows that an import books although the ground's days off or its travel would not allow it: said, not refused.

A workbook is history as well as a plan, so what it says is taken as it stands. Whoever imports it sees at which rows
the planner and the booking form would have said no.
"""

import itertools
from dataclasses import dataclass

from allocations.enums import AllocationStatus
from allocations.exchange.cells import fold
from allocations.exchange.outcome import BOOKED, COMPLETED, Decision, Outcome
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


def misfits_of(outcome: Outcome, ground: ProvingGround | None) -> list[Misfit]:
    """Of the rows that would be booked and are not there yet, in the order of the sheet; completed ones are past."""
    if ground is None:
        return []
    rules = rules_of(ground)
    booked = [each for each in outcome.decisions if each.outcome == BOOKED and not each.already_there]
    booked = [each for each in booked if each.row.first and each.row.last and each.row.status != COMPLETED]
    found = _on_days_off(booked, ground, rules) if rules.calendar else []
    if rules.travel:
        found += _too_near(booked, outcome, ground, rules)
    return sorted(found, key=lambda each: each.row)


def _misfit(decision: Decision, reason: str) -> Misfit:
    row = decision.row
    return Misfit(row.number, row.test_type, row.vin or row.tag, reason)


def _on_days_off(booked: list[Decision], ground: ProvingGround, rules: GroundRules) -> list[Misfit]:
    pausing = TestType.objects.filter(ground=ground, runs_through=False).values_list("name", flat=True)
    pauses = {fold(name) for name in pausing}
    found = []
    for each in booked:
        row = each.row
        words = []
        if why := rules.calendar.why_closed(row.first):
            words.append(f"begins on a day off: {_named(row.first, why)}")
        if fold(row.test_type) in pauses and (why := rules.calendar.why_closed(row.last)):
            words.append(f"pauses on days off and ends on one: {_named(row.last, why)}")
        if words:
            found.append(_misfit(each, f"It {' and '.join(words)}."))
    return found


def _named(of, why: str) -> str:
    return day(of, year=True) + ("" if why == f"{of:%A}" else f" ({why})")


def _too_near(booked: list[Decision], outcome: Outcome, ground: ProvingGround, rules: GroundRules) -> list[Misfit]:
    facilities = {fold(name): pk for pk, name in Facility.objects.filter(ground=ground).values_list("pk", "name")}
    dynos = {fold(name): facility for name, facility in ground.dynos.values_list("name", "facility__name")} | {
        key: spec.facility for key, spec in outcome.dynos.items()
    }
    stays: dict[tuple, list[tuple[_Stay, Decision | None]]] = {}
    for each in booked:
        name = dynos.get(each.dyno, "")
        if facility := facilities.get(fold(name)):
            stay = _Stay(facility, name, DayRange(each.row.first, each.row.last), each.row.number)
            stays.setdefault(each.vehicle, []).append((stay, each))
    known = {outcome.known_vehicles[key]: key for key in stays if key in outcome.known_vehicles}
    rows = Allocation.objects.filter(ground=ground, vehicle__in=known).exclude(status=AllocationStatus.CANCELLED)
    for vehicle, facility, name, first, last in rows.values_list(
        "vehicle_id", "dyno__facility_id", "dyno__facility__name", "first_day", "last_day"
    ):
        stays[known[vehicle]].append((_Stay(facility, name, DayRange(first, last)), None))
    found = []
    for of_vehicle in stays.values():
        of_vehicle.sort(key=lambda each: each[0].days.first)
        for (one, before), (other, after) in itertools.pairwise(of_vehicle):
            here, there = (one.facility, one.days), (other.facility, other.days)
            decision = after or before
            if decision and too_near(here, there, rules.travel):
                way = count(days_between(one.facility, other.facility, rules.travel), "day")
                stood = one if after else other
                found.append(
                    _misfit(decision, f"Too near to another stay, {stood.where}: the way takes {way} between.")
                )
    return found

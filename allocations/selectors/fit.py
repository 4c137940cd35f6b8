"""Which dynos may take a test, and why the others may not: the rulebook over a whole proving ground at once."""

import datetime as dt
from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from allocations import access
from allocations.enums import Drive, weight_class_of
from allocations.exceptions import Refusal
from allocations.models import Capability, Dyno, ProvingGround, TestType, Vehicle
from allocations.rulebook import (
    CAPABILITY,
    PASSING,
    RULES,
    USUAL,
    CapabilityFacts,
    DynoFacts,
    Question,
    Rule,
    TestFacts,
    check_days,
    violations,
)
from allocations.selectors.availability import stays_in
from allocations.selectors.ground_rules import rules_of
from dynosite.lib.days import DayRange

if TYPE_CHECKING:
    from dynosite.accounts.models import User

ANY = ""
"""A drive or weight class that is not known, which every capability takes."""
ANY_DAYS = DayRange(dt.date.min, dt.date.min)
"""Days for rules that look at none."""


@dataclass(frozen=True, slots=True)
class Fit:
    """A dyno, why it cannot take the test (empty: it can), and on which of the days it is free."""

    dyno: Dyno
    refusals: tuple[Refusal, ...]
    free: tuple[DayRange, ...] = ()

    @property
    def may(self) -> bool:
        """Whether it could take the test on other days."""
        return all(refusal.code in PASSING for refusal in self.refusals)

    @property
    def able(self) -> bool:
        """Whether it may run such a test at all, whatever else is on it."""
        return not any(refusal.code in CAPABILITY.topics for refusal in self.refusals)


def fits(
    ground: ProvingGround,
    *,
    user: "User",
    days: DayRange | None = None,
    test_type: TestType | None = None,
    vehicle: Vehicle | None = None,
    drive: str = ANY,
    weight_lbs: int | None = None,
    weight_class: str = ANY,
    dyno: Dyno | None = None,
) -> list[Fit]:
    """Checks every dyno of the ground, or one of them, against what is known of a test.

    Parameters
    ----------
    days
        The days of the test. Without them, only what a dyno may run is checked.
    test_type
        Without it, whether the days are working days is not checked.
    vehicle
        Gives the drive and weight, unless these are given too.
    drive
        `ANY` fits every capability.
    weight_lbs
        In pounds; goes before `weight_class`.
    dyno
        Check this dyno only.

    Returns
    -------
    list[Fit]
        A fit for each dyno. If the days themselves are not possible, each has that as its refusal.
    """
    access.require(user, ground.pk, access.Role.VIEWER)
    dynos = _dynos(ground, dyno)
    if days and (wrong := check_days(days)):
        return [Fit(row, tuple(wrong)) for row in dynos]
    test = _test(ground, test_type, vehicle, drive, weight_lbs, weight_class)
    capabilities = _capabilities(ground, test_type)
    rules = _rules_for(days, test_type)
    ground_rules = rules_of(ground) if days else USUAL
    stays = tuple(stays_in(ground.pk, days, today=ground_rules.today, reach=ground_rules.reach)) if days else ()
    fits_of_dynos = []
    for row in dynos:
        facts = _facts(row, test, capabilities[row.pk])
        question = Question(test, facts, days or ANY_DAYS, stays, ground_rules)
        free = tuple(_gaps(row, days, _occupied_days(question))) if days else ()
        fits_of_dynos.append(Fit(row, tuple(violations(question, rules)), free))
    return fits_of_dynos


def _rules_for(days: DayRange | None, test_type: TestType | None) -> list[Rule]:
    """The rules that can be checked with what is known."""
    return [rule for rule in RULES if (days or not rule.needs_days) and (test_type or not rule.needs_test_type)]


def _occupied_days(question: Question) -> list[DayRange]:
    """The days on which the dyno or the vehicle is taken. A test past its end takes them to the last day of the
    question.
    """
    return [
        DayRange(stay.days.first, question.days.last) if stay.overruns(question.days) else stay.blocks
        for stay in question.stays
        if stay.dyno_id == question.dyno.id or stay.vehicle_id == question.test.vehicle_id
    ]


def _dynos(ground: ProvingGround, dyno: Dyno | None) -> list[Dyno]:
    return [dyno] if dyno else list(Dyno.objects.filter(ground=ground).select_related("facility"))


def _test(
    ground: ProvingGround,
    test_type: TestType | None,
    vehicle: Vehicle | None,
    drive: str,
    weight_lbs: int | None,
    weight_class: str,
) -> TestFacts:
    name = test_type.name if test_type else "any test"
    drive = drive or (vehicle.drive if vehicle else ANY)
    weight: str = (
        weight_class_of(weight_lbs) if weight_lbs else weight_class or (vehicle.weight_class if vehicle else ANY)
    )
    pauses = bool(test_type and not test_type.runs_through)
    if vehicle:
        return TestFacts(ground.pk, vehicle.pk, vehicle.label, name, drive, weight, pauses)
    words = " ".join(filter(None, ["A", f"{weight_lbs:,} lb" if weight_lbs else weight_class, drive, "vehicle"]))
    return TestFacts(ground.pk, 0, words, name, drive, weight, pauses)


def _capabilities(ground: ProvingGround, test_type: TestType | None) -> dict[int, list[CapabilityFacts]]:
    query = Capability.objects.filter(dyno__ground=ground)
    if test_type:
        query = query.filter(test_type=test_type)
    rows: dict[int, list[CapabilityFacts]] = defaultdict(list)
    for dyno_id, drives, weights in query.values_list("dyno_id", "drives", "weight_classes"):
        rows[dyno_id].append(CapabilityFacts(frozenset(drives), frozenset(weights)))
    return rows


def _facts(dyno: Dyno, test: TestFacts, rows: list[CapabilityFacts]) -> DynoFacts:
    taking = tuple(
        CapabilityFacts(
            row.drives if test.drive else frozenset({ANY}),
            row.weight_classes if test.weight_class else frozenset({ANY}),
        )
        for row in rows
    )
    return DynoFacts(
        dyno.pk,
        dyno.name,
        dyno.ground_id,
        dyno.enabled,
        dyno.available_from,
        dyno.available_to,
        taking,
        dyno.facility_id,
        dyno.facility.name,
    )


def _gaps(dyno: Dyno, days: DayRange, occupied: list[DayRange]) -> list[DayRange]:
    if not dyno.enabled:
        return []
    first = max(days.first, dyno.available_from or days.first)
    last = min(days.last, dyno.available_to or days.last)
    gaps = []
    for stay in sorted(occupied):
        if stay.first > first:
            gaps.append(DayRange(first, min(last, stay.first - dt.timedelta(days=1))))
        first = max(first, stay.last + dt.timedelta(days=1))
    gaps.append(DayRange(first, last))
    return [gap for gap in gaps if gap.first <= gap.last]


DRIVES = {
    "2WD": Drive.TWO_WHEEL,
    "FWD": Drive.TWO_WHEEL,
    "RWD": Drive.TWO_WHEEL,
    "4X2": Drive.TWO_WHEEL,
    "AWD": Drive.ALL_WHEEL,
    "4WD": Drive.ALL_WHEEL,
    "4X4": Drive.ALL_WHEEL,
}
"""How people write drives, in capitals without spaces."""

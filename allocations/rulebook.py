"""What may be booked: pure functions over plain facts, asked by services, forms, API, import and planner alike.

A rule that fails gives a `Refusal` with a stable code and a sentence that names what stands in the way. Days are
whole dates, both ends inclusive.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from allocations.enums import AllocationStatus
from allocations.enums import RefusalCode as Code
from allocations.exceptions import Refusal
from dynosite.lib.days import DayRange
from dynosite.lib.formats import count, full_date
from dynosite.lib.workdays import EVERY_DAY, WorkingCalendar

LONG_WINDOW = 60
"""Days from which on a maintenance window is rather a wrong date, which a form asks to look at again."""
LONGEST_STAY = 366
"""Days. The bound lets a search by first day look back no farther than this."""

FARTHEST = dt.timedelta(days=3653)
"""How far ahead from today a form lets anything end."""

LONGEST_TRAVEL = 60
"""Days."""

Travel = Mapping[tuple[int, int], int]
"""Days that a vehicle needs from one facility to another, by their ids; a way that is missing takes none."""

_WEIGHT_WORDS = {"<10K": "<10K (up to 10,000 lb)", ">10K": ">10K (over 10,000 lb)"}


@dataclass(frozen=True, slots=True)
class CapabilityFacts:
    drives: frozenset[str]
    weight_classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class DynoFacts:
    """`capabilities` are those for the test type in question."""

    id: int
    name: str
    ground_id: int
    enabled: bool
    available_from: dt.date | None
    available_to: dt.date | None
    capabilities: tuple[CapabilityFacts, ...]
    facility_id: int = 0
    facility: str = ""


@dataclass(frozen=True, slots=True)
class GroundRules:
    """What a proving ground asks of every test: the days that it works, and the days that vehicles travel."""

    calendar: WorkingCalendar = EVERY_DAY
    travel: Travel = field(default_factory=dict)
    today: dt.date | None = None
    """The ground's own; none where it does not matter."""

    @property
    def reach(self) -> int:
        """How many days before and after a stay another stay of its vehicle can matter."""
        return max(self.travel.values(), default=0)


@dataclass(frozen=True, slots=True)
class Stands:
    """Where a test stands already, whatever the rules say by now: what stays as it is, is not asked about again."""

    days: DayRange
    dyno_id: int = 0

    def covers(self, dyno_id: int, days: DayRange) -> bool:
        """Whether these days on this dyno are its own already: it is shortened, or it is where it was."""
        return dyno_id == self.dyno_id and days.first in self.days and days.last in self.days


USUAL = GroundRules()
"""Every day is worked, and no way takes a day."""


@dataclass(frozen=True, slots=True)
class TestFacts:
    """The test that wants the place: what it is and what is tested."""

    __test__ = False

    ground_id: int
    vehicle_id: int
    vehicle: str
    test_type: str
    drive: str
    weight_class: str
    pauses: bool = False
    """It stands still on days off, and its days are days worked."""


@dataclass(frozen=True, slots=True)
class Stay:
    """Days that are taken already: an allocation, or a maintenance window (which has no vehicle)."""

    kind: Literal["allocation", "maintenance"]
    id: int
    dyno_id: int
    dyno: str
    what: str
    days: DayRange
    vehicle_id: int | None = None
    vehicle: str = ""
    facility_id: int = 0
    facility: str = ""
    held_to: dt.date | None = None
    """Today, of a test that still runs past its last day: it holds its dyno and vehicle until somebody ends it."""

    def meets(self, days: DayRange) -> bool:
        return self.days.overlaps(days) or self.overruns(days)

    def overruns(self, days: DayRange) -> bool:
        """Whether it is only by running past its end that it stands in the way; nobody knows until when."""
        return self.held_to is not None and not self.days.overlaps(days) and days.first > self.days.last


def held_to(status: str, last_day: dt.date, today: dt.date | None) -> dt.date | None:
    """The one definition of an overrun: a running test whose last day is past holds its dyno through today."""
    return today if today and status == AllocationStatus.RUNNING and last_day < today else None


def check_days(days: DayRange) -> list[Refusal]:
    if days.last < days.first:
        return [
            Refusal(
                Code.DAYS_ORDER,
                f"The last day ({full_date(days.last)}) is before the first ({full_date(days.first)}).",
            )
        ]
    if days.days > LONGEST_STAY:
        return [Refusal(Code.DAYS_LENGTH, f"{days.days} days are too many; {LONGEST_STAY} days is the limit.")]
    return []


def check_ground(test: TestFacts, dyno: DynoFacts) -> list[Refusal]:
    if test.ground_id == dyno.ground_id:
        return []
    return [Refusal(Code.OTHER_GROUND, f"{test.vehicle} and the dyno are not of the same proving ground.")]


def check_capability(test: TestFacts, dyno: DynoFacts) -> list[Refusal]:
    """A dyno may run a test if one of its capability rows takes the test type, the drive and the weight class."""
    rows = dyno.capabilities
    if not rows:
        return [Refusal(Code.TEST_TYPE_NOT_RUN, f"{dyno.name} does not run the test type {test.test_type}.")]
    if any(test.drive in row.drives and test.weight_class in row.weight_classes for row in rows):
        return []
    refusals = []
    drives = sorted({drive for row in rows for drive in row.drives})
    if test.drive not in drives:
        refusals.append(
            Refusal(
                Code.DRIVE_NOT_TAKEN,
                f"{test.vehicle} has the drive {test.drive}; for {test.test_type}, {dyno.name} takes the drive "
                f"{' or '.join(drives)} only.",
            )
        )
    weights = sorted({weight for row in rows for weight in row.weight_classes})
    if test.weight_class not in weights:
        takes = " or ".join(_WEIGHT_WORDS[weight] for weight in weights)
        refusals.append(
            Refusal(
                Code.WEIGHT_NOT_TAKEN,
                f"{test.vehicle} is of the weight class {_WEIGHT_WORDS[test.weight_class]}; for {test.test_type}, "
                f"{dyno.name} takes the weight class {takes} only.",
            )
        )
    return refusals or [
        Refusal(
            Code.COMBINATION_NOT_TAKEN,
            f"{dyno.name} runs {test.test_type} for the drive {test.drive}, but not together with the weight class "
            f"{_WEIGHT_WORDS[test.weight_class]} that {test.vehicle} has.",
        )
    ]


def check_availability(dyno: DynoFacts, days: DayRange) -> list[Refusal]:
    refusals = []
    if not dyno.enabled:
        refusals.append(Refusal(Code.DYNO_DISABLED, f"{dyno.name} is disabled."))
    if dyno.available_from and days.first < dyno.available_from:
        refusals.append(
            Refusal(
                Code.DYNO_NOT_YET_AVAILABLE, f"{dyno.name} is available from {full_date(dyno.available_from)} only."
            )
        )
    if dyno.available_to and days.last > dyno.available_to:
        refusals.append(
            Refusal(
                Code.DYNO_NO_LONGER_AVAILABLE, f"{dyno.name} is available until {full_date(dyno.available_to)} only."
            )
        )
    return refusals


def check_calendar(
    test: TestFacts, days: DayRange, calendar: WorkingCalendar, stands: Stands | None = None
) -> list[Refusal]:
    """A test starts on a day that is worked, and one that pauses ends on one, unless that is where it stands."""
    refusals = []
    if (not stands or stands.days.first != days.first) and (why := calendar.why_closed(days.first)):
        sentence = f"No test starts on {_day_off(days.first, why)}, which is a day off."
        refusals.append(Refusal(Code.STARTS_ON_DAY_OFF, sentence))
    if test.pauses and (not stands or stands.days.last != days.last) and (why := calendar.why_closed(days.last)):
        sentence = f"{test.test_type} pauses on days off and cannot end on one: {_day_off(days.last, why)}."
        refusals.append(Refusal(Code.ENDS_ON_DAY_OFF, sentence))
    return refusals


def _day_off(day: dt.date, why: str) -> str:
    weekday = f"{day:%A}"
    return f"{full_date(day)} ({weekday})" if why == weekday else f"{full_date(day)} ({weekday}, {why})"


def days_between(origin_id: int, to_id: int, travel: Travel) -> int:
    """The whole days that must lie between a vehicle's last day at one facility and its first at another."""
    return travel.get((origin_id, to_id), 0)


def too_near(one: tuple[int, DayRange], other: tuple[int, DayRange], travel: Travel) -> bool:
    """Whether two stays of one vehicle, each a facility and its days, leave it too few days on the way."""
    (origin, before), (to, after) = sorted([one, other], key=lambda stay: stay[1].first)
    between = (after.first - before.last).days - 1
    return 0 <= between < days_between(origin, to, travel)


def check_travel(
    test: TestFacts,
    dyno: DynoFacts,
    days: DayRange,
    stays: Iterable[Stay],
    travel: Travel,
    stands: Stands | None = None,
) -> list[Refusal]:
    """A vehicle has its days on the way between this stay and any other that it has, save where it stands too near
    on the same dyno already."""
    here = stands.days if stands and stands.dyno_id == dyno.id else None
    refusals = []
    for stay in sorted(stays, key=lambda stay: (stay.days, stay.id)):
        other = (stay.facility_id, stay.days)
        if stay.vehicle_id != test.vehicle_id or stay.overruns(days):
            continue
        if not too_near((dyno.facility_id, days), other, travel):
            continue
        if here and too_near((dyno.facility_id, here), other, travel):
            continue
        if stay.days.first < days.first:
            needed = days_between(stay.facility_id, dyno.facility_id, travel)
            way = f"from {stay.facility} to {dyno.facility}"
            until = f"until {full_date(stay.days.last)}"
            so = f"so it can be here from {full_date(stay.days.last + dt.timedelta(days=needed + 1))} on"
        else:
            needed = days_between(dyno.facility_id, stay.facility_id, travel)
            way = f"from {dyno.facility} to {stay.facility}"
            until = f"from {full_date(stay.days.first)} on"
            so = f"so it must leave by {full_date(stay.days.first - dt.timedelta(days=needed + 1))}"
        sentence = f"{test.vehicle} needs {count(needed, 'day')} {way} and is on {stay.dyno} {until}, {so}."
        refusals.append(Refusal(Code.TRAVEL, sentence))
    return refusals


def check_stays(
    test: TestFacts, dyno: DynoFacts, days: DayRange, stays: Iterable[Stay], stands: Stands | None = None
) -> list[Refusal]:
    """One occupant a dyno-day and one place a vehicle-day, against the stays given.

    A test that still runs past its end stands in the way of all that is to come. Of what stands after it already
    (`stands`), only the days through today are: it may be put off, shortened or left where it is.
    """
    refusals = []
    for stay in _meeting(days, stays):
        if stay.overruns(days) and stands and _put_off(stay, dyno.id, days, stands):
            continue
        if stay.dyno_id == dyno.id:
            refusals.append(_dyno_has(dyno.name, stay, days))
        elif stay.vehicle_id == test.vehicle_id:
            refusals.append(_vehicle_is(test.vehicle, stay, days))
    return refusals


def _put_off(overrun: Stay, dyno_id: int, days: DayRange, stands: Stands) -> bool:
    if stands.covers(dyno_id, days):
        return True
    after = overrun.held_to is not None and days.first > overrun.held_to and days.first >= stands.days.first
    return after and (overrun.dyno_id != dyno_id or stands.dyno_id == dyno_id)


def check_window(dyno_id: int, days: DayRange, stays: Iterable[Stay]) -> list[Refusal]:
    """One occupant a dyno-day holds for a maintenance window too."""
    return [_dyno_has(stay.dyno, stay, days) for stay in _meeting(days, stays) if stay.dyno_id == dyno_id]


def check_start(test: TestFacts, dyno: DynoFacts, days: DayRange, stays: Iterable[Stay]) -> list[Refusal]:
    """No test starts where another still runs past its end, nor with a vehicle that is in such a test."""
    return check_stays(test, dyno, days, [stay for stay in stays if stay.held_to])


def _meeting(days: DayRange, stays: Iterable[Stay]) -> list[Stay]:
    return [stay for stay in sorted(stays, key=lambda stay: (stay.days, stay.id)) if stay.meets(days)]


def _dyno_has(dyno: str, stay: Stay, days: DayRange) -> Refusal:
    if stay.kind == "maintenance":
        return Refusal(Code.MAINTENANCE, f"{dyno} is in maintenance ({stay.what}): {stay.days}.")
    if stay.overruns(days):
        return Refusal(Code.DYNO_TAKEN, f"{dyno} still runs {stay.vehicle} ({stay.what}), {_end_it(stay)}")
    return Refusal(Code.DYNO_TAKEN, f"{dyno} is taken by {stay.vehicle} ({stay.what}): {stay.days}.")


def _vehicle_is(vehicle: str, stay: Stay, days: DayRange) -> Refusal:
    if stay.overruns(days):
        return Refusal(Code.VEHICLE_ELSEWHERE, f"{vehicle} still runs on {stay.dyno} ({stay.what}), {_end_it(stay)}")
    return Refusal(Code.VEHICLE_ELSEWHERE, f"{vehicle} is on {stay.dyno} already ({stay.what}): {stay.days}.")


def _end_it(stay: Stay) -> str:
    return f"which should have ended on {full_date(stay.days.last)}; extend or complete it first."


def judge(
    test: TestFacts,
    dyno: DynoFacts,
    days: DayRange,
    stays: Iterable[Stay],
    rules: GroundRules = USUAL,
    *,
    stands: Stands | None = None,
) -> list[Refusal]:
    """Every rule that refuses the test on the dyno on these days; none is a yes."""
    if wrong := check_days(days) or check_ground(test, dyno):
        return wrong
    stays = list(stays)
    # What stands keeps its place whatever the dyno has become since, and may be cut shorter there.
    place = (
        []
        if stands and stands.covers(dyno.id, days)
        else [
            *check_capability(test, dyno),
            *check_availability(dyno, days),
        ]
    )
    return [
        *place,
        *check_calendar(test, days, rules.calendar, stands),
        *check_stays(test, dyno, days, stays, stands),
        *check_travel(test, dyno, days, stays, rules.travel, stands),
    ]

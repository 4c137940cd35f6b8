"""What the rulebook is asked about: plain facts of a test, a dyno, a proving ground, and what takes days already."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from allocations.enums import AllocationStatus
from dynosite.lib.days import DayRange
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
class ExistingPlacement:
    """Where a test stands already, whatever the rules say by now: what stays as it is, is not asked about again."""

    days: DayRange
    dyno_id: int = 0

    def covers(self, dyno_id: int, days: DayRange) -> bool:
        """Whether the days on the dyno are its own already: it is shortened, or it is where it was."""
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
    purpose: str
    days: DayRange
    vehicle_id: int | None = None
    vehicle: str = ""
    facility_id: int = 0
    facility: str = ""
    held_to: dt.date | None = None
    """Today, of a test that still runs past its last day: it holds its dyno and vehicle until somebody ends it."""
    warm_up_days: int = 0
    """Of a window: days after it on which its dyno takes no test yet."""
    owner: str = ""
    """Whose booking it is, by display name: whom to ask for the days."""

    @property
    def blocks(self) -> DayRange:
        """The days on which it keeps others off its dyno."""
        return DayRange(self.days.first, self.days.last + dt.timedelta(days=self.warm_up_days))

    def meets(self, days: DayRange) -> bool:
        return self.days.overlaps(days) or self.overruns(days)

    def overruns(self, days: DayRange) -> bool:
        """Whether it is only by running past its end that it stands in the way; nobody knows until when."""
        return self.held_to is not None and not self.days.overlaps(days) and days.first > self.days.last


def held_to(status: str, last_day: dt.date, today: dt.date | None) -> dt.date | None:
    """The one definition of an overrun: a running test whose last day is past holds its dyno through today."""
    return today if today and status == AllocationStatus.RUNNING and last_day < today else None


@dataclass(frozen=True, slots=True)
class Question:
    """May this test stand on this dyno on these days?

    `stays` are what takes the dyno or the vehicle on those days, and so many days around them as a vehicle may be on
    the way (`GroundRules.reach`), without the stay of the test itself.
    """

    test: TestFacts
    dyno: DynoFacts
    days: DayRange
    stays: tuple[Stay, ...] = ()
    ground: GroundRules = USUAL
    existing: ExistingPlacement | None = None

    @property
    def keeps_its_place(self) -> bool:
        """Whether the test stays where it stands, perhaps cut shorter."""
        return self.existing is not None and self.existing.covers(self.dyno.id, self.days)


def days_between(origin_id: int, to_id: int, travel: Travel) -> int:
    """The whole days that must lie between a vehicle's last day at one facility and its first at another."""
    return travel.get((origin_id, to_id), 0)


def too_near(one: tuple[int, DayRange], other: tuple[int, DayRange], travel: Travel) -> bool:
    """Whether two stays of one vehicle, each a facility and its days, leave it too few days on the way."""
    (origin, before), (to, after) = sorted([one, other], key=lambda stay: stay[1].first)
    between = (after.first - before.last).days - 1
    return 0 <= between < days_between(origin, to, travel)

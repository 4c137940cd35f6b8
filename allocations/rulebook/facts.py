"""The facts that the rulebook is about: a test, a dyno, a proving ground, and what takes days already."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from allocations.enums import AllocationStatus
from dynosite.lib.days import DayRange
from dynosite.lib.workdays import EVERY_DAY, WorkingCalendar

LONG_WINDOW = 60
"""Days. A longer maintenance window is probably a wrong date, so a form asks to check it."""
MAX_STAY_DAYS = 366
"""Days. The bound lets a search by first day look back no farther than this."""

MAX_AHEAD = dt.timedelta(days=3653)
"""How far ahead from today a form lets anything end."""

MAX_TRAVEL_DAYS = 60
"""Days."""

Travel = Mapping[tuple[int, int], int]
"""Days that a vehicle travels, by (from facility id, to facility id); pairs that are missing take none."""


@dataclass(frozen=True, slots=True)
class CapabilityFacts:
    """What one capability takes for the test type in question."""

    drives: frozenset[str]
    weight_classes: frozenset[str]


@dataclass(frozen=True, slots=True)
class DynoFacts:
    """A dyno. `capabilities` are those for the test type in question."""

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
    """The rules of a proving ground for every test: its working days, and the days that vehicles need to travel."""

    calendar: WorkingCalendar = EVERY_DAY
    travel: Travel = field(default_factory=dict)
    today: dt.date | None = None
    """Today at the ground; None if it does not matter."""

    @property
    def reach(self) -> int:
        """How many days before and after a stay another stay of the same vehicle can matter."""
        return max(self.travel.values(), default=0)


@dataclass(frozen=True, slots=True)
class ExistingPlacement:
    """Where a test is already. What stays as it is, is not checked again, even if the rules have changed since."""

    days: DayRange
    dyno_id: int = 0

    def covers(self, dyno_id: int, days: DayRange) -> bool:
        """Tells whether a placement stays within this one: it is the same, or shorter, on the same dyno."""
        return dyno_id == self.dyno_id and days.first in self.days and days.last in self.days


USUAL = GroundRules()
"""Every day is a working day, and travel takes no days."""


@dataclass(frozen=True, slots=True)
class TestFacts:
    """The test that needs the place: what kind of test it is, and which vehicle."""

    __test__ = False

    ground_id: int
    vehicle_id: int
    vehicle: str
    test_type: str
    drive: str
    weight_class: str
    pauses: bool = False
    """It does not run on days off, and its days are days worked."""


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
    """Today, for a test that runs past its last day: it holds its dyno and vehicle until somebody ends it."""
    warm_up_days: int = 0
    """For a window: days after it on which its dyno takes no test yet."""
    owner: str = ""
    """Whose booking it is, by display name: whom to ask for the days."""

    @property
    def blocks(self) -> DayRange:
        """The days on which it keeps tests off its dyno."""
        return DayRange(self.days.first, self.days.last + dt.timedelta(days=self.warm_up_days))

    def meets(self, days: DayRange) -> bool:
        """Tells whether it is in the way of the days: it overlaps them, or it runs past its end before them."""
        return self.days.overlaps(days) or self.overruns(days)

    def overruns(self, days: DayRange) -> bool:
        """Tells whether it is in the way only because it runs past its end; nobody knows until when."""
        return self.held_to is not None and not self.days.overlaps(days) and days.first > self.days.last


def held_to(status: str, last_day: dt.date, today: dt.date | None) -> dt.date | None:
    """Returns the day to which a running test past its last day holds its dyno, which is today; None for any other
    test.

    This is the one definition of an overrun. Without `today`, no test is one.
    """
    return today if today and status == AllocationStatus.RUNNING and last_day < today else None


@dataclass(frozen=True, slots=True)
class Question:
    """May this test be on this dyno on these days?

    Attributes
    ----------
    stays
        What takes the dyno or the vehicle on those days, and `GroundRules.reach` days around them for the vehicle;
        without the stay of the test itself.
    existing
        Where the test is already, if it is.
    """

    test: TestFacts
    dyno: DynoFacts
    days: DayRange
    stays: tuple[Stay, ...] = ()
    ground: GroundRules = USUAL
    existing: ExistingPlacement | None = None

    @property
    def keeps_its_place(self) -> bool:
        """Whether the test stays where it is, perhaps shortened."""
        return self.existing is not None and self.existing.covers(self.dyno.id, self.days)


def days_between(origin_id: int, to_id: int, travel: Travel) -> int:
    """Returns how many whole days have to be between a vehicle's last day at one facility and its first at
    another.
    """
    return travel.get((origin_id, to_id), 0)


def too_near(one: tuple[int, DayRange], other: tuple[int, DayRange], travel: Travel) -> bool:
    """Tells whether two stays of one vehicle leave it too few days to travel.

    Parameters
    ----------
    one, other
        (facility id, days) of each stay, in any order. Stays that overlap are not too near.
    """
    (origin, before), (to, after) = sorted([one, other], key=lambda stay: stay[1].first)
    between = (after.first - before.last).days - 1
    return 0 <= between < days_between(origin, to, travel)

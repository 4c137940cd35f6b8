"""What a proving ground holds already, as far as an import needs to know: plain data, empty for a new ground."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Generic, NamedTuple, TypeVar

from allocations.exchange.outcome import Capability
from dynosite.lib.days import DayRange

IN_MAINTENANCE = "in maintenance"


Occupant = TypeVar("Occupant")


class Stretch(NamedTuple, Generic[Occupant]):
    """Days in a row that are taken, and what takes them."""

    first: date
    last: date
    occupant: Occupant


class Gap(NamedTuple):
    """Days in a row that nothing takes."""

    first: date
    last: date


class KnownCalendar(Generic[Occupant]):
    """Days that are taken, each stretch with what takes it; stretches never overlap."""

    def __init__(self) -> None:
        self._firsts: list[date] = []
        self._stretches: list[Stretch[Occupant]] = []

    def first_taken(self, first: date, last: date) -> Stretch[Occupant] | None:
        """What takes the earliest of these days that is taken."""
        at = bisect_right(self._firsts, first) - 1
        if at >= 0 and self._stretches[at].last >= first:
            return self._stretches[at]
        at += 1
        if at < len(self._firsts) and self._firsts[at] <= last:
            return self._stretches[at]
        return None

    def take(self, first: date, last: date, occupant: Occupant) -> None:
        at = bisect_left(self._firsts, first)
        self._firsts.insert(at, first)
        self._stretches.insert(at, Stretch(first, last, occupant))

    def free(self, first: date, last: date) -> list[Gap]:
        """The stretches of these days that nothing takes."""
        gaps, day = [], first
        while day <= last:
            stretch = self.first_taken(day, last)
            if stretch is None:
                gaps.append(Gap(day, last))
                break
            if stretch.first > day:
                gaps.append(Gap(day, stretch.first - timedelta(days=1)))
            day = stretch.last + timedelta(days=1)
        return gaps

    def within(self, first: date, last: date) -> list[Stretch[Occupant]]:
        """The stretches that touch these days."""
        return [s for s in self._stretches[: bisect_right(self._firsts, last)] if s.last >= first]

    def __iter__(self) -> Iterator[Stretch[Occupant]]:
        return iter(self._stretches)


@dataclass(frozen=True)
class KnownDyno:
    name: str
    facility: str
    capabilities: tuple[Capability, ...] = ()
    enabled: bool = True
    available_from: date | None = None
    available_to: date | None = None


@dataclass(frozen=True)
class KnownVehicle:
    id: int
    tag: str
    vin: str
    placeholder: bool = False
    drive: str = ""
    weight_class: str = ""


@dataclass(frozen=True)
class KnownRow:
    """A row that an earlier import brought in, and what became of it."""

    outcome: str
    dyno: str = ""
    first: date | None = None
    last: date | None = None
    request_id: int | None = None

    @property
    def stay(self) -> DayRange | None:
        return DayRange(self.first, self.last) if self.first and self.last else None


@dataclass(frozen=True)
class KnownTest:
    """A test that an earlier import brought in, and that this sheet has no row of; names are folded."""

    id: int
    test_type: str
    step: str
    first: date | None
    days: int
    vehicle: str  # as people call it
    tag: str
    vin: str
    placeholder: bool
    row: KnownRow


@dataclass
class Ground:
    """A snapshot; names are folded in keys, calendars hold sentences of what takes the days."""

    dynos: dict[str, KnownDyno] = field(default_factory=dict)
    test_types: dict[str, str] = field(default_factory=dict)
    vehicles: list[KnownVehicle] = field(default_factory=list)
    dyno_days: dict[str, KnownCalendar[str]] = field(default_factory=dict)
    vehicle_days: dict[int, KnownCalendar[str]] = field(default_factory=dict)
    wanted_days: dict[int, list[DayRange]] = field(default_factory=dict)  # by waiting requests
    rows: dict[str, KnownRow] = field(default_factory=dict)
    windows: set[tuple[str, str]] = field(default_factory=set)  # dyno and reference of those that it has had
    missing: list[KnownTest] = field(default_factory=list)
    former_dynos: dict[str, str] = field(default_factory=dict)  # names that dynos had here, with their present ones
    former_test_types: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, int] = field(default_factory=dict)  # rows whose import was undone, with their requests

"""What a proving ground holds already, as far as an import needs to know: plain data, empty for a new ground."""

from bisect import bisect_left, bisect_right
from dataclasses import dataclass, field
from datetime import date, timedelta

from allocations.exchange.outcome import Capability

IN_MAINTENANCE = "in maintenance"


class Calendar:
    """Days that are taken, each stretch with what takes it; stretches never overlap."""

    def __init__(self):
        self._firsts: list[date] = []
        self._stretches: list[tuple[date, date, object]] = []

    def first_taken(self, first: date, last: date):
        """What takes the earliest of these days that is taken: (first, last, occupant), or None."""
        at = bisect_right(self._firsts, first) - 1
        if at >= 0 and self._stretches[at][1] >= first:
            return self._stretches[at]
        at += 1
        if at < len(self._firsts) and self._firsts[at] <= last:
            return self._stretches[at]
        return None

    def take(self, first: date, last: date, occupant=None) -> None:
        at = bisect_left(self._firsts, first)
        self._firsts.insert(at, first)
        self._stretches.insert(at, (first, last, occupant))

    def free(self, first: date, last: date) -> list[tuple[date, date]]:
        """The stretches of these days that nothing takes."""
        stretches, day = [], first
        while day <= last:
            stretch = self.first_taken(day, last)
            if stretch is None:
                stretches.append((day, last))
                break
            if stretch[0] > day:
                stretches.append((day, stretch[0] - timedelta(days=1)))
            day = stretch[1] + timedelta(days=1)
        return stretches

    def within(self, first: date, last: date) -> list[tuple[date, date, object]]:
        """The stretches that touch these days."""
        return [s for s in self._stretches[: bisect_right(self._firsts, last)] if s[1] >= first]

    def __iter__(self):
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
    dyno_days: dict[str, Calendar] = field(default_factory=dict)
    vehicle_days: dict[int, Calendar] = field(default_factory=dict)
    wanted_days: dict[int, list[tuple[date, date]]] = field(default_factory=dict)  # by waiting requests
    rows: dict[str, KnownRow] = field(default_factory=dict)
    windows: set[tuple[str, str]] = field(default_factory=set)  # dyno and reference of those that it has had
    missing: list[KnownTest] = field(default_factory=list)
    former_dynos: dict[str, str] = field(default_factory=dict)  # names that dynos had here, with their present ones
    former_test_types: dict[str, str] = field(default_factory=dict)
    forgotten: dict[str, int] = field(default_factory=dict)  # rows whose import was undone, with their requests

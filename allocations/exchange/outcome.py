"""What a workbook says, and what comes of each of its rows: plain data, the same for a preview and an import."""

from dataclasses import dataclass, field
from datetime import date
from typing import NamedTuple

from dynosite.lib.days import DayRange

DRIVES, WEIGHT_CLASSES = ("2WD", "AWD"), ("<10K", ">10K")
BOOKED, WAITING, CANCELLED, REFUSED = "booked", "waiting", "cancelled", "refused"
SCHEDULED, RUNNING, COMPLETED = "scheduled", "running", "completed"


class VehicleKey(NamedTuple):
    """What a vehicle is told by: its VIN, its tag, or of a placeholder the name and which of its vehicles it is."""

    kind: str  # vin, tag or placeholder
    name: str
    number: int = 0


@dataclass(frozen=True)
class Rule:
    """A row of DynoRules: a test type in these drives and weight classes may run on these dynos."""

    row: int
    test_type: str
    drives: tuple[str, ...]
    weight_classes: tuple[str, ...]
    dynos: tuple[str, ...]


@dataclass(frozen=True)
class Window:
    """Days on which a dyno is in maintenance."""

    row: int
    dyno: str
    first: date
    last: date
    reference: str = ""


@dataclass(frozen=True)
class Row:
    """A row of the forecast whose every cell that matters could be read."""

    number: int
    test_type: str
    facility: str
    dyno: str
    vin: str
    tag: str
    issued: bool  # the tag is a vehicle's own, not a placeholder
    weight_class: str
    drive: str  # that it is tested as
    own_drive: str  # of the vehicle
    first: date | None  # a row that waits or is cancelled may have no days yet
    last: date | None
    days: int
    status: str  # scheduled, running, completed, waiting or cancelled
    estimated: date | None = None
    due: date | None = None
    miles: int | None = None
    miles_per_day: int | None = None
    extra_days: int | None = None
    note: str = ""
    full_note: str = ""  # with the particulars that have no field of their own
    details: tuple[tuple[str, str], ...] = ()
    given_identity: str = ""

    @property
    def stay(self) -> DayRange | None:
        return DayRange(self.first, self.last) if self.first and self.last else None

    def detail(self, name: str) -> str:
        return dict(self.details).get(name, "")


@dataclass(frozen=True)
class Doubt:
    """What an import takes in one of two ways: the likelier one, unless its `key` is chosen.

    Without a key there is nothing to choose, only something to look at before it is confirmed.
    """

    sentence: str
    key: str = ""
    choice: str = ""  # what choosing it does, as a label


@dataclass
class Sheets:
    """A workbook, read."""

    rules: list[Rule] = field(default_factory=list)
    windows: list[Window] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    refusals: dict[int, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    facilities: tuple[str, ...] = ()
    facility_of: dict[str, str] = field(default_factory=dict)  # where the maintenance sheet says, by folded dyno
    named_dynos: list[tuple[int, str]] = field(default_factory=list)  # in the maintenance sheet, by row
    exact: set[str] = field(default_factory=set)  # folded names of dynos that stand in quotation marks


@dataclass(frozen=True)
class Capability:
    test_type: str
    drives: tuple[str, ...]
    weight_classes: tuple[str, ...]


@dataclass(frozen=True)
class DynoSpec:
    """A dyno that the workbook names; names are as they were first written."""

    name: str
    facility: str
    capabilities: tuple[Capability, ...]


@dataclass
class VehicleSpec:
    """A vehicle, known by its VIN, by its tag, or as the nth of a placeholder."""

    key: VehicleKey
    tag: str
    vin: str
    placeholder: bool
    weight_class: str
    drive: str
    details: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        return self.vin or self.tag


@dataclass(frozen=True)
class Conflict:
    kind: str  # dyno or vehicle
    name: str
    rows: tuple[int, int]


@dataclass
class Decision:
    """What comes of one row."""

    row: Row
    outcome: str
    identity: str
    vehicle: VehicleKey
    dyno: str | None = None
    reason: str = ""
    other_row: int | None = None
    already_there: bool = False


@dataclass
class ImportPlan:
    """Everything that an import of the workbook would make."""

    dynos: dict[str, DynoSpec] = field(default_factory=dict)
    test_types: dict[str, str] = field(default_factory=dict)
    dyno_names: dict[str, str] = field(default_factory=dict)  # of all dynos that rows are on
    vehicles: dict[VehicleKey, VehicleSpec] = field(default_factory=dict)
    known_vehicles: dict[VehicleKey, int] = field(default_factory=dict)  # those that the ground has, with their ids
    windows: list[Window] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    refusals: dict[int, str] = field(default_factory=dict)
    conflicts: list[Conflict] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)

    @property
    def rows(self) -> int:
        return len(self.decisions) + len(self.refusals)

    def count(self, outcome: str) -> int:
        if outcome == REFUSED:
            return len(self.refusals)
        return sum(d.outcome == outcome for d in self.decisions)

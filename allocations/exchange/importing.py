"""A workbook into a proving ground: `preview` says what would come of it, `carry_out` does it, both in one report."""

from collections.abc import Collection
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from allocations import access
from allocations.enums import Role
from allocations.exchange.cells import fold
from allocations.exchange.ground import Ground
from allocations.exchange.identity import row_identities
from allocations.exchange.outcome import (
    BOOKED,
    CANCELLED,
    REFUSED,
    WAITING,
    Decision,
    Doubt,
    ImportPlan,
    Sheets,
    VehicleSpec,
)
from allocations.exchange.reading import read_workbook
from allocations.exchange.resolving import resolve
from allocations.exchange.rule_warnings import Misfit, misfits_of
from allocations.exchange.snapshot import former_names, snapshot
from allocations.exchange.steps import predecessors
from allocations.exchange.words import SHEET_PLACE_LABEL
from allocations.models import ProvingGround, TestType
from allocations.services.importing import Progress, bring_in
from allocations.services.intake import BookingIn, CapabilityIn, DynoIn, Intake, RequestIn, VehicleIn, WindowIn
from allocations.services.unit_of_work import Actor

LANES = 12
NO_DYNO = "no dyno available"
REQUEST_STATUS = {BOOKED: "placed", WAITING: "waiting", CANCELLED: "cancelled"}


@dataclass(frozen=True)
class Wait:
    """A row whose test has no place yet, why, and the row that keeps the place where there is one."""

    row: int
    test: str
    vehicle: str
    reason: str
    other_row: int | None = None


@dataclass
class Report:
    """What came, or would come, of a workbook; `booked + waiting + cancelled + refused == rows`.

    `already_there` counts rows that an earlier import brought in: they are counted by what has become of them, and
    are left as they are. Refused rows are never there.
    """

    rows: int
    booked: int
    waiting: int
    cancelled: int
    refused: int
    already_there: int
    conflicts: list[dict[str, Any]] = field(default_factory=list)
    refusals: list[dict[str, Any]] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    doubts: list[Doubt] = field(default_factory=list)
    waits: list[Wait] = field(default_factory=list)
    misfits: list[Misfit] = field(default_factory=list)  # booked as they stand, against days off or travel
    made: dict[str, int] = field(default_factory=dict)  # what is new in the ground, by kind

    def as_json(self) -> dict[str, Any]:
        names = ("rows", "booked", "waiting", "cancelled", "refused", "already_there")
        return {name: getattr(self, name) for name in (*names, "conflicts", "refusals")} | {
            "warnings": list(self.warnings),
            "misfits": [asdict(misfit) for misfit in self.misfits],
            "doubts": [asdict(doubt) for doubt in self.doubts],
        }

    @property
    def needs_admin(self) -> bool:
        """True where the import makes what only an admin of the ground may make."""
        return any(self.made.get(kind) for kind in ("dynos", "test types", "maintenance windows"))

    def summary(self) -> str:
        return (
            f"Workbook of {self.rows} rows: {self.booked} booked, {self.waiting} waiting, "
            f"{self.cancelled} cancelled, {self.refused} refused"
        )


def preview(
    source,
    ground: ProvingGround | None,
    *,
    actor: Actor | None = None,
    lanes: int = LANES,
    shift_weeks: int = 0,
    choices: Collection[str] = (),
) -> Report:
    """What an import would do now; nothing is written. `ground` is None where it is yet to be made.

    `choices` are keys of the report's doubts, of which the other way is to be gone.

    Raises WorkbookError for a file that can't be read, NotFound or NotAllowed for an actor without the right.
    """
    if actor and ground:
        access.require(actor.user, ground.pk, Role.SCHEDULER)
    sheets = _read(source, ground, shift_weeks)
    return report_of(*_resolve(sheets, ground, lanes, choices), ground)


def carry_out(
    source,
    ground: ProvingGround,
    *,
    actor: Actor,
    lanes: int = LANES,
    shift_weeks: int = 0,
    choices: Collection[str] = (),
    on_progress: Progress | None = None,
) -> Report:
    """Imports the workbook in one transaction, all or nothing, and reports what came of each row.

    `on_progress(done, total)` hears of the rows written; what it raises stops the import without a trace.
    """
    access.require(actor.user, ground.pk, Role.SCHEDULER)
    sheets = _read(source, ground, shift_weeks)
    reports: list[Report] = []

    def decide() -> Intake:
        outcome, state = _resolve(sheets, ground, lanes, choices)
        reports[:] = [report_of(outcome, state, ground)]
        return intake_of(outcome, state, reports[0].summary())

    bring_in(ground.pk, decide, actor=actor, on_progress=on_progress)
    return reports[0]


def _read(source, ground: ProvingGround | None, shift_weeks: int) -> Sheets:
    names = TestType.objects.filter(ground=ground).values_list("name", flat=True) if ground else ()
    types = (former_names(TestType, ground) if ground else {}) | {fold(name): name for name in names}
    return read_workbook(source, shift_weeks=shift_weeks, known_test_types=types)


def _resolve(
    sheets: Sheets, ground: ProvingGround | None, lanes: int, choices: Collection[str]
) -> tuple[ImportPlan, Ground]:
    state = snapshot(ground, sheets, row_identities(sheets.rows).values()) if ground else Ground()
    return resolve(sheets, state, lanes=lanes, choices=choices), state


def report_of(outcome: ImportPlan, state: Ground, ground: ProvingGround | None = None) -> Report:
    counts = {name: outcome.count(name) for name in (BOOKED, WAITING, CANCELLED, REFUSED)}
    new = [d for d in outcome.decisions if not d.already_there]
    return Report(
        rows=outcome.rows,
        **counts,
        already_there=len(outcome.decisions) - len(new),
        conflicts=[{"kind": c.kind, "name": c.name, "rows": list(c.rows)} for c in outcome.conflicts],
        refusals=[{"row": row, "reason": reason} for row, reason in sorted(outcome.refusals.items())],
        warnings=list(outcome.warnings),
        doubts=list(outcome.doubts),
        misfits=misfits_of(outcome, ground),
        waits=[
            Wait(d.row.number, d.row.test_type, d.row.vin or d.row.tag, d.reason, d.other_row)
            for d in new
            if d.outcome == WAITING
        ],
        made={
            "dynos": sum(key not in state.dynos for key in outcome.dynos),
            "test types": sum(key not in state.test_types for key in outcome.test_types),
            "vehicles": len(outcome.vehicles.keys() - outcome.known_vehicles.keys()),
            "maintenance windows": len(outcome.windows),
            "bookings": sum(d.outcome == BOOKED for d in new),
            "test requests": len(new),
        },
    )


def intake_of(outcome: ImportPlan, state: Ground, summary: str = "") -> Intake:
    """The outcome as the service takes it: only what the ground does not have yet."""
    new = [d for d in outcome.decisions if not d.already_there]
    known_types = {**outcome.test_types, **state.test_types}
    before = predecessors(outcome.decisions)
    return Intake(
        test_types=[known_types[key] for key in outcome.test_types],
        dynos=[
            DynoIn(
                outcome.dyno_names[key],
                spec.facility,
                tuple(CapabilityIn(known_types[c.test_type], c.drives, c.weight_classes) for c in spec.capabilities),
            )
            for key, spec in outcome.dynos.items()
        ],
        vehicles=[
            VehicleIn(key, _vehicle_fields(spec), outcome.known_vehicles.get(key))
            for key, spec in outcome.vehicles.items()
        ],
        requests=[
            replace(
                _request(d, outcome.vehicles[d.vehicle], known_types, outcome.dyno_names),
                **_order(before.get(d.identity, ""), state),
            )
            for d in new
        ],
        windows=[
            WindowIn(w.dyno, w.first, w.last, reason="From the forecast workbook", reference=w.reference)
            for w in outcome.windows
        ],
        forgotten=[state.forgotten[d.identity] for d in new if d.identity in state.forgotten],
        summary=summary,
    )


def _vehicle_fields(spec: VehicleSpec) -> dict[str, Any]:
    details = dict(spec.details)
    year = details.pop("model_year", None)
    return {
        "tag": spec.tag,
        "vin": spec.vin or None,
        "placeholder": spec.placeholder,
        "weight_class": spec.weight_class,
        "drive": spec.drive,
        "model_year": int(year) if year else None,
        **details,
    }


def _request(
    decision: Decision, vehicle: VehicleSpec, test_types: dict[str, str], dynos: dict[str, str]
) -> RequestIn:
    row, stay = decision.row, decision.row.stay
    booking = None
    if decision.outcome == BOOKED and decision.dyno and stay:
        booking = BookingIn(dynos[decision.dyno], stay.first, stay.last, row.status, row.note)
    return RequestIn(
        vehicle=decision.vehicle,
        test_type=test_types[fold(row.test_type)],
        fields={
            "step": row.detail("step"),
            "drive": row.drive if row.drive != vehicle.drive else "",
            "days": row.days,
            "miles": row.miles,
            "miles_per_day": row.miles_per_day,
            "extra_days": row.extra_days,
            "earliest_start": row.first,
            "due_date": row.due,
            "status": REQUEST_STATUS[decision.outcome],
            "note": _note(decision),
            "import_key": decision.identity,
        },
        booking=booking,
    )


def _order(before: str, state: Ground) -> dict[str, Any]:
    """The request that a row comes after: by its id if the ground has it, else by the key of its row."""
    earlier = state.rows.get(before)
    return {"after_id": earlier.request_id} if earlier else {"after": before}


def _note(decision: Decision) -> str:
    """The row's notes, and where the sheet had it if it has no place now."""
    row = decision.row
    place = f"{row.facility} {row.dyno}".strip() if decision.outcome == WAITING and row.dyno else ""
    place_note = "" if fold(place) == NO_DYNO or not place else f"{SHEET_PLACE_LABEL}{place}"
    return "; ".join(filter(None, [row.full_note, place_note]))

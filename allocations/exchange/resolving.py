"""What comes of each row in a proving ground as it stands: a booking, a wait, a cancellation, a refusal."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from datetime import date, timedelta

from allocations.exchange.again import known_otherwise, with_names_of_today
from allocations.exchange.cells import fold
from allocations.exchange.claims import RANK, Claim, PlacementResolver, Verdict, conflicts
from allocations.exchange.dynos import Dynos
from allocations.exchange.errors import WorkbookError
from allocations.exchange.ground import IN_MAINTENANCE, Ground, KnownCalendar, KnownRow
from allocations.exchange.identity import row_identities, window_reference
from allocations.exchange.outcome import (
    BOOKED,
    CANCELLED,
    COMPLETED,
    RUNNING,
    WAITING,
    Decision,
    ImportPlan,
    Row,
    Sheets,
    VehicleKey,
    Window,
)
from allocations.exchange.vehicles import Vehicles
from allocations.names import POOL
from allocations.rulebook import MAX_STAY_DAYS
from dynosite.lib.formats import day_range

MAX_LANES = 200


def resolve(
    sheets: Sheets, ground: Ground | None = None, *, lanes: int = 12, choices: Collection[str] = ()
) -> ImportPlan:
    """Decide every row; the same sheets and the same ground always give the same outcome.

    `choices` are keys of doubts of which the less likely way was chosen.
    """
    if not 1 <= lanes <= MAX_LANES:
        raise WorkbookError(f"The number of lanes must be from 1 to {MAX_LANES}.")
    return _Resolution(sheets, ground or Ground(), lanes, choices).run()


class _Resolution:
    def __init__(self, sheets: Sheets, ground: Ground, lanes: int, choices: Collection[str]):
        self.identities = row_identities(sheets.rows)  # by the words of the sheet, whatever they are called by now
        sheets = with_names_of_today(sheets, ground, choices)
        self.sheets, self.ground, self.choices = sheets, ground, choices
        self.dynos = Dynos(sheets, ground, lanes)
        self.vehicles = Vehicles(sheets.rows, ground)
        self.outcome = ImportPlan(refusals=dict(sheets.refusals))
        self.places: dict[int, tuple[str, ...]] = {}
        self.waits: dict[int, str] = {}
        self.keys: dict[int, VehicleKey] = {}

    def run(self) -> ImportPlan:
        out = self.outcome
        identities = self.identities
        rows = [row for row in self.sheets.rows if self._readable(row)]
        imported = self._imported_before(rows)
        unknown = [row for row in rows if row.number not in imported]
        matches, doubts = known_otherwise(unknown, identities, self.ground, self.choices)
        imported |= {number: test.row for number, test in matches.items()}
        new = [row for row in rows if row.number not in imported]
        self._name_vehicles(rows, new)
        claims = self._claims(rows)
        out.conflicts = conflicts(claims, self.dynos)
        windows = self._windows()
        judge = PlacementResolver(self.dynos, self.ground, windows, self.vehicles.known)
        verdicts = judge.judge([claim for claim in claims if claim.row.number not in imported])
        out.doubts += [*doubts, *self.sheets.doubts]
        out.warnings += [*self.sheets.warnings, *self.dynos.warnings, *self.vehicles.warnings]
        for row in rows:
            identity = identities[row.number]
            if row.number in imported:
                out.decisions.append(self._decide_imported(row, identity, imported[row.number]))
            else:
                out.decisions.append(self._decide(row, identity, verdicts.get(row.number)))
        self._keep_windows(windows, judge)
        out.dynos, out.vehicles = self.dynos.specs, self.vehicles.specs
        out.dyno_names = {key: self.dynos.name(key) for key in self.dynos.all_keys()}
        out.known_vehicles = {key: vehicle.id for key, vehicle in self.vehicles.known.items()}
        out.test_types = self._test_types(rows)
        return out

    def _imported_before(self, rows: list[Row]) -> dict[int, KnownRow]:
        """The rows, by number, that an earlier import has brought with the same identity."""
        return {row.number: earlier for row in rows if (earlier := self.ground.rows.get(self.identities[row.number]))}

    def _claims(self, rows: list[Row]) -> list[Claim]:
        return [
            Claim(row, days, places, self.keys[row.number], self._vehicle_name(row), self._vehicle_weight(row))
            for row in rows
            if (places := self.places.get(row.number)) and (days := row.stay)
        ]

    def _test_types(self, rows: list[Row]) -> dict[str, str]:
        """How each test type is spelt, the ones with rules first."""
        names: dict[str, str] = {}
        for rule in self.sheets.rules:
            names.setdefault(fold(rule.test_type), rule.test_type)
        for row in reversed(rows):  # a row's spelling is the one that people know
            names[fold(row.test_type)] = row.test_type
        return names

    def _readable(self, row: Row) -> bool:
        """Tell the row's vehicle and dyno; refuse it where that can't be done."""
        problems = []
        _, unclear = self.vehicles.key(row)
        if unclear:
            problems.append(unclear)
        places, unknown = self.dynos.places_of(row)
        if row.status in RANK:
            if places is None:
                problems.append(unknown)
            elif places:
                self.places[row.number] = tuple(places)
            else:
                self.waits[row.number] = unknown
        elif places is None:
            self.sheets_warning(row, unknown)
        if row.status == "waiting":
            self.waits[row.number] = "its status is TBD"
        if problems:
            self.places.pop(row.number, None)
            self.outcome.refusals[row.number] = " ".join(problems)
        return not problems

    def sheets_warning(self, row: Row, words: str) -> None:
        self.outcome.warnings.append(f"Row {row.number}: {words}")

    def _name_vehicles(self, rows, new) -> None:
        numbered = {row.number for row in new}
        shared = []
        for row in rows:
            key, _ = self.vehicles.key(row)
            if key is None:
                shared.append(row)
                continue
            self.keys[row.number] = key
            if row.number in numbered:
                self.vehicles.use(key, row)
        live = [row for row in shared if row.number in numbered and row.status != CANCELLED]
        self.keys |= self.vehicles.number(live)
        for row in shared:
            # A cancelled row needs no days, and one that is there already has its vehicle: the first will do.
            key = self.keys.setdefault(row.number, VehicleKey("placeholder", fold(row.tag), 1))
            if row.number in numbered and row.status == CANCELLED:
                self.vehicles.use(key, row, row.tag)

    def _vehicle_name(self, row: Row) -> str:
        key = self.keys[row.number]
        spec = self.vehicles.specs.get(key)
        return key.name if key.kind != "placeholder" else (spec.tag if spec else row.tag)

    def _vehicle_weight(self, row: Row) -> str:
        spec = self.vehicles.specs.get(self.keys[row.number])
        return spec.weight_class if spec else row.weight_class

    def _windows(self) -> dict[str, list[Window]]:
        by_lane = defaultdict(list)
        for window in self.sheets.windows:
            key = fold(window.dyno)
            for lane in self.dynos.pool if key == fold(POOL) and key not in self.sheets.exact else [key]:
                if lane in self.dynos.all_keys():
                    by_lane[lane].append(Window(window.row, self.dynos.name(lane), window.first, window.last))
                else:
                    self.outcome.warnings.append(
                        f"Maintenance row {window.row} was left out: there is no {window.dyno}."
                    )
        return by_lane

    def _decide_imported(self, row: Row, identity: str, earlier: KnownRow) -> Decision:
        stay = earlier.stay if earlier.outcome == BOOKED else None
        places = self.places.get(row.number)
        if stay and places and (fold(earlier.dyno) not in places or stay != row.stay):
            self.outcome.warnings.append(
                f"Row {row.number} was imported before and is on {earlier.dyno}, {stay}; it was left as it is."
            )
        return Decision(
            row, earlier.outcome, identity, self.keys[row.number], earlier.dyno or None, already_there=True
        )

    def _decide(self, row: Row, identity: str, verdict: Verdict | None) -> Decision:
        key = self.keys[row.number]
        if row.status == CANCELLED:
            return Decision(row, CANCELLED, identity, key)
        if verdict is None:
            if row.status in (RUNNING, COMPLETED):
                self.sheets_warning(row, f"is {row.status} but waits for a place, because {self.waits[row.number]}.")
            return Decision(row, WAITING, identity, key, reason=self.waits[row.number])
        if verdict.dyno is None:
            self.sheets_warning(row, f"waits for a place, because {verdict.reason}.")
            return Decision(row, WAITING, identity, key, reason=verdict.reason, other_row=verdict.other_row)
        if verdict.warning:
            self.sheets_warning(row, f"is {row.status} and keeps its place, although {verdict.warning}.")
        return Decision(row, BOOKED, identity, key, verdict.dyno)

    def _keep_windows(self, windows: dict[str, list[Window]], judge: PlacementResolver) -> None:
        """Windows to be made: a day has one occupant, so what stands keeps its days and the window the others."""
        for lane, group in windows.items():
            days: KnownCalendar[object] = KnownCalendar()
            for calendar in (self.ground.dyno_days.get(lane, ()), judge.on_dyno.get(lane, ())):
                for first, last, occupant in calendar:
                    days.take(first, last, occupant)
            for window in group:
                reference = window_reference(window)
                if (lane, reference) in self.ground.windows:
                    continue
                stretches = days.free(window.first, window.last)
                if any(occupant != IN_MAINTENANCE for _, _, occupant in days.within(window.first, window.last)):
                    remaining = ", ".join(day_range(first, last) for first, last in stretches) or "none of its days"
                    self.outcome.warnings.append(
                        f"Maintenance row {window.row}: {window.dyno} is not free on "
                        f"{day_range(window.first, window.last)}; the window keeps {remaining}."
                    )
                for first, last in (piece for stretch in stretches for piece in _pieces(*stretch)):
                    days.take(first, last, IN_MAINTENANCE)
                    self.outcome.windows.append(Window(window.row, window.dyno, first, last, reference))


def _pieces(first: date, last: date) -> Iterator[tuple[date, date]]:
    """The days in stays that are not too long to be kept as one."""
    while first <= last:
        end = min(last, first + timedelta(days=MAX_STAY_DAYS - 1))
        yield first, end
        first = end + timedelta(days=1)

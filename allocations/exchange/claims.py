"""Claims on dynos and vehicles: which overlap as the sheet has them, and which of them keep their place."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from allocations.exchange.cells import fold
from allocations.exchange.dynos import Dynos
from allocations.exchange.errors import WorkbookError
from allocations.exchange.ground import Ground, KnownCalendar, KnownVehicle, Stretch
from allocations.exchange.outcome import COMPLETED, RUNNING, SCHEDULED, Capability, Conflict, Row, VehicleKey, Window
from allocations.rulebook import (
    AVAILABILITY,
    CAPABILITY,
    ENABLED,
    CapabilityFacts,
    DynoFacts,
    Question,
    TestFacts,
    violations,
)
from dynosite.lib.days import DayRange
from dynosite.lib.formats import day_range

RANK = {COMPLETED: 0, RUNNING: 1, SCHEDULED: 2}
MAX_CONFLICTS = 100_000


@dataclass(frozen=True)
class Claim:
    """A row that says where and when; `places` is one dyno, or every lane of the pool."""

    row: Row
    days: DayRange
    places: tuple[str, ...]
    vehicle: VehicleKey
    vehicle_name: str
    vehicle_weight: str  # the class that the vehicle is kept with; the row may say another

    @property
    def shares_vehicle(self) -> bool:
        return self.vehicle.kind != "placeholder"


@dataclass(frozen=True)
class Verdict:
    """Where a claim stands, or why it waits."""

    dyno: str | None
    reason: str = ""
    other_row: int | None = None
    warning: str = ""


def conflicts(claims: list[Claim], dynos: Dynos) -> list[Conflict]:
    """Every overlapping pair of claims as the sheet has them; lanes of a pool are no one's in particular."""
    groups: dict[tuple[str, str], list[Claim]] = defaultdict(list)
    for claim in claims:
        if len(claim.places) == 1:
            groups["dyno", dynos.name(claim.places[0])].append(claim)
        if claim.shares_vehicle:
            groups["vehicle", claim.vehicle_name].append(claim)
    overlaps = []
    for (kind, name), group in groups.items():
        for a, b in _overlapping(group):
            overlaps.append(Conflict(kind, name, (a, b)))
            if len(overlaps) > MAX_CONFLICTS:
                raise WorkbookError(
                    f"More than {MAX_CONFLICTS:,} pairs of rows claim the same days; is it a forecast?"
                )
    return sorted(overlaps, key=lambda c: (c.kind, c.name, c.rows))


def _overlapping(claims: list[Claim]) -> Iterator[tuple[int, int]]:
    """Pairs of row numbers."""
    open_claims: list[Claim] = []
    for claim in sorted(claims, key=lambda claim: (claim.days.first, claim.row.number)):
        open_claims = [other for other in open_claims if other.days.last >= claim.days.first]
        for other in open_claims:
            first, second = sorted((claim.row.number, other.row.number))
            yield first, second
        open_claims.append(claim)


class PlacementResolver:
    """Gives places to claims: completed first, then running, then the earlier first day, then the upper row."""

    def __init__(
        self,
        dynos: Dynos,
        ground: Ground,
        windows: dict[str, list[Window]],
        known_vehicles: dict[VehicleKey, KnownVehicle],
    ):
        self.dynos, self.ground, self.windows = dynos, ground, windows
        self.known_vehicles = known_vehicles
        self.on_dyno: dict[str, KnownCalendar[Row]] = defaultdict(KnownCalendar)
        self.of_vehicle: dict[VehicleKey, KnownCalendar[Row]] = defaultdict(KnownCalendar)
        self.named: dict[str, list[DayRange]] = defaultdict(list)
        """The days of rows that name a lane: it is left to them as long as others are free."""

    def judge(self, claims: list[Claim]) -> dict[int, Verdict]:
        """Row number → verdict."""
        for claim in claims:
            if len(claim.places) == 1:
                self.named[claim.places[0]].append(claim.days)
        verdicts = {}
        for claim in sorted(claims, key=lambda c: (RANK[c.row.status], c.days.first, c.row.number)):
            verdicts[claim.row.number] = verdict = self._place(claim)
            if verdict.dyno:
                self.on_dyno[verdict.dyno].take(claim.days.first, claim.days.last, claim.row)
                self.of_vehicle[claim.vehicle].take(claim.days.first, claim.days.last, claim.row)
        return verdicts

    def _place(self, claim: Claim) -> Verdict:
        if away := self._vehicle_elsewhere(claim):
            return away
        tried = [self._on(claim, key) for key in self._in_order(claim)]
        standing = [v for v in tried if v.dyno]
        best = next((v for v in standing if not v.warning), standing[0] if standing else None)
        if best or len(tried) == 1:
            return best or tried[0]
        return self._none_of(tried)

    @staticmethod
    def _none_of(tried: list[Verdict]) -> Verdict:
        """Why none of several lanes will do."""
        others = sorted({v.other_row for v in tried if v.other_row})
        numbers = f" (rows {', '.join(map(str, others))})" if others else ""
        kind = next((v for v in tried if v.other_row is None), tried[0])
        reason = f"all {len(tried)} lanes are taken{numbers}" if others else f"no lane is open to it: {kind.reason}"
        return Verdict(None, reason, others[0] if others else None)

    def _in_order(self, claim: Claim) -> list[str]:
        def left_to_another(key: str) -> bool:
            stays = self.named.get(key, ()) if len(claim.places) > 1 else ()
            return any(stay.overlaps(claim.days) for stay in stays)

        return sorted(claim.places, key=left_to_another)

    def _vehicle_elsewhere(self, claim: Claim) -> Verdict | None:
        days = claim.days
        if stay := self.of_vehicle[claim.vehicle].first_taken(days.first, days.last):
            number = stay.occupant.number
            return Verdict(None, f"{claim.vehicle_name} is on the dyno of row {number} {_span(stay)}", number)
        vehicle = self.known_vehicles.get(claim.vehicle)
        calendar = self.ground.vehicle_days.get(vehicle.id) if vehicle else None
        booked = calendar.first_taken(days.first, days.last) if calendar else None
        return Verdict(None, f"{claim.vehicle_name} is already {booked.occupant} {_span(booked)}") if booked else None

    def _on(self, claim: Claim, key: str) -> Verdict:
        days, name = claim.days, self.dynos.name(key)
        calendar = self.ground.dyno_days.get(key)
        if calendar and (booked := calendar.first_taken(days.first, days.last)):
            return Verdict(None, f"{name} is already {booked.occupant} {_span(booked)}")
        against = self._against(claim, key, name)
        if against and claim.row.status == SCHEDULED:
            return Verdict(None, against)
        if stay := self.on_dyno[key].first_taken(days.first, days.last):
            number = stay.occupant.number
            return Verdict(None, f"{name} goes to row {number} {_span(stay)}", number)
        return Verdict(key, warning=against)

    def _against(self, claim: Claim, key: str, name: str) -> str:
        """What the rules and the maintenance windows say against it."""
        row, existing = claim.row, self.dynos.existing(key)
        weights = dict.fromkeys((row.weight_class, claim.vehicle_weight))
        tests = [TestFacts(0, 0, claim.vehicle_name, row.test_type, row.drive, weight) for weight in weights]
        capabilities = tuple(
            CapabilityFacts(frozenset(c.drives), frozenset(c.weight_classes))
            for c in self._capabilities(key)
            if c.test_type == fold(row.test_type)
        )
        state = (existing.enabled, existing.available_from, existing.available_to) if existing else (True, None, None)
        dyno = DynoFacts(0, name, 0, *state, capabilities)
        # A row that gives its vehicle another weight class than an upper row needs a dyno that takes both.
        questions = [Question(test, dyno, claim.days) for test in tests]
        refusals = next(filter(None, (violations(question, [CAPABILITY]) for question in questions)), [])
        refusals = [*refusals, *violations(questions[0], [ENABLED, AVAILABILITY])]
        clauses = [refusal.sentence.rstrip(".") for refusal in refusals]
        for window in self.windows.get(key, ()):
            if window.first <= claim.days.last and claim.days.first <= window.last:
                clauses.append(f"{name} is in maintenance {_span(window)}")
                break
        return " and ".join(clauses)

    def _capabilities(self, key: str) -> tuple[Capability, ...]:
        """The ground's rules where it knows dyno and test type both; else the workbook's."""
        dyno, spec = self.dynos.existing(key), self.dynos.specs.get(key)
        own = spec.capabilities if spec else ()
        if not dyno:
            return own
        return dyno.capabilities + tuple(c for c in own if c.test_type not in self.ground.test_types)


def _span(stay: Stretch[Any] | Window) -> str:
    return f"on {day_range(stay.first, stay.last)}"

"""The dynos that a workbook names, the pool of lanes, and which of them a row means."""

from collections import Counter
from collections.abc import Mapping
from difflib import get_close_matches

from allocations.exchange.cells import fold
from allocations.exchange.ground import Ground, KnownDyno
from allocations.exchange.opening import MAINTENANCE, RULES
from allocations.exchange.outcome import Capability, DynoSpec, Row, Sheets
from allocations.names import MAX_NAME_LENGTH, NO_PLACE, POOL, dyno_name_problem, name_problem, unquoted


def candidates(facility: str, dyno: str, facility_of: Mapping[str, str]) -> list[str]:
    """Folded names that a row may mean by its two cells, the likelier first; `facility_of` has all dynos, folded."""
    facility, dyno = fold(facility), fold(dyno).rstrip(".!")
    names = [f"{facility} {dyno}"]
    if (
        facility in NO_PLACE
        or dyno == facility
        or dyno.startswith(facility + " ")
        or facility_of.get(dyno) == facility
    ):
        names.append(dyno)
    if dyno.isascii() and dyno.isdecimal():
        names.append(f"{facility} {int(dyno)}")  # shown with zeros before it
    return names


def meaning(facility: str, dyno: str, facility_of: Mapping[str, str]) -> str | None:
    """The folded name of the one dyno that the two cells mean, if it is one."""
    exact = unquoted(dyno)
    if exact is not None:
        names = [fold(exact)]
    elif fold(dyno).rstrip(".!") in (*NO_PLACE, fold(POOL)):
        return None
    else:
        names = candidates(facility, dyno, facility_of)
    return next((name for name in names if name in facility_of), None)


def _lane_names(lanes: int) -> list[str]:
    return [f"{POOL} {number}" for number in range(1, lanes + 1)]


def _capabilities_by_dyno(sheets: Sheets) -> dict[str, dict[Capability, None]]:
    """What the workbook's rules let each dyno run, by its folded name and in the order of the rules."""
    capabilities: dict[str, dict[Capability, None]] = {}
    for rule in sheets.rules:
        for name in rule.dynos:
            capability = Capability(fold(rule.test_type), rule.drives, rule.weight_classes)
            capabilities.setdefault(fold(name), {})[capability] = None
    return capabilities


class Dynos:
    """All dynos by folded name: `specs` as the workbook has them, `existing` as the ground has them."""

    def __init__(self, sheets: Sheets, ground: Ground, lanes: int):
        self.ground = ground
        self.specs: dict[str, DynoSpec] = {}
        self.warnings: list[str] = []
        self._facilities = sorted((fold(f) for f in sheets.facilities), key=len, reverse=True)
        self._said = sheets.facility_of
        self._written = {fold(f): f for f in reversed(sheets.facilities)}
        capabilities = _capabilities_by_dyno(sheets)
        for row, name in sheets.named_dynos:
            if fold(name) not in {*capabilities, *ground.dynos, fold(POOL)} and not dyno_name_problem(name):
                self.warnings.append(
                    f"Maintenance row {row} names {name}, which no row of DynoRules names: it may run no test."
                )
        for key, name in self._usual_names(sheets).items():
            is_pool = key == fold(POOL) and key not in sheets.exact
            if not is_pool and not self._can_be_made(key, name, sheets):
                continue
            for lane in _lane_names(lanes) if is_pool else [name]:
                both = capabilities.get(fold(lane), {}) | capabilities.get(key, {})
                self._add(lane, tuple(both))
        self._facility_of = {key: self.facility_of(key) for key in self.all_keys()}
        self.pool = sorted((key for key, of in self._facility_of.items() if of == fold(POOL)), key=_natural)

    def _can_be_made(self, key: str, name: str, sheets: Sheets) -> bool:
        """Whether it is there, or its name can be given; says why not. What is quoted can only be meant as a name."""
        if key in self.ground.dynos or (key in sheets.exact and len(name) <= MAX_NAME_LENGTH):
            return True
        problem = dyno_name_problem(name)
        if problem:
            rows = [f"{RULES} row {rule.row}" for rule in sheets.rules if key in map(fold, rule.dynos)]
            rows += [f"{MAINTENANCE} row {row}" for row, named in sheets.named_dynos if fold(named) == key]
            self.warnings.append(f"{rows[0]}: the dyno '{name[:80]}' was left out. {problem}")
        return not problem

    @staticmethod
    def _usual_names(sheets: Sheets) -> dict[str, str]:
        """Folded name → the spelling that is met most."""
        mentions = [name for rule in sheets.rules for name in rule.dynos] + [name for _, name in sheets.named_dynos]
        spellings: dict[str, Counter] = {}
        for name in mentions:
            spellings.setdefault(fold(name), Counter())[name] += 1
        return {key: met.most_common(1)[0][0] for key, met in spellings.items()}

    def _add(self, name, capabilities) -> None:
        earlier = self.specs.get(fold(name))
        if earlier:
            capabilities = tuple(dict.fromkeys(earlier.capabilities + capabilities))
        self.specs[fold(name)] = DynoSpec(name, self._facility(name), capabilities)

    def _facility(self, name: str) -> str:
        if fold(name) in self._said:
            return self._said[fold(name)]
        for facility in self._facilities:
            if fold(name).startswith(facility + " ") or fold(name) == facility:
                return self._written[facility]
        guess = name.rsplit(" ", 1)[0]
        return name if name_problem(guess) else guess

    def facility_of(self, key: str) -> str:
        dyno = self.ground.dynos.get(key)
        return fold(dyno.facility if dyno else self.specs[key].facility)

    def name(self, key: str) -> str:
        dyno = self.ground.dynos.get(key)
        return dyno.name if dyno else self.specs[key].name

    def existing(self, key: str) -> KnownDyno | None:
        return self.ground.dynos.get(key)

    def all_keys(self) -> set[str]:
        return {*self.specs, *self.ground.dynos}

    def places_of(self, row: Row) -> tuple[list[str] | None, str]:
        """The dynos that the row's place may be on: [] for no place yet, None and why where it can't be told."""
        facility, dyno = fold(row.facility), fold(row.dyno).rstrip(".!")
        if dyno in NO_PLACE:
            return [], row.dyno or "no dyno given"
        if dyno == fold(POOL) and facility in (fold(POOL), *NO_PLACE) and self.pool:
            return self.pool, ""
        if key := meaning(row.facility, row.dyno, self._facility_of):
            return [key], ""
        names = candidates(row.facility, unquoted(row.dyno) or row.dyno, self._facility_of)
        return None, self._unknown(row, names[-1] if facility in NO_PLACE else names[0])

    def _unknown(self, row: Row, name: str) -> str:
        names = {key: self.name(key) for key in sorted(self.all_keys())}
        plain = {_plain(key): key for key in names}
        near = [plain[_plain(name)]] if _plain(name) in plain else get_close_matches(name, names, 3, 0.75)
        hint = (
            f" did you mean {' or '.join(names[key] for key in near)}?" if near else " correct it, or add it there."
        )
        place = f"'{row.dyno[:60]}' at the facility '{row.facility[:60]}'" if row.facility else f"'{row.dyno[:60]}'"
        return f"Unknown dyno: {place} is not among the dynos of DynoRules;{hint}"


def _plain(key: str) -> str:
    return "".join(c for c in key if c.isalnum())


def _natural(key: str):
    words = key.rsplit(" ", 1)
    number = words[-1].lstrip("#")
    return (int(number), key) if number.isdecimal() else (10**9, key)

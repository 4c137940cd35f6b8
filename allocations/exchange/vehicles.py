"""Which vehicle a row means: its VIN, else its issued tag, else one of as few as a placeholder's days allow."""

from collections import defaultdict
from collections.abc import Iterable
from datetime import date

from allocations import vehicle_details
from allocations.exchange.cells import fold
from allocations.exchange.ground import Ground, KnownCalendar, KnownVehicle
from allocations.exchange.outcome import Row, VehicleKey, VehicleSpec
from dynosite.lib.days import DayRange


class Vehicles:
    """Finds the vehicle of each row; `specs` are those that rows need, `known` those of them that the ground has."""

    def __init__(self, rows: list[Row], ground: Ground):
        self.ground = ground
        self.specs: dict[VehicleKey, VehicleSpec] = {}
        self.known: dict[VehicleKey, KnownVehicle] = {}
        self.warnings: list[str] = []
        self._given: set[str] = set()
        self._by_vin = {v.vin: v for v in ground.vehicles if v.vin}
        self._by_tag = {fold(v.tag): v for v in ground.vehicles if v.tag}
        self._tags_of_vin: dict[str, dict[str, int]] = defaultdict(dict)
        self._vins_of_tag = self._link(rows)
        self._placeholder_names = {fold(r.tag) for r in rows if not r.vin and not r.issued}

    def _link(self, rows: list[Row]) -> dict[str, dict[str, int]]:
        """Issued tag → the VINs that stand beside it, each with its first row."""
        vins_of_tag: dict[str, dict[str, int]] = defaultdict(dict)
        for row in rows:
            if row.vin and row.issued:
                vins_of_tag[row.tag].setdefault(row.vin, row.number)
                self._tags_of_vin[row.vin].setdefault(row.tag, row.number)
        for tag, vins in vins_of_tag.items():
            if len(vins) > 1:
                listing = " and ".join(f"{vin} (row {n})" for vin, n in vins.items())
                self.warnings.append(f"Tag {tag} stands with different VINs, {listing}: they are different vehicles.")
        for vin, tags in self._tags_of_vin.items():
            if len(tags) > 1:
                listing = " and ".join(f"{tag} (row {n})" for tag, n in tags.items())
                self.warnings.append(f"VIN {vin} stands with different tags, {listing}: it is one vehicle.")
        return vins_of_tag

    def key(self, row: Row) -> tuple[VehicleKey | None, str]:
        """The vehicle's key, or None and why it can't be told; a placeholder's comes from `number`."""
        if row.vin:
            return VehicleKey("vin", row.vin), ""
        if not row.issued:
            return None, ""
        vins = self._vins_of_tag.get(row.tag, {})
        if len(vins) > 1:
            listing = ", ".join(f"{vin} in row {n}" for vin, n in vins.items())
            return None, f"No vehicle: tag {row.tag} stands with different VINs ({listing}); fill in this row's VIN."
        if vins:
            return VehicleKey("vin", next(iter(vins))), ""
        vehicle = self._by_tag.get(fold(row.tag))
        key = VehicleKey("vin", vehicle.vin) if vehicle and vehicle.vin else VehicleKey("tag", row.tag)
        return key, ""

    def use(self, key: VehicleKey, row: Row, tag: str = "") -> None:
        """Row needs the vehicle: note what the row says of it; what an upper row said stays."""
        tag = tag or (row.tag if row.issued else "")
        spec = self.specs.get(key)
        if spec is None:
            vehicle = self._find(key, tag)
            if vehicle:
                self.known[key] = vehicle
            spec = self.specs[key] = VehicleSpec(
                key,
                vehicle.tag if vehicle else "",
                key.name if key.kind == "vin" else "",
                key.kind == "placeholder",
                vehicle.weight_class if vehicle else row.weight_class,
                vehicle.drive if vehicle else row.own_drive,
            )
        if not spec.tag:
            spec.tag = self._free_tag(key, tag)
            self._given.add(spec.tag)
        if spec.weight_class != row.weight_class:
            where = "in the proving ground" if key in self.known else "in an upper row"
            self.warnings.append(
                f"Row {row.number}: {spec.name} is {row.weight_class} here and {spec.weight_class} {where};"
                f" the vehicle is kept as {spec.weight_class}."
            )
        for name in vehicle_details.NAMES:
            if row.detail(name):
                spec.details.setdefault(name, row.detail(name))

    def _find(self, key: VehicleKey, tag: str) -> KnownVehicle | None:
        if key.kind == "vin":
            if by_vin := self._by_vin.get(key.name):
                return by_vin
            used = {vehicle.id for vehicle in self.known.values()}
            by_tag = (self._by_tag.get(fold(t)) for t in self._tags_of_vin.get(key.name, ()))
            # A vehicle that was known by its tag alone has got its VIN.
            return next((v for v in by_tag if v and not v.vin and v.id not in used), None)
        return self._by_tag.get(fold(key.name if key.kind == "tag" else tag))

    def _free_tag(self, key: VehicleKey, tag: str) -> str:
        """The tag, where no other vehicle has it."""
        holder = self._by_tag.get(fold(tag))
        mine = self.known.get(key)
        if not tag or (holder and (mine is None or holder.id != mine.id)):
            return ""
        return "" if key.kind == "vin" and tag in self._given else tag

    # --- placeholders ---

    def number(self, rows: Iterable[Row]) -> dict[int, VehicleKey]:
        """Row number → key: rows of one placeholder whose days overlap are different vehicles, numbered by day."""
        keys: dict[int, VehicleKey] = {}
        groups: dict[str, list[Row]] = defaultdict(list)
        for row in rows:
            groups[fold(row.tag)].append(row)
        for name, group in groups.items():
            tags: list[str] = []
            busy: list[KnownCalendar[None]] = []
            spelling = group[0].tag
            for row in sorted(group, key=lambda r: (r.first or date.max, r.number)):
                stay = row.stay
                if stay is None:
                    tags, busy = tags or [self._placeholder_tag(spelling, [])], busy or [self._busy(spelling)]
                    keys[row.number] = key = VehicleKey("placeholder", name, 1)
                    self.use(key, row, tags[0])
                    continue
                free = [n for n, days in enumerate(busy) if not days.first_taken(stay.first, stay.last)]
                like = (n for n in free if self._weight(name, n + 1) in ("", row.weight_class))
                nth = next(like, free[0] if free else len(tags))
                while nth == len(tags):
                    tags.append(self._placeholder_tag(spelling, tags))
                    busy.append(self._busy(tags[nth]))
                    nth += busy[nth].first_taken(stay.first, stay.last) is not None
                busy[nth].take(stay.first, stay.last, None)
                keys[row.number] = key = VehicleKey("placeholder", name, nth + 1)
                self.use(key, row, tags[nth])
        return keys

    def _weight(self, name: str, number: int) -> str:
        spec = self.specs.get(VehicleKey("placeholder", name, number))
        return spec.weight_class if spec else ""

    def _placeholder_tag(self, spelling: str, used: list[str]) -> str:
        if not used:
            return spelling
        nth = len(used) + 1
        # "X (2)" may itself be written in the sheet: then it is a placeholder of its own.
        while fold(tag := f"{spelling} ({nth})") in self._placeholder_names or tag in used:
            nth += 1
        return tag

    def _busy(self, tag: str) -> KnownCalendar[None]:
        days: KnownCalendar[None] = KnownCalendar()
        if vehicle := self._by_tag.get(fold(tag)):
            stays = [DayRange(first, last) for first, last, _ in self.ground.vehicle_days.get(vehicle.id, ())]
            for stay in [*stays, *self.ground.wanted_days.get(vehicle.id, ())]:
                for gap in days.free(stay.first, stay.last):
                    days.take(gap.first, gap.last, None)
        return days

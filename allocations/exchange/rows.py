"""One row of the forecast: typed, or every problem that keeps it from being read."""

import re
from datetime import date, datetime, time, timedelta

from allocations.exchange.cells import (
    UNCALCULATED,
    clause_of,
    fold,
    instant,
    is_error,
    is_nothing,
    number,
    text,
    whole_days,
)
from allocations.exchange.errors import UnreadableError
from allocations.exchange.headings import NAMES
from allocations.exchange.outcome import Row
from allocations.exchange.words import (
    AS_NOTE,
    DERIVED,
    DETAILS,
    DRIVE_WORDS,
    ISSUED_TAG,
    KEPT_AS_NOTE,
    MAX_DAYS,
    MAX_DETAIL_LENGTH,
    MAX_LENGTHS,
    NOTE_LABELS,
    NUMBERS,
    STATUS_WORDS,
    TEXTS,
    VIN,
    weight_class,
)
from allocations.names import NO_PLACE
from dynosite.lib.formats import full_date


def _last_of(end: datetime) -> date:
    """The last day of a stay that ends at this moment: the start plus the days. At midnight it is the day before."""
    return (end - timedelta(days=end.time() == time(0))).date()


class RowReader:
    """Reads rows of one grid; `remarks` are what there is to say of the last row that was read."""

    def __init__(self, grid, columns, shift, test_types: dict[str, str]):
        self.grid, self.columns, self.shift, self.test_types = grid, columns, shift, test_types
        self.own = [c for name, indexes in columns.items() if name not in DERIVED for c in indexes]
        self.remarks: list[str] = []

    def is_blank(self, n: int) -> bool:
        values = {column: self.grid.at(n, column) for column in self.own}
        return all(v is None or v is UNCALCULATED or is_error(v) or not text(v) for v in values.values())

    def is_heading(self, n: int) -> bool:
        """True where the heading row stands again between the rows."""
        return all(fold(self.grid.at(n, self.columns[f][0])) == fold(NAMES[f]) for f in ("test", "estimated"))

    def facility(self, n: int) -> str:
        return text(self._values(n, "facility")[0][1]) if self._values(n, "facility") else ""

    def read(self, n: int) -> tuple[Row | None, list[str]]:
        """The row, or None and its problems as clauses."""
        self.n = n
        self.problems: list[str] = []
        self.remarks = []
        extra_notes: list[str] = []
        status, word = self._status()
        test_type = self._test_type()
        weight, (drive, own_drive) = self._weight(), self._drives()
        vin, tag, issued = self._vehicle()
        words = {name: self._text(name) for name in ("facility", "dyno")}
        # Only a test that has no place may still be without days.
        self.may_wait = status in ("waiting", "cancelled") or fold(words["dyno"]).rstrip(".!") in NO_PLACE
        first = self._first_day()
        last, days = self._last_day(first)
        numbers = {name: self._quiet_number(name, most, extra_notes) for name, most in NUMBERS.items()}
        if self.problems:
            return None, self.problems
        extra_notes += [
            f"{label}: {note}" for name, label in AS_NOTE.items() if (note := self._text(name, quiet=True))
        ]
        details = {name: value for name in DETAILS if (value := self._text(name, quiet=True))}
        self._check_model_year(details, extra_notes)
        # What was exported has the particulars among its notes already.
        notes = list(dict.fromkeys(filter(None, [word, *self._text("notes", quiet=True).split("; "), *extra_notes])))
        due = self._quiet_day("projected", ends=True)
        row = Row(
            n,
            test_type,
            words["facility"],
            words["dyno"],
            vin,
            tag,
            issued,
            weight,
            drive,
            own_drive,
            first,
            last,
            days,
            status,
            estimated=self._quiet_day("estimated"),
            due=due if due and (first is None or due >= first) else None,
            note="; ".join(part for part in notes if not part.startswith(NOTE_LABELS)),
            full_note="; ".join(notes),
            details=tuple(details.items()),
            given_identity=self._text("identity", quiet=True),
            **numbers,
        )
        return row, []

    # --- cells ---

    def _values(self, n, name) -> list[tuple[int, object]]:
        """The columns with this heading that hold something, or the first of them, with their values."""
        columns = self.columns.get(name, ())
        at = self.grid.text_at if name in TEXTS else self.grid.at
        filled = [(c, v) for c in columns if (v := at(n, c)) is not None and (v is UNCALCULATED or text(v))]
        return filled or [(c, None) for c in columns[:1]]

    def _cell(self, name, *, quiet=False):
        """The cell's address in words and its value; two columns of one heading must not differ."""
        values = self._values(self.n, name)
        if not values:
            return f"'{NAMES[name]}'", None
        column, value = values[0]
        self._remark_format(name, column, value)
        differing = next(((c, v) for c, v in values if fold(v) != fold(value)), None)
        where = f"{NAMES[name]} ({self.grid.cell(self.n, column)})"
        if differing and not quiet:
            other = self.grid.cell(self.n, differing[0])
            self.problems.append(
                f"the heading {NAMES[name]} appears twice, and {other} does not say what {where} says"
            )
        return where, value

    def _remark_format(self, name: str, column: int, value) -> None:
        code = self.grid.unclear.get((self.n, column))
        if code and name in TEXTS:
            where = f"{NAMES[name]} ({self.grid.cell(self.n, column)})"
            self.remarks.append(f"{where} is shown by the format {code}; {text(value)} was taken")

    def _text(self, name, *, quiet=False) -> str:
        where, value = self._cell(name, quiet=quiet)
        if value is UNCALCULATED or is_error(value):
            if not quiet:
                self.problems.append(f"{where} {clause_of(value)}")
            return ""
        words = text(value)
        longest = MAX_LENGTHS.get(name, MAX_DETAIL_LENGTH if name != "notes" else 2000)
        if len(words) > longest:
            if not quiet:
                self.problems.append(f"{where} is longer than {longest} characters")
            else:
                self.remarks.append(f"{where} is longer than {longest} characters; the rest was left out")
            words = words[:longest].strip()
        return words

    def _status(self):
        where, value = self._cell("status")
        status = STATUS_WORDS.get(fold(value)) or STATUS_WORDS.get(fold(value).replace("travelling", "traveling"))
        if not status:
            clause = "is empty" if not text(value) else clause_of(value)
            self.problems.append(
                f"unknown status: {where} {clause}; "
                "G, RUNNING, COMPLETED, CANCELLED, REMOVED, TBD, DELAYED or TRAVELING will do"
            )
        return status, text(value) if fold(value) in KEPT_AS_NOTE else ""

    def _test_type(self):
        where, value = self._cell("test")
        known_name = self.test_types.get(fold(value))
        if not text(value):
            self.problems.append(f"no test type: {where} is empty")
        elif known_name is None:
            known_ones = ", ".join(sorted(self.test_types.values())) or "none at all"
            self.problems.append(f"unknown test type: {where} {clause_of(value)}; DynoRules knows {known_ones}")
        elif len(text(value)) > MAX_LENGTHS["test"]:
            self.problems.append(f"{where} is longer than {MAX_LENGTHS['test']} characters")
        return text(value)

    def _weight(self):
        where, value = self._cell("weight")
        weight = weight_class(value)
        if not weight:
            clause = "is empty" if not text(value) else clause_of(value)
            self.problems.append(f"no weight class: {where} {clause}; <10K or >10K will do")
        return weight

    def _drives(self) -> tuple[str, str]:
        """The drive that it is tested as, and the vehicle's own; empty where there is a problem."""
        drives: list[str] = []
        for name in ("constraint", "drive"):
            where, value = self._cell(name, quiet=bool(drives))
            if value is UNCALCULATED or not is_nothing(value):
                drive = DRIVE_WORDS.get(fold(value).replace(" ", ""), "")
                if not drive and not drives:
                    self.problems.append(
                        f"no drive: {where} {clause_of(value)}; 2WD, AWD, 4X2, 4X4 or RWD/AWD will do"
                    )
                    return "", ""
                drives.append(drive)
        if not drives:
            self.problems.append("no drive: neither DYNO CONSTRAINT nor AWD/2WD is filled in")
            return "", ""
        return drives[0], drives[-1] or drives[0]

    def _vehicle(self):
        where_tag, tag = self._cell("tag")[0], self._text("tag") if "tag" in self.columns else ""
        where, value = self._cell("vin")
        vin = ""
        if value is UNCALCULATED or not is_nothing(value):
            vin = re.sub(r"\s", "", text(value)).upper()
            if value is UNCALCULATED or not VIN.fullmatch(vin):
                self.problems.append(
                    f"no vehicle: {where} {clause_of(value)}, which is not a VIN "
                    "(leave it empty where there is none yet)"
                )
            elif len(vin) != 17:
                self.remarks.append(f"{where} {clause_of(value)}, which has {len(vin)} characters; a VIN has 17")
        elif not tag and not self.problems_about(where_tag):
            self.problems.append("no vehicle: VIN # and Tag # are both empty")
        issued = ISSUED_TAG.fullmatch(tag.upper()) is not None
        return vin, tag.upper() if issued else tag, issued

    def problems_about(self, where) -> bool:
        return any(where in problem for problem in self.problems)

    # --- days ---

    def _instant(self, name) -> datetime | None:
        where, value = self._cell(name)
        try:
            return instant(value, epoch=self.grid.epoch)
        except UnreadableError as problem:
            raise UnreadableError(f"{where} {problem}") from problem

    def _quiet_day(self, name, *, ends=False) -> date | None:
        try:
            moment = self._instant(name)
        except UnreadableError:
            return None
        return self.shift(_last_of(moment) if ends else moment.date()) if moment else None

    def _first_day(self) -> date | None:
        try:
            for name in ("actual", "new_estimate", "estimated"):
                if moment := self._instant(name):
                    return self.shift(moment.date())
        except UnreadableError as problem:
            self.problems.append(f"no start date: {problem}")
            return None
        if not self.may_wait:
            self.problems.append("no start date: ACTUAL START DATE, NEW EST DATE and Estimated Start are all empty")
        return None

    def _last_day(self, first: date | None) -> tuple[date | None, int]:
        if not first and self.problems_about("no start date"):
            return None, 0
        try:
            last, days, source = self._end(first)
        except UnreadableError as problem:
            self.problems.append(f"no end date: {problem}")
            return None, 0
        if days is None:
            empty = "TESTING COMPLETED, Days to complete and Projected End Date" if first else "Days to complete"
            self.problems.append(f"no end date: nothing can be read from {empty}")
        elif days < 1:
            starts = f", and it starts on {full_date(first)}" if first else ""
            self.problems.append(f"ends before it starts: {source}{starts}")
        elif days > MAX_DAYS:
            self.problems.append(f"takes {days} days ({source}); a test takes {MAX_DAYS} at most")
        return last, days or 0

    def _end(self, first: date | None) -> tuple[date | None, int | None, str]:
        """The last day, the number of days, and what says so."""
        if first and (moment := self._instant("completed")):
            last = self.shift(moment.date())
            return last, (last - first).days + 1, f"TESTING COMPLETED is {full_date(last)}"
        where, value = self._cell("days")
        if is_error(value):
            self.remarks.append(f"{where} {clause_of(value)}; the last day was taken from Projected End Date")
        elif (tested := self._days(where, value)) is not None:
            added = self._added_days()
            days = whole_days(tested + added)
            last = first and first + timedelta(days=days - 1)
            self._remark_projected_end(last, added)
            return last, days, f"{where} is {text(value)}" + (f", and {added:g} are added" if added else "")
        if first and (moment := self._instant("projected")):
            last = self.shift(_last_of(moment))
            return last, (last - first).days + 1, f"its Projected End Date makes {full_date(last)} the last day"
        return None, None, ""

    def _added_days(self) -> float:
        """Days on top of those of the test itself. Parts of a day count too, though only whole ones are kept."""
        _, value = self._cell("extra_days", quiet=True)
        try:
            added = None if value is UNCALCULATED or is_error(value) else number(value)
        except UnreadableError:
            return 0
        return added if added is not None and 0 <= added <= MAX_DAYS else 0

    def _remark_projected_end(self, last: date | None, added: float) -> None:
        """Says both where the sheet's own end, of a row that was re-dated mostly, is not that of its days.

        In a row that was exported here it is the day on which the test is due.
        """
        if last is None or self._text("identity", quiet=True):
            return
        if (projected := self._quiet_day("projected", ends=True)) in (None, last):
            return
        parts = f"{NAMES['days']} and {NAMES['extra_days']}" if added else NAMES["days"]
        self.remarks.append(
            f"{NAMES['projected']} says {full_date(projected)}; by {parts} the last day is {full_date(last)}, which "
            "was taken"
        )

    def _days(self, where, value) -> float | None:
        if isinstance(value, datetime | date | time | timedelta):
            raise UnreadableError(f"{where} {clause_of(value)}, which is not a number of days")
        try:
            days = number(value)
        except UnreadableError as problem:
            raise UnreadableError(f"{where} {problem}") from problem
        if days is not None and abs(days) > 100_000:
            raise UnreadableError(
                f"{where} {clause_of(value)}, which is not a likely number of days; 1 to {MAX_DAYS} will do"
            )
        return days

    def _quiet_number(self, name, most: int, notes: list[str]) -> int | None:
        """A number that nothing hangs on; what is no whole number is kept as a note."""
        where, value = self._cell(name, quiet=True)
        if value is UNCALCULATED or is_error(value):
            self.remarks.append(f"{where} {clause_of(value)} and was left out")
            return None
        try:
            amount = number(value)
        except UnreadableError:
            amount = -1
        if amount is not None and not (0 <= amount <= most and amount == int(amount)):
            self.remarks.append(f"{where} {clause_of(value)}; it was kept as a note")
            notes.append(f"{NAMES[name]}: {text(value)[:80]}")
            return None
        return None if amount is None else int(amount)

    def _check_model_year(self, details: dict[str, str], notes: list[str]) -> None:
        year = details.get("model_year", "")
        if year and not (year.isdecimal() and len(year) == 4 and 1980 <= int(year) <= 2100):
            self.remarks.append(f"{NAMES['model_year']} says '{year}', which is not a year; it was kept as a note")
            notes.append(f"{NAMES['model_year']}: {details.pop('model_year')}")

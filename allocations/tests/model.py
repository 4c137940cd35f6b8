"""The schedule as plain data, changed by the rules as a person would say them. What the services are held against.

Days are numbers. Every attempt either gives the codes of its refusal and changes nothing, or is kept as a change that
can be undone.
"""

import copy
from dataclasses import dataclass, field

from allocations.tests import naive

LIVE = ("scheduled", "running", "completed")


class No(Exception):
    def __init__(self, *codes: str):
        super().__init__(*codes)
        self.codes = set(codes)


@dataclass
class Stay:
    vehicle: str
    dyno: str
    first: int
    last: int
    status: str = "scheduled"
    request: int | None = None
    version: int = 1


@dataclass
class Window:
    dyno: str
    first: int
    last: int
    lifted: bool = False
    version: int = 1


@dataclass
class Request:
    vehicle: str
    days: int
    status: str = "waiting"
    version: int = 1


@dataclass
class Aside:
    """What a window displaced, and from where."""

    window: int
    stay: int
    answer: str
    place: tuple[str, int, int, str]
    request: int | None
    back: bool = False


Rows = dict[tuple[str, int], Stay | Window | Request]


@dataclass
class Model:
    """`vehicles` are (drive, weight class) by name; rows are by kind and number, in the order they were made."""

    dynos: dict[str, naive.NaiveDyno]
    vehicles: dict[str, tuple[str, str]]
    today: int
    rows: Rows = field(default_factory=dict)
    asides: list[Aside] = field(default_factory=list)
    changes: list[dict[tuple[str, int], tuple]] = field(default_factory=list)
    undone: set[int] = field(default_factory=set)

    def attempt(self, name: str, *arguments, **more) -> set[str]:
        """Does it and returns nothing, or the codes that refuse it."""
        before = copy.deepcopy((self.rows, self.asides, self.undone))
        try:
            getattr(self, name)(*arguments, **more)
        except No as no:
            self.rows, self.asides, self.undone = before
            return no.codes
        made = {key: (before[0].get(key), copy.deepcopy(row)) for key, row in self.rows.items()}
        self.changes.append({key: pair for key, pair in made.items() if pair[0] != pair[1]})
        return set()

    def of(self, kind: str) -> dict[int, Stay | Window | Request]:
        return {number: row for (of, number), row in self.rows.items() if of == kind}

    def add(self, kind: str, row) -> int:
        number = len(self.of(kind))
        self.rows[kind, number] = row
        return number

    def taken(self, *, without: int | None = None) -> list[naive.Taken]:
        stays = [
            naive.Taken(s.dyno, s.first, s.last, s.vehicle)
            for number, s in self.of("stay").items() if s.status in LIVE and number != without
        ]  # fmt: skip
        windows = [naive.Taken(w.dyno, w.first, w.last) for w in self.of("window").values() if not w.lifted]
        return stays + windows

    def judge(self, vehicle: str, dyno: str, first: int, last: int, *, without=None, fit: bool = True) -> None:
        codes = set()
        drive, weight = self.vehicles[vehicle]
        rows = self.dynos[dyno].rows
        if fit and not any(drive in drives and weight in weights for drives, weights in rows):
            drives = {each for drives, _ in rows for each in drives}
            weights = {each for _, weights in rows for each in weights}
            wrong = [("drive-not-taken", drive not in drives), ("weight-not-taken", weight not in weights)]
            codes |= {code for code, is_wrong in wrong if is_wrong} or {"combination-not-taken"}
        for stay in self.taken(without=without):
            if stay.first <= last and first <= stay.last:
                if stay.dyno == dyno:
                    codes.add("dyno-taken" if stay.vehicle else "maintenance")
                elif stay.vehicle == vehicle:
                    codes.add("vehicle-elsewhere")
        if codes:
            raise No(*codes)

    def book(self, vehicle: str, dyno: str, first: int, last: int, request: int | None = None) -> None:
        behind = None if request is None else self.rows["request", request]
        if behind and (behind.status != "waiting" or behind.vehicle != vehicle):
            raise No("wrong-status")
        self.judge(vehicle, dyno, first, last)
        self.add("stay", Stay(vehicle, dyno, first, last, request=request))
        if behind:
            self.write(behind, status="placed")

    def auto_book(self, vehicle: str, first: int, days: int, latest: int) -> None:
        drive, weight = self.vehicles[vehicle]
        found = naive.places(
            self.dynos.values(), self.taken(), vehicle=vehicle, drive=drive, weight=weight,
            days=days, first=first, latest=latest,
        )  # fmt: skip
        if not found:
            raise No("no-place")
        dyno, start = found[0]
        self.book(vehicle, dyno, start, start + days - 1)

    def write(self, row, **values) -> None:
        for name, value in values.items():
            setattr(row, name, value)
        row.version += 1

    def place_again(self, number: int, dyno: str, first: int, last: int, status: str | None = None) -> None:
        stay = self.rows["stay", number]
        if stay.status not in ("scheduled", "running"):
            raise No("wrong-status")
        self.judge(stay.vehicle, dyno, first, last, without=number)
        self.write(stay, dyno=dyno, first=first, last=last, status=status or stay.status)

    move = place_again

    def start(self, number: int) -> None:
        stay = self.rows["stay", number]
        if stay.status != "scheduled" or stay.first > self.today:
            raise No("wrong-status")
        self.write(stay, status="running")

    def complete(self, number: int, last: int) -> None:
        stay = self.rows["stay", number]
        if stay.status not in ("scheduled", "running") or last > self.today:
            raise No("wrong-status")
        if last < stay.first:
            raise No("days-order")
        if last == stay.last:
            self.write(stay, status="completed")
        else:
            self.place_again(number, stay.dyno, stay.first, last, "completed")

    def cancel(self, number: int, keep: bool) -> None:
        stay = self.rows["stay", number]
        if stay.status not in ("scheduled", "running"):
            raise No("wrong-status")
        self.write(stay, status="cancelled")
        self.let_wait(stay, waits=keep)

    def let_wait(self, stay: Stay, *, waits: bool) -> None:
        behind = None if stay.request is None else self.rows["request", stay.request]
        if behind and behind.status == "placed":
            self.write(behind, status="waiting" if waits else "cancelled")

    def ask(self, vehicle: str, days: int) -> None:
        self.add("request", Request(vehicle, days))

    def cancel_request(self, number: int) -> None:
        if self.rows["request", number].status != "waiting":
            raise No("wrong-status")
        self.write(self.rows["request", number], status="cancelled")

    def hits(self, dyno: str, first: int, last: int) -> list[int]:
        meeting = [
            (s.first, number) for number, s in self.of("stay").items()
            if s.dyno == dyno and s.status in LIVE and s.first <= last and first <= s.last
        ]  # fmt: skip
        return [number for _, number in sorted(meeting)]

    def shut(self, dyno: str, first: int, last: int, answers: dict[int, tuple], window: int | None = None) -> None:
        """Sets a window, or changes one; an answer is ("move", dyno, first), ("shorten",), ("wait",), ("cancel",)."""
        for number, other in self.of("window").items():
            meet = other.dyno == dyno and other.first <= last and first <= other.last
            if meet and number != window and not other.lifted:
                raise No("maintenance")
        hits = self.hits(dyno, first, last)
        if any(self.rows["stay", hit].status == "completed" for hit in hits):
            raise No("bad-answer")
        if any(hit not in answers for hit in hits):
            raise No("fallout-unanswered")
        aside = [self.displace(hit, answers[hit], dyno, first, last)
                 for hit in sorted(hits, key=lambda hit: answers[hit][0] == "move")]  # fmt: skip
        if window is None:
            window = self.add("window", Window(dyno, first, last))
        else:
            self.write(self.rows["window", window], dyno=dyno, first=first, last=last)
        self.asides += [Aside(window, *each) for each in aside]

    def displace(self, hit: int, answer: tuple, dyno: str, first: int, last: int) -> tuple:
        stay = self.rows["stay", hit]
        stood, request = (stay.dyno, stay.first, stay.last, stay.status), None
        if answer[0] == "move":
            _, target, start = answer
            end = start + stay.last - stay.first
            if target == dyno and start <= last and first <= end:
                raise No("bad-answer")
            self.place_again(hit, target, start, end)
        elif answer[0] == "shorten":
            if stay.first >= first:
                raise No("bad-answer")
            left = stay.last - first + 1
            self.write(stay, last=first - 1)
            request = self.add("request", Request(stay.vehicle, left))
        else:
            self.write(stay, status="cancelled")
            self.let_wait(stay, waits=answer[0] == "wait")
            request = stay.request
            if request is None and answer[0] == "wait":
                request = self.add("request", Request(stay.vehicle, stay.last - stay.first + 1))
        return hit, answer[0], stood, request

    def lift(self, window: int, back: list[int]) -> None:
        """`back` are the numbers of asides of the window."""
        row = self.rows["window", window]
        if row.lifted:
            raise No("wrong-status")
        self.write(row, lifted=True)
        for number in sorted(back, key=lambda number: (self.asides[number].place[1], number)):
            self.bring_back(self.asides[number])

    def bring_back(self, aside: Aside) -> None:
        stay = self.rows["stay", aside.stay]
        gone = aside.answer in ("wait", "cancel")
        if stay.status not in (("cancelled",) if gone else ("scheduled", "running")):
            raise No("wrong-status")
        dyno, first, last, status = aside.place
        self.judge(stay.vehicle, dyno, first, last, without=aside.stay)
        if aside.request is not None:
            request = self.rows["request", aside.request]
            if request.status == "placed":
                raise No("bad-answer")
            self.write(request, status="placed" if aside.request == stay.request else "cancelled")
        self.write(stay, dyno=dyno, first=first, last=last, status=status)
        aside.back = True

    def undo(self, change: int) -> None:
        rows = self.changes[change]
        if change in self.undone or any(self.rows[key].version != after.version for key, (_, after) in rows.items()):
            raise No("cannot-undo")
        for key, (before, _) in rows.items():
            now = self.rows[key]
            version = now.version + 1
            if before is not None:
                now = self.rows[key] = copy.deepcopy(before)
            elif key[0] == "window":
                now.lifted = True
            else:
                now.status = "cancelled"
            now.version = version
        self.expect_no_overlap({number for kind, number in rows if kind == "stay"})
        self.expect_windows_free({number for kind, number in rows if kind == "window"})
        for aside in self.asides:
            if ("window", aside.window) in rows and ("stay", aside.stay) in rows:
                stay = self.rows["stay", aside.stay]
                aside.back = (stay.dyno, stay.first, stay.last, stay.status) == aside.place
        self.undone.add(change)

    def expect_no_overlap(self, numbers: set[int]) -> None:
        codes: set[str] = set()
        for number in numbers:
            stay = self.rows["stay", number]
            if stay.status in LIVE:
                try:
                    self.judge(stay.vehicle, stay.dyno, stay.first, stay.last, without=number, fit=False)
                except No as no:
                    codes |= no.codes
        if codes:
            raise No(*codes)

    def expect_windows_free(self, numbers: set[int]) -> None:
        for number in numbers:
            window = self.rows["window", number]
            others = [w for n, w in self.of("window").items() if n != number and not w.lifted]
            stays = [s for s in self.of("stay").values() if s.status in LIVE]
            for other, code in [*((w, "maintenance") for w in others), *((s, "dyno-taken") for s in stays)]:
                meet = other.dyno == window.dyno and other.first <= window.last and window.first <= other.last
                if meet and not window.lifted:
                    raise No(code)

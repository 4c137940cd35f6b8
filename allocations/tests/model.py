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
    earliest: int | None = None
    after: int | None = None


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
            for number, s in self.of("stay").items()
            if s.status in LIVE and number != without
        ]
        windows = [naive.Taken(w.dyno, w.first, w.last) for w in self.of("window").values() if not w.lifted]
        return stays + windows

    def overruns(self, without: int | None = None) -> list[Stay]:
        """What runs and should have ended by now."""
        return [
            s
            for number, s in self.of("stay").items()
            if s.status == "running" and s.last < self.today and number != without
        ]

    def held(self, without: int | None = None) -> list[naive.Taken]:
        return [naive.Taken(s.dyno, s.last + 1, naive.FOR_EVER, s.vehicle) for s in self.overruns(without)]

    def judge(
        self,
        vehicle: str,
        dyno: str,
        first: int,
        last: int,
        *,
        without=None,
        fit: bool = True,
        stood: Stay | None = None,
    ) -> None:
        """`stood` is where it stands by now, on this dyno or another."""
        codes = set()
        if stood and stood.dyno == dyno and stood.first <= first and last <= stood.last:
            fit = False
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
        codes |= self.late(vehicle, dyno, first, last, without, stood)
        if codes:
            raise No(*codes)

    def late(
        self, vehicle: str, dyno: str, first: int, last: int, without: int | None, stood: Stay | None
    ) -> set[str]:
        """What still runs is in the way of all that comes; of what stands after it already, through today alone."""
        codes = set()
        for other in self.overruns(without):
            if first <= other.last:
                continue
            put_off = stood and first > self.today and first >= stood.first
            if stood and stood.dyno == dyno and stood.first <= first and last <= stood.last:
                continue
            if other.dyno == dyno:
                if not (put_off and stood.dyno == dyno):
                    codes.add("dyno-taken")
            elif other.vehicle == vehicle and not put_off:
                codes.add("vehicle-elsewhere")
        return codes

    def concerns(self, request: int, first: int, last: int) -> set[str]:
        """What a request asks of its place that days do not hold to."""
        row, codes = self.rows["request", request], set()
        if row.earliest is not None and first < row.earliest:
            codes.add("before-earliest-start")
        if row.after is not None and self.rows["request", row.after].status != "cancelled":
            places = self.places_of(row.after)
            if not places or first <= max(stay.last for stay in places):
                codes.add("before-predecessor")
        for number, other in self.of("request").items():
            if other.after == request and any(stay.first <= last for stay in self.places_of(number)):
                codes.add("before-predecessor")
        return codes | ({"fewer-days"} if last - first + 1 < row.days else set())

    def places_of(self, request: int) -> list[Stay]:
        return [stay for stay in self.of("stay").values() if stay.request == request and stay.status in LIVE]

    def book(
        self,
        vehicle: str,
        dyno: str,
        first: int,
        last: int,
        request: int | None = None,
        confirmed: frozenset[str] = frozenset(),
        rest: bool = False,
    ) -> None:
        behind = None if request is None else self.rows["request", request]
        if behind and (behind.status != "waiting" or behind.vehicle != vehicle):
            raise No("wrong-status")
        self.judge(vehicle, dyno, first, last)
        if behind and (
            open_ := self.concerns(request, first, last) - confirmed - ({"fewer-days"} if rest else set())
        ):
            raise No(*open_)
        self.add("stay", Stay(vehicle, dyno, first, last, request=request))
        if behind:
            left = behind.days - (last - first + 1)
            if rest and left > 0:
                self.add("request", Request(vehicle, left, earliest=last + 1, after=request))
            self.write(behind, status="placed", days=behind.days - (left if rest and left > 0 else 0))

    def auto_book(self, vehicle: str, first: int, days: int, latest: int) -> None:
        drive, weight = self.vehicles[vehicle]
        found = naive.places(
            self.dynos.values(),
            self.taken() + self.held(),
            vehicle=vehicle,
            drive=drive,
            weight=weight,
            days=days,
            first=first,
            latest=latest,
        )
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
        self.judge(stay.vehicle, dyno, first, last, without=number, stood=stay)
        self.write(stay, dyno=dyno, first=first, last=last, status=status or stay.status)

    def move(
        self, number: int, dyno: str, first: int | None, last: int | None, confirmed: frozenset[str] = frozenset()
    ) -> None:
        stay = self.rows["stay", number]
        if stay.status == "running":
            self.move_running(number, dyno, first, last)
            return
        first = stay.first if first is None else first
        last = first + stay.last - stay.first if last is None else last
        if last < first:
            raise No("days-order" if stay.status == "scheduled" else "wrong-status")
        concerns = self.worse_concerns(stay, first, last) - confirmed
        self.place_again(number, dyno, first, last)
        if concerns:
            raise No(*concerns)

    def worse_concerns(self, stay: Stay, first: int, last: int) -> set[str]:
        """Of what its request asks that these days do not hold to, what is new or worse than where it stands."""
        if stay.request is None or stay.status != "scheduled":
            return set()
        before, after = (self.concerns(stay.request, *days) for days in ((stay.first, stay.last), (first, last)))
        worse = {
            "before-earliest-start": first < stay.first,
            "before-predecessor": first < stay.first or last > stay.last,
            "fewer-days": last - first < stay.last - stay.first,
        }
        return {code for code in after if code not in before or worse[code]}

    def move_running(self, number: int, dyno: str, first: int | None, last: int | None) -> None:
        """What ran stays where it ran; its rest goes to another dyno. On its own dyno its first day stays."""
        stay, today = self.rows["stay", number], self.today
        if dyno == stay.dyno:
            if first not in (None, stay.first) or (last is not None and stay.first <= last < min(stay.last, today)):
                raise No("wrong-status")
            last = stay.last if last is None else last
            if last < stay.first:
                raise No("days-order")
            ran = Stay(stay.vehicle, dyno, stay.first, last) if last <= today else stay
            self.judge(stay.vehicle, dyno, stay.first, last, without=number, stood=ran)
            self.write(stay, last=last)
            return
        if first == stay.first:
            first = None
        if first is not None and first < today:
            raise No("wrong-status")
        first = today if first is None else first
        left = stay.last - max(stay.first, today) + 1
        if last is None and left < 1:
            raise No("wrong-status")
        last = first + left - 1 if last is None else last
        if last < first:
            raise No("days-order")
        status = "running" if first <= today else "scheduled"
        if stay.first >= today:
            self.judge(stay.vehicle, dyno, first, last, without=number, stood=stay)
            self.write(stay, dyno=dyno, first=first, last=last, status=status)
            return
        since = [
            other
            for other in self.taken(without=number)
            if other.first < today
            and stay.last < other.last
            and (other.dyno == stay.dyno or other.vehicle == stay.vehicle)
        ]
        self.write(stay, last=stay.last if stay.last < today and since else today - 1, status="completed")
        self.judge(stay.vehicle, dyno, first, last)
        self.add("stay", Stay(stay.vehicle, dyno, first, last, status, stay.request))

    def extend(self, number: int, days: int) -> None:
        stay = self.rows["stay", number]
        last = max(stay.last, self.today) + days
        if stay.status != "running" or last <= stay.last:
            raise No("wrong-status")
        self.move_running(number, stay.dyno, None, last)

    def start(self, number: int) -> None:
        stay = self.rows["stay", number]
        if stay.status != "scheduled" or stay.first > self.today:
            raise No("wrong-status")
        if codes := self.late(stay.vehicle, stay.dyno, stay.first, stay.last, number, None):
            raise No(*codes)
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
            self.judge(
                stay.vehicle,
                stay.dyno,
                stay.first,
                last,
                without=number,
                fit=False,
                stood=Stay(stay.vehicle, stay.dyno, stay.first, last),
            )
            self.write(stay, last=last, status="completed")

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

    def ask(self, vehicle: str, days: int, earliest: int | None = None, after: int | None = None) -> None:
        self.add("request", Request(vehicle, days, earliest=earliest, after=after))

    def ask_for_days(self, number: int, days: int) -> None:
        """Only while it waits: of a request that has its place the days are its place's."""
        if self.rows["request", number].status != "waiting":
            raise No("wrong-status")
        self.write(self.rows["request", number], days=days)

    def cancel_request(self, number: int) -> None:
        if self.rows["request", number].status != "waiting":
            raise No("wrong-status")
        self.write(self.rows["request", number], status="cancelled")

    def hits(self, dyno: str, first: int, last: int) -> list[int]:
        meeting = [
            (s.first, number)
            for number, s in self.of("stay").items()
            if s.dyno == dyno and s.status in LIVE and s.first <= last and first <= s.last
        ]
        return [number for _, number in sorted(meeting)]

    def shut(self, dyno: str, first: int, last: int, answers: dict[int, tuple], window: int | None = None) -> None:
        """Sets a window, or changes one; an answer is ("move", dyno, first), ("shorten",), ("wait",), ("cancel",)."""
        for number, other in self.of("window").items():
            meet = other.dyno == dyno and other.first <= last and first <= other.last
            if meet and number != window and not other.lifted:
                raise No("maintenance")
        row = None if window is None else self.rows["window", window]
        stands = row and row.dyno == dyno and row.first <= first and last <= row.last
        if not stands and any(each.dyno == dyno and first > each.last for each in self.overruns()):
            raise No("dyno-taken")
        hits = self.hits(dyno, first, last)
        if any(self.rows["stay", hit].status == "completed" for hit in hits):
            raise No("bad-answer")
        if any(hit not in answers for hit in hits):
            raise No("fallout-unanswered")
        aside = [
            self.displace(hit, answers[hit], dyno, first, last)
            for hit in sorted(hits, key=lambda hit: answers[hit][0] == "move")
        ]
        if window is None:
            window = self.add("window", Window(dyno, first, last))
        else:
            self.write(self.rows["window", window], dyno=dyno, first=first, last=last)
        self.asides += [Aside(window, *each) for each in aside]

    def displace(self, hit: int, answer: tuple, dyno: str, first: int, last: int) -> tuple:
        stay = self.rows["stay", hit]
        stood, request = (stay.dyno, stay.first, stay.last, stay.status), None
        if stay.status == "running" and (answer[0] == "move" or (answer[0] != "shorten" and stay.first < first)):
            raise No("bad-answer")
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
            over = stay.status == "running" and first <= self.today
            self.write(stay, last=first - 1, status="completed" if over else stay.status)
            request = self.add("request", Request(stay.vehicle, left, earliest=first))
        else:
            self.write(stay, status="cancelled")
            self.let_wait(stay, waits=answer[0] == "wait")
            request = stay.request
            if request is None and answer[0] == "wait":
                length = stay.last - stay.first + 1
                request = self.add("request", Request(stay.vehicle, length, earliest=stay.first))
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
        dyno, first, last, status = aside.place
        there = ("scheduled", "running", "completed") if status == "running" else ("scheduled", "running")
        if stay.status not in (("cancelled",) if gone else there):
            raise No("wrong-status")
        self.judge(stay.vehicle, dyno, first, last, without=aside.stay, stood=Stay(stay.vehicle, "", first, last))
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
                    self.judge(stay.vehicle, stay.dyno, stay.first, stay.last, without=number, fit=False, stood=stay)
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

"""The services beside a plain model of the schedule: both give the same answers and rows, whatever is asked."""

import datetime as dt
from typing import ClassVar

from django.db import transaction
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from allocations.enums import DisplacedTo, Drive, MaintenanceKind, WeightClass
from allocations.exceptions import Refused
from allocations.models import Allocation, Change, Displacement, Dyno, MaintenanceWindow, TestRequest
from allocations.selectors.maintenance import Answer
from allocations.services import booking, maintenance, requests
from allocations.services.undo import undo
from allocations.tests import naive
from allocations.tests.invariants import expect_sound
from allocations.tests.model import Model
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, World, day
from dynosite.lib import clock

TODAY = 4
LATEST_TODAY = 28
"""Later the first days would be so long past that booking there asks, which the model knows nothing of."""
ALL = (frozenset(ANY_DRIVE), frozenset(ANY_WEIGHT))
NARROW = (frozenset([Drive.TWO_WHEEL]), frozenset([WeightClass.LIGHT]))
CAPABILITIES = {
    "P1": (NARROW,),
    "P2": (ALL,),
    "P3": (NARROW, (frozenset([Drive.ALL_WHEEL]), frozenset([WeightClass.HEAVY]))),
}
VEHICLES = {
    "two": (Drive.TWO_WHEEL, WeightClass.LIGHT),
    "all": (Drive.ALL_WHEEL, WeightClass.LIGHT),
    "big": (Drive.ALL_WHEEL, WeightClass.HEAVY),
}

vehicles, dynos = st.sampled_from(sorted(VEHICLES)), st.sampled_from(sorted(CAPABILITIES))
days, lengths, picks = st.integers(0, 12), st.integers(1, 4), st.integers(0, 30)
ASKED = ("before-earliest-start", "before-predecessor", "fewer-days")
confirmations = st.frozensets(st.sampled_from(ASKED))
answers = st.tuples(st.sampled_from(["move", "shorten", "wait", "cancel"]), dynos, days)


def number_of(value: dt.date) -> int:
    return (value - day(0)).days


class Services(RuleBasedStateMachine):
    """Each rule asks the service and the model for the same thing."""

    world: ClassVar[World]
    now: ClassVar[Model]

    def __init__(self):
        super().__init__()
        self.transaction = transaction.atomic()
        self.transaction.__enter__()
        breadth = {name: sum(len(d) * len(w) for d, w in rows) for name, rows in CAPABILITIES.items()}
        self.model = Model(
            {name: naive.NaiveDyno(name, rows, breadth[name]) for name, rows in CAPABILITIES.items()}, VEHICLES, TODAY
        )
        type(self).now = self.model
        self.ids: dict[str, list[int]] = {"stay": [], "window": [], "request": []}
        self.asides: list[int] = []
        self.done: list = []

    def teardown(self):
        transaction.set_rollback(True)
        self.transaction.__exit__(None, None, None)

    def both(self, expected: set[str], service, *arguments, **more) -> None:
        """`expected` are the model's codes; nothing is an acceptance."""
        change, codes = None, set()
        try:
            change = service(*arguments, actor=self.world.actor("admin"), **more)
        except Refused as refused:
            codes = {refusal.code.value for refusal in refused.refusals}
        assert codes == expected
        if change is not None:
            self.note(change)

    def note(self, change: Change) -> None:
        """What the change made has from now on the number that the model gave it."""
        self.done.append(change.pk)
        for kind, name in (("stay", "allocation"), ("window", "maintenancewindow"), ("request", "testrequest")):
            new = [item["id"] for item in change.items if item["model"] == name and item["before"] is None]
            self.ids[kind] += new
        later = Displacement.objects.exclude(pk__in=self.asides).order_by("pk")
        self.asides += later.values_list("pk", flat=True)

    def pick(self, kind: str, number: int) -> tuple[int, int]:
        """One of the rows there are: its number in the model and its id in the database."""
        number %= len(self.ids[kind])
        return number, self.ids[kind][number]

    has_stays = precondition(lambda self: self.ids["stay"])
    has_windows = precondition(lambda self: self.ids["window"])
    has_requests = precondition(lambda self: self.ids["request"])
    has_changes = precondition(lambda self: self.done)

    def asked(self, vehicle: str) -> tuple[int, dict]:
        return self.world.vehicles[vehicle].pk, {"test_type_id": self.world.tests["Brake"].pk}

    @rule(vehicle=vehicles, dyno=dynos, first=days, length=lengths)
    def book(self, vehicle, dyno, first, length):
        expected = self.model.attempt("book", vehicle, dyno, first, first + length - 1)
        id_, more = self.asked(vehicle)
        more |= {"first_day": day(first), "last_day": day(first + length - 1)}
        self.both(expected, booking.book, id_, self.world.dynos[dyno].pk, **more)

    @rule(vehicle=vehicles, first=days, length=lengths, backup=st.booleans(), most=st.integers(0, 7))
    def auto_book(self, vehicle, first, length, backup, most):
        expected = self.model.attempt("auto_book", vehicle, first, length, first + (most if backup else 0))
        id_, more = self.asked(vehicle)
        more |= {"first_day": day(first), "days": length, "backup": backup, "max_backup_days": most}
        self.both(expected, booking.auto_book, id_, **more)

    @has_stays
    @rule(pick=picks, dyno=dynos | st.none(), first=days | st.none(), last=days | st.none(), confirmed=confirmations)
    def move(self, pick, dyno, first, last, confirmed):
        """To another dyno, on another first day, until another last day, as far as each is said."""
        number, id_ = self.pick("stay", pick)
        stay = self.model.rows["stay", number]
        dyno = dyno or stay.dyno
        # What runs goes on whatever its request asked: only of what is scheduled the model knows what is asked about.
        confirmed = frozenset(ASKED) if stay.status == "running" else confirmed
        expected = self.model.attempt("move", number, dyno, first, last, confirmed)
        more = {name: day(value) for name, value in (("first_day", first), ("last_day", last)) if value is not None}
        self.both(expected, booking.move, id_, dyno_id=self.world.dynos[dyno].pk, confirmed=confirmed, **more)

    @has_stays
    @rule(pick=picks, by=st.integers(0, 3))
    def extend(self, pick, by):
        number, id_ = self.pick("stay", pick)
        self.both(self.model.attempt("extend", number, by), booking.extend, id_, days=by)

    @precondition(lambda self: self.model.today <= LATEST_TODAY)
    @rule(ahead=st.integers(1, 3))
    def days_pass(self, ahead):
        self.model.today += ahead

    @has_stays
    @rule(pick=picks)
    def start(self, pick):
        number, id_ = self.pick("stay", pick)
        self.both(self.model.attempt("start", number), booking.start, id_)

    @has_stays
    @rule(pick=picks, last=days)
    def complete(self, pick, last):
        number, id_ = self.pick("stay", pick)
        self.both(self.model.attempt("complete", number, last), booking.complete, id_, last_day=day(last))

    @has_stays
    @rule(pick=picks, keep=st.booleans())
    def cancel(self, pick, keep):
        number, id_ = self.pick("stay", pick)
        self.both(self.model.attempt("cancel", number, keep), booking.cancel, id_, keep_request=keep)

    @rule(vehicle=vehicles, length=lengths, earliest=st.none() | days, after=st.none() | picks)
    def ask(self, vehicle, length, earliest, after):
        earlier, after_id = self.pick("request", after) if after is not None and self.ids["request"] else (None, None)
        id_, more = self.asked(vehicle)
        more |= {"earliest_start": None if earliest is None else day(earliest), "after_id": after_id}
        expected = self.model.attempt("ask", vehicle, length, earliest, earlier)
        self.both(expected, requests.create_request, id_, days=length, **more)

    @has_requests
    @rule(pick=picks, dyno=dynos, first=days, fewer=st.integers(0, 2), confirmed=confirmations, rest=st.booleans())
    def place_request(self, pick, dyno, first, fewer, confirmed, rest):
        number, request = self.pick("request", pick)
        row = self.model.rows["request", number]
        last = first + max(1, row.days - fewer) - 1
        expected = self.model.attempt("book", row.vehicle, dyno, first, last, number, confirmed, rest)
        id_, more = self.asked(row.vehicle)
        more |= {"first_day": day(first), "last_day": day(last), "request_id": request}
        more |= {"confirmed": confirmed, "rest_waits": rest}
        self.both(expected, booking.book, id_, self.world.dynos[dyno].pk, **more)

    @has_requests
    @rule(pick=picks, more=st.integers(1, 2))
    def change_request(self, pick, more):
        number, id_ = self.pick("request", pick)
        wanted = self.model.rows["request", number].days + more
        expected = self.model.attempt("ask_for_days", number, wanted)
        self.both(expected, requests.change_request, id_, days=wanted)

    @has_requests
    @rule(pick=picks)
    def cancel_request(self, pick):
        number, id_ = self.pick("request", pick)
        self.both(self.model.attempt("cancel_request", number), requests.cancel_request, id_)

    @rule(dyno=dynos, first=days, length=lengths, given=st.lists(answers, max_size=4), change=st.none() | picks)
    def shut(self, dyno, first, length, given, change):
        """An answer for each hit in turn, as far as they go; on a window that is there, or a new one."""
        window, id_ = self.pick("window", change) if change is not None and self.ids["window"] else (None, None)
        if window is not None:
            if self.model.rows["window", window].lifted:
                return
            dyno = self.model.rows["window", window].dyno
        last = first + length - 1
        hits = self.model.hits(dyno, first, last)
        named = dict(zip(hits, given, strict=False))
        plain = {hit: answer if answer[0] == "move" else answer[:1] for hit, answer in named.items()}
        said = {self.ids["stay"][hit]: self.answer(*answer) for hit, answer in named.items()}
        expected = self.model.attempt("shut", dyno, first, last, plain, window)
        self.both(
            expected,
            maintenance.set_maintenance,
            self.world.dynos[dyno].pk,
            first_day=day(first),
            last_day=day(last),
            kind=MaintenanceKind.PLANNED,
            answers=said,
            window_id=id_,
        )

    def answer(self, to: str, dyno: str, first: int) -> Answer:
        if to == "move":
            return Answer(DisplacedTo.MOVE, self.world.dynos[dyno].pk, day(first))
        return Answer(DisplacedTo(to))

    @has_windows
    @rule(pick=picks, back=st.booleans())
    def lift(self, pick, back):
        number, id_ = self.pick("window", pick)
        asides = [n for n, each in enumerate(self.model.asides) if each.window == number and not each.back]
        chosen = asides if back else []
        expected = self.model.attempt("lift", number, chosen)
        self.both(expected, maintenance.lift_maintenance, id_, bring_back=[self.asides[n] for n in chosen])

    @has_changes
    @rule(pick=picks)
    def undo(self, pick):
        number = len(self.done) - 1 - pick % len(self.done)
        self.both(self.model.attempt("undo", number), undo, self.done[number])

    @invariant()
    def rows_are_the_same(self):
        names = {dyno.pk: name for name, dyno in self.world.dynos.items()}
        tags = {vehicle.pk: tag for tag, vehicle in self.world.vehicles.items()}
        stays = {
            self.ids["stay"].index(row.pk): (
                tags[row.vehicle_id],
                names[row.dyno_id],
                number_of(row.first_day),
                number_of(row.last_day),
                row.status,
                row.request_id and self.ids["request"].index(row.request_id),
                row.version,
            )
            for row in Allocation.objects.filter(ground=self.world.north)
        }
        assert stays == {
            n: (s.vehicle, s.dyno, s.first, s.last, s.status, s.request, s.version)
            for n, s in self.model.of("stay").items()
        }
        windows = {
            self.ids["window"].index(row.pk): (
                names[row.dyno_id],
                number_of(row.first_day),
                number_of(row.last_day),
                row.lifted_at is not None,
            )
            for row in MaintenanceWindow.objects.filter(ground=self.world.north)
        }
        assert windows == {n: (w.dyno, w.first, w.last, w.lifted) for n, w in self.model.of("window").items()}
        requests_there = {
            self.ids["request"].index(row.pk): (
                row.days,
                row.status,
                row.earliest_start and number_of(row.earliest_start),
                row.after_id and self.ids["request"].index(row.after_id),
            )
            for row in TestRequest.objects.filter(ground=self.world.north)
        }
        assert requests_there == {
            n: (r.days, r.status, r.earliest, r.after) for n, r in self.model.of("request").items()
        }
        back = dict(Displacement.objects.values_list("pk", "restored_at"))
        assert [back[pk] is not None for pk in self.asides] == [aside.back for aside in self.model.asides]
        expect_sound()


def prepare(world: World, machine: type[Services], monkeypatch) -> None:
    """The dynos and vehicles of the machine, and its day for today."""
    monkeypatch.setattr(clock, "today", lambda time_zone: day(machine.now.today))
    Dyno.objects.filter(ground=world.north).update(enabled=False)
    for name, rows in CAPABILITIES.items():
        world.dyno(name, *((world.tests["Brake"], *row) for row in rows))
    for tag, (drive, weight) in VEHICLES.items():
        world.vehicle(tag, drive=drive, weight_class=weight)
    monkeypatch.setattr(machine, "world", world, raising=False)

"""Every door against the plain model: the same answers and rows as the services', and nothing across grounds."""

import datetime as dt

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import initialize, invariant, precondition, rule, run_state_machine_as_test

from allocations.enums import DisplacedTo, MaintenanceKind, Role
from allocations.exceptions import Refused
from allocations.models import Change
from allocations.tests.machine import ASKED, Services, days, dynos, lengths, number_of, picks, prepare
from allocations.tests.world import day
from assistant import approvals
from assistant.conftest import context
from assistant.graph.calling import call
from assistant.models import Proposal
from assistant.tests.doors import Answer, Deed, Door
from assistant.tests.doors.administration import Administration
from assistant.tests.doors.grounds import ABOUT, TOOLS, WITH, Things, filled_in, rows_of, southern
from assistant.tests.doors.pages import Pages
from assistant.tests.doors.proposals import Proposals
from dynosite.lib import clock

members = st.sampled_from(["both", "northern"])


class Doors(Services):
    """Sends what the services are asked through a door that is drawn. `both` is admin of both grounds."""

    south: Things

    def __init__(self):
        super().__init__()
        world = self.world
        self.clients = {name: Client() for name in ("both", "northern")}
        for name, client in self.clients.items():
            client.force_login(world.users[name])
        own = self.clients["both"]
        self.proposals = Proposals(world, "both")
        self.doors = [Pages(world, own), Administration(world, own), self.proposals]
        self.conversations = {"NORTH": self.proposals.ctx, "SOUTH": context(world, "both", world.south)}
        self.southern_rows = rows_of(world.south)

    @initialize(data=st.data())
    def draw_from(self, data):
        self.data = data

    def both(self, expected, service, *arguments, **more):
        deed = Deed(service.__name__, arguments, more)
        answer = self.choose([door for door in self.doors if door.offers(deed)]).ask(deed)
        change = self.newest()
        if change is None and answer.codes is None:
            answer = self.read(answer, service, arguments, more)
        assert (answer.codes or set()) == expected, answer.text
        assert (change is None) == bool(expected), answer.text
        if change is not None:
            self.note(change)

    def choose(self, offering: list[Door]) -> Door:
        return self.data.draw(st.sampled_from(offering), label="door")

    def newest(self) -> Change | None:
        return Change.objects.filter(ground=self.world.north).exclude(pk__in=self.done).first()

    def read(self, answer: Answer, service, arguments, more) -> Answer:
        """Where the door answers with a sentence alone: the codes that the service has for this sentence."""
        with pytest.raises(Refused) as caught, transaction.atomic():
            service(*arguments, actor=self.world.actor("both"), **more)
        refused = caught.value
        assert refused.sentence in answer.text
        return Answer(frozenset(refusal.code.value for refusal in refused.refusals), answer.text)

    @rule(dyno=dynos, first=days, length=lengths)
    def give_way(self, dyno, first, length):
        """A window whose answers the assistant chooses: the model does as the card says."""
        last = first + length - 1
        window = self.proposals.window(self.world.dynos[dyno].pk, day(first), day(last), MaintenanceKind.PLANNED)
        result = self.proposals.call("set_maintenance", **window)
        if result["status"] == "refused":
            expected = self.model.attempt("shut", dyno, first, last, {})
            assert {reason["code"] for reason in result["reasons"]} == expected
            return
        proposal = Proposal.objects.get(pk=result["proposal"])
        plain = {
            self.ids["stay"].index(answer["allocation_id"]): self.plain(answer) for answer in proposal.step["answers"]
        }
        assert self.model.attempt("shut", dyno, first, last, plain) == set()
        assert approvals.approve(proposal.pk, user=self.world.users["both"]).carried_out
        self.note(self.newest())

    def plain(self, answer: dict) -> tuple:
        if answer["to"] != DisplacedTo.MOVE:
            return (answer["to"],)
        names = {dyno.pk: name for name, dyno in self.world.dynos.items()}
        return "move", names[answer["dyno_id"]], number_of(dt.date.fromisoformat(answer["first_day"]))

    @precondition(lambda self: self.ids["stay"])
    @rule(pick=picks, ahead=st.integers(1, 4))
    def run_over(self, pick, ahead):
        """Starts a test and lets its days pass."""
        self.start(pick=pick)
        _, id_ = self.pick("stay", pick)
        if self.model.rows["stay", self.ids["stay"].index(id_)].status == "running":
            self.days_pass(ahead=ahead)

    @precondition(lambda self: self.ids["stay"])
    @rule(pick=picks, first=days)
    def shift(self, pick, first):
        """To another first day, with the length that it has."""
        self.move(pick=pick, dyno=None, first=first, last=None, confirmed=frozenset(ASKED))

    def northern(self, pick: int) -> Things:
        """Its test type is called as nothing of the south begins or ends."""
        ids = {kind: self.pick(kind, pick)[1] if rows else None for kind, rows in self.ids.items()}
        world, change = self.world, self.done[pick % len(self.done)] if self.done else None
        vehicle, dyno, test = world.vehicles["all"], world.dynos["P2"], world.tests["Brake"]
        return Things(
            "NORTH",
            ids["stay"],
            ids["window"],
            ids["request"],
            change,
            dyno.pk,
            vehicle.pk,
            test.pk,
            vehicle.tag,
            dyno.name,
            "Emission",
        )

    def grounds(self, pick: int, at_south: bool) -> tuple[Things, Things]:
        """The one that is written to, and the other."""
        north = self.northern(pick)
        return (self.south, north) if at_south else (north, self.south)

    @rule(
        form=st.sampled_from(sorted(ABOUT)),
        pick=picks,
        at_south=st.booleans(),
        who=members,
    )
    def send_to_the_other_ground(self, form, pick, at_south, who):
        """A member of both is told that it is of another ground; to who is not, the other does not exist."""
        own, other = self.grounds(pick, at_south)
        if target := filled_in(own, other, form, ABOUT[form]):
            before = rows_of(self.world.north)
            response = self.clients[who].post(f"/g/{own.code}/{target[0]}", target[1])
            assert response.status_code == (409 if who == "both" else 404), target
            assert rows_of(self.world.north) == before

    @rule(form=st.sampled_from(sorted(WITH)), pick=picks, at_south=st.booleans())
    def name_a_thing_of_the_other_ground(self, form, pick, at_south):
        own, other = self.grounds(pick, at_south)
        if target := filled_in(own, other, form, WITH[form]):
            before = rows_of(self.world.north)
            response = self.clients["both"].post(f"/g/{own.code}/{target[0]}", target[1])
            if form.startswith("admin/"):
                assert response.context["adminform"].form.errors
            else:
                assert response.status_code in (404, 422), target
            assert rows_of(self.world.north) == before

    @rule(tool=st.sampled_from(TOOLS), pick=picks, at_south=st.booleans())
    def ask_for_the_other_ground(self, tool, pick, at_south):
        own, other = self.grounds(pick, at_south)
        if target := filled_in(own, other, *tool):
            proposals, before = Proposal.objects.count(), rows_of(self.world.north)
            result = call(*target, ctx=self.conversations[own.code])
            assert result["status"] == "not-found", result
            assert (Proposal.objects.count(), rows_of(self.world.north)) == (proposals, before)

    @invariant()
    def the_south_is_as_it_was(self):
        assert rows_of(self.world.south) == self.southern_rows


class Walk(Doors):
    """Through one door, save for what it does not offer."""

    door = 0

    def choose(self, offering):
        return self.doors[self.door] if self.doors[self.door] in offering else offering[0]

    def stays(self) -> list[tuple]:
        self.rows_are_the_same()
        self.the_south_is_as_it_was()
        return [(stay.dyno, stay.first, stay.last, stay.status) for stay in self.model.of("stay").values()]


@pytest.fixture
def grounds(world, monkeypatch):
    """What the south has, and users who keep both grounds or the north alone."""
    world.user("both", north=Role.ADMIN, south=Role.ADMIN)
    world.user("northern", north=Role.ADMIN)
    for name in ("both", "northern"):
        world.users[name].is_staff = True
        world.users[name].save()
    with clock.day_is(day(0)):
        monkeypatch.setattr(Doors, "south", southern(world, "both"), raising=False)
    prepare(world, Doors, monkeypatch)


@pytest.fixture
def walk(grounds, monkeypatch):
    monkeypatch.setattr(Doors, "now", None, raising=False)
    monkeypatch.setattr(clock, "today", lambda time_zone: day(Walk.now.today))
    walk = Walk()
    yield walk
    walk.teardown()


@pytest.mark.parametrize("door", [0, 1, 2], ids=["pages", "administration", "proposals"])
def test_door_lets_a_test_run_over_move_and_be_cut(walk, door):
    walk.door = door
    nothing = frozenset()
    walk.book(vehicle="two", dyno="P2", first=2, length=2)
    walk.shift(pick=0, first=4)
    assert walk.stays() == [("P2", 4, 5, "scheduled")]
    walk.start(pick=0)
    walk.days_pass(ahead=3)
    walk.book(vehicle="all", dyno="P2", first=8, length=1)
    walk.book(vehicle="two", dyno="P1", first=8, length=1)
    walk.auto_book(vehicle="two", first=8, length=1, backup=False, most=0)
    walk.shut(dyno="P2", first=8, length=1, given=[], change=None)
    assert walk.stays() == [("P2", 4, 5, "running")]
    walk.extend(pick=0, by=0)
    walk.move(pick=0, dyno="P1", first=None, last=9, confirmed=nothing)
    assert walk.stays() == [("P2", 4, 6, "completed"), ("P1", 7, 9, "running")]
    walk.complete(pick=1, last=8)
    walk.complete(pick=1, last=7)
    walk.ask(vehicle="all", length=3, earliest=10, after=None)
    walk.place_request(pick=0, dyno="P2", first=9, fewer=1, confirmed=nothing, rest=False)
    assert walk.stays() == [("P2", 4, 6, "completed"), ("P1", 7, 7, "completed")]
    walk.place_request(pick=0, dyno="P2", first=9, fewer=1, confirmed=frozenset(ASKED), rest=False)
    walk.shut(dyno="P2", first=10, length=2, given=[], change=None)
    walk.shut(dyno="P2", first=10, length=2, given=[("shorten", "P2", 0)], change=None)
    assert walk.stays()[2] == ("P2", 9, 9, "scheduled")
    walk.lift(pick=0, back=True)
    assert walk.stays()[2] == ("P2", 9, 10, "scheduled")
    walk.undo(pick=0)
    walk.cancel(pick=2, keep=True)
    assert walk.stays()[2] == ("P2", 9, 9, "cancelled")
    walk.change_request(pick=0, more=1)
    walk.cancel_request(pick=0)
    walk.cancel_request(pick=0)
    assert next((wish.days, wish.status) for wish in walk.model.of("request").values()) == (4, "cancelled")


def test_no_door_leads_to_another_ground(walk):
    walk.book(vehicle="two", dyno="P2", first=4, length=2)
    walk.ask(vehicle="all", length=3, earliest=None, after=None)
    walk.shut(dyno="P3", first=6, length=2, given=[], change=None)
    for at_south in (False, True):
        for form in ABOUT:
            for who in ("both", "northern"):
                walk.send_to_the_other_ground(form=form, pick=0, at_south=at_south, who=who)
        for form in WITH:
            walk.name_a_thing_of_the_other_ground(form=form, pick=0, at_south=at_south)
        for tool in TOOLS:
            walk.ask_for_the_other_ground(tool=tool, pick=0, at_south=at_south)
    assert walk.stays() == [("P2", 4, 5, "scheduled")]


def test_every_door_does_what_the_model_does(grounds):
    quick = settings(max_examples=18, stateful_step_count=25, deadline=None, database=None, derandomize=True)
    long = settings.get_current_profile_name() == "long"
    run_state_machine_as_test(Doors, settings=settings(settings.default, stateful_step_count=30) if long else quick)

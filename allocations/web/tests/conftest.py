"""A world in which every kind of thing exists in both grounds, so that what could leak is there to leak."""

from dataclasses import dataclass

import pytest

from allocations.enums import Door, Role
from allocations.models import Change, ProvingGround, TestRequest, WorkbookImport
from allocations.services.maintenance import set_maintenance
from allocations.services.plans import ask_for_plan
from allocations.services.requests import create_request
from allocations.services.scenarios import add_edit, make_scenario
from allocations.services.unit_of_work import Actor
from allocations.tests.world import MONDAY, World, allocation_of, day, window_of
from dynosite.accounts.models import User

SOUTHERN = ("365W201", "365W202", "STC #1", "South brake", "Southern work", "southern.xlsx")
"""Words that only the other ground's pages may show."""
NORTHERN = ("412W101", "412W102", "412W103", "NPG 1", "NPG 21", "Northern work", "northern.xlsx", "4K Certification")


@pytest.fixture
def _monday(monkeypatch):
    monkeypatch.setattr(ProvingGround, "today", lambda ground: MONDAY)


@dataclass
class Things:
    """A pk of each kind of thing, in one ground."""

    world: World
    allocation: int
    request: int
    window: int
    vehicle: int
    dyno: int
    change: str
    upload: str
    plan: str
    scenario: str


def _things(world: World, actor: Actor, *, allocation, vehicle: str, dyno: str, test: str, word: str) -> Things:
    wish = create_request(
        world.vehicles[vehicle].pk, test_type_id=world.tests[test].pk, days=3, actor=actor, note=f"{word} request"
    )
    window = set_maintenance(
        world.dynos[dyno].pk, first_day=day(20), last_day=day(22), kind="planned", reason=f"{word} work", actor=actor
    )
    change = Change.objects.get(pk=allocation.events.latest("pgh_id").pgh_context_id)
    upload = WorkbookImport.objects.create(
        ground=allocation.ground, user=actor.user, name=f"{word.lower()}.xlsx", state="checked", report={"rows": 1}
    )
    plan = ask_for_plan(allocation.ground_id, actor=actor, first_day=day(0), last_day=day(9))
    scenario = make_scenario(
        allocation.ground_id, actor=actor, name=f"{word} scenario", first_day=day(0), last_day=day(9)
    )
    add_edit(scenario.pk, actor=actor, data={"do": "remove-dyno", "dyno": world.dynos[dyno].pk})
    return Things(
        world,
        allocation.pk,
        wish.items[0]["id"],
        window_of(window).pk,
        world.vehicles[vehicle].pk,
        world.dynos[dyno].pk,
        str(change.pk),
        str(upload.pk),
        str(plan.pk),
        str(scenario.pk),
    )


@pytest.fixture
def north_things(world, _monday) -> Things:
    booked = allocation_of(world.book("412W101", "NPG 1", 0, 2))
    return _things(
        world, world.actor("admin"), allocation=booked, vehicle="412W102", dyno="NPG 1", test="Brake", word="Northern"
    )


@pytest.fixture
def south_things(world, _monday) -> Things:
    user = world.user("southern-admin", south=Role.ADMIN)
    world.vehicle("365W202", ground=world.south)
    booked = world.south.allocations.get()
    return _things(
        world,
        Actor(user, Door.FORM),
        allocation=booked,
        vehicle="365W202",
        dyno="STC #1",
        test="South brake",
        word="Southern",
    )


@pytest.fixture
def superuser(db) -> User:
    return User.objects.create_superuser("root", password=None)


def waiting(world: World, number: int, *, begin: int = 0) -> list[TestRequest]:
    """So many requests that wait, each of a vehicle of its own."""
    requests = []
    for count in range(begin, begin + number):
        vehicle = world.vehicle(f"500W{count:03}")
        change = create_request(
            vehicle.pk, test_type_id=world.tests["Brake"].pk, days=2, due_date=day(count), actor=world.actor()
        )
        requests.append(TestRequest.objects.get(pk=change.items[0]["id"]))
    return requests

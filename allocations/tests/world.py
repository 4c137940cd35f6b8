"""A small world for tests: two proving grounds, a cast of users, and data of the other ground that could leak."""

import datetime as dt
from dataclasses import dataclass, field

from allocations.enums import Door, Drive, Role, WeightClass
from allocations.models import (
    Allocation,
    Capability,
    Change,
    Dyno,
    Facility,
    MaintenanceWindow,
    Membership,
    ProvingGround,
    TestType,
    Vehicle,
)
from allocations.services.booking import book
from allocations.services.unit_of_work import Actor
from dynosite.accounts.models import User

MONDAY = dt.date(2026, 11, 16)
ANY_DRIVE = (Drive.TWO_WHEEL, Drive.ALL_WHEEL)
ANY_WEIGHT = (WeightClass.LIGHT, WeightClass.HEAVY)


def day(number: int) -> dt.date:
    """Days from a Monday: day(0) is 2026-11-16."""
    return MONDAY + dt.timedelta(days=number)


@dataclass
class World:
    north: ProvingGround
    south: ProvingGround
    users: dict[str, User] = field(default_factory=dict)
    tests: dict[str, TestType] = field(default_factory=dict)
    dynos: dict[str, Dyno] = field(default_factory=dict)
    vehicles: dict[str, Vehicle] = field(default_factory=dict)

    def actor(self, name: str = "scheduler", door: Door = Door.FORM) -> Actor:
        return Actor(self.users[name], door)

    def user(self, name: str, **roles: Role) -> User:
        user = User.objects.create_user(name, password=None)
        for code, role in roles.items():
            Membership.objects.create(user=user, ground=ProvingGround.objects.get(code=code.upper()), role=role)
        self.users[name] = user
        return user

    def test_type(self, name: str, *, ground: ProvingGround | None = None) -> TestType:
        ground = ground or self.north
        return TestType.objects.create(ground=ground, code=name.lower().replace(" ", "-"), name=name)

    def dyno(
        self, name: str, *capabilities: tuple, facility: str = "NPG", ground: ProvingGround | None = None, **more
    ):
        """`capabilities` are (test type, drives, weight classes)."""
        ground = ground or self.north
        hall, _ = Facility.objects.get_or_create(ground=ground, name=facility)
        dyno = Dyno.objects.create(ground=ground, facility=hall, name=name, **more)
        for test_type, drives, weights in capabilities:
            Capability.objects.create(
                dyno=dyno, test_type=test_type, drives=list(drives), weight_classes=list(weights)
            )
        self.dynos[name] = dyno
        return dyno

    def vehicle(self, tag: str, *, ground: ProvingGround | None = None, **more) -> Vehicle:
        more = {"drive": Drive.TWO_WHEEL, "weight_class": WeightClass.LIGHT} | more
        self.vehicles[tag] = Vehicle.objects.create(ground=ground or self.north, tag=tag, **more)
        return self.vehicles[tag]

    def book(
        self, vehicle: str, dyno: str, first: int, last: int, *, test: str = "Brake", by: str = "scheduler", **more
    ):
        """Books through the service and returns the change; days as in `day`."""
        return book(
            self.vehicles[vehicle].pk,
            self.dynos[dyno].pk,
            test_type_id=self.tests[test].pk,
            first_day=day(first),
            last_day=day(last),
            actor=self.actor(by),
            **more,
        )


def allocation_of(change: Change) -> Allocation:
    """The allocation that a change wrote first."""
    return Allocation.objects.get(pk=next(item["id"] for item in change.items if item["model"] == "allocation"))


def window_of(change: Change) -> MaintenanceWindow:
    return MaintenanceWindow.objects.get(
        pk=next(item["id"] for item in change.items if item["model"] == "maintenancewindow")
    )


def build_world() -> World:
    north = ProvingGround.objects.create(code="NORTH", name="North Proving Ground", time_zone="America/Detroit")
    south = ProvingGround.objects.create(code="SOUTH", name="South Test Centre", time_zone="America/Phoenix")
    world = World(north, south)
    world.user("admin", north=Role.ADMIN)
    world.user("scheduler", north=Role.SCHEDULER)
    world.user("viewer", north=Role.VIEWER)
    world.user("outsider", south=Role.SCHEDULER)
    for name in ("Brake", "4K Certification", "Emission"):
        world.tests[name] = world.test_type(name)
    brake, certification, emission = world.tests.values()
    world.dyno("NPG 1", (brake, ANY_DRIVE, ANY_WEIGHT), (certification, ANY_DRIVE, ANY_WEIGHT))
    world.dyno("NPG 2", (certification, ANY_DRIVE, ANY_WEIGHT))
    world.dyno("NPG 3", (emission, [Drive.ALL_WHEEL], [WeightClass.LIGHT]))
    world.dyno("NPG 21", (brake, [Drive.TWO_WHEEL], [WeightClass.LIGHT]), facility="Annex")
    world.vehicle("412W101")
    world.vehicle("412W102", drive=Drive.ALL_WHEEL)
    world.vehicle("412W103", weight_class=WeightClass.HEAVY, weight_lbs=15_000)
    world.tests["South brake"] = world.test_type("South brake", ground=south)
    world.dyno("STC #1", (world.tests["South brake"], ANY_DRIVE, ANY_WEIGHT), facility="STC", ground=south)
    world.vehicle("365W201", ground=south)
    world.book("365W201", "STC #1", 0, 4, test="South brake", by="outsider")
    return world

"""Boards of any size, committed straight to the tables: the calendar is under test here, not the booking."""

import datetime as dt

from allocations.enums import AllocationStatus, Door, Drive, WeightClass
from allocations.models import Allocation, Capability, Dyno, Facility, MaintenanceWindow, Vehicle
from allocations.models.dyno import natural_key
from allocations.tests.world import ANY_DRIVE, ANY_WEIGHT, World

PROGRAMS = ("K422", "V610", "R720", "T515", "E901")


def fill_board(world: World, *, dynos: int, per_dyno: int, days: int, first: dt.date, stay: int = 0) -> list[Dyno]:
    """Dynos in facilities of forty, each with `per_dyno` allocations of varied length spread over the days."""
    tests = [world.tests[name] for name in ("Brake", "4K Certification", "Emission")]
    halls = [
        Facility.objects.create(ground=world.north, name=f"Hall {number + 1}", position=number)
        for number in range((dynos + 39) // 40)
    ]
    names = [f"DY-{number:03}X" for number in range(dynos)]  # with a number at their end they would be lanes alike
    made = Dyno.objects.bulk_create(
        Dyno(ground=world.north, facility=halls[number // 40], name=name, sort_key=natural_key(name))
        for number, name in enumerate(names)
    )
    Capability.objects.bulk_create(
        Capability(dyno=dyno, test_type=test, drives=Drive.values, weight_classes=WeightClass.values)
        for dyno in made
        for test in tests
    )
    vehicles = iter(
        Vehicle.objects.bulk_create(
            Vehicle(
                ground=world.north,
                tag=f"{300 + number % 700}W{number:05}",
                program=PROGRAMS[number % 5],
                drive=Drive.ALL_WHEEL,
                weight_class=WeightClass.LIGHT,
            )
            for number in range(dynos * per_dyno)
        )
    )
    pitch = days // per_dyno if per_dyno else 0
    Allocation.objects.bulk_create(
        Allocation(
            ground=world.north,
            dyno=dyno,
            vehicle=next(vehicles),
            test_type=tests[(number + turn) % 3],
            first_day=first + dt.timedelta(days=turn * pitch),
            last_day=first + dt.timedelta(days=turn * pitch + (stay or 1 + (number * 7 + turn * 3) % pitch) - 1),
            status=AllocationStatus.SCHEDULED,
            source=Door.COMMAND,
        )
        for number, dyno in enumerate(made)
        for turn in range(per_dyno)
    )
    return made


def maintain(dyno: Dyno, first: dt.date, last: dt.date, **more) -> MaintenanceWindow:
    return MaintenanceWindow.objects.create(ground=dyno.ground, dyno=dyno, first_day=first, last_day=last, **more)


def add_lanes(world: World, number: int, *, first: int = 1) -> list[Dyno]:
    """So many lanes alike of a track, which run Brake on every drive and weight class."""
    runs = (world.tests["Brake"], ANY_DRIVE, ANY_WEIGHT)
    return [world.dyno(f"Track {first + lane}", runs, facility="Track") for lane in range(number)]

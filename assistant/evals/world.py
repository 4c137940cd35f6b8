"""Builds the world of a file in an empty database: grounds, people, dynos, vehicles, the schedule and its past."""

import datetime as dt
from typing import Any

from django.utils.text import slugify

from allocations.enums import Door, MaintenanceKind, Priority, WeightClass, weight_class_of
from allocations.models import (
    Allocation,
    Capability,
    Dyno,
    Facility,
    MaintenanceWindow,
    Membership,
    ProvingGround,
    TestRequest,
    TestType,
    Vehicle,
)
from allocations.vehicle_details import NAMES as DETAILS
from dynosite.accounts.models import User

World = dict[str, Any]


def build(world: World) -> None:
    """Raises KeyError or ValueError for what the file leaves out or names wrongly."""
    grounds = {entry["code"]: _ground(entry) for entry in world["grounds"]}
    for entry in world.get("users", []):
        _user(entry, grounds)
    types = {code: _test_types(ground, world.get("test_types", [])) for code, ground in grounds.items()}
    dynos = {
        str(entry["name"]): _dyno(entry, grounds[entry["ground"]], types[entry["ground"]]) for entry in world["dynos"]
    }
    vehicles: dict[str, Vehicle] = {}
    for entry in world.get("vehicles", []):
        vehicle = _vehicle(entry, grounds[entry["ground"]])
        vehicles |= {str(entry[name]): vehicle for name in ("tag", "vin") if entry.get(name)}
    for entry in world.get("requests", []):
        _request(entry, vehicles[str(entry["vehicle"])], types)
    for entry in world.get("allocations", []):
        _allocation(entry, vehicles[str(entry["vehicle"])], dynos[str(entry["dyno"])], types)
    for entry in world.get("maintenance", []):
        _window(entry, dynos[str(entry["dyno"])])


def day(value: Any) -> dt.date:
    return value if isinstance(value, dt.date) else dt.date.fromisoformat(str(value))


def maybe_day(value: Any) -> dt.date | None:
    return None if value is None else day(value)


def _ground(entry: World) -> ProvingGround:
    return ProvingGround.objects.create(
        code=entry["code"],
        name=str(entry.get("name", entry["code"])),
        time_zone=entry.get("time_zone", "America/Detroit"),
    )


def _user(entry: World, grounds: dict[str, ProvingGround]) -> None:
    user = User.objects.create_user(str(entry["username"]), password=None, is_superuser=bool(entry.get("superuser")))
    for code, role in (entry.get("role") or {}).items():
        Membership.objects.create(user=user, ground=grounds[code], role=role)


def _test_types(ground: ProvingGround, named: list[Any]) -> dict[str, TestType]:
    types = {}
    for entry in named:
        name = entry["name"] if isinstance(entry, dict) else str(entry)
        more = {"default_days": entry["days"]} if isinstance(entry, dict) and entry.get("days") else {}
        if isinstance(entry, dict) and entry.get("ground", ground.code) != ground.code:
            continue
        types[name] = TestType.objects.create(ground=ground, code=slugify(name) or "test", name=name, **more)
    return types


def _dyno(entry: World, ground: ProvingGround, types: dict[str, TestType]) -> Dyno:
    facility, _ = Facility.objects.get_or_create(ground=ground, name=str(entry.get("facility") or ground.code))
    dyno = Dyno.objects.create(
        ground=ground,
        facility=facility,
        name=str(entry["name"]),
        enabled=entry.get("enabled", True),
        available_from=maybe_day(entry.get("available_from")),
        available_to=maybe_day(entry.get("available_to")),
    )
    for row in entry.get("capabilities") or []:
        for test in row["tests"]:
            Capability.objects.create(
                dyno=dyno,
                test_type=types[str(test)],
                drives=row["drives"],
                weight_classes=row.get("weights") or row.get("weight_classes") or list(WeightClass.values),
            )
    return dyno


def _vehicle(entry: World, ground: ProvingGround) -> Vehicle:
    weight = entry.get("weight_lbs")
    details = {*DETAILS, "notes"}
    return Vehicle.objects.create(
        ground=ground,
        tag=str(entry.get("tag") or ""),
        vin=entry.get("vin"),
        drive=entry["drive"],
        weight_lbs=weight,
        weight_class=entry.get("weight_class") or (weight_class_of(weight) if weight else WeightClass.LIGHT),
        **{name: value for name, value in entry.items() if name in details},
    )


def _allocation(entry: World, vehicle: Vehicle, dyno: Dyno, types: dict[str, dict[str, TestType]]) -> None:
    Allocation.objects.create(
        ground=dyno.ground,
        vehicle=vehicle,
        dyno=dyno,
        test_type=types[dyno.ground.code][str(entry["test"])],
        first_day=day(entry["first"]),
        last_day=day(entry["last"]),
        status=entry.get("status", "scheduled"),
        note=entry.get("note", ""),
        source=Door.IMPORT,
    )


def _window(entry: World, dyno: Dyno) -> None:
    MaintenanceWindow.objects.create(
        ground=dyno.ground,
        dyno=dyno,
        first_day=day(entry["first"]),
        last_day=day(entry["last"]),
        kind=entry.get("kind", MaintenanceKind.PLANNED),
        reason=entry.get("reason", ""),
    )


def _request(entry: World, vehicle: Vehicle, types: dict[str, dict[str, TestType]]) -> None:
    TestRequest.objects.create(
        ground=vehicle.ground,
        vehicle=vehicle,
        test_type=types[vehicle.ground.code][str(entry["test"])],
        days=entry.get("days", 1),
        earliest_start=maybe_day(entry.get("earliest")),
        due_date=maybe_day(entry.get("due")),
        priority=entry.get("priority", Priority.NORMAL),
        note=entry.get("note", ""),
        drive=entry.get("drive", ""),
    )

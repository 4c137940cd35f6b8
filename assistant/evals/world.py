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
    grounds = {each["code"]: _ground(each) for each in world["grounds"]}
    for each in world.get("users", []):
        _user(each, grounds)
    types = {code: _test_types(ground, world.get("test_types", [])) for code, ground in grounds.items()}
    dynos = {
        str(each["name"]): _dyno(each, grounds[each["ground"]], types[each["ground"]]) for each in world["dynos"]
    }
    vehicles: dict[str, Vehicle] = {}
    for each in world.get("vehicles", []):
        made = _vehicle(each, grounds[each["ground"]])
        vehicles |= {str(each[name]): made for name in ("tag", "vin") if each.get(name)}
    for each in world.get("requests", []):
        _request(each, vehicles[str(each["vehicle"])], types)
    for each in world.get("allocations", []):
        _allocation(each, vehicles[str(each["vehicle"])], dynos[str(each["dyno"])], types)
    for each in world.get("maintenance", []):
        _window(each, dynos[str(each["dyno"])])


def day(value: Any) -> dt.date | None:
    if value is None or isinstance(value, dt.date):
        return value
    return dt.date.fromisoformat(str(value))


def _ground(each: World) -> ProvingGround:
    return ProvingGround.objects.create(
        code=each["code"], name=each.get("name", each["code"]), time_zone=each.get("time_zone", "America/Detroit")
    )


def _user(each: World, grounds: dict[str, ProvingGround]) -> None:
    user = User.objects.create_user(str(each["username"]), password=None, is_superuser=bool(each.get("superuser")))
    for code, role in (each.get("role") or {}).items():
        Membership.objects.create(user=user, ground=grounds[code], role=role)


def _test_types(ground: ProvingGround, named: list[Any]) -> dict[str, TestType]:
    made = {}
    for each in named:
        name = each["name"] if isinstance(each, dict) else str(each)
        more = {"default_days": each["days"]} if isinstance(each, dict) and each.get("days") else {}
        if isinstance(each, dict) and each.get("ground", ground.code) != ground.code:
            continue
        made[name] = TestType.objects.create(ground=ground, code=slugify(name) or "test", name=name, **more)
    return made


def _dyno(each: World, ground: ProvingGround, types: dict[str, TestType]) -> Dyno:
    facility, _ = Facility.objects.get_or_create(ground=ground, name=str(each.get("facility") or ground.code))
    dyno = Dyno.objects.create(
        ground=ground,
        facility=facility,
        name=str(each["name"]),
        enabled=each.get("enabled", True),
        available_from=day(each.get("available_from")),
        available_to=day(each.get("available_to")),
    )
    for row in each.get("capabilities") or []:
        for test in row["tests"]:
            Capability.objects.create(
                dyno=dyno,
                test_type=types[str(test)],
                drives=row["drives"],
                weight_classes=row.get("weights") or row.get("weight_classes") or list(WeightClass.values),
            )
    return dyno


def _vehicle(each: World, ground: ProvingGround) -> Vehicle:
    weight = each.get("weight_lbs")
    known = {*DETAILS, "notes"}
    return Vehicle.objects.create(
        ground=ground,
        tag=str(each.get("tag") or ""),
        vin=each.get("vin"),
        drive=each["drive"],
        weight_lbs=weight,
        weight_class=each.get("weight_class") or (weight_class_of(weight) if weight else WeightClass.LIGHT),
        **{name: value for name, value in each.items() if name in known},
    )


def _allocation(each: World, vehicle: Vehicle, dyno: Dyno, types: dict[str, dict[str, TestType]]) -> None:
    Allocation.objects.create(
        ground=dyno.ground,
        vehicle=vehicle,
        dyno=dyno,
        test_type=types[dyno.ground.code][str(each["test"])],
        first_day=day(each["first"]),
        last_day=day(each["last"]),
        status=each.get("status", "scheduled"),
        note=each.get("note", ""),
        source=Door.IMPORT,
    )


def _window(each: World, dyno: Dyno) -> None:
    MaintenanceWindow.objects.create(
        ground=dyno.ground,
        dyno=dyno,
        first_day=day(each["first"]),
        last_day=day(each["last"]),
        kind=each.get("kind", MaintenanceKind.PLANNED),
        reason=each.get("reason", ""),
    )


def _request(each: World, vehicle: Vehicle, types: dict[str, dict[str, TestType]]) -> None:
    TestRequest.objects.create(
        ground=vehicle.ground,
        vehicle=vehicle,
        test_type=types[vehicle.ground.code][str(each["test"])],
        days=each.get("days", 1),
        earliest_start=day(each.get("earliest")),
        due_date=day(each.get("due")),
        priority=each.get("priority", Priority.NORMAL),
        note=each.get("note", ""),
        drive=each.get("drive", ""),
    )

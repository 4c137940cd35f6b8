"""What is sent to one ground and is of another: addresses, fields and tools, to be refused at every door."""

from dataclasses import dataclass
from typing import Any

from allocations.enums import MaintenanceKind
from allocations.models import Allocation, Change, Displacement, MaintenanceWindow, TestRequest
from allocations.services.maintenance import set_maintenance
from allocations.services.requests import create_request
from allocations.tests.world import World, day, window_of


@dataclass(frozen=True)
class Things:
    """A thing of each kind in one ground, by id, and how its vehicle, dyno and test type are called."""

    code: str
    stay: int | None
    window: int | None
    request: int | None
    change: object | None
    dyno: int
    vehicle: int
    test_type: int
    tag: str
    dyno_name: str
    test_name: str


_DAYS = {"first_day": f"{day(9)}", "last_day": f"{day(9)}"}
_PLACE = f"{{other.dyno}}/{day(9)}"
_OWN = {"vehicle": "{own.tag}", "test_type": "{own.test_type}", "days": ""} | _DAYS
_ADMIN = "admin/allocations"
ABOUT: dict[str, dict[str, str]] = {
    "allocations/{other.stay}/move/": {"dyno": "{other.dyno}", "version": "1"} | _DAYS,
    "allocations/{other.stay}/change/": {"note": "Elsewhere", "version": "1"},
    "allocations/{other.stay}/start/": {"version": "1"},
    "allocations/{other.stay}/extend/": {"days": "1", "version": "1"},
    "allocations/{other.stay}/complete/": {"last_day": f"{day(0)}", "version": "1"},
    "allocations/{other.stay}/cancel/": {"version": "1"},
    "allocations/new/?{other.request}": {"request": "{other.request}", "place": _PLACE} | _DAYS,
    "requests/{other.request}/change/": {"vehicle": "{other.tag}", "days": "2", "version": "1"},
    "requests/{other.request}/cancel/": {"version": "1"},
    "maintenance/new/": {"dyno": "{other.dyno}", "kind": "planned", "others": "stay"} | _DAYS,
    "maintenance/{other.window}/change/": {"dyno": "{other.dyno}", "kind": "planned", "version": "1"} | _DAYS,
    "maintenance/{other.window}/lift/": {"version": "1"},
    "changes/{other.change}/undo/": {},
    f"{_ADMIN}/allocation/{{other.stay}}/change/": {"dyno": "{other.dyno}", "seen": "1"} | _DAYS,
    f"{_ADMIN}/allocation/{{other.stay}}/cancel/": {"_confirmed": "1"},
    f"{_ADMIN}/testrequest/{{other.request}}/change/": {"vehicle": "{other.vehicle}", "days": "2", "seen": "1"},
    f"{_ADMIN}/testrequest/{{other.request}}/cancel/": {"_confirmed": "1"},
    f"{_ADMIN}/maintenancewindow/{{other.window}}/change/": {"dyno": "{other.dyno}", "seen": "1"} | _DAYS,
    f"{_ADMIN}/maintenancewindow/{{other.window}}/lift/": {"_confirmed": "1", "lift-version-{other.window}": "1"},
    f"{_ADMIN}/change/{{other.change}}/undo/": {"_confirmed": "1"},
}
"""Forms about a thing of the other ground: what is posted to which address."""

WITH: dict[str, dict[str, str]] = {
    "allocations/new/": _OWN | {"vehicle": "{other.tag}", "place": "auto"},
    "allocations/new/?test": _OWN | {"test_type": "{other.test_type}", "place": "auto"},
    "allocations/new/?place": _OWN | {"place": _PLACE},
    "allocations/{own.stay}/move/": {"dyno": "{other.dyno}", "version": "1"} | _DAYS,
    "allocations/{own.stay}/move/?place": {"place": _PLACE, "version": "1"},
    "requests/new/": _OWN | {"vehicle": "{other.tag}", "days": "1", "priority": "normal"},
    "requests/new/?test": _OWN | {"test_type": "{other.test_type}", "days": "1", "priority": "normal"},
    f"{_ADMIN}/allocation/add/": _OWN | {"vehicle": "{own.vehicle}", "dyno": "{other.dyno}"},
    f"{_ADMIN}/allocation/add/?vehicle": _OWN | {"vehicle": "{other.vehicle}", "dyno": "{own.dyno}"},
    f"{_ADMIN}/testrequest/add/": _OWN
    | {"vehicle": "{own.vehicle}", "test_type": "{other.test_type}", "days": "1", "priority": "normal"},
}
"""Forms of one ground that name a thing of the other."""

TOOLS: tuple[tuple[str, dict[str, str]], ...] = (
    ("move_allocation", {"allocation": "{other.stay}", "start_date": f"{day(9)}"}),
    ("move_allocation", {"allocation": "{own.stay}", "dyno": "{other.dyno_name}", "start_date": f"{day(9)}"}),
    ("cancel_allocation", {"allocation": "{other.stay}"}),
    ("undo_change", {"change": "{other.change}"}),
    *(
        ("book_allocation", _BOOKING | {"start_date": f"{day(9)}", "end_date": f"{day(9)}"})
        for _BOOKING in (
            {"vehicle": "{other.tag}", "dyno": "{own.dyno_name}", "test_type": "{own.test_name}"},
            {"vehicle": "{own.tag}", "dyno": "{other.dyno_name}", "test_type": "{own.test_name}"},
            {"vehicle": "{own.tag}", "dyno": "{own.dyno_name}", "test_type": "{other.test_name}"},
        )
    ),
    ("set_maintenance", {"dyno": "{other.dyno_name}", "start_date": f"{day(9)}", "end_date": f"{day(9)}"}),
)


def filled_in(own: Things, other: Things, address: str, fields: dict[str, str]) -> tuple[str, dict[str, str]] | None:
    """The address and fields with what they name; nothing where a ground has no such thing yet."""
    texts = {text.format(own=own, other=other): value.format(own=own, other=other) for text, value in fields.items()}
    address = address.format(own=own, other=other)
    return None if "None" in (address + " ".join([*texts, *texts.values()])) else (address, texts)


def southern(world: World, name: str) -> Things:
    """A stay, a window and a request of the south, all made by this user."""
    vehicle, dyno, test = world.vehicles["365W201"], world.dynos["STC #1"], world.tests["South brake"]
    stay = Allocation.objects.get(ground=world.south)
    wish = create_request(vehicle.pk, test_type_id=test.pk, days=2, actor=world.actor(name))
    window = set_maintenance(
        dyno.pk, first_day=day(20), last_day=day(22), kind=MaintenanceKind.PLANNED, actor=world.actor(name)
    )
    return Things(
        "SOUTH",
        stay.pk,
        window_of(window).pk,
        wish.items[0]["id"],
        window.pk,
        dyno.pk,
        vehicle.pk,
        test.pk,
        vehicle.tag,
        dyno.name,
        test.name,
    )


def rows_of(ground: Any) -> list[list[dict]]:
    """All that a ground has of the schedule."""
    models = (Allocation, MaintenanceWindow, TestRequest, Change)
    rows = [list(model.objects.filter(ground=ground).order_by("pk").values()) for model in models]
    return [*rows, list(Displacement.objects.filter(window__ground=ground).order_by("pk").values())]

"""The parts of a problem, each with how it is read from JSON and written to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from reprlib import repr as brief
from typing import Any, NamedTuple

from allocations.planning.problem.reading import (
    MAX_INTEGER,
    ProblemError,
    integer,
    list_of,
    names,
    object_of,
    required,
    text,
)

MAX_HORIZON = 100_000


@dataclass(frozen=True)
class Weights:
    """The weights of the objective.

    Attributes
    ----------
    move
        Price of a test that leaves its place, in units of the objective.
    unplaced
        Price of a test without a place; None makes it higher than everything else together.
    stay, finish, versatile
        Only break ties, in this order: fewer moves, earlier finish, versatile dynos kept free. 0 turns one off.
    """

    move: int = 0
    unplaced: int | None = None
    stay: int = 1
    finish: int = 1
    versatile: int = 1


class Place(NamedTuple):
    """A dyno and the first day there."""

    dyno: str
    first: int


@dataclass(frozen=True)
class Test:
    """A test that needs a place, or has one.

    It begins on a day that is not closed. A test that runs through takes `days` in a row; one that `pauses` takes as
    many days that are not closed, and keeps its dyno and vehicle over the closed days between.

    Attributes
    ----------
    days
        How many days it takes, at least 1.
    earliest, due
        The first day on which it may begin, and the last day on which it is not late.
    weight
        Cost of one day late, in units of the objective.
    dynos
        Names of the dynos that may run it.
    after, gap
        Id of the test that it comes after, and how many days have to be between the two.
    placed
        Where it is now.
    fixed
        Whether it has to stay there.
    """

    __test__ = False  # pytest would collect it by its name

    id: str
    vehicle: str
    days: int
    earliest: int
    due: int
    weight: int
    dynos: tuple[str, ...]
    after: str | None = None
    gap: int = 0
    placed: Place | None = None
    fixed: bool = False
    pauses: bool = False

    @property
    def place(self) -> Place:
        """Where it is now. Raises ProblemError if it has no place."""
        if self.placed is None:
            raise ProblemError(f"{self.id}.placed", "is missing: the test stands nowhere")
        return self.placed


@dataclass(frozen=True)
class Occupied:
    """Days on which a dyno or a vehicle is not available. `facility` is where the vehicle is meanwhile."""

    first: int
    last: int
    dyno: str | None = None
    vehicle: str | None = None
    facility: str | None = None


@dataclass(frozen=True)
class Travel:
    """Days that have to be between a vehicle's last day at one facility and its first at the other."""

    origin: str
    to: str
    days: int


def json_of_test(test: Test) -> dict[str, Any]:
    """Return a test as `read_test` reads it."""
    item: dict[str, Any] = {
        "id": test.id,
        "vehicle": test.vehicle,
        "days": test.days,
        "earliest": test.earliest,
        "due": test.due,
        "weight": test.weight,
        "dynos": list(test.dynos),
    }
    if test.pauses:
        item["pauses"] = True
    if test.after is not None:
        item |= {"after": test.after, "gap": test.gap}
    if test.placed is not None:
        item |= {"placed": {"dyno": test.placed.dyno, "first": test.placed.first}, "fixed": test.fixed}
    return item


def read_occupied(value: Any, where: str, dynos: set[str]) -> Occupied:
    """Read occupied days. `where` names the place in the problem, for errors."""
    item = object_of(value, where)
    dyno, vehicle = item.get("dyno"), item.get("vehicle")
    if (dyno is None) == (vehicle is None):
        raise ProblemError(where, "must name either a dyno or a vehicle")
    if dyno is not None and text(dyno, f"{where}.dyno") not in dynos:
        raise ProblemError(f"{where}.dyno", f"{dyno!r} is not among the dynos")
    if vehicle is not None:
        text(vehicle, f"{where}.vehicle")
    facility = item.get("facility")
    if facility is not None:
        text(facility, f"{where}.facility")
    first = integer(item, "first", where)
    return Occupied(first, integer(item, "last", where, low=first), dyno, vehicle, facility)


def read_closed(value: Any) -> tuple[int, ...]:
    """Read the closed days."""
    days = list_of(value, "closed")
    return tuple(sorted({integer({"": day}, "", f"closed[{i}]", low=0) for i, day in enumerate(days)}))


def read_facilities(value: Any, dynos: set[str]) -> dict[str, str]:
    """Read the facility of each dyno."""
    item = object_of(value, "facilities")
    for name in item:
        if name not in dynos:
            raise ProblemError(f"facilities.{name}", "is not among the dynos")
    return {name: text(facility, f"facilities.{name}") for name, facility in item.items()}


def read_travel(value: Any) -> tuple[Travel, ...]:
    """Read the table of travel."""
    travel: dict[tuple[str, str], Travel] = {}
    for i, entry in enumerate(list_of(value, "travel")):
        where = f"travel[{i}]"
        item = object_of(entry, where)
        origin, to = (text(required(item, end, where), f"{where}.{end}") for end in ("from", "to"))
        if origin == to or (origin, to) in travel:
            raise ProblemError(where, "leads nowhere" if origin == to else "stands twice")
        travel[origin, to] = Travel(origin, to, integer(item, "days", where, low=0, high=MAX_HORIZON))
    return tuple(travel.values())


def read_test(value: Any, where: str, dynos: set[str]) -> Test:
    """Read a test. `where` names the place in the problem, for errors."""
    item = object_of(value, where)
    days = integer(item, "days", where, low=1)
    allowed = names(required(item, "dynos", where), f"{where}.dynos")
    for i, name in enumerate(allowed):
        if name not in dynos:
            raise ProblemError(f"{where}.dynos[{i}]", f"{name!r} is not among the dynos")
    fixed = _flag(item, "fixed", where)
    placed = None
    if item.get("placed") is not None:
        place = object_of(item["placed"], f"{where}.placed")
        dyno = text(required(place, "dyno", f"{where}.placed"), f"{where}.placed.dyno")
        if dyno not in dynos:
            raise ProblemError(f"{where}.placed.dyno", f"{dyno!r} is not among the dynos")
        placed = Place(dyno, integer(place, "first", f"{where}.placed"))
    if fixed and placed is None:
        raise ProblemError(f"{where}.fixed", "needs placed: where it stands")
    after = item.get("after")
    return Test(
        id=text(required(item, "id", where), f"{where}.id"),
        vehicle=text(required(item, "vehicle", where), f"{where}.vehicle"),
        days=days,
        earliest=integer(item, "earliest", where),
        due=integer(item, "due", where),
        weight=integer(item, "weight", where, low=0),
        dynos=allowed,
        after=None if after is None else text(after, f"{where}.after"),
        gap=integer(item, "gap", where, low=0, default=0),
        placed=placed,
        fixed=fixed,
        pauses=_flag(item, "pauses", where),
    )


def _flag(item: Mapping[str, Any], key: str, where: str) -> bool:
    value = item.get(key)
    if not isinstance(value, bool | None):
        raise ProblemError(f"{where}.{key}", f"must be true or false, not {brief(value)}")
    return bool(value)


def read_weights(value: Any) -> Weights:
    """Read the weights; those left out have their defaults."""
    item = object_of(value, "weights")
    field_names = {f.name for f in fields(Weights)}
    for key in item:
        if key not in field_names:
            raise ProblemError(f"weights.{key}", f"is unknown; there are {', '.join(sorted(field_names))}")
    values = {key: integer(item, key, "weights", low=0) for key in item if key != "unplaced"}
    if item.get("unplaced") is not None:
        values["unplaced"] = integer(item, "unplaced", "weights", low=1, high=MAX_INTEGER**3)
    return Weights(**values)

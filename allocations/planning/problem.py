"""The problem as it is given: what waits, where it may go, what stands in the way.

Days count from 0, both ends inclusive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

MAX_HORIZON = 100_000


class ProblemError(ValueError):
    """A malformed problem; `field` names the place, such as `tests[3].due`."""

    def __init__(self, field_name: str, message: str):
        super().__init__(f"{field_name}: {message}")
        self.field = field_name
        self.message = message


@dataclass(frozen=True)
class Weights:
    """What counts how much.

    `move` is a price in the objective, per test that leaves its place. `unplaced` is the price of a test without a
    place; None makes it dearer than everything else together. `stay`, `finish` and `versatile` only break ties, in
    this order: fewer moves, earlier finish, versatile dynos kept free. 0 switches one off.
    """

    move: int = 0
    unplaced: int | None = None
    stay: int = 1
    finish: int = 1
    versatile: int = 1


@dataclass(frozen=True)
class Test:
    """One test that wants, or has, a place."""

    __test__ = False  # not for pytest, whatever its name

    id: str
    vehicle: str
    days: int
    earliest: int
    due: int
    weight: int
    dynos: tuple[str, ...]
    after: str | None = None
    gap: int = 0
    placed: tuple[str, int] | None = None
    fixed: bool = False


@dataclass(frozen=True)
class Occupied:
    """Days on which a dyno, or a vehicle, cannot be had."""

    first: int
    last: int
    dyno: str | None = None
    vehicle: str | None = None


@dataclass(frozen=True)
class Problem:
    """A whole problem; `from_json` checks it, the constructor does not."""

    horizon: int
    dynos: tuple[str, ...]
    tests: tuple[Test, ...]
    occupied: tuple[Occupied, ...] = ()
    weights: Weights = field(default_factory=Weights)

    @classmethod
    def from_json(cls, data: str | bytes | Mapping[str, Any]) -> Problem:
        """Read a problem from JSON text or the object read from it; ProblemError names the field that is wrong."""
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except ValueError as error:
                raise ProblemError("problem", f"is not JSON ({error})") from None
        if not isinstance(data, Mapping):
            raise ProblemError("problem", "must be an object")
        horizon = _integer(data, "horizon", "", low=1, high=MAX_HORIZON)
        dynos = _names(_required(data, "dynos", ""), "dynos")
        occupied = tuple(
            _occupied(item, f"occupied[{i}]", horizon, set(dynos))
            for i, item in enumerate(_list(data.get("occupied", []), "occupied"))
        )
        tests = tuple(
            _test(item, f"tests[{i}]", horizon, set(dynos))
            for i, item in enumerate(_list(_required(data, "tests", ""), "tests"))
        )
        problem = cls(horizon, dynos, tests, occupied, _weights(data.get("weights", {})))
        _check_order(problem)
        _check_fixed(problem)
        return problem

    def to_json(self) -> dict[str, Any]:
        """Give the problem as it is read."""
        return {
            "horizon": self.horizon,
            "dynos": list(self.dynos),
            "occupied": [
                {k: v for k, v in (("dyno", o.dyno), ("vehicle", o.vehicle)) if v is not None}
                | {"first": o.first, "last": o.last}
                for o in self.occupied
            ],
            "tests": [_test_json(t) for t in self.tests],
            "weights": {f.name: getattr(self.weights, f.name) for f in fields(Weights)},
        }

    def with_weights(self, **changes: int | None) -> Problem:
        """Give the same problem with some of its weights changed."""
        return replace(
            self, weights=_weights({f.name: getattr(self.weights, f.name) for f in fields(Weights)} | changes)
        )


def _test_json(test: Test) -> dict[str, Any]:
    item: dict[str, Any] = {
        "id": test.id,
        "vehicle": test.vehicle,
        "days": test.days,
        "earliest": test.earliest,
        "due": test.due,
        "weight": test.weight,
        "dynos": list(test.dynos),
    }
    if test.after is not None:
        item |= {"after": test.after, "gap": test.gap}
    if test.placed is not None:
        item |= {"placed": {"dyno": test.placed[0], "first": test.placed[1]}, "fixed": test.fixed}
    return item


def _required(data: Mapping[str, Any], key: str, where: str) -> Any:
    if key not in data:
        raise ProblemError(f"{where}.{key}".lstrip("."), "is missing")
    return data[key]


def _integer(
    data: Mapping[str, Any], key: str, where: str, *, low: int | None = None, high: int | None = None, default=None
) -> int:
    name = f"{where}.{key}".lstrip(".")
    value = data.get(key, default) if default is not None else _required(data, key, where)
    if value is None and default is not None:
        value = default
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        raise ProblemError(name, f"must be a whole number, not {value!r}")
    if low is not None and value < low:
        raise ProblemError(name, f"must be at least {low}, not {value}")
    if high is not None and value > high:
        raise ProblemError(name, f"must be at most {high}, not {value}")
    return value


def _text(value: Any, name: str) -> str:
    if not isinstance(value, str) or not value:
        raise ProblemError(name, f"must be a name, not {value!r}")
    return value


def _list(value: Any, name: str) -> list[Any]:
    if not isinstance(value, (list, tuple)):
        raise ProblemError(name, "must be a list")
    return list(value)


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise ProblemError(name, "must be an object")
    return value


def _names(value: Any, name: str) -> tuple[str, ...]:
    seen: dict[str, int] = {}
    for i, item in enumerate(_list(value, name)):
        if _text(item, f"{name}[{i}]") in seen:
            raise ProblemError(f"{name}[{i}]", f"{item!r} stands twice")
        seen[item] = i
    return tuple(seen)


def _occupied(value: Any, where: str, horizon: int, dynos: set[str]) -> Occupied:
    item = _object(value, where)
    dyno, vehicle = item.get("dyno"), item.get("vehicle")
    if (dyno is None) == (vehicle is None):
        raise ProblemError(where, "must name either a dyno or a vehicle")
    if dyno is not None and _text(dyno, f"{where}.dyno") not in dynos:
        raise ProblemError(f"{where}.dyno", f"{dyno!r} is not among the dynos")
    if vehicle is not None:
        _text(vehicle, f"{where}.vehicle")
    first = _integer(item, "first", where)
    return Occupied(first, _integer(item, "last", where, low=first), dyno, vehicle)


def _test(value: Any, where: str, horizon: int, dynos: set[str]) -> Test:
    item = _object(value, where)
    days = _integer(item, "days", where, low=1)
    allowed = _names(_required(item, "dynos", where), f"{where}.dynos")
    for i, name in enumerate(allowed):
        if name not in dynos:
            raise ProblemError(f"{where}.dynos[{i}]", f"{name!r} is not among the dynos")
    fixed = item.get("fixed", False)
    if fixed is None:
        fixed = False
    if not isinstance(fixed, bool):
        raise ProblemError(f"{where}.fixed", f"must be true or false, not {fixed!r}")
    placed = None
    if item.get("placed") is not None:
        place = _object(item["placed"], f"{where}.placed")
        dyno = _text(_required(place, "dyno", f"{where}.placed"), f"{where}.placed.dyno")
        if dyno not in dynos:
            raise ProblemError(f"{where}.placed.dyno", f"{dyno!r} is not among the dynos")
        placed = (dyno, _integer(place, "first", f"{where}.placed"))
    if fixed and placed is None:
        raise ProblemError(f"{where}.fixed", "needs placed: where it stands")
    if fixed and not 0 <= placed[1] <= horizon - days:
        raise ProblemError(f"{where}.placed.first", "a fixed test must stand within the horizon")
    after = item.get("after")
    return Test(
        id=_text(_required(item, "id", where), f"{where}.id"),
        vehicle=_text(_required(item, "vehicle", where), f"{where}.vehicle"),
        days=days,
        earliest=_integer(item, "earliest", where),
        due=_integer(item, "due", where),
        weight=_integer(item, "weight", where, low=0),
        dynos=allowed,
        after=None if after is None else _text(after, f"{where}.after"),
        gap=_integer(item, "gap", where, low=0, default=0),
        placed=placed,
        fixed=fixed,
    )


def _weights(value: Any) -> Weights:
    item = _object(value, "weights")
    names = {f.name for f in fields(Weights)}
    for key in item:
        if key not in names:
            raise ProblemError(f"weights.{key}", f"is unknown; there are {', '.join(sorted(names))}")
    given = {key: _integer(item, key, "weights", low=0) for key in item if key != "unplaced"}
    if item.get("unplaced") is not None:
        given["unplaced"] = _integer(item, "unplaced", "weights", low=1)
    return Weights(**given)


def _check_order(problem: Problem) -> None:
    position: dict[str, int] = {}
    for i, test in enumerate(problem.tests):
        if test.id in position:
            raise ProblemError(f"tests[{i}].id", f"{test.id!r} stands twice")
        position[test.id] = i
    done: set[int] = set()
    for i, test in enumerate(problem.tests):
        if test.after is not None and test.after not in position:
            raise ProblemError(f"tests[{i}].after", f"{test.after!r} is not among the tests")
    for i in range(len(problem.tests)):
        path: list[int] = []
        at: int | None = i
        while at is not None and at not in done:
            if at in path:
                raise ProblemError(f"tests[{i}].after", "goes round in a circle")
            path.append(at)
            after = problem.tests[at].after
            at = None if after is None else position[after]
        done.update(path)


def _check_fixed(problem: Problem) -> None:
    """Fixed tests are not the planner's to question, but two of them on one day have no plan at all."""
    taken: dict[tuple[str, str, int], str] = {}
    where = {t.id: t for t in problem.tests if t.fixed}
    for o in problem.occupied:
        kind, name = ("dyno", o.dyno) if o.dyno is not None else ("vehicle", o.vehicle)
        for day in range(max(o.first, 0), min(o.last, problem.horizon - 1) + 1):
            taken[kind, name or "", day] = "an occupied day"
    for i, test in enumerate(problem.tests):
        if not test.fixed or test.placed is None:
            continue
        name = f"tests[{i}].placed"
        for day in range(test.placed[1], test.placed[1] + test.days):
            for key in (("dyno", test.placed[0], day), ("vehicle", test.vehicle, day)):
                if key in taken:
                    raise ProblemError(name, f"fixed on day {day} of {key[0]} {key[1]!r}, taken by {taken[key]}")
                taken[key] = f"{test.id!r}"
        before = where.get(test.after or "")
        if before and before.placed and test.placed[1] < before.placed[1] + before.days + test.gap:
            raise ProblemError(name, f"fixed before {before.id!r}, which it comes after, has ended")

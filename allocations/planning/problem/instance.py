"""The problem as it is given: the tests to place, where each may go, and what is taken already.

Days count from 0, both ends inclusive.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from allocations.planning.problem.parts import (
    MAX_HORIZON,
    Occupied,
    Place,
    Test,
    Travel,
    Weights,
    json_of_test,
    read_closed,
    read_facilities,
    read_occupied,
    read_test,
    read_travel,
    read_weights,
)
from allocations.planning.problem.reading import ProblemError, integer, list_of, names, required, value_or

__all__ = ["Occupied", "Place", "Problem", "ProblemError", "Test", "Travel", "Weights"]


@dataclass(frozen=True)
class Problem:
    """A whole problem. `from_json` checks it, the constructor does not.

    Attributes
    ----------
    horizon
        How many days may be planned, from day 0.
    dynos
        Names, each once.
    occupied
        Days on which a dyno or a vehicle is taken by something else.
    closed
        Days on which no test begins.
    facilities
        The facility of each dyno.
    travel
        Days on the way from one facility to another; those that are missing take none.
    """

    horizon: int
    dynos: tuple[str, ...]
    tests: tuple[Test, ...]
    occupied: tuple[Occupied, ...] = ()
    weights: Weights = field(default_factory=Weights)
    closed: tuple[int, ...] = ()
    facilities: Mapping[str, str] = field(default_factory=dict, hash=False)
    travel: tuple[Travel, ...] = ()

    @classmethod
    def from_json(cls, data: str | bytes | Mapping[str, Any]) -> Problem:
        """Read a problem from JSON text, or from the object read from it.

        Raises
        ------
        ProblemError
            If the problem is malformed; its `field` names the place, such as `tests[3].due`.
        """
        if isinstance(data, (str, bytes)):
            try:
                data = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise ProblemError("problem", f"is not JSON ({error})") from None
        if not isinstance(data, Mapping):
            raise ProblemError("problem", "must be an object")
        horizon = integer(data, "horizon", "", low=1, high=MAX_HORIZON)
        dynos = names(required(data, "dynos", ""), "dynos")
        problem = cls(
            horizon,
            dynos,
            tuple(
                read_test(item, f"tests[{i}]", set(dynos))
                for i, item in enumerate(list_of(required(data, "tests", ""), "tests"))
            ),
            tuple(
                read_occupied(item, f"occupied[{i}]", set(dynos))
                for i, item in enumerate(list_of(value_or(data, "occupied", []), "occupied"))
            ),
            read_weights(value_or(data, "weights", {})),
            read_closed(value_or(data, "closed", [])),
            read_facilities(value_or(data, "facilities", {}), set(dynos)),
            read_travel(value_or(data, "travel", [])),
        )
        _check_order(problem)
        check_fixed(problem)
        return problem

    def to_json(self) -> dict[str, Any]:
        """Return the problem as `from_json` reads it."""
        return {
            "horizon": self.horizon,
            "dynos": list(self.dynos),
            "occupied": [
                {key: value for key in ("dyno", "vehicle", "facility") if (value := getattr(o, key)) is not None}
                | {"first": o.first, "last": o.last}
                for o in self.occupied
            ],
            "tests": [json_of_test(t) for t in self.tests],
            "weights": {f.name: getattr(self.weights, f.name) for f in fields(Weights)},
        } | self._calendar_json()

    def _calendar_json(self) -> dict[str, Any]:
        item: dict[str, Any] = {}
        if self.closed:
            item["closed"] = list(self.closed)
        if self.facilities:
            item["facilities"] = dict(self.facilities)
        if self.travel:
            item["travel"] = [{"from": t.origin, "to": t.to, "days": t.days} for t in self.travel]
        return item

    def last_day(self, test: Test, first: int) -> int:
        """Return the last day of a test that begins on `first`; for a test that pauses, closed days are not
        counted.
        """
        last = first + test.days - 1
        for day in self.closed if test.pauses else ():
            last += first <= day <= last
        return last

    def with_weights(self, **changes: int | None) -> Problem:
        """Return the same problem with some weights changed. Raises ProblemError as `from_json` does."""
        return replace(
            self, weights=read_weights({f.name: getattr(self.weights, f.name) for f in fields(Weights)} | changes)
        )


def reach(problem: Problem) -> int:
    """Return how many days matter: some best plan has ended by the last of them, whatever the horizon.

    Once no limit of the problem ends any more, later tests may move up until each follows the end of another, its gap
    or its travel.
    """
    limits = [0, *problem.closed, *(t.earliest for t in problem.tests)]
    limits += [problem.last_day(t, t.placed[1]) for t in problem.tests if t.placed is not None]
    limits += [o.last for o in problem.occupied if o.last < problem.horizon - 1]
    way = max((t.days for t in problem.travel), default=0)
    limits.append(max(limits) + sum(t.days + max(t.gap if t.after else 0, way) for t in problem.tests))
    return max(1, min(problem.horizon, limits[-1] + 1))


def _check_order(problem: Problem) -> None:
    position: dict[str, int] = {}
    for i, test in enumerate(problem.tests):
        if test.id in position:
            raise ProblemError(f"tests[{i}].id", f"{test.id!r} stands twice")
        position[test.id] = i
    for i, test in enumerate(problem.tests):
        if test.after is not None and test.after not in position:
            raise ProblemError(f"tests[{i}].after", f"{test.after!r} is not among the tests")
    before = [None if test.after is None else position[test.after] for test in problem.tests]
    _check_no_circle(before)


def _check_no_circle(before: list[int | None]) -> None:
    """Raise ProblemError if a test comes after itself; `before` has the index of the test that each comes after."""
    done: set[int] = set()
    for i in range(len(before)):
        path: list[int] = []
        at: int | None = i
        while at is not None and at not in done:
            if at in path:
                raise ProblemError(f"tests[{i}].after", "goes round in a circle")
            path.append(at)
            at = before[at]
        done.update(path)


def check_fixed(problem: Problem) -> None:
    """Raise ProblemError if two fixed tests, or one and an occupied day, are on one day of a dyno or vehicle.

    Where fixed tests are is not checked otherwise, except that they are within the horizon and in their order.
    """
    occupants = _occupants(problem)
    fixed = {t.id: t for t in problem.tests if t.fixed}
    for i, test in enumerate(problem.tests):
        if test.fixed and test.placed is not None:
            name = f"tests[{i}].placed"
            _occupy(problem, test, name, occupants)
            before = fixed.get(test.after or "")
            if before and before.placed and test.placed[1] <= problem.last_day(before, before.placed[1]) + test.gap:
                raise ProblemError(name, f"fixed before {before.id!r}, which it comes after, has ended")


def _occupy(problem: Problem, test: Test, name: str, occupants: dict[tuple[str, str, int], str]) -> None:
    """Add a fixed test to what takes dynos and vehicles. Raise ProblemError for a day that is taken already."""
    if test.placed is None:
        return
    dyno, first = test.placed
    last = problem.last_day(test, first)
    if not 0 <= first <= last < problem.horizon:
        raise ProblemError(f"{name}.first", "a fixed test must stand within the horizon")
    for day in range(first, last + 1):
        for key in (("dyno", dyno, day), ("vehicle", test.vehicle, day)):
            if key in occupants:
                raise ProblemError(name, f"fixed on day {day} of {key[0]} {key[1]!r}, taken by {occupants[key]}")
            occupants[key] = f"{test.id!r}"


def _occupants(problem: Problem) -> dict[tuple[str, str, int], str]:
    """Return what takes each dyno and vehicle on the days on which it is not available."""
    occupants: dict[tuple[str, str, int], str] = {}
    for o in problem.occupied:
        kind, holder = ("dyno", o.dyno) if o.dyno is not None else ("vehicle", o.vehicle)
        for day in range(max(o.first, 0), min(o.last, problem.horizon - 1) + 1):
            occupants[kind, holder or "", day] = "an occupied day"
    return occupants

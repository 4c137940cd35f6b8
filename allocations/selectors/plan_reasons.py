"""Why each test of a plan is where it is, in words that hold for the plan as a whole.

For a test that is late, every day on which it might have begun earlier is compared with the rest of the plan: is no
dyno free that runs it, is its vehicle elsewhere, does it wait for another test, or was a better place missed?
"""

import datetime as dt
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from allocations.models import Allocation, Dyno, Plan, TestRequest
from allocations.planning import Problem, Solution
from allocations.planning.problem.instance import Test
from dynosite.lib.formats import count, day_range

NAMED = 4
"""Dynos that a sentence names, at most; more are counted."""
Row = TestRequest | Allocation


class DynoStay(NamedTuple):
    """Days of a dyno that are taken, counted from the plan's first; `test` is the plan's test that takes them, or
    empty.
    """

    first: int
    last: int
    test: str


class VehicleStay(NamedTuple):
    """Days of a vehicle that are taken, counted from the plan's first, and the facility where it is, if known."""

    first: int
    last: int
    test: str
    facility: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    late: int
    words: str
    move: str = ""
    """Why a test that has a place would move; a sentence before the words."""

    @property
    def whole(self) -> str:
        return f"{self.move} {self.words}".strip()


@dataclass
class _Look:
    """The plan as it would be, by dyno and by vehicle."""

    plan: Plan
    problem: Problem
    rows: dict[str, Row]
    names: dict[int, str]
    dynos: dict[str, list[DynoStay]] = field(default_factory=dict)
    vehicles: dict[str, list[VehicleStay]] = field(default_factory=dict)
    ends: dict[str, int] = field(default_factory=dict)

    def day(self, number: int) -> str:
        day = self.plan.first_day + dt.timedelta(days=number)
        return day_range(day, day)

    def label(self, id_: str) -> str:
        row = self.rows[id_]
        return f"{row.vehicle.label}, {row.test_type.name}"


def reasons_of(plan: Plan, problem: Problem, rows: dict[str, Row], solution: Solution) -> dict[str, Reason]:
    """Explains each test that the solution puts in a new place, or in none.

    Parameters
    ----------
    rows
        The request or allocation behind each test, by test name.

    Returns
    -------
    dict[str, Reason]
        By test name the days late (0 without a place), and the reason in words. Tests that stay where they are have
        none.
    """
    names = dict(Dyno.objects.filter(ground_id=plan.ground_id).values_list("pk", "name"))
    look = _look(plan, problem, rows, names, solution)
    tests = {test.id: test for test in problem.tests}
    answers = {}
    for placement in solution.placements:
        test = tests[placement.id]
        if test.placed == (placement.dyno, placement.first):
            continue
        late = max(0, placement.last - test.due)
        words = f"{count(late, 'day')} late: {_late(look, test, placement.first)}" if late else "In time."
        answers[placement.id] = Reason(late, words, _move(look, test, placement.dyno, placement.first))
    days = day_range(plan.first_day, plan.last_day)
    for id_ in solution.unplaced:
        answers[id_] = Reason(
            0, f"No place in the days planned, {days}: {_why_not(look, tests[id_], problem.horizon)}"
        )
    return answers


def _look(plan: Plan, problem: Problem, rows: dict[str, Row], names: dict[int, str], solution: Solution) -> _Look:
    look = _Look(plan, problem, rows, names)
    for block in problem.occupied:
        if block.dyno:
            look.dynos.setdefault(block.dyno, []).append(DynoStay(block.first, block.last, ""))
        if block.vehicle:
            look.vehicles.setdefault(block.vehicle, []).append(
                VehicleStay(block.first, block.last, "", block.facility)
            )
    vehicles = {test.id: test.vehicle for test in problem.tests}
    for at in solution.placements:
        look.dynos.setdefault(at.dyno, []).append(DynoStay(at.first, at.last, at.id))
        stay = VehicleStay(at.first, at.last, at.id, problem.facilities.get(at.dyno))
        look.vehicles.setdefault(vehicles[at.id], []).append(stay)
        look.ends[at.id] = at.last
    return look


def _move(look: _Look, test: Test, dyno: str, first: int) -> str:
    if test.placed is None or test.placed == (dyno, first):
        return ""
    old, began = test.placed
    ended = look.problem.last_day(test, began)
    for start, last, id_ in sorted(look.dynos.get(old, [])):
        if id_ and id_ != test.id and start <= ended and last >= began:
            return f"Makes room for {look.label(id_)}."
    if first < began:
        return f"Begins {count(began - first, 'day')} earlier."
    return "Moved."


def _late(look: _Look, test: Test, first: int) -> str:
    """Why it does not begin before `first`, and how late it would be in any case."""
    start = _first_open(look, test.earliest)
    if start >= first:
        return f"it takes {count(test.days, 'day')} and cannot start before {look.day(start)}{_because(look, test)}."
    anyway = look.problem.last_day(test, start) - test.due
    even = f" Even from {look.day(start)} on it would be {count(anyway, 'day')} late." if anyway > 0 else ""
    return _why_not(look, test, first) + even


def _because(look: _Look, test: Test) -> str:
    return ", the first day planned" if test.earliest == 0 else ""


def _why_not(look: _Look, test: Test, before: int) -> str:
    """Why it begins on no day before this one."""
    start = _first_open(look, test.earliest)
    if test.after:
        if test.after not in look.ends:
            return f"it comes after {look.label(test.after)}, which has none either."
        ready = _first_open(look, look.ends[test.after] + test.gap + 1)
        if ready >= before:
            return f"it comes after {look.label(test.after)}, which ends on {look.day(look.ends[test.after])}."
        start = max(start, ready)
    if not any(_place(look, test, dyno, start, before) for dyno in test.dynos):
        return _full(look, test, start, before)
    places = [
        (place, dyno) for dyno in test.dynos if (place := _place(look, test, dyno, start, before, vehicle=True))
    ]
    if not places:
        return _elsewhere(look, test, before)
    place, dyno = min(places)
    name = look.names[int(dyno[1:])]
    return (
        f"it would fit on {name} from {look.day(place - 1)} on; with more time to think a better plan may be found."
    )


def _place(look: _Look, test: Test, dyno: str, start: int, before: int, *, vehicle: bool = False) -> int:
    """One more than the first day within these on which it could begin on a dyno, or 0; with its vehicle's other
    stays or without them."""
    occupied = [(first, last) for first, last, id_ in look.dynos.get(dyno, []) if id_ != test.id]
    if vehicle:
        occupied += _stays(look, test, dyno)
    for begin, end in _gaps(sorted(occupied), start, look.problem.horizon - 1):
        day = _first_open(look, begin)
        if day >= before:
            return 0
        if look.problem.last_day(test, day) <= end:
            return day + 1
    return 0


def _stays(look: _Look, test: Test, dyno: str) -> list[tuple[int, int]]:
    """The days on which its vehicle cannot be at this dyno: its other stays, and the ways there and back."""
    facility = look.problem.facilities.get(dyno)
    ways: dict[tuple[str | None, str | None], int] = {(way.origin, way.to): way.days for way in look.problem.travel}
    return [
        (stay.first - ways.get((facility, stay.facility), 0), stay.last + ways.get((stay.facility, facility), 0))
        for stay in look.vehicles.get(test.vehicle, [])
        if stay.test != test.id
    ]


def _gaps(occupied: Sequence[tuple[int, int]], start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    for first, last in occupied:
        if first > at:
            yield at, min(first - 1, end)
        at = max(at, last + 1)
    if at <= end:
        yield at, end


def _first_open(look: _Look, day: int) -> int:
    while day in look.problem.closed:
        day += 1
    return day


def _full(look: _Look, test: Test, start: int, before: int) -> str:
    """No dyno that runs it has so many days free: taken on every day, or free for less."""
    row = look.rows[test.id]
    drive = row.tested_as if isinstance(row, TestRequest) else row.drive or row.vehicle.drive
    kind = f"{row.test_type.name} {drive} {row.vehicle.weight_class}"
    full = test.days == 1 or not _any_gap(look, test, start, before)
    since = f" from {look.day(start)}" if start > 0 else ""
    ahead = f" that begin before {look.day(before)}" if before < look.problem.horizon else ""
    free = f"{test.days} days in a row free{since and f'{since} on'}{ahead}"
    busy = f"taken{since} until {look.day(before - 1)}"
    number = len(test.dynos)
    if number > NAMED:
        those = f"{number} dynos that run {kind}"
        return f"all {those} are {busy}." if full else f"none of the {those} has {free}."
    names = [look.names[int(dyno[1:])] for dyno in test.dynos]
    if number == 1:
        return f"{names[0]} alone runs {kind}, and it {f'is {busy}' if full else f'has no {free}'}."
    all_of, none_of = ("both", "neither") if number == 2 else (f"all {number}", "none")
    runs = f"{', '.join(names[:-1])} and {names[-1]} alone run {kind}, and"
    return f"{runs} {all_of} are {busy}." if full else f"{runs} {none_of} has {free}."


def _any_gap(look: _Look, test: Test, start: int, before: int) -> bool:
    """Whether a dyno that runs it is free on any of the days."""
    for dyno in test.dynos:
        stays = sorted((first, last) for first, last, id_ in look.dynos.get(dyno, []) if id_ != test.id)
        if any(True for _ in _gaps(stays, start, before - 1)):
            return True
    return False


def _elsewhere(look: _Look, test: Test, before: int) -> str:
    """A dyno is free, but the vehicle is not, or not there in time."""
    stays = [stay for stay in look.vehicles[test.vehicle] if stay.test != test.id and stay.first < before]
    tag = look.rows[test.id].vehicle.label
    if not stays:
        return f"a dyno would be free, but {tag} would not be there in time."
    latest = max(stays, key=lambda stay: stay.last)
    other = f" for its {look.rows[latest.test].test_type.name}" if latest.test else ""
    way = ", and has to travel" if look.problem.travel else ""
    return f"a dyno would be free, but {tag} itself is taken{other} until {look.day(latest.last)}{way}."

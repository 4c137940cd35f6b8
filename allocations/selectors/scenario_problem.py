"""A scenario's edits applied to a problem: pure functions, from what was read to what would be."""

import datetime as dt
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from itertools import product

from allocations.enums import Priority
from allocations.planning import Problem
from allocations.planning.problem.instance import Occupied, Test
from allocations.selectors import scenario_edits as edits
from allocations.selectors.plan_problem import WEIGHTS, Kind, PlanningProblem, Runs, test_of_request
from allocations.selectors.scenario_facts import GroundFacts, Span, kind_of


@dataclass(frozen=True)
class Edited:
    problem: Problem
    kinds: dict[str, Kind]
    """Of each test."""
    runs: Runs
    dynos: dict[str, str]
    away: dict[str, list[Span]]
    impossible: int
    """How many requests no dyno may run; no plan places them."""


def edited(planning: PlanningProblem, changes: Sequence[edits.AnyEdit], facts: GroundFacts) -> Edited:
    """Returns the problem with these edits applied one after the other; `planning` is not changed."""
    desk = _Desk(planning, facts)
    for change in changes:
        desk.make(change)
    return desk.result()


class _Desk:
    def __init__(self, planning: PlanningProblem, facts: GroundFacts):
        self.planning, self.facts = planning, facts
        self.tests = {test.id: test for test in planning.problem.tests}
        self.kinds = {id_: kind_of(row) for id_, row in planning.rows.items()}
        self.runs = {kind: list(dynos) for kind, dynos in facts.runs.items()}
        self.dynos = {dyno: facts.dynos[dyno] for dyno in planning.problem.dynos}
        self.away = {dyno: list(spans) for dyno, spans in facts.away.items() if dyno in self.dynos}
        self.occupied = list(planning.problem.occupied)
        self.closed = set(planning.problem.closed)
        self.impossible = list(planning.impossible)
        self.pause = False
        self.facilities = dict(planning.problem.facilities)

    def result(self) -> Edited:
        tests = tuple(self.tests.values())
        if self.pause:
            tests = tuple(test if test.fixed else replace(test, pauses=True) for test in tests)
        problem = replace(
            self.planning.problem,
            dynos=tuple(self.dynos),
            tests=tests,
            occupied=tuple(self.occupied),
            closed=tuple(sorted(self.closed)),
            facilities=self.facilities,
        )
        return Edited(problem, self.kinds, self.runs, self.dynos, self.away, len(self.impossible))

    def make(self, change: edits.AnyEdit) -> None:
        match change:
            case edits.AddDyno():
                self._add_dyno(change)
            case edits.RemoveDyno():
                self._remove_dyno(f"d{change.dyno}")
            case edits.AddCapability():
                if f"d{change.dyno}" in self.dynos:
                    self._let_run(f"d{change.dyno}", _kinds_of([change.runs]))
            case edits.AddMaintenance():
                first = (change.first_day - self.facts.scope.first_day).days
                last = (change.last_day - self.facts.scope.first_day).days
                self._block(f"d{change.dyno}", first, last + self.facts.warm_up.get(f"d{change.dyno}", 0))
            case edits.MoveMaintenance() | edits.RemoveMaintenance():
                self._shift(change)
            case edits.MoreTests():
                self._more_tests(change)
            case edits.CloseWeekends():
                self._close_weekends(change)

    def _close_weekends(self, change: edits.CloseWeekends) -> None:
        self.pause = self.pause or change.pause
        for id_, test in self.tests.items():
            if test.fixed and test.placed:
                # Fixed tests keep their days, whatever is closed from now on.
                last = self.planning.problem.last_day(test, test.placed.first)
                self.tests[id_] = replace(test, days=last - test.placed.first + 1, pauses=False)
        first = self.facts.scope.first_day
        days = range(self.facts.horizon)
        self.closed |= {day for day in days if (first + dt.timedelta(days=day)).weekday() > 4}

    def _add_dyno(self, change: edits.AddDyno) -> None:
        like = f"d{change.like}"
        kinds = _kinds_of(change.runs) or [kind for kind, dynos in self.runs.items() if like in dynos]
        for _ in range(change.count):
            number = sum(1 for dyno in self.dynos if dyno.startswith("new")) + 1
            name = f"new{number}"
            self.dynos[name] = f"New {number}" + (
                f" (like {self.facts.dynos[like]})" if like in self.facts.dynos else ""
            )
            self.away[name] = []
            if like in self.facilities:
                self.facilities[name] = self.facilities[like]
            self._let_run(name, kinds)

    def _let_run(self, dyno: str, kinds: Iterable[Kind]) -> None:
        kinds = set(kinds)
        for kind in kinds:
            runners = self.runs.setdefault(kind, [])
            if dyno not in runners:
                runners.append(dyno)
        for request in [row for row in self.impossible if kind_of(row) in kinds]:
            runs: Runs = {kind_of(request): []} | self.runs
            test = test_of_request(self.facts.scope, request, runs, self.facts.rules, None)
            if test is not None:
                self.impossible.remove(request)
                self.tests[test.id] = replace(test, after=None)
                self.kinds[test.id] = kind_of(request)
        for id_, test in self.tests.items():
            if self.kinds[id_] in kinds and dyno not in test.dynos:
                self.tests[id_] = replace(test, dynos=(*test.dynos, dyno))

    def _remove_dyno(self, dyno: str) -> None:
        self.dynos.pop(dyno, None)
        self.away.pop(dyno, None)
        self.facilities.pop(dyno, None)
        self.occupied = [block for block in self.occupied if block.dyno != dyno]
        self.runs = {kind: [runner for runner in runners if runner != dyno] for kind, runners in self.runs.items()}
        for id_, test in self.tests.items():
            without = replace(test, dynos=tuple(runner for runner in test.dynos if runner != dyno))
            stood_there = test.placed is not None and test.placed.dyno == dyno
            self.tests[id_] = replace(without, placed=None, fixed=False) if stood_there else without

    def _block(self, dyno: str, first: int, last: int) -> None:
        first, last = max(0, first), min(last, self.facts.horizon - 1)
        if dyno not in self.dynos or last < first:
            return
        self.occupied.append(Occupied(first, last, dyno=dyno))
        self.away[dyno].append(Span(first, last))
        for id_, test in self.tests.items():
            if (
                test.placed
                and test.placed.dyno == dyno
                and first < test.placed.first + test.days
                and test.placed.first <= last
            ):
                self.tests[id_] = replace(test, placed=None, fixed=False)

    def _shift(self, change: edits.MoveMaintenance | edits.RemoveMaintenance) -> None:
        window = self.facts.windows.get(change.window)
        if window is None or window.dyno not in self.dynos:
            return
        dyno, first, last = window
        at = Occupied(first, last, dyno=dyno)
        if at in self.occupied:
            self.occupied.remove(at)
            self.away[dyno].remove(Span(first, last))
        if isinstance(change, edits.MoveMaintenance):
            start = (change.first_day - self.facts.scope.first_day).days
            self._block(dyno, start, start + last - first)

    def _more_tests(self, change: edits.MoreTests) -> None:
        alike = [id_ for id_, kind in self.kinds.items() if kind.test_type == change.test_type]
        days = change.days or self._usual_days(change.test_type, alike)
        pool = self._kinds_for(change, alike)
        month = change.month.replace(day=1)
        first = max(0, (month - self.facts.scope.first_day).days)
        over = (month + dt.timedelta(days=32)).replace(day=1)
        due = (over - self.facts.scope.first_day).days - 1
        begun = sum(1 for id_ in self.tests if id_.startswith("x"))
        for number in range(change.count if pool else 0):
            kind = pool[number * len(pool) // change.count]
            id_ = f"x{begun + number + 1}"
            runners = tuple(self.runs.get(kind, ()))
            self.tests[id_] = Test(id_, id_, days, first, due, WEIGHTS[Priority.NORMAL], runners)
            self.kinds[id_] = kind

    def _usual_days(self, test_type: int, alike: Sequence[str]) -> int:
        """The median of the tests alike; where there are none, the type's default."""
        if alike:
            return round(statistics.median(self.tests[id_].days for id_ in alike))
        return self.facts.types[test_type].days

    def _kinds_for(self, change: edits.MoreTests, alike: list[str]) -> list[Kind]:
        """What drives and weight classes more such tests have: those of the ones like them, else those that run."""
        kinds = sorted(kind for kind in map(self.kinds.get, alike) if kind) or sorted(
            kind for kind in self.runs if kind.test_type == change.test_type
        )
        return [Kind(kind.test_type, change.drive or kind.drive, change.weight or kind.weight) for kind in kinds]


def _kinds_of(runs: Iterable[edits.Runs]) -> list[Kind]:
    each_way = (
        (capability.test_type, drive, weight)
        for capability in runs
        for drive, weight in product(capability.drives, capability.weights)
    )
    return [Kind(test_type, drive.value, weight.value) for test_type, drive, weight in each_way]


def groups_of(result: Edited, facts: GroundFacts) -> dict[str, list[str]]:
    """Returns the tests that are not fixed, grouped by type and the dynos that run them, to price what each group is
    short of.

    Returns
    -------
    dict[str, list[str]]
        Test names by the group's name, such as `Emissions, 2WD, <10K`.
    """
    alike: dict[tuple[int, frozenset[str]], list[str]] = {}
    for test in result.problem.tests:
        if not test.fixed:
            alike.setdefault((result.kinds[test.id].test_type, frozenset(test.dynos)), []).append(test.id)
    groups: dict[str, list[str]] = {}
    for (test_type, _), tests in alike.items():
        drives = "/".join(sorted({result.kinds[id_].drive for id_ in tests}))
        weights = "/".join(sorted({result.kinds[id_].weight for id_ in tests}))
        name = facts.types[test_type].name if test_type in facts.types else "?"
        groups.setdefault(f"{name}, {drives}, {weights}", []).extend(tests)
    return groups


def runners_by_type(result: Edited, facts: GroundFacts) -> dict[str, set[str]]:
    """Returns the dynos that run any test of a type, by the type's name; types without tests are left out."""
    tests_by_type = Counter(kind.test_type for kind in result.kinds.values())
    runners: dict[str, set[str]] = {}
    for (test_type, _, _), dynos in result.runs.items():
        if tests_by_type[test_type]:
            runners.setdefault(facts.types[test_type].name, set()).update(dynos)
    return {name: dynos for name, dynos in sorted(runners.items()) if dynos}

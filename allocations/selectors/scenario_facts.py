"""What a scenario asks about: the schedule as a problem.

Everything scheduled is a test here. What may not move is fixed, so that the lateness of the whole schedule is in the
figures, and tests that lose their dyno look for another.
"""

import datetime as dt
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from allocations.enums import Movable
from allocations.models import Allocation, Dyno, MaintenanceWindow, Scenario, TestRequest, TestType
from allocations.models.dyno import MAX_WARM_UP_DAYS
from allocations.planning.problem.instance import Test
from allocations.rulebook import GroundRules
from allocations.selectors.ground_rules import rules_of
from allocations.selectors.maintenance import Slot, blocked
from allocations.selectors.plan_problem import Kind, PlanningProblem, PlanningScope, Runs, problem_of, runs_of
from dynosite.lib.days import DayRange


class TypeFacts(NamedTuple):
    """A test type's name, and its days by default."""

    name: str
    days: int


class Span(NamedTuple):
    """A first and a last day, counted from the scope's first."""

    first: int
    last: int


class Outage(NamedTuple):
    """Maintenance of a dyno, with its first and last day counted from the scope's first."""

    dyno: str
    first: int
    last: int


@dataclass(frozen=True)
class GroundFacts:
    scope: PlanningScope
    runs: Runs
    dynos: dict[str, str]
    """Display names by the problem's names."""
    types: dict[int, TypeFacts]
    windows: dict[int, Outage]
    """Maintenance within the days."""
    away: dict[str, list[Span]]
    """Days on which a dyno is not available."""
    rules: GroundRules
    warm_up: dict[str, int] = field(default_factory=dict)
    """Days after maintenance on which a dyno takes no test yet."""

    @property
    def horizon(self) -> int:
        return (self.scope.last_day - self.scope.first_day).days + 1


def scope_of(scenario: Scenario) -> PlanningScope:
    """Returns the days that a scenario looks at."""
    return PlanningScope(scenario.ground_id, scenario.first_day, scenario.last_day)


def facts_of(scope: PlanningScope) -> GroundFacts:
    """Reads what a ground has: names, maintenance, availability and rules, with days counted from the scope's
    first.
    """
    dynos = Dyno.objects.filter(ground_id=scope.ground_id, enabled=True)
    horizon = (scope.last_day - scope.first_day).days + 1
    names: dict[str, str] = {}
    away: dict[str, list[Span]] = {}
    warm_up: dict[str, int] = {}
    for id_, name, available_from, available_to, days in dynos.values_list(
        "pk", "name", "available_from", "available_to", "warm_up_days"
    ):
        warm_up[f"d{id_}"] = days
        names[f"d{id_}"] = name
        outside = away[f"d{id_}"] = []
        if available_from and available_from > scope.first_day:
            outside.append(Span(0, (available_from - scope.first_day).days - 1))
        if available_to and available_to < scope.last_day:
            outside.append(Span((available_to - scope.first_day).days + 1, horizon - 1))
    windows: dict[int, Outage] = {}
    rows = MaintenanceWindow.objects.filter(
        ground_id=scope.ground_id,
        lifted_at=None,
        first_day__lte=scope.last_day,
        last_day__gte=scope.first_day - dt.timedelta(days=MAX_WARM_UP_DAYS),
    )
    slots = {
        id_: Slot(dyno, DayRange(first, last))
        for id_, dyno, first, last in rows.values_list("pk", "dyno_id", "first_day", "last_day")
    }
    days_of = blocked(slots.values())
    for id_, slot in slots.items():
        if days_of[slot].last < scope.first_day:
            continue
        start, end = ((day - scope.first_day).days for day in (days_of[slot].first, days_of[slot].last))
        outage = windows[id_] = Outage(f"d{slot.dyno_id}", max(0, start), min(horizon - 1, end))
        away.setdefault(outage.dyno, []).append(Span(outage.first, outage.last))
    types = TestType.objects.filter(ground_id=scope.ground_id).values_list("pk", "name", "default_days")
    return GroundFacts(
        scope,
        runs_of(scope),
        names,
        {id_: TypeFacts(name, days) for id_, name, days in types},
        windows,
        away,
        rules_of(scope.ground_id),
        warm_up,
    )


def pinned(planning: PlanningProblem, *, movable: str, frozen_until: dt.date | None) -> PlanningProblem:
    """Returns the same problem with all tests fixed that may not move.

    Parameters
    ----------
    movable
        Which scheduled allocations may move (`Movable`).
    frozen_until
        Allocations that start by this day do not move.
    """

    def may_move(test: Test) -> bool:
        row = planning.rows[test.id]
        if not isinstance(row, Allocation):
            return True
        if movable == Movable.NOTHING:
            return False
        return movable == Movable.ALL or not frozen_until or row.first_day > frozen_until

    tests = tuple(
        test if may_move(test) else replace(test, fixed=True, after=None, gap=0) for test in planning.problem.tests
    )
    return replace(planning, problem=replace(planning.problem, tests=tests))


def problem_now(scenario: Scenario) -> PlanningProblem:
    """Returns the problem of a scenario before its edits: today's schedule, and the requests that wait."""
    planning = problem_of(scope_of(scenario))
    return pinned(planning, movable=scenario.movable, frozen_until=scenario.frozen_until)


def kind_of(row: TestRequest | Allocation) -> Kind:
    """Returns what a capability has to take to run the test of a row."""
    drive = row.tested_as if isinstance(row, TestRequest) else row.drive or row.vehicle.drive
    return Kind(row.test_type_id, drive, row.vehicle.weight_class)


def names_for(ground_id: int) -> dict[str, str]:
    """Returns the names of all that edits refer to: dynos (`d1`), test types (`t1`), windows (`w1`)."""
    names = {f"d{id_}": name for id_, name in Dyno.objects.filter(ground_id=ground_id).values_list("pk", "name")}
    names |= {f"t{id_}": name for id_, name in TestType.objects.filter(ground_id=ground_id).values_list("pk", "name")}
    for window in MaintenanceWindow.objects.filter(ground_id=ground_id).select_related("dyno"):
        names[f"w{window.pk}"] = str(window)
    return names

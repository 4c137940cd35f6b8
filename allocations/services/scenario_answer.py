"""The answer to a scenario: today's plan and the edited one, solved alike, and which dynos the edited one is short
of.
"""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from allocations.models import Scenario
from allocations.planning import Problem, Progress, Solution, solve
from allocations.planning.bounds.bottleneck import Pricing, price_groups, with_one_more
from allocations.planning.problem.measures import lateness_of, shortfall_of, together, use_of_dynos
from allocations.selectors.scenario_edits import read_edits
from allocations.selectors.scenario_facts import GroundFacts, facts_of, problem_now, scope_of
from allocations.selectors.scenario_problem import Edited, edited, groups_of, runners_by_type

MEASURED = 3
"""How many shortages, the dearest first, are solved again with one more dyno."""
LISTED = 12
PRICING_SECONDS = 30.0
Tell = Callable[[int, int, str, Progress | None], None]


class ScenarioStoppedError(Exception):
    """The user stopped it before there was anything to compare."""


def answer(
    scenario: Scenario,
    *,
    tell: Tell = lambda stage, stages, doing, now: None,
    should_stop: Callable[[], bool] = lambda: False,
    workers: int = 2,
    steps: int | None = None,
) -> dict[str, Any]:
    """Solves a scenario: today's schedule, the edited one, and the edited one with one more dyno for each of the
    dearest shortages.

    Parameters
    ----------
    tell
        Called with (stage, stages, what is being done, progress of the solver or None); stages count from 1.
    should_stop
        Checked between and during the searches.
    workers, steps
        As for `planning.solve`. With `steps` the answer is the same each time.

    Returns
    -------
    dict[str, Any]
        What `Scenario.result` keeps, as plain data: figures of both plans, use by dyno and by test type in per cent,
        shortages with their prices.

    Raises
    ------
    Stopped
        If `should_stop` turned true before both plans were solved.
    """
    facts = facts_of(scope_of(scenario))
    planning = problem_now(scenario)
    now, then = edited(planning, [], facts), edited(planning, read_edits(scenario.edits), facts)
    stages = 3 + MEASURED

    def plan(problem: Problem, stage: int, doing: str) -> Solution:
        tell(stage, stages, doing, None)
        return solve(
            problem,
            seconds=scenario.seconds,
            workers=workers,
            steps=steps,
            should_stop=should_stop,
            on_progress=lambda progress: tell(stage, stages, doing, progress),
        )

    today = plan(now.problem, 1, "Today’s plan")
    if should_stop():
        raise ScenarioStoppedError
    changed = plan(then.problem, 2, "The plan with the edits")
    if should_stop():
        raise ScenarioStoppedError
    tell(3, stages, "What each shortage costs", None)
    groups = groups_of(then, facts)
    pricing = price_groups(then.problem, groups, seconds=max(PRICING_SECONDS, scenario.seconds))
    shortages = _ranked(pricing, groups, scenario)
    for number, shortage in enumerate(shortages[:MEASURED]):
        if should_stop():
            break
        more = with_one_more(then.problem, groups[shortage["group"]], name="one more")
        solution = plan(more, 4 + number, f"One more dyno for {shortage['group']}")
        if not should_stop():
            shortage["saved"] = _saved(then, changed, more, solution)
    return {
        "thought_at": timezone.now().isoformat(timespec="seconds"),
        "today": _figures(now, today, facts),
        "then": _figures(then, changed, facts),
        "dynos": _use_by_dyno(now, today, then, changed),
        "types": _use_by_type(now, today, then, changed, facts),
        "shortages": shortages,
        "step": pricing.step if pricing else None,
    }


def _figures(result: Edited, solution: Solution, facts: GroundFacts) -> dict[str, Any]:
    late = lateness_of(result.problem, solution)
    uses = use_of_dynos(result.problem, solution, result.away)
    return {
        "tests": len(result.problem.tests) + result.impossible,
        "unplaced": len(solution.unplaced) + result.impossible,
        "late_tests": late.tests,
        "late_days": late.days,
        "objective": solution.objective,
        "shortfall": shortfall_of(result.problem, solution),
        "bound": solution.bound,
        "gap": round(100 * solution.gap),
        "proven": solution.status == "optimal",
        "moved": solution.moved,
        "use": together(uses, uses).percent,
        "dynos": len(result.problem.dynos),
    }


def _use_by_dyno(now: Edited, today: Solution, then: Edited, changed: Solution) -> list[dict[str, Any]]:
    before = use_of_dynos(now.problem, today, now.away)
    after = use_of_dynos(then.problem, changed, then.away)
    return [
        {
            "name": {**now.dynos, **then.dynos}[dyno],
            "today": before[dyno].percent if dyno in before else None,
            "then": after[dyno].percent if dyno in after else None,
        }
        for dyno in [*before, *(dyno for dyno in after if dyno not in before)]
    ]


def _use_by_type(
    now: Edited, today: Solution, then: Edited, changed: Solution, facts: GroundFacts
) -> list[dict[str, Any]]:
    """The use of all dynos that run a test type, by whatever test, in per cent."""
    before = use_of_dynos(now.problem, today, now.away)
    after = use_of_dynos(then.problem, changed, then.away)
    by_type_now, by_type_then = runners_by_type(now, facts), runners_by_type(then, facts)
    return [
        {
            "name": name,
            "today": together(before, by_type_now.get(name, ())).percent,
            "then": together(after, by_type_then.get(name, ())).percent,
            "dynos": len(by_type_then.get(name, ())),
        }
        for name in sorted({*by_type_now, *by_type_then})
    ]


def _ranked(pricing: Pricing | None, groups: dict[str, list[str]], scenario: Scenario) -> list[dict[str, Any]]:
    """The shortages, dearest first. Without prices, for lack of time, the largest groups come first."""
    if pricing is None:
        largest = sorted(groups, key=lambda name: (-len(groups[name]), name))
        return [{"group": name, "tests": len(groups[name]), "price": None} for name in largest[:LISTED]]
    return [
        {
            "group": shortage.group,
            "tests": len(groups[shortage.group]),
            "price": round(shortage.price, 1),
            "first": (scenario.first_day + dt.timedelta(days=shortage.first)).isoformat(),
            "last": (scenario.first_day + dt.timedelta(days=shortage.last)).isoformat(),
        }
        for shortage in pricing.shortages[:LISTED]
        if shortage.price > 0 and shortage.first is not None and shortage.last is not None
    ]


def _saved(then: Edited, changed: Solution, more: Problem, solution: Solution) -> dict[str, int]:
    """What one more dyno saved, in the same search time; zeros if it saved nothing."""
    shortfall = shortfall_of(then.problem, changed) - shortfall_of(more, solution)
    if shortfall <= 0:
        return {"shortfall": 0, "unplaced": 0, "late_days": 0}
    before, after = lateness_of(then.problem, changed), lateness_of(more, solution)
    unplaced = len(changed.unplaced) - len(solution.unplaced)
    return {"shortfall": shortfall, "unplaced": unplaced, "late_days": before.days - after.days}

"""A first plan at once: each test in turn to its earliest place."""

from __future__ import annotations

from collections.abc import Callable

from allocations.planning.problem.model import Model, Plan
from allocations.planning.problem.state import State


def in_order(model: Model, tests: list[int]) -> list[int]:
    """Keep the given order, save that a test comes after the one it waits for."""
    included = set(tests)
    done: set[int] = set()
    order: list[int] = []
    for j in tests:
        chain = []
        at = j
        while at >= 0 and at in included and at not in done:
            chain.append(at)
            done.add(at)
            at = model.before[at]
        order.extend(reversed(chain))
    return order


def _rules(model: Model) -> list[Callable[[int], tuple[float, ...]]]:
    due, days, weight, earliest = model.due, model.days, model.weight, model.earliest
    stands = [model.placed[j] is None for j in range(model.n)]
    return [
        lambda j: (stands[j], due[j], -weight[j], j),
        lambda j: (stands[j], due[j] - 3 * weight[j] / days[j], j),
        lambda j: (stands[j], -weight[j] / days[j], due[j], j),
        lambda j: (stands[j], max(due[j], earliest[j] + days[j]) - weight[j], j),
        lambda j: (due[j], -weight[j], j),
    ]


def filled(model: Model, tests: list[int]) -> Plan:
    """Put each test in turn to its earliest place."""
    state = State(model)
    for j in in_order(model, tests):
        at = state.best(j, model.dynos[j])
        if at is not None:
            state.put(j, *at)
    return state.at


def greedy(model: Model) -> Plan:
    """Give the best of a few due-date and weight orders, each filled in earliest-place by earliest-place."""
    best: Plan | None = None
    for rule in _rules(model):
        plan = filled(model, sorted((j for j in range(model.n) if not model.fixed[j]), key=rule))
        if best is None or model.plan_cost(plan) < model.plan_cost(best):
            best = plan
    return best if best is not None else []

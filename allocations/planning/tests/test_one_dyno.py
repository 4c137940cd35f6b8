"""The classic single machine: sequence search, Emmons' conditions, and the proof by sets."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from allocations.planning import Problem, check, solve
from allocations.planning.problem.model import Model, bits
from allocations.planning.proof.sequence_proof import SequenceProof, dominance
from allocations.planning.search.greedy import greedy
from allocations.planning.search.sequence import Sequence, SequenceSearch

from . import published


@pytest.mark.parametrize("number", [0, 24, 55, 84, 120])
def test_published_optima_are_found_and_proven(number):
    problem, optimum = published.one_machine()[number]
    model = Model(problem)
    sequence = Sequence.of(model)
    search = SequenceSearch(sequence, seed=0, plan=greedy(model))
    for _ in range(40):
        search.step()
    assert model.plan_cost(search.best) // model.level == optimum
    bounds = [0]

    def report(bound):
        bounds.append(min(bound, optimum))
        return bounds[-1] >= optimum

    SequenceProof(sequence).prove(lambda: optimum, report=report, offer=lambda plan: None, until=float("inf"))
    assert max(bounds) == optimum


def test_the_whole_solver_proves_one():
    problem, optimum = published.one_machine()[84]
    solution = solve(problem, seconds=120)
    assert check(problem, solution) == []
    assert (solution.status, solution.objective, solution.bound) == ("optimal", optimum, optimum)


def test_same_seed_and_steps_give_the_same_order():
    problem, _ = published.one_machine()[12]
    first, second = (solve(problem, seconds=60, steps=300, seed=5) for _ in range(2))
    assert first.placements == second.placements


jobs = st.lists(st.tuples(st.integers(1, 6), st.integers(0, 5), st.integers(1, 15)), min_size=2, max_size=6)


def orders(days, weight, due):
    lateness = {}
    for order in itertools.permutations(range(len(days))):
        late, at = 0, 0
        for j in order:
            at += days[j]
            late += weight[j] * max(0, at - due[j])
        lateness[order] = late
    return lateness


@settings(max_examples=150, deadline=None)
@given(jobs)
def test_one_best_order_satisfies_all_conditions(drawn):
    days, weight, due = (list(part) for part in zip(*drawn, strict=True))
    before, after = dominance(days, weight, due)
    lateness = orders(days, weight, due)
    allowed = [
        value
        for order, value in lateness.items()
        if all(order.index(i) < order.index(j) for j in range(len(days)) for i in bits(before[j]))
    ]
    assert min(allowed) == min(lateness.values())
    assert all(
        bool(before[j] >> i & 1) == bool(after[i] >> j & 1) for i in range(len(days)) for j in range(len(days))
    )


@settings(max_examples=80, deadline=None)
@given(jobs, st.integers(0, 3))
def test_bound_holds_at_any_multipliers_and_the_proof_ends_at_the_best(drawn, watched):
    days, weight, due = (list(part) for part in zip(*drawn, strict=True))
    best = min(orders(days, weight, due).values())
    sequence = Sequence.of(Model(published.single(days, weight, due)))
    proof = SequenceProof(sequence)
    proof.tighten(min(watched, len(days)))
    proof.price = np.array([(7 * j) % 5 - 2.0 for j in range(len(days))])
    assert proof.relaxed()[0] <= best + 1e-6
    assert proof.complete(best, until=float("inf")) == (True, None)
    ended, order = proof.complete(best + 1, until=float("inf"))
    assert ended
    assert int(sequence.cost(order)) == best


def test_more_than_a_sequence_is_not_taken_for_one():
    problem, _ = published.one_machine()[0]
    data = problem.to_json()
    data["tests"][3]["earliest"] = 5
    assert Sequence.of(Model(Problem.from_json(data))) is None
    data = problem.to_json()
    data["occupied"] = [{"dyno": "M", "first": 100, "last": 100}]
    assert Sequence.of(Model(Problem.from_json(data))) is None
    assert Sequence.of(Model(problem)) is not None

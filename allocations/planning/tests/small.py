"""Small problems at random, their best plan by trying everything, and the solver run inside this process."""

from __future__ import annotations

from hypothesis import reject
from hypothesis import strategies as st

from allocations.planning import Problem, ProblemError, Solution
from allocations.planning.local_search import LocalSearch
from allocations.planning.model import Model
from allocations.planning.prover import Prover


@st.composite
def problems(draw, most: int = 6) -> Problem:
    """Draw a problem of up to six tests with everything that the format knows."""
    horizon = draw(st.integers(4, 9))
    dynos = [f"D{i}" for i in range(draw(st.integers(1, 3)))]
    vehicles = [f"V{i}" for i in range(3)]
    occupied = []
    for _ in range(draw(st.integers(0, 2))):
        first = draw(st.integers(0, horizon - 1))
        who = draw(st.sampled_from([("dyno", d) for d in dynos] + [("vehicle", v) for v in vehicles]))
        occupied.append({who[0]: who[1], "first": first, "last": first + draw(st.integers(0, 2))})
    tests: list[dict] = []
    for i in range(draw(st.integers(1, most))):
        earliest = draw(st.integers(0, 3))
        days = draw(st.integers(1, 4))
        test = {
            "id": f"T{i}",
            "vehicle": draw(st.sampled_from([*vehicles, f"W{i}"])),
            "days": days,
            "earliest": earliest,
            "due": earliest + days - 1 + draw(st.integers(0, 2)),
            "weight": draw(st.integers(0, 4)),
            "dynos": draw(st.lists(st.sampled_from(dynos), min_size=1, unique=True)),
        }
        if i and draw(st.integers(0, 3)) == 0:
            test |= {"after": f"T{draw(st.integers(0, i - 1))}", "gap": draw(st.integers(0, 2))}
        if draw(st.integers(0, 3)) == 0:
            test["placed"] = {"dyno": draw(st.sampled_from(dynos)), "first": draw(st.integers(0, horizon - 1))}
            test["fixed"] = draw(st.integers(0, 2)) == 0
        tests.append(test)
    weights = {"move": draw(st.sampled_from([0, 0, 1, 5]))}
    try:
        return Problem.from_json(
            {"horizon": horizon, "dynos": dynos, "occupied": occupied, "tests": tests, "weights": weights}
        )
    except ProblemError:
        reject()  # fixed tests that stand in one another's way


def best_by_trial(problem: Problem) -> tuple[int, int]:
    """Try every plan; give the fewest unplaced tests, and with these the lowest objective."""
    busy: set[tuple[str, str, int]] = set()
    for o in problem.occupied:
        name = ("dyno", o.dyno) if o.dyno else ("vehicle", o.vehicle)
        busy |= {(*name, day) for day in range(o.first, o.last + 1)}
    # The tests stand in an order in which each comes after the one it waits for.
    loose = [t for t in problem.tests if not t.fixed]
    best = (len(problem.tests) + 1, 0)
    standing: dict[str, int] = {}
    latest: dict[str, int] = {}
    value = 0
    for t in problem.tests:
        if t.fixed:
            last = t.placed[1] + t.days - 1
            standing[t.id] = last
            value += t.weight * max(0, last - t.due)
            busy |= {("dyno", t.placed[0], day) for day in range(t.placed[1], last + 1)}
            busy |= {("vehicle", t.vehicle, day) for day in range(t.placed[1], last + 1)}
            if t.after:
                latest[t.after] = min(latest.get(t.after, problem.horizon), t.placed[1] - t.gap - 1)

    def visit(i: int, ends: dict[str, int], out: int, value: int) -> None:
        nonlocal best
        if (out, value) >= best:
            return
        if i == len(loose):
            best = (out, value)
            return
        test = loose[i]
        for dyno in test.dynos:
            for first in range(test.earliest, problem.horizon - test.days + 1):
                last = first + test.days - 1
                if test.after and (test.after not in ends or first <= ends[test.after] + test.gap):
                    continue
                mine = {("dyno", dyno, day) for day in range(first, last + 1)}
                mine |= {("vehicle", test.vehicle, day) for day in range(first, last + 1)}
                if mine & busy or last > latest.get(test.id, problem.horizon):
                    continue
                busy.update(mine)
                cost = test.weight * max(0, last - test.due)
                if test.placed and test.placed != (dyno, first):
                    cost += problem.weights.move
                visit(i + 1, ends | {test.id: last}, out, value + cost)
                busy.difference_update(mine)
        visit(i + 1, ends, out + 1, value)

    visit(0, standing, 0, value)
    return best


def solve_inside(problem: Problem, *, steps: int = 60, seconds: float = 20.0) -> Solution:
    """Search and prove in this process, without clock or second process."""
    model = Model(problem)
    search = LocalSearch(model, seed=1)
    search.run(steps, hot=4.0, cold=0.5)
    found = {"plan": search.best, "bound": 0}

    def offer(plan):
        if model.plan_cost(plan) < model.plan_cost(found["plan"]):
            found["plan"] = plan

    def report(bound):
        found["bound"] = max(found["bound"], bound)

    Prover(model, latest=lambda: found["plan"], report=report, offer=offer, seconds=seconds).run()
    last = LocalSearch(model, plan=found["plan"])
    last.polish()
    return model.solution(last.best, bound=found["bound"], seconds=0.0)

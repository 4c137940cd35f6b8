"""Small problems at random, their best plan by trying everything, and the solver run inside this process."""

from __future__ import annotations

from hypothesis import reject
from hypothesis import strategies as st

from allocations.planning import Problem, ProblemError, Solution
from allocations.planning.problem.instance import Test
from allocations.planning.problem.model import Model
from allocations.planning.proof.prover import Prover
from allocations.planning.search.local_search import LocalSearch


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


@st.composite
def calendars(draw) -> Problem:
    """Draw a problem of closed days and of vehicles that are needed at more than one facility."""
    horizon = draw(st.integers(6, 12))
    sites = ["North", "South", "West"]
    dynos = {f"D{i}": site for i, site in enumerate(draw(st.permutations(sites))[: draw(st.integers(1, 3))])}
    vehicles = ["V0", "V1"]
    occupied: list[dict] = []
    if draw(st.integers(0, 3)) == 0:
        first = draw(st.integers(-1, horizon))
        at = {"facility": draw(st.sampled_from(sites))} if draw(st.booleans()) else {}
        occupied.append({"vehicle": draw(st.sampled_from(vehicles)), "first": first, "last": first + 1} | at)
    tests: list[dict] = []
    for i in range(draw(st.integers(2, 5))):
        earliest = draw(st.integers(0, 3))
        days = draw(st.integers(1, 4))
        test = {
            "id": f"T{i}",
            "vehicle": draw(st.sampled_from(vehicles)),
            "days": days,
            "earliest": earliest,
            "due": earliest + days - 1 + draw(st.integers(-1, 1)),
            "weight": draw(st.integers(1, 4)),
            "dynos": draw(st.lists(st.sampled_from(list(dynos)), min_size=1, unique=True)),
            "pauses": draw(st.booleans()),
        }
        if i and draw(st.integers(0, 3)) == 0:
            test |= {"after": f"T{draw(st.integers(0, i - 1))}", "gap": draw(st.integers(0, 2))}
        if draw(st.integers(0, 3)) == 0:
            test["placed"] = {"dyno": draw(st.sampled_from(list(dynos))), "first": draw(st.integers(0, horizon - 1))}
            test["fixed"] = draw(st.booleans())
        tests.append(test)
    ways = draw(st.lists(st.permutations(sites), min_size=2, max_size=6, unique_by=lambda way: tuple(way[:2])))
    try:
        return Problem.from_json(
            {
                "horizon": horizon,
                "dynos": list(dynos),
                "occupied": occupied,
                "tests": tests,
                "weights": {"move": draw(st.sampled_from([0, 1, 5]))},
                "closed": sorted(draw(st.sets(st.integers(0, horizon), max_size=4))),
                "facilities": dynos,
                "travel": [{"from": way[0], "to": way[1], "days": draw(st.integers(1, 3))} for way in ways],
            }
        )
    except ProblemError:
        reject()


def best_by_trial(problem: Problem) -> tuple[int, int]:
    """Try every plan; give the fewest unplaced tests, and with these the lowest objective."""
    busy: set[tuple[str, str, int]] = set()
    for o in problem.occupied:
        name = ("dyno", o.dyno) if o.dyno else ("vehicle", o.vehicle)
        busy |= {(*name, day) for day in range(o.first, o.last + 1)}
    # Where each vehicle is: (vehicle, facility, first, last).
    vehicle_stays = [(o.vehicle, o.facility, o.first, o.last) for o in problem.occupied if o.vehicle]
    # The tests stand in an order in which each comes after the one it waits for.
    loose = [t for t in problem.tests if not t.fixed]
    best = (len(problem.tests) + 1, 0)
    standing: dict[str, int] = {}
    latest: dict[str, int] = {}
    value = 0
    for t in problem.tests:
        if t.fixed:
            last = _last(problem, t, t.placed[1])
            standing[t.id] = last
            value += t.weight * max(0, last - t.due)
            busy |= {("dyno", t.placed[0], day) for day in range(t.placed[1], last + 1)}
            busy |= {("vehicle", t.vehicle, day) for day in range(t.placed[1], last + 1)}
            vehicle_stays.append((t.vehicle, problem.facilities.get(t.placed[0]), t.placed[1], last))
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
            for first in range(test.earliest, problem.horizon):
                last = _last(problem, test, first)
                if first in problem.closed or last >= problem.horizon:
                    continue
                if test.after and (test.after not in ends or first <= ends[test.after] + test.gap):
                    continue
                mine = {("dyno", dyno, day) for day in range(first, last + 1)}
                mine |= {("vehicle", test.vehicle, day) for day in range(first, last + 1)}
                if mine & busy or last > latest.get(test.id, problem.horizon):
                    continue
                stay = (test.vehicle, problem.facilities.get(dyno), first, last)
                if any(_too_near(problem, stay, other) for other in vehicle_stays):
                    continue
                busy.update(mine)
                vehicle_stays.append(stay)
                cost = test.weight * max(0, last - test.due)
                if test.placed and test.placed != (dyno, first):
                    cost += problem.weights.move
                visit(i + 1, ends | {test.id: last}, out, value + cost)
                busy.difference_update(mine)
                vehicle_stays.pop()
        visit(i + 1, ends, out + 1, value)

    visit(0, standing, 0, value)
    return best


def _last(problem: Problem, test: Test, first: int) -> int:
    """Walk day by day until the test has had its days."""
    day, done = first - 1, 0
    while done < test.days:
        day += 1
        done += not (test.pauses and day in problem.closed)
    return day


def _too_near(problem: Problem, one: tuple, other: tuple) -> bool:
    """Whether one vehicle would have to be on the way faster than it can."""
    if one[0] != other[0]:
        return False
    before, after = sorted([one, other], key=lambda stay: stay[2])
    return any(
        (way.origin, way.to) == (before[1], after[1]) and after[2] <= before[3] + way.days for way in problem.travel
    )


def solve_inside(problem: Problem, *, steps: int = 60, seconds: float = 20.0) -> Solution:
    """Search and prove in this process, without clock or second process."""
    model = Model(problem)
    search = LocalSearch(model, seed=1)
    search.run(steps, hot=4.0, cold=0.5)
    best = {"plan": search.best, "bound": 0}

    def offer(plan):
        if model.plan_cost(plan) < model.plan_cost(best["plan"]):
            best["plan"] = plan

    def report(bound):
        best["bound"] = max(best["bound"], bound)

    Prover(model, latest=lambda: best["plan"], report=report, offer=offer, seconds=seconds).run()
    last = LocalSearch(model, plan=best["plan"])
    last.polish()
    return model.solution(last.best, bound=best["bound"], seconds=0.0)

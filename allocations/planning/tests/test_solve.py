"""Stopping, progress, and the same plan twice."""

import time

from allocations.planning import check, solve

from . import published


def test_same_seed_and_steps_give_the_same_plan():
    problem = published.problem("40x10-1")
    plans = [solve(problem, seconds=60, steps=1500, seed=seed) for seed in (3, 3, 4)]
    assert [check(problem, plan) for plan in plans] == [[], [], []]
    assert plans[0].placements == plans[1].placements
    assert plans[0].placements != plans[2].placements


def test_more_steps_are_no_worse_than_greedy():
    problem = published.problem("40x10-1")
    assert solve(problem, seconds=60, steps=3000).objective < solve(problem, seconds=60, steps=0).objective


def test_stop_answers_within_a_second_with_the_best_so_far():
    problem = published.problem("150x20-1")
    began = time.monotonic()
    progress = []
    solution = solve(
        problem, seconds=60, on_progress=progress.append, should_stop=lambda: time.monotonic() - began > 2.5
    )
    assert time.monotonic() - began < 3.5
    assert check(problem, solution) == []
    assert solution.objective <= min(p.objective for p in progress)


def test_progress_comes_every_second_and_never_gets_worse():
    problem = published.problem("150x20-1")
    progress = []
    solve(problem, seconds=4, on_progress=progress.append)
    times = [p.seconds for p in progress]
    assert max(b - a for a, b in zip([0.0, *times], [*times, 4.0], strict=False)) < 1.0
    objectives, bounds = [p.objective for p in progress], [p.bound for p in progress]
    assert objectives == sorted(objectives, reverse=True)
    assert bounds == sorted(bounds)

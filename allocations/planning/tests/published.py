"""Published problems and their optima, kept beside the tests.

`python -m allocations.planning.tests.published [SECONDS]` runs all 125 one-machine instances through the solver.
"""

from __future__ import annotations

import sys
from pathlib import Path

from allocations.planning import Problem, check, solve

DATA = Path(__file__).parent / "data"


def problem(name: str) -> Problem:
    """Read one of the problems in the planner's own form."""
    return Problem.from_json((DATA / f"{name}.json").read_text())


def one_machine() -> list[tuple[Problem, int]]:
    """Read the 125 instances of one machine and 40 jobs, each with its published optimum."""
    numbers = [int(word) for word in (DATA / "wt40.txt").read_text().split()]
    optima = [int(word) for word in (DATA / "wtopt40.txt").read_text().split()]
    instances = []
    for k, optimum in enumerate(optima):
        days, weights, due = (numbers[k * 120 + part * 40 : k * 120 + (part + 1) * 40] for part in range(3))
        instances.append((single(days, weights, due), optimum))
    return instances


def single(days: list[int], weights: list[int], due: list[int]) -> Problem:
    """Put one machine's jobs in the planner's form; due is exclusive there, inclusive here."""
    return Problem.from_json(
        {
            "horizon": sum(days),
            "dynos": ["M"],
            "tests": [
                {
                    "id": f"J{i}",
                    "vehicle": f"V{i}",
                    "days": p,
                    "earliest": 0,
                    "due": d - 1,
                    "weight": w,
                    "dynos": ["M"],
                }
                for i, (p, w, d) in enumerate(zip(days, weights, due, strict=True))
            ],
        }
    )


def main(seconds: float) -> None:
    """Solve every one-machine instance; print each, then how many met the optimum and how many were proven."""
    met = proven = 0
    slowest = 0.0
    for number, (problem, optimum) in enumerate(one_machine()):
        solution = solve(problem, seconds=seconds, workers=2)
        wrong = check(problem, solution)
        met += solution.objective == optimum and not wrong
        proven += solution.status == "optimal" and solution.bound == optimum
        slowest = max(slowest, solution.seconds)
        sys.stdout.write(
            f"{number:3} optimum {optimum:6} found {solution.objective:6} bound {solution.bound:6} "
            f"{solution.status} {solution.seconds:.1f} s {' '.join(wrong)}\n"
        )
        sys.stdout.flush()
    sys.stdout.write(f"{met} at the optimum, {proven} proven, slowest {slowest:.1f} s\n")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 10.0)

"""Published problems and their optima, kept beside the tests."""

from __future__ import annotations

from pathlib import Path

from allocations.planning import Problem

DATA = Path(__file__).parent / "data"


def problem(name: str) -> Problem:
    """Read one of the problems in the planner's own form."""
    return Problem.from_json((DATA / f"{name}.json").read_text())


def one_machine() -> list[tuple[Problem, int]]:
    """Read the 125 instances of one machine and 40 jobs, each with its published optimum."""
    numbers = [int(word) for word in (DATA / "wt40.txt").read_text().split()]
    optima = [int(word) for word in (DATA / "wtopt40.txt").read_text().split()]
    found = []
    for k, optimum in enumerate(optima):
        days, weights, due = (numbers[k * 120 + part * 40 : k * 120 + (part + 1) * 40] for part in range(3))
        found.append((single(days, weights, due), optimum))
    return found


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

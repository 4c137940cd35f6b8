"""`manage.py solve PROBLEM.json`: read a planning problem, print a plan."""

from __future__ import annotations

import json
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from django.core.management.base import BaseCommand, CommandError

from allocations.planning import Option, Problem, ProblemError, Progress, Solution, check, repair, solve
from allocations.planning.repair import SECONDS as REPAIR_SECONDS

MAX_SECONDS = 1_000_000
Answer = TypeVar("Answer")


class Stop:
    """Turns the first SIGINT or SIGTERM into a wish to stop, so that the best plan so far is printed; a second one
    ends the process as ever."""

    def __init__(self):
        self.wanted = False
        self.before: dict[int, Any] = {}

    def is_requested(self) -> bool:
        """Whether a signal has come."""
        return self.wanted

    def __enter__(self) -> Stop:
        if threading.current_thread() is threading.main_thread():
            self.before = {number: signal.signal(number, self._hear) for number in (signal.SIGINT, signal.SIGTERM)}
        return self

    def __exit__(self, *_) -> None:
        for number, handler in self.before.items():
            signal.signal(number, handler)

    def _hear(self, *_) -> None:
        self.wanted = True
        self.__exit__()


class Command(BaseCommand):
    """Plan a problem given as JSON, without touching the schedule."""

    help = "Plans the tests of a problem file and prints the plan. Reads no database."
    requires_system_checks: list[str] = []
    requires_migrations_checks = False

    def add_arguments(self, parser) -> None:
        """Declare the file and the limits."""
        parser.add_argument("problem", help="the problem as JSON; - reads standard input")
        parser.add_argument(
            "--seconds", type=float, help=f"time to think (default: 10, repairs {REPAIR_SECONDS}; 0: the first plan)"
        )
        parser.add_argument(
            "--workers", type=int, default=2, help="processes to think with, at most one a core (default: 2)"
        )
        parser.add_argument("--seed", type=int, default=0, help="seed of the search (default: 0)")
        parser.add_argument("--steps", type=int, help="search this many steps: the same seed gives the same plan")
        parser.add_argument("--move-price", type=int, help="what moving a test costs, in units of the objective")
        parser.add_argument(
            "--repair", action="store_true", help="list repairs for the tests that stand on occupied days"
        )
        parser.add_argument("--displaced-only", action="store_true", help="with --repair: move no other test")
        parser.add_argument("--json", action="store_true", help="print the solution as JSON and nothing else")

    def handle(self, *args, **options) -> None:
        """Read, solve, check, print."""
        problem = self._read(options["problem"])
        if options["move_price"] is not None:
            problem = self._refused(problem.with_weights, move=options["move_price"])
        if not 0 <= (options["seconds"] or 0) <= MAX_SECONDS:
            raise CommandError(f"--seconds must be between 0 and {MAX_SECONDS}")
        if options["workers"] < 1 or (options["steps"] or 0) < 0:
            raise CommandError("--workers must be above 0, --steps not below")
        with Stop() as stop:
            if options["repair"]:
                self._repair(problem, options, stop)
            else:
                self._solve(problem, options, stop)

    def _solve(self, problem: Problem, options, stop: Stop) -> None:
        quiet = options["json"] or options["verbosity"] == 0
        solution = solve(
            problem,
            seconds=options["seconds"],
            workers=options["workers"],
            seed=options["seed"],
            steps=options["steps"],
            on_progress=None if quiet else self._progress,
            should_stop=stop.is_requested,
        )
        wrong = check(problem, solution)
        if wrong:
            raise CommandError("the plan does not hold: " + "; ".join(wrong))
        if options["json"]:
            self.stdout.write(json.dumps(solution.to_json()))
        else:
            self._print(solution)

    def _repair(self, problem: Problem, options, stop: Stop) -> None:
        began = time.monotonic()
        repairs = self._refused(
            repair,
            problem,
            others=not options["displaced_only"],
            seconds=REPAIR_SECONDS if options["seconds"] is None else options["seconds"],
            seed=options["seed"],
            should_stop=stop.is_requested,
            on_option=None if options["json"] else lambda first: self._tell(first, began),
        )
        for option in repairs.options:
            if wrong := check(option.problem, option.solution):
                raise CommandError("a repair does not hold: " + "; ".join(wrong))
        if options["json"]:
            listed = [
                {"moved": list(o.moved), "late": o.late, "late_days": o.late_days, "proven": o.proven}
                | {"solution": o.solution.to_json()}
                for o in repairs.options
            ]
            answer = {"displaced": list(repairs.displaced), "seconds": round(repairs.seconds, 3), "options": listed}
            self.stdout.write(json.dumps(answer))
            return
        for option in repairs.options:
            self.stdout.write(
                f"{len(option.moved)} moved, {option.late} late (weighted), {option.late_days} days late, "
                f"{len(option.unplaced)} unplaced{', proven' if option.proven else ''}"
            )
        self.stdout.write(
            f"{len(repairs.displaced)} displaced, {len(repairs.options)} options, {repairs.seconds:.2f} s"
        )

    def _tell(self, first: Option, began: float) -> None:
        self.stderr.write(f"{time.monotonic() - began:7.2f} s  the displaced only: {first.late} late (weighted)")

    def _read(self, name: str) -> Problem:
        try:
            text = sys.stdin.read() if name == "-" else Path(name).read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise CommandError(f"cannot read {name}: {error}") from None
        return self._refused(Problem.from_json, text)

    @staticmethod
    def _refused(call: Callable[..., Answer], *args: Any, **kwargs: Any) -> Answer:
        try:
            return call(*args, **kwargs)
        except ProblemError as error:
            raise CommandError(str(error)) from None

    def _progress(self, now: Progress) -> None:
        self.stderr.write(
            f"{now.seconds:7.1f} s  objective {now.objective}  bound {now.bound}  gap {now.gap:.1%}"
            + (f"  unplaced {now.unplaced}" if now.unplaced else "")
        )

    def _print(self, solution: Solution) -> None:
        for place in sorted(solution.placements, key=lambda p: (p.dyno, p.first)):
            self.stdout.write(f"{place.dyno}  {place.first:4}-{place.last:<4}  {place.id}")
        for name in solution.unplaced:
            self.stdout.write(f"unplaced  {name}")
        self.stdout.write(
            f"{solution.status}: objective {solution.objective}, bound {solution.bound}, gap {solution.gap:.1%}, "
            f"{solution.moved} moved, {len(solution.unplaced)} unplaced, {solution.seconds:.1f} s"
        )

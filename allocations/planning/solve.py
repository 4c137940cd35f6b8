"""The entry point: search and proof side by side, until proven, out of time, or asked to stop."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable

from allocations.planning.problem.instance import Problem
from allocations.planning.problem.model import Model, Plan
from allocations.planning.problem.solution import Progress, Solution
from allocations.planning.search.annealing import Annealing, Shaking, heat_for, searching
from allocations.planning.search.local_search import LocalSearch
from allocations.planning.search.sequence import Sequence, SequenceSearch
from allocations.planning.worker import Worker

SECONDS = 10.0
EVERY = 0.5
# More workers than processors take time from one another.
MAX_WORKERS = max(2, os.cpu_count() or 2)
# With one worker the local search has at most this share of the time before the exact methods get the processor.
ALONE_SHARE = 0.25
CHUNK = 200
# A step on one dyno is a whole descent.
STEPS_A_SHAKE = 100


def solve(
    problem: Problem,
    *,
    seconds: float | None = None,
    workers: int = 2,
    seed: int = 0,
    on_progress: Callable[[Progress], None] | None = None,
    should_stop: Callable[[], bool] | None = None,
    steps: int | None = None,
) -> Solution:
    """Solve a problem.

    It ends when the plan is proven optimal, after `seconds`, or soon after `should_stop()` turns true.

    Parameters
    ----------
    problem
        What to place. It is taken as valid: `Problem.from_json` checks it.
    seconds
        How long to search, 10 by default. With `steps`, how long at most; by default as long as the steps take, and
        10 seconds more for the bound.
    workers
        Processes to use, this one included; at most `MAX_WORKERS`.
    seed
        Seed of the random choices.
    on_progress
        Called with the first plan at once, and then at least every second.
    should_stop
        Called often; the search ends soon after it returns true.
    steps
        Search so many steps in this process instead of by the clock: the same seed gives the same plan wherever it
        runs, unless `seconds` run out first.

    Returns
    -------
    Solution
        The best plan, with every test placed or unplaced; `status` is "optimal" if bound and objective meet.
    """
    if seconds is None and steps is None:
        seconds = SECONDS
    run = _Run(problem, math.inf if seconds is None else seconds, on_progress, should_stop)
    if run.open and steps is not None:
        run.by_steps(steps, seed)
    elif run.open:
        run.by_clock(min(max(1, workers), MAX_WORKERS), seed)
    return run.finish()


class _Run:
    def __init__(
        self,
        problem: Problem,
        seconds: float,
        on_progress: Callable[[Progress], None] | None,
        should_stop: Callable[[], bool] | None,
    ):
        self.began = self.told = time.monotonic()
        self.seconds = seconds
        self.problem = problem
        self.on_progress = on_progress
        self.should_stop = should_stop or (lambda: False)
        self.model = Model(problem)
        self.search = LocalSearch(self.model)
        self.plan: Plan = self.search.best
        self.cost = self.search.best_cost
        self.posted: int | None = None
        self.bound = 0
        self.steps = 0
        self.raise_bound(self._least())
        self.tell()

    def _least(self) -> int:
        """Return what each test costs at least, as if alone, in sum."""
        model, total = self.model, 0
        for j in range(model.n):
            window = model.window[j]
            if model.fixed[j]:
                total += model.place_cost(j, *model.fixed_at[j]) // model.level
            elif not window or not model.dynos[j]:
                total += model.unplaced_price
            else:
                first = (window & -window).bit_length() - 1
                late = model.weight[j] * max(0, model.ends[j][first] - model.due[j])
                total += min(late, model.unplaced_price)
        return total

    @property
    def seconds_left(self) -> float:
        return self.seconds - (time.monotonic() - self.began)

    @property
    def value(self) -> int:
        return self.cost // self.model.level

    @property
    def open(self) -> bool:
        """Whether the plan can still improve, and time is left."""
        return self.bound < self.value and self.seconds_left > 0 and not self.should_stop()

    def raise_bound(self, bound: int) -> None:
        grain = self.model.grain
        self.bound = max(self.bound, min(-(-bound // grain) * grain, self.value))

    def take(self, plan: Plan) -> bool:
        cost = self.model.plan_cost(plan)
        if cost >= self.cost:
            return False
        self.plan, self.cost = list(plan), cost
        return True

    def tell(self) -> None:
        self.told = time.monotonic()
        if self.on_progress is None:
            return
        now = self.model.solution(self.plan, bound=self.bound, seconds=0.0)
        self.on_progress(
            Progress(
                seconds=self.told - self.began,
                objective=now.objective,
                bound=now.bound,
                moved=now.moved,
                unplaced=len(now.unplaced),
                steps=self.steps,
            )
        )

    def tell_in_time(self) -> None:
        if time.monotonic() - self.told >= EVERY:
            self.tell()

    def by_steps(self, steps: int, seed: int) -> None:
        """Search by number of steps; the bound is computed afterwards and does not change the plan."""
        sequence = Sequence.of(self.model)
        if sequence is not None:
            search = SequenceSearch(sequence, seed=seed, plan=self.plan)
            while self.steps < steps and self.open:
                search.step()
                self.steps += STEPS_A_SHAKE
                self.take(search.best)
                self.tell_in_time()
        else:
            self._anneal_by_steps(LocalSearch(self.model, seed=seed, plan=self.plan), steps)
        if self.seconds == math.inf:
            self.seconds = time.monotonic() - self.began + SECONDS
        if not self.open:
            return
        helper = Worker(self.problem, role="bound", seconds=self.seconds_left, seed=seed)
        try:
            helper.post(("plan", self.plan))
            while self.open and not helper.ended:
                time.sleep(0.02)
                for kind, payload in helper.messages():
                    if kind == "bound":
                        self.raise_bound(payload)
                self.tell_in_time()
        finally:
            helper.stop()

    def _anneal_by_steps(self, search: LocalSearch, steps: int) -> None:
        hot, cold = heat_for(self.model)
        while self.steps < steps and self.open:
            now = min(CHUNK, steps - self.steps)
            fall = [hot * (cold / hot) ** ((self.steps + part) / steps) for part in (0, now)]
            search.run(now, hot=fall[0], cold=fall[1])
            self.steps += now
            self.take(search.best)
            self.tell_in_time()

    def by_clock(self, workers: int, seed: int) -> None:
        helpers: list[Worker] = []
        try:
            self._side_by_side(workers, seed, helpers)
        finally:
            for helper in helpers:
                helper.stop()

    def _side_by_side(self, workers: int, seed: int, helpers: list[Worker]) -> None:
        work = searching(self.model, seconds=self.seconds_left, seed=seed, plan=self.plan)
        alone = workers == 1
        quick = self._head_start(alone=alone)
        for i in range(workers - 1):
            helpers.append(self._helper(i, seed))
        while self.open:
            is_ahead = self.seconds - self.seconds_left <= quick
            if alone and not helpers and not is_ahead:
                helpers.append(self._helper(0, seed))
            if not alone or not helpers or helpers[0].ended:
                work.advance()
                self.steps = work.search.steps
                self.take(work.search.best)
            else:
                time.sleep(0.02)
            if not is_ahead:
                self._post_plan(helpers)
            self._read_messages(helpers, work)
            self.tell_in_time()

    def _head_start(self, *, alone: bool) -> float:
        """Return for how many seconds the local search goes on before its plans are given to the proof."""
        if alone:
            return min(self.seconds_left * ALONE_SHARE, max(1.0, self.model.n / 20))
        return min(1.0, self.seconds_left / 5)

    def _helper(self, number: int, seed: int) -> Worker:
        """Start another process: the first of them proves, the others search."""
        role = "search" if number else "prove"
        return Worker(self.problem, role=role, seconds=self.seconds_left, seed=seed + number)

    def _post_plan(self, helpers: list[Worker]) -> None:
        """Send the plan to the other processes, if it is better than the last that they got."""
        if helpers and self.posted != self.cost:
            self.posted = self.cost
            for helper in helpers:
                helper.post(("plan", self.plan))

    def _read_messages(self, helpers: list[Worker], work: Annealing | Shaking) -> None:
        """Take over the bounds and plans that other processes have sent."""
        for helper in helpers:
            for kind, payload in helper.messages():
                if kind == "bound":
                    self.raise_bound(payload)
                elif self.take(payload):
                    work.adopt(payload)

    def finish(self) -> Solution:
        last = LocalSearch(self.model, plan=self.plan)
        last.polish()
        self.take(last.best)
        self.tell()
        return self.model.solution(
            self.plan, bound=self.bound, seconds=time.monotonic() - self.began, steps=self.steps
        )

"""Many clients at once: a process a core, so that Python's lock does not make one process the measure, and in each
as many threads as it takes; a web server with as many workers as cores is the like of it. Both sides of a comparison
run so."""

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

Step = Callable[[], Any]


@dataclass
class CallResult:
    seconds: list[float] = field(default_factory=list)
    """Of each step that succeeded."""

    errors: dict[str, int] = field(default_factory=dict)
    elapsed: float = 0.0

    @property
    def rate(self) -> float:
        return len(self.seconds) / self.elapsed if self.elapsed else 0.0


def run_clients(client: Callable[[int], tuple[Step, Step]], *, clients: int, seconds: float) -> CallResult:
    """`client(number)`, called in the client's own thread, gives its step and what to do at its end."""
    fork = multiprocessing.get_context("fork")
    workers = min(clients, os.cpu_count() or 1)
    barrier = fork.Barrier(clients)
    results: Any = fork.SimpleQueue()
    processes = [
        fork.Process(target=_worker, args=(client, range(n, clients, workers), barrier, seconds, results))
        for n in range(workers)
    ]
    for process in processes:
        process.start()
    total = CallResult()
    for _ in range(clients):
        durations, errors, elapsed = results.get()
        total.seconds += durations
        total.elapsed = max(total.elapsed, elapsed)
        for name, count in errors.items():
            total.errors[name] = total.errors.get(name, 0) + count
    for process in processes:
        process.join()
    return total


def _worker(client: Callable, numbers: range, barrier: Any, seconds: float, results: Any) -> None:
    threads = [threading.Thread(target=_client, args=(client, n, barrier, seconds, results)) for n in numbers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


WARM_UP = 8
"""Steps: connections are open, statements prepared and code paths walked before the clock starts."""


def _client(client: Callable, number: int, barrier: Any, seconds: float, results: Any) -> None:
    durations: list[float] = []
    errors: dict[str, int] = {}
    step, end = client(number)
    for _ in range(WARM_UP):
        step()
    barrier.wait()
    start = now = time.perf_counter()
    while now < start + seconds:
        try:
            step()
        except Exception as error:  # counted, by its name
            name = type(error).__name__
            errors[name] = errors.get(name, 0) + 1
            now = time.perf_counter()
        else:
            before, now = now, time.perf_counter()
            durations.append(now - before)
    results.put((durations, errors, now - start))
    end()

"""A second process for work that cannot be interrupted: it is killed when the answer is needed.

Started as `python -m allocations.planning.worker`; exchanges pickled messages over its standard streams. It ends with
its parent, by the end of its input.
"""

from __future__ import annotations

import os
import pickle
import queue
import struct
import subprocess
import sys
import threading
from pathlib import Path
from typing import IO, Any

from allocations.planning.problem.instance import Problem
from allocations.planning.problem.model import Model, Plan

_HEAD = struct.Struct("!I")


def _write(stream: IO[bytes], message: Any) -> None:
    data = pickle.dumps(message)
    stream.write(_HEAD.pack(len(data)) + data)
    stream.flush()


def _read(stream: IO[bytes]) -> Any:
    head = stream.read(_HEAD.size)
    if len(head) < _HEAD.size:
        raise EOFError
    return pickle.loads(stream.read(_HEAD.unpack(head)[0]))  # noqa: S301 - our own child


class Worker:
    """The parent's end: sends plans to the process, reads what it has found, and stops it at any time."""

    def __init__(self, problem: Problem, *, role: str, seconds: float, seed: int):
        root = Path(__file__).resolve().parents[2]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "allocations.planning.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=root,
        )
        if self.process.stdin is None or self.process.stdout is None:
            raise BrokenPipeError
        self._to_child, self._from_child = self.process.stdin, self.process.stdout
        self.inbox: queue.SimpleQueue[Any] = queue.SimpleQueue()
        self.ended = False
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self.post(("problem", problem, role, seconds, seed))

    def _listen(self) -> None:
        try:
            while True:
                self.inbox.put(_read(self._from_child))
        except (EOFError, OSError, ValueError, pickle.UnpicklingError):
            self.inbox.put(("ended",))

    def post(self, message: Any) -> None:
        """Send a message; a process that has ended gets nothing."""
        try:
            _write(self._to_child, message)
        except (BrokenPipeError, ValueError, OSError):
            self.ended = True

    def messages(self) -> list[Any]:
        """Return all messages that have come since the last call."""
        messages = []
        while not self.inbox.empty():
            message = self.inbox.get()
            if message[0] == "ended":
                self.ended = True
            else:
                messages.append(message)
        return messages

    def stop(self) -> None:
        """End the process now."""
        self.process.kill()
        self.process.wait()
        self._reader.join(timeout=1)
        for stream in (self._to_child, self._from_child):
            try:
                stream.close()
            except OSError:
                self.ended = True


class _Desk:
    """The child's end: the best plan that either side knows."""

    def __init__(self, model: Model, stream: IO[bytes]):
        self.model = model
        self.stream = stream
        self.lock = threading.Lock()
        self.plan: Plan = [None] * model.n
        self.cost = model.plan_cost(self.plan)
        self.first = threading.Event()

    def hear(self, plan: Plan) -> None:
        cost = self.model.plan_cost(plan)
        with self.lock:
            if cost < self.cost:
                self.plan, self.cost = plan, cost
        self.first.set()

    def offer(self, plan: Plan) -> None:
        self.hear(plan)
        with self.lock:
            _write(self.stream, ("plan", plan))

    def report(self, bound: int) -> None:
        with self.lock:
            _write(self.stream, ("bound", bound))

    def latest(self) -> Plan:
        return self.plan


def _search(desk: _Desk, *, seconds: float, seed: int) -> None:
    """Another local search beside the first, from another seed."""
    from allocations.planning.search.annealing import anneal

    for plan in anneal(desk.model, seconds=seconds, seed=seed, latest=desk.latest):
        desk.offer(plan)


def main() -> None:
    """Serve one problem."""
    source = sys.stdin.buffer
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what solvers print goes to standard error
    _, problem, role, seconds, seed = _read(source)
    desk = _Desk(Model(problem), out)

    def listen() -> None:
        try:
            while True:
                desk.hear(_read(source)[1])
        except EOFError:
            os._exit(0)

    if role == "search":
        threading.Thread(target=listen, daemon=True).start()
        desk.first.wait()
        _search(desk, seconds=seconds, seed=seed)
    else:
        from allocations.planning.proof.prover import Prover

        threading.Thread(target=listen, daemon=True).start()
        desk.first.wait()
        Prover(desk.model, latest=desk.latest, report=desk.report, offer=desk.offer, seconds=seconds, seed=seed).run(
            relax_only=role == "bound"
        )
    out.flush()
    os._exit(0)


if __name__ == "__main__":
    main()

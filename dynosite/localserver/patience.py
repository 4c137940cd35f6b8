"""How long to wait for something that starts: as long as it does something, on however slow a machine."""

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path

QUIET_SECONDS = 60.0
"""Of nothing, after which it is given up."""
LOOK_EVERY = 5.0
BUSY = 0.05
"""Of a processor: less is what programs use that only wait."""
READ = 256 * 1024
"""Bytes between two looks. A program that loads from a slow disk uses little of the processor."""


class Patience:
    """Ends after a while in which nothing moved: no new sign, and no work of the processes.

    `signs` is anything that changes when there is progress, such as the number of lines that were put out.
    """

    def __init__(
        self,
        processes: Callable[[], Iterable[int]],
        signs: Callable[[], object] = lambda: None,
        *,
        clock: Callable[[], float] = time.monotonic,
        work: "Callable[[Iterable[int]], tuple[float, int]] | None" = None,
    ) -> None:
        self._processes, self._signs, self._clock = processes, signs, clock
        self._work = work or work_of
        self._looked_at = self._moved_at = clock()
        self._seen, self._done = signs(), self._work(processes())

    def is_over(self) -> bool:
        now, signs = self._clock(), self._signs()
        if signs != self._seen:
            self._seen, self._moved_at = signs, now
        if now - self._looked_at >= LOOK_EVERY:
            seconds, read = self._work(self._processes())
            if seconds - self._done[0] >= BUSY * (now - self._looked_at) or read - self._done[1] >= READ:
                self._moved_at = now
            self._looked_at, self._done = now, (seconds, read)
        return now - self._moved_at > QUIET_SECONDS


def work_of(pids: Iterable[int]) -> tuple[float, int]:
    """Seconds of the processor that these processes and their children that ended took, and bytes that they read."""
    ticks, read = 0, 0
    for pid in pids:
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            ticks += sum(int(field) for field in fields[11:15])
            counts = Path(f"/proc/{pid}/io").read_text().splitlines()
            read += next((int(line.split()[1]) for line in counts if line.startswith("rchar:")), 0)
        except (OSError, ValueError, IndexError):
            continue  # ended meanwhile, another user's, or no such file system
    return ticks / os.sysconf("SC_CLK_TCK"), read

"""Runs the parts of the site as one: prefixed logs, and when one part ends all of them do."""

import contextlib
import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

from dynosite.localserver import processes

COLOURS = {"web": 36, "chat": 35, "plans": 35, "imports": 35, "upkeep": 35, "beat": 34, "postgres": 32, "redis": 33}
STOPPING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
POLITE_SECONDS = 3.5
KILLED_SECONDS = 1.0


class StopRequestedError(Exception):
    """Somebody asked for the end: Ctrl-C, a signal, or the end of `make`."""


class AlreadyRunningError(Exception):
    pass


class ProcessEndedError(Exception):
    """A part ended by itself, so all have to."""


class Output:
    """Lines of all parts on one stream, each with the part's name before it, in colour on a terminal."""

    def __init__(self, stream=None) -> None:
        self._stream = stream or sys.stdout
        self._colours = self._stream.isatty() and "NO_COLOR" not in os.environ
        self._lock = threading.Lock()
        self._awaited: dict[tuple[str, str], bool] = {}
        self.lines = 0
        self.broken = threading.Event()

    def has_said(self, name: str, ending: str) -> bool:
        """Whether a line of this part ended so, since this was first asked."""
        return self._awaited.setdefault((name, ending), False)

    def line(self, name: str, text: str) -> None:
        self.lines += 1
        for part, ending in list(self._awaited):
            if part == name and text.endswith(ending):
                self._awaited[part, ending] = True
        before = f"{name:<8} | "
        if self._colours:
            before = f"\x1b[{COLOURS.get(name, 37)}m{before}\x1b[0m"
        self.say(before + text)

    def say(self, text: str) -> None:
        try:
            with self._lock:
                print(text, file=self._stream, flush=True)
        except (BrokenPipeError, ValueError):
            self.broken.set()


class Supervisor:
    def __init__(self, output: Output, run: Path) -> None:
        self.output = output
        self._run = run
        self._parts: dict[str, subprocess.Popen] = {}
        self._watched: dict[str, subprocess.Popen] = {}
        self._asked = threading.Event()
        self._make = os.getppid() if processes.name_of(os.getppid()) in {"make", "gmake"} else None

    def heed_signals(self) -> None:
        """Stop on Ctrl-C, SIGTERM, a closed terminal, and when `make` stops; only the first time politely."""
        for sent in STOPPING:
            if signal.getsignal(sent) is not signal.SIG_IGN:
                signal.signal(sent, self._on_signal)
        if self._make:
            processes.end_with_parent()

    def watch(self, servers: dict[str, subprocess.Popen]) -> None:
        """Stop as well when one of these ends; somebody else stops them."""
        self._watched |= servers

    def start(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        self._parts[name] = self._spawn(name, command, environment)

    def family(self) -> set[int]:
        """The processes of all parts, those of others that it watches, and their children."""
        return processes.family(process.pid for process in {**self._parts, **self._watched}.values())

    def carry_out(self, name: str, command: list[str], environment: dict[str, str]) -> None:
        """Wait for a command that has to succeed before the rest can start."""
        process = self._spawn(name, command, environment)
        try:
            while process.poll() is None:
                self.pause(0.05)
        finally:
            if process.poll() is None:
                _kill_group(process)
        if process.returncode != 0:
            raise ProcessEndedError(f"{name} failed ({_describe(process.returncode)}).")

    def pause(self, seconds: float) -> None:
        """Wait, but no longer than everything runs and nobody asks for the end."""
        limit = time.monotonic() + seconds
        while True:
            if self._asked.wait(max(0.0, min(0.2, limit - time.monotonic()))) or self._make_was_interrupted():
                raise StopRequestedError
            if self.output.broken.is_set():
                raise StopRequestedError
            for name, process in {**self._parts, **self._watched}.items():
                if process.poll() is not None:
                    raise ProcessEndedError(f"{name} ended ({_describe(process.returncode)}): stopping the rest.")
            if time.monotonic() >= limit:
                return

    def stop(self) -> None:
        """End all parts within seconds; asking a second time doesn't wait."""
        self._asked.clear()
        for process in self._parts.values():
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        limit = time.monotonic() + POLITE_SECONDS
        while self._running() and time.monotonic() < limit and not self._asked.wait(0.05):
            pass
        for process in self._parts.values():
            _kill_group(process)
        limit = time.monotonic() + KILLED_SECONDS
        while self._running() and time.monotonic() < limit:
            time.sleep(0.02)
        self._parts.clear()

    def _running(self) -> bool:
        return any(process.poll() is None for process in self._parts.values())

    def _spawn(self, name: str, command: list[str], environment: dict[str, str]) -> subprocess.Popen:
        process = subprocess.Popen(
            command,
            env={**environment, processes.MARK: str(self._run), "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # A group of its own: Ctrl-C in a terminal reaches the supervisor alone, which ends all in order.
            start_new_session=True,
            preexec_fn=processes.end_with_parent,
        )
        processes.follow(process, partial(self.output.line, name))
        return process

    def _on_signal(self, sent: int, frame: object) -> None:
        self._asked.set()

    def _make_was_interrupted(self) -> bool:
        """`make` doesn't hand SIGINT on: it holds the signal back and waits for its children."""
        return self._make is not None and (
            os.getppid() != self._make or processes.holds_back(self._make, signal.SIGINT)
        )


@contextlib.contextmanager
def only_one(path: Path):
    """Hold the lock of this checkout; the kernel lets go of it however the process ends."""
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise AlreadyRunningError(file.read().strip()) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def _kill_group(process: subprocess.Popen) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        process.wait(KILLED_SECONDS)


def _describe(status: int) -> str:
    return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"

"""Child processes: they end when their parent does, even when it is killed, and what was left over can be found."""

import contextlib
import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import IO

PR_SET_PDEATHSIG = 1
MARK = "DYNOSITE_RUN"
SERVERS = {"postgres", "valkey-server"}
_libc = ctypes.CDLL(None, use_errno=True)


def end_with_parent(sent: int = signal.SIGTERM) -> None:
    """Have the kernel send this process a signal when the thread that started it ends. For `preexec_fn` on Linux."""
    if hasattr(_libc, "prctl"):
        _libc.prctl(PR_SET_PDEATHSIG, sent)


def follow(process: subprocess.Popen, take: Callable[[str], object]) -> None:
    """Hand over each line of the process's output, from a thread that ends with the output."""
    if process.stdout is None:
        raise ValueError("the process has to be started with a pipe for its output")
    threading.Thread(target=_read, args=(process.stdout, take), daemon=True).start()


def _read(output: IO[bytes], take: Callable[[str], object]) -> None:
    with output:
        for line in output:
            take(line.decode(errors="replace").rstrip())


def can_look() -> bool:
    """Whether this system shows its processes, which finding leftovers needs."""
    return Path("/proc/self/cwd").exists()


def leftovers(run: Path, places: Iterable[Path]) -> set[int]:
    """Processes of an earlier run: they carry its mark, or are database servers that work in one of its places."""
    mark = f"{MARK}={run}".encode()
    roots = [place.resolve() for place in places]
    ours = _ancestors()
    return {pid for pid in _pids() - ours if _has_mark(pid, mark) or _serves(pid, roots)}


def family(roots: Iterable[int]) -> set[int]:
    """These processes, their children, and so on."""
    parents = {pid: parent for pid in _pids() if (parent := _parent(pid)) is not None}
    members, more = set(roots), True
    while more:
        children = {pid for pid, parent in parents.items() if parent in members} - members
        members, more = members | children, bool(children)
    return members


def _parent(pid: int) -> int | None:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, ValueError, IndexError):
        return None


def end(pids: set[int], *, seconds: float = 5) -> None:
    """End these processes: asked first, killed when they take too long."""
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(pid, sent)
        limit = time.monotonic() + seconds / 2
        while pids := {pid for pid in pids if alive(pid)}:
            if time.monotonic() > limit:
                break
            time.sleep(0.05)
        if not pids:
            return
    raise RuntimeError(f"Processes of an earlier run do not end: {', '.join(map(str, sorted(pids)))}.")


def alive(pid: int) -> bool:
    """Whether the process runs. One that ended and was not yet waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def name_of(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return ""


def holds_back(pid: int, sent: int) -> bool:
    """Whether a process blocks a signal: as `make` does when it was interrupted and waits for its children."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return False
    blocked = next((line.split()[1] for line in lines if line.startswith("SigBlk:")), "0")
    return bool(int(blocked, 16) >> (sent - 1) & 1)


def _pids() -> set[int]:
    proc = Path("/proc")
    return {int(entry.name) for entry in proc.iterdir() if entry.name.isdigit()} if proc.is_dir() else set()


def _ancestors() -> set[int]:
    ancestors, pid = set(), os.getpid()
    while pid > 0 and pid not in ancestors:
        ancestors.add(pid)
        pid = _parent(pid) or 0
    return ancestors


def _has_mark(pid: int, mark: bytes) -> bool:
    try:
        return mark in Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    except OSError:
        return False


def _serves(pid: int, roots: list[Path]) -> bool:
    try:
        if name_of(pid) not in SERVERS:
            return False
        place = Path(os.readlink(f"/proc/{pid}/cwd"))
    except OSError:
        return False
    return any(place == root or root in place.parents for root in roots)

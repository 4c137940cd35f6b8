"""`manage.py up` as a whole, in a copy of the project with data of its own: what `make run` does after installing."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import psycopg
import pytest
from django.conf import settings

from dynosite.localserver import local, processes
from dynosite.tests.servers import wait_until

CLEARED = {"DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DYNOSITE_MODE", "PYTEST_XDIST_WORKER", "HOST", "PORT"}
UP = (sys.executable, "manage.py", "up", "--no-demo")
MAKEFILE = "run:\n\t@DYNOSITE_MODE=local exec {python} manage.py up --no-demo\n"


class Running:
    """One start of the site, by `make` as people start it, or by its Python command."""

    def __init__(self, checkout: Path, port: int, command: list[str]) -> None:
        environment = {name: value for name, value in os.environ.items() if name not in CLEARED}
        self.lines: list[str] = []
        self.url = f"http://127.0.0.1:{port}"
        self.process = subprocess.Popen(
            command,
            cwd=checkout,
            env=environment | {"DYNOSITE_MODE": "local", "PORT": str(port)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=processes.end_with_parent,
        )
        processes.follow(self.process, self.lines.append)

    def wait_until_ready(self) -> None:
        def is_ready() -> bool:
            assert self.process.poll() is None, "\n".join(self.lines)
            return f"Dynosite is ready at {self.url}" in self.lines

        # It gives up by itself when nothing moves; a machine that runs other tests beside this one is slow.
        wait_until(is_ready, "the site's start", seconds=400)

    def ended(self, seconds: float = 10) -> int:
        """The exit status, once it ended within the seconds."""
        return self.process.wait(seconds)


@pytest.fixture(scope="module")
def checkout() -> Iterator[Path]:
    place = Path("/var/tmp" if os.access("/var/tmp", os.W_OK) else "/tmp", f"dynosite-up-{os.getpid()}")  # noqa: S108
    place.mkdir(mode=0o711)
    for name in ("dynosite", "allocations", "assistant", "templates", "static"):
        shutil.copytree(settings.BASE_DIR / name, place / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(settings.BASE_DIR / "manage.py", place)
    (place / "Makefile").write_text(MAKEFILE.format(python=sys.executable))
    yield place
    leftovers = processes.leftovers(place / ".local", [place / ".local/postgres", place / ".local/redis"])
    processes.end(leftovers)
    shutil.rmtree(place)


@pytest.fixture
def start(checkout: Path) -> Iterator:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    started: list[Running] = []

    def run(
        command: tuple[str, ...] = (sys.executable, "manage.py", "up", "--no-demo"), *, on: int = port
    ) -> Running:
        started.append(Running(checkout, on, list(command)))
        return started[-1]

    yield run
    for run in started:
        if run.process.poll() is None:
            os.killpg(run.process.pid, signal.SIGTERM)
            run.process.wait(15)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _parts(checkout: Path) -> set[int]:
    """Every process of the site but its supervisor."""
    place = checkout / ".local"
    return processes.leftovers(place, [place / "postgres", place / "redis"])


def _named(checkout: Path, word: str) -> int:
    """The first process of the site whose command has the word in it."""
    commands = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in sorted(_parts(checkout))}
    return next(pid for pid, command in commands.items() if word.encode() in command)


def _query(checkout: Path, sql: str):
    with psycopg.connect(local.database_url(checkout / ".local"), autocommit=True) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchone() if cursor.description else None


def _nothing_is_left(checkout: Path) -> bool:
    return not any(processes.alive(pid) for pid in _parts(checkout))


def test_site_serves_refuses_a_second_start_and_stops_when_asked(checkout, start):
    site = start()
    site.wait_until_ready()
    assert httpx.get(f"{site.url}/readyz", timeout=60).json()["status"] == "ready"
    assert httpx.get(f"{site.url}/accounts/sign-in/", timeout=60).status_code == 200
    parts = {line.split(" ")[0] for line in site.lines}
    assert {"prepare", "chat", "plans", "imports", "upkeep", "postgres"} <= parts
    assert [(checkout / ".local" / name).stat().st_mode & 0o077 for name in ("secret_key", "servers.json")] == [0, 0]
    _query(checkout, "CREATE TABLE kept AS SELECT 42 AS answer")

    second = start(on=_free_port())
    assert second.ended(40) == 1
    wait_until(lambda: second.lines, "its last words")
    assert second.lines == [
        f"CommandError: Dynosite already runs from this checkout (process {site.process.pid}). "
        "Stop it first, or use another checkout."
    ]

    site.process.send_signal(signal.SIGINT)
    assert site.ended() == 0
    assert _nothing_is_left(checkout)


def test_killed_supervisor_takes_its_parts_along_and_the_data_stays(checkout, start):
    site = start()
    site.wait_until_ready()
    assert _query(checkout, "SELECT answer FROM kept") == (42,)
    assert len(_parts(checkout)) >= 5
    site.process.kill()
    site.ended()
    wait_until(lambda: _nothing_is_left(checkout), "the end of the parts", seconds=10)


def test_start_after_everything_was_killed_recovers_and_a_dead_part_stops_the_rest(checkout, start):
    site = start()
    site.wait_until_ready()
    for pid in [site.process.pid, *_parts(checkout)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    site.ended()
    again = start()
    again.wait_until_ready()
    assert _query(checkout, "SELECT answer FROM kept") == (42,)

    os.kill(_named(checkout, "web_server"), signal.SIGKILL)
    assert again.ended() == 1
    wait_until(lambda: _nothing_is_left(checkout), "the end of the rest")
    wait_until(
        lambda: "CommandError: web ended (signal SIGKILL): stopping the rest." in again.lines, "its last words"
    )


@pytest.mark.skipif(shutil.which("make") is None, reason="no make on this machine")
def test_interrupt_of_make_alone_stops_everything(checkout, start):
    """make doesn't hand SIGINT on: it waits for its child, which has to notice."""
    site = start(("make", "run"))
    site.wait_until_ready()
    site.process.send_signal(signal.SIGINT)
    assert site.ended() == -signal.SIGINT
    wait_until(lambda: _nothing_is_left(checkout), "the end of the parts", seconds=10)


def test_taken_port_is_refused_by_name(start):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        refused = start(on=port)
        assert refused.ended(40) == 1
    wait_until(lambda: refused.lines, "its last words")
    assert refused.lines == [
        f"CommandError: Port {port} of 127.0.0.1 can't be had (Address already in use). "
        f"Choose another: make run PORT={port + 1}"
    ]

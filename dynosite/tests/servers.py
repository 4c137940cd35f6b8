"""Servers that tests start: the site itself over ASGI, and a Celery worker. Both use the test database."""

import contextlib
import gc
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import psycopg
import uvicorn
from django.db import connection

from dynosite import workers
from dynosite.celery import app
from dynosite.localserver import local, postgres_users
from dynosite.localserver.processes import end_with_parent
from dynosite.web_server import OPTIONS


def wait_until(condition: Callable[[], object], label: str, *, seconds: float = 60) -> None:
    """Return as soon as the condition holds; say what was waited for if it never does."""
    end = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{label} took more than {seconds} seconds")
        pause.wait(0.02)


def subprocess_environment() -> dict[str, str]:
    """The environment for a process that works on this run's test database."""
    at = connection.settings_dict
    login = quote(at["USER"], safe="") + (f":{quote(at['PASSWORD'], safe='')}" if at["PASSWORD"] else "")
    url = f"postgresql://{login}@{at['HOST']}:{at['PORT'] or 5432}/{at['NAME']}"
    return {**os.environ, "DYNOSITE_MODE": "test", "DATABASE_URL": url}


def end_other_sessions() -> None:
    """Wait for the sessions of processes and threads that just ended; end one that stays, and name it."""
    others: list[tuple] = []
    # A test may have ended this process's own session; a new one knows nothing of that.
    connection.close()

    def alone() -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pid, state, query FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
            )
            others[:] = cursor.fetchall()
        return not others

    try:
        wait_until(alone, "the end of other sessions", seconds=10)
    except TimeoutError:
        sys.stderr.write(f"\nSessions that were left open, and are ended: {others}\n")
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s) AS pid", [[pid for pid, *_ in others]])
        wait_until(alone, "the end of other sessions")


def superuser_session() -> psycopg.Connection:
    """On the test database, as the superuser of a throwaway server; elsewhere as the user that the tests have."""
    at = connection.settings_dict
    login = {"user": at["USER"], "password": at["PASSWORD"]}
    if place := os.environ.get("DYNOSITE_THROWAWAY"):
        login = {"user": postgres_users.SUPERUSER, "password": local.superuser_password(Path(place))}
    return psycopg.connect(host=at["HOST"], port=at["PORT"] or None, dbname=at["NAME"], autocommit=True, **login)


class AsgiServer:
    """The site on a free port. In this process, so that overridden settings and fakes hold there too."""

    def __init__(self) -> None:
        from dynosite.asgi import build_application

        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        config = uvicorn.Config(build_application(), log_config=None, timeout_graceful_shutdown=2, **OPTIONS)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]}, daemon=True)

    def start(self) -> None:
        self._threads_before = set(threading.enumerate())
        self._thread.start()
        wait_until(lambda: self._server.started, "the ASGI server's start")

    def stop(self) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
        if self._thread.is_alive():
            raise TimeoutError("the ASGI server did not stop")
        self._end_requests()

    def _end_requests(self) -> None:
        """Waits for requests that were under way, whose threads outlive the loop, and drops their connections.

        Found by the collector in a later test, such a connection would fail that one.
        """
        end = time.monotonic() + 10
        for thread in set(threading.enumerate()) - self._threads_before:
            if thread.name.startswith("ThreadPoolExecutor"):
                thread.join(timeout=max(0, end - time.monotonic()))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ResourceWarning)
            gc.collect()


class CeleryWorker:
    """A worker process that is started once and takes tasks only between `resume` and `pause`.

    `module` has its Celery app, `environment` comes on top of this process's, `pool` are Celery's options.
    """

    def __init__(
        self,
        module: str = "dynosite",
        environment: dict[str, str] | None = None,
        *,
        queues: tuple[str, ...] = tuple(workers.ARGUMENTS),
        pool: tuple[str, ...] = ("--concurrency=2",),
    ) -> None:
        self._process: subprocess.Popen | None = None
        self._module = module
        self._environment = environment or {}
        self._queues = queues
        self._pool = pool
        self._name = f"test-{os.getpid()}-{id(self)}@dynosite"

    def sessions(self) -> int:
        """How many sessions with the database its processes have."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM pg_stat_activity WHERE application_name = %s", [self._name])
            return cursor.fetchone()[0]

    def resume(self) -> None:
        if self._process is None or self._process.poll() is not None or not self._answers():
            self.stop()
            self._start()
        for queue in self._queues:
            app.control.add_consumer(queue, reply=True, destination=[self._name])

    def pause(self) -> None:
        for queue in self._queues:
            app.control.cancel_consumer(queue, reply=True, destination=[self._name], timeout=5)
        wait_until(lambda: not self._busy(), "the end of running tasks")

    def wait(self, seconds: float = 20) -> None:
        """Return when no task waits or runs."""
        # Twice: a message that was just taken from the queue is for a moment neither there nor with the worker.
        wait_until(lambda: self._is_idle() and self._is_idle(), "the end of all tasks", seconds=seconds)

    def stop(self) -> None:
        if self._process is None:
            return
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        # Its pool too: a pool process that outlives the worker keeps its session with the database.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None

    def _start(self) -> None:
        options = [*self._pool, "--loglevel=WARNING", "--without-gossip", "--without-mingle"]
        options.append(f"--queues={','.join(self._queues)}")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", self._module, "worker", "-n", self._name, *options],
            env=subprocess_environment() | {"PGAPPNAME": self._name} | self._environment,
            start_new_session=True,
            preexec_fn=end_with_parent,
        )
        wait_until(self._answers, "the Celery worker's start", seconds=40)

    def _answers(self) -> bool:
        return bool(app.control.ping(destination=[self._name], timeout=1, limit=1))

    def _is_idle(self) -> bool:
        return not self._queued() and not self._busy() and not self._queued()

    def _busy(self) -> bool:
        inspect = app.control.inspect(destination=[self._name], timeout=2, limit=1)
        # In the order of a task's way.
        answers = (inspect.reserved(), inspect.active())
        # A worker that does not answer in time is busy for all that is known.
        return any(tasks is None or any(tasks.values()) for tasks in answers)

    def _queued(self) -> int:
        """Messages that wait, and those that were taken and are acknowledged only when their task has ended."""
        with app.connection_or_acquire() as broker:
            client = broker.default_channel.client
            return sum(client.llen(queue) for queue in self._queues) + client.hlen("unacked")

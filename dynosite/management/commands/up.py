"""`manage.py up`: everything that the site needs on one machine, under one supervisor. `make run` calls it."""

import json
import os
import socket
import sys
import time
import urllib.error
import urllib.request

import psycopg
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from dynosite import env, workers
from dynosite.localserver import embedded, local, supervisor
from dynosite.localserver.patience import QUIET_SECONDS, Patience

URLS = {"postgres": ("DATABASE_URL", local.database_url), "redis": ("REDIS_URL", local.redis_url)}
TOLD_EVERY = 15.0
"""Seconds between two lines that say what is still waited for."""
WORKER_IS_READY = " ready."
DEMO_USERS = ("admin", "scheduler", "viewer", "outsider")
DEMO_PASSWORD = "dynosite-demo"  # noqa: S105 known to all, for a demo's users only


class Command(BaseCommand):
    help = "Start database, Redis, web server, Celery workers and beat, and stop them together."
    requires_system_checks = []

    def add_arguments(self, parser) -> None:
        parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
        parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
        parser.add_argument("--no-demo", action="store_true", help="leave an empty database empty")

    def handle(self, *args, host: str, port: int, no_demo: bool, **options) -> None:
        if settings.PRODUCTION:
            raise CommandError("`up` is for one machine: set DYNOSITE_MODE=local. See deploy/ for production.")
        output = supervisor.Output(self.stdout._out)
        local.prepare(local.LOCAL)
        try:
            with supervisor.only_one(local.LOCAL / "lock"):
                _require_free(host, port)
                Site(output, host, port, demo=not no_demo).run()
        except supervisor.AlreadyRunningError as error:
            raise CommandError(
                f"Dynosite already runs from this checkout (process {error}). Stop it first, or use another checkout."
            ) from None
        except PermissionError as error:
            raise CommandError(
                f"{error.filename} belongs to another user. Run as that user, or remove {local.LOCAL} and its data."
            ) from None
        except (embedded.EmbeddedError, supervisor.ProcessEndedError) as error:
            raise CommandError(str(error)) from None


class Site:
    """The parts in the order in which they start."""

    def __init__(self, output: supervisor.Output, host: str, port: int, *, demo: bool) -> None:
        self._output = output
        self._host, self._port, self._demo = host, port, demo
        self._supervisor = supervisor.Supervisor(output, local.LOCAL)
        services = tuple(name for name, (variable, _) in URLS.items() if not env.text(variable))
        self._servers = embedded.Embedded(local.LOCAL, services, say=output.say, log=output.line)
        self._environment = dict(os.environ)

    def run(self) -> None:
        self._supervisor.heed_signals()
        try:
            self._start_servers()
            self._prepare()
            self._start_parts()
            self._wait_until_ready()
            self._announce()
            while True:
                self._supervisor.pause(3600)
        except supervisor.StopRequestedError:
            self._output.say("Stopping.")
        finally:
            self._supervisor.stop()
            self._servers.stop()

    def _start_servers(self) -> None:
        if self._servers.services:
            self._servers.start()
        self._supervisor.watch(self._servers.processes)
        for name, (variable, url) in URLS.items():
            if name in self._servers.services:
                self._environment[variable] = url()
        self._supervisor.pause(0)

    def _prepare(self) -> None:
        command = [sys.executable, "manage.py", "prepare", *(["--demo"] if self._demo else [])]
        self._supervisor.carry_out("prepare", command, self._environment)

    def _start_parts(self) -> None:
        schedule = local.LOCAL / "beat-schedule"
        for file in local.LOCAL.glob(f"{schedule.name}*"):
            if not os.access(file, os.W_OK):
                file.unlink()  # another user's; it only says when what ran last
        # Beside a checkout of root's, root is who works; the warning is for servers.
        celery = ["-W", "ignore:You're running the worker", "-m", "celery", "--quiet", "-A", "dynosite"]
        self._python(
            "web", "-m", "dynosite.web_server", f"--host={self._host}", f"--port={self._port}", "--stop-within=2"
        )
        self._python("beat", *celery, "beat", f"--schedule={schedule}", "--loglevel=WARNING", "--pidfile=")
        for queue in workers.ARGUMENTS:
            self._output.has_said(queue, WORKER_IS_READY)
            self._python(queue, *celery, *workers.command(queue))

    def _wait_until_ready(self) -> None:
        """For as long as something moves: a slow machine takes minutes, and comes to it all the same."""
        waits_for: list[str] = []
        patience = Patience(self._supervisor.family, lambda: (self._output.lines, tuple(waits_for)))
        told_at = time.monotonic()
        while waits_for := self._unready():
            unready = ", ".join(waits_for)
            if patience.is_over():
                raise supervisor.ProcessEndedError(
                    f"Not ready, and nothing moved for {QUIET_SECONDS:.0f} seconds: {unready}."
                )
            if time.monotonic() - told_at > TOLD_EVERY:
                self._output.say(f"Still starting: {unready}.")
                told_at = time.monotonic()
            self._supervisor.pause(0.1)

    def _unready(self) -> list[str]:
        """What stands in the way of being ready; nothing once it is."""
        state = _status(f"http://{_reachable(self._host)}:{self._port}/readyz")
        web = [] if state == "ready" else [state]
        silent = [name for name in workers.ARGUMENTS if not self._output.has_said(name, WORKER_IS_READY)]
        return web + [f"the worker of {name} has not begun" for name in silent]

    def _announce(self) -> None:
        self._output.say(f"Dynosite is ready at http://{_reachable(self._host)}:{self._port}")
        if set(DEMO_USERS) <= self._users():
            self._output.say(f"Demo users: {', '.join(DEMO_USERS)}; their password is {DEMO_PASSWORD}")

    def _users(self) -> set[str]:
        with psycopg.connect(env.text("DATABASE_URL") or self._environment["DATABASE_URL"]) as connection:
            return {name for (name,) in connection.execute("SELECT username FROM accounts_user LIMIT 50")}

    def _python(self, name: str, *arguments: str) -> None:
        self._supervisor.start(name, [sys.executable, *arguments], self._environment)


def _require_free(host: str, port: int) -> None:
    try:
        with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((host, port))
    except OSError as error:
        raise CommandError(
            f"Port {port} of {host} can't be had ({error.strerror}). Choose another: make run PORT={port + 1}"
        ) from None


def _reachable(host: str) -> str:
    return "127.0.0.1" if host in {"0.0.0.0", "::", ""} else f"[{host}]" if ":" in host else host  # noqa: S104


def _status(url: str) -> str:
    """`ready`, or what stands in the way."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:  # noqa: S310 our own address
            return json.load(answer)["status"]
    except urllib.error.HTTPError as error:
        with error:
            return f"{url} answers {error.read().decode(errors='replace')}"
    except OSError as error:
        return f"{url} does not answer ({error})"

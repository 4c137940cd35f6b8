"""One web process of the product, on the scratch database."""

import contextlib
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Self
from urllib.parse import quote

from django.conf import settings
from django.db import connection

from dynosite.localserver.processes import end_with_parent


def environment() -> dict[str, str]:
    """For a process of the product on the scratch database."""
    at = connection.settings_dict
    login = quote(at["USER"], safe="") + (f":{quote(at['PASSWORD'], safe='')}" if at["PASSWORD"] else "")
    return {
        "DYNOSITE_MODE": "local",
        "SECRET_KEY": settings.SECRET_KEY,
        "REDIS_URL": settings.REDIS_URL,
        "REDIS_PREFIX": settings.REDIS_PREFIX,
        "LOG_LEVEL": "ERROR",
        # All panels of a benchmark are one user's.
        "STREAMS_PER_USER": "1000",
        "STREAMS_PER_ADDRESS": "1000",
        "DATABASE_URL": f"postgresql://{login}@{at['HOST']}:{at['PORT'] or 5432}/{at['NAME']}",
    }


class WebProcess:
    """uvicorn as `make run` starts it, with a pool of database connections."""

    def __init__(self, changed: dict[str, str] | None = None) -> None:
        self._changed = changed or {}

    def __enter__(self) -> Self:
        with socket.create_server(("127.0.0.1", 0)) as probe:
            self.port = probe.getsockname()[1]
        command = [sys.executable, "-m", "dynosite.web_server", f"--port={self.port}", "--stop-within=2"]
        self._process = subprocess.Popen(
            command,
            cwd=settings.BASE_DIR,
            env=os.environ | environment() | self._changed,
            preexec_fn=end_with_parent,
        )
        self._wait()
        return self

    def __exit__(self, *error: object) -> None:
        self._process.terminate()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        self._process.kill()
        self._process.wait()

    def kilobytes(self) -> int:
        """Of memory that the process holds and shares with nobody."""
        lines = Path(f"/proc/{self._process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in lines if line.startswith(("Private_Clean", "Private_Dirty")))

    def threads(self) -> int:
        return len(list(Path(f"/proc/{self._process.pid}/task").iterdir()))

    def _wait(self, seconds: float = 60) -> None:
        limit = time.monotonic() + seconds
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=5):
                    return
            except (urllib.error.URLError, ConnectionError) as error:
                if time.monotonic() > limit or self._process.poll() is not None:
                    raise RuntimeError(f"The web process does not answer: {error}") from error
                time.sleep(0.1)

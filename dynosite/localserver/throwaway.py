"""`python -m dynosite.localserver.throwaway COMMAND …`: a command beside new servers, whose data goes when it ends.

DATABASE_URL and REDIS_URL are theirs, save where they were set already. DYNOSITE_THROWAWAY names the folder of a
PostgreSQL that is theirs, for tests that look at its processes.
"""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from dynosite.localserver import local, processes
from dynosite.localserver.embedded import Embedded
from dynosite.localserver.unprivileged import EmbeddedError

URLS = {"postgres": ("DATABASE_URL", local.database_url), "redis": ("REDIS_URL", local.redis_url)}


def main(command: list[str]) -> int:
    services = tuple(name for name, (variable, _) in URLS.items() if not os.environ.get(variable))
    place = Path(tempfile.mkdtemp(prefix="dynosite-servers-"))
    place.chmod(0o711)
    servers = Embedded(place, services, durable=False)
    child: subprocess.Popen | None = None

    def pass_on(sent: int, frame: object) -> None:
        if child is None or child.poll() is not None:
            raise SystemExit(128 + sent)
        child.send_signal(sent)

    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(sent, pass_on)
    try:
        if services:
            servers.start()
        addresses = {variable: url(place) for name, (variable, url) in URLS.items() if name in services}
        if "postgres" in services:
            addresses["DYNOSITE_THROWAWAY"] = str(place)
        child = subprocess.Popen(command, env=os.environ | addresses, preexec_fn=processes.end_with_parent)
        status = child.wait()
        return status if status >= 0 else 128 - status
    finally:
        servers.stop()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except EmbeddedError as error:
        sys.exit(str(error))

"""`python -m dynosite.web_server` serves the site. Every way of starting it goes through here, so that all are alike.

HOST and PORT say where it listens, WEB_CONCURRENCY (uvicorn's) in how many processes.
"""

import argparse
import os
from typing import Any

import uvicorn

from dynosite.ops.protocol import TimedProtocol

OPTIONS: dict[str, Any] = {
    "http": TimedProtocol,
    "lifespan": "off",
    "ws": "none",
    "server_header": False,
    # `dynosite.ops.proxy` does this, for proxies that are named.
    "proxy_headers": False,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--host", default=os.environ.get("HOST") or "127.0.0.1")
    parser.add_argument("--port", type=int, default=int(os.environ.get("PORT") or 8000))
    parser.add_argument("--stop-within", type=int, default=10, help="seconds that requests have to end at a stop")
    options = parser.parse_args()
    uvicorn.run(
        "dynosite.asgi:application",
        host=options.host,
        port=options.port,
        timeout_graceful_shutdown=options.stop_within,
        log_level="warning",
        **OPTIONS,
    )


if __name__ == "__main__":
    main()

#!/bin/sh
# The web server of a container. WEB_CONCURRENCY is uvicorn's own variable.
cd "$(dirname "$0")/.."
exec python -m uvicorn dynosite.asgi:application --host "${HOST:-0.0.0.0}" --port "${PORT:-8000}" \
    --lifespan off --ws none --no-server-header --no-proxy-headers --timeout-graceful-shutdown 10 --log-level warning

#!/bin/sh
# The web server of a container. WEB_CONCURRENCY and FORWARDED_ALLOW_IPS are uvicorn's own variables.
cd "$(dirname "$0")/.."
exec python -m uvicorn dynosite.asgi:application --host "${HOST:-0.0.0.0}" --port "${PORT:-8000}" \
    --lifespan off --ws none --no-server-header --timeout-graceful-shutdown 10 --log-level warning

#!/bin/sh
# The web server of a container. WEB_CONCURRENCY is uvicorn's own variable.
cd "$(dirname "$0")/.."
exec python -m dynosite.web_server --host "${HOST:-0.0.0.0}" --port "${PORT:-8000}"

#!/bin/sh
# The benchmarks on a database of their own: deploy/bench.sh [NAME] [--json]
set -eu
cd "$(dirname "$0")/.."
.venv/bin/python manage.py migrate --noinput --verbosity=0
exec .venv/bin/python manage.py benchmark "$@"

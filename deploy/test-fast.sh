#!/bin/sh
# The quick tests, in the environment that `make test-fast` sets up: rules, models, selectors and services, without
# browser, races, servers, workers and searched examples. Arguments go to pytest; a path among them replaces these rooms.
set -eu
cd "$(dirname "$0")/.."
export DYNOSITE_MODE=test
unset SECRET_KEY DJANGO_SETTINGS_MODULE
rooms="allocations/tests allocations/models allocations/selectors allocations/services"
for argument in "$@"; do
    if [ -e "${argument%%::*}" ]; then rooms=""; fi
done
exec .venv/bin/python -m pytest -n 2 --dist loadfile -q -m "not browser and not race and not slow" $rooms "$@"

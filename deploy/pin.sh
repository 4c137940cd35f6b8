#!/bin/sh
# Pins every package, with the hashes of its files for every platform, and names no place that they come from.
# UPGRADE=1 takes the newest that pyproject.toml allows; else only what changed there moves.
set -eu
cd "$(dirname "$0")/.."
pin() {
    .venv/bin/python -m uv pip compile pyproject.toml --quiet --universal --python-version 3.11 --generate-hashes \
        --no-header --no-annotate --no-emit-index-url --no-emit-find-links "$@"
}
pin --output-file requirements.txt ${UPGRADE:+--upgrade}
pin --group dev --constraint requirements.txt --output-file deploy/requirements-dev.txt

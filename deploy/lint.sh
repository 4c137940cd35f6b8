#!/bin/sh
# Style, templates, who may import whom, and types.
set -eu
cd "$(dirname "$0")/.."
bin=.venv/bin/python
export DYNOSITE_MODE=test

step() { printf '\n== %s\n' "$*"; }

step "ruff"
$bin -m ruff check .
$bin -m ruff format --check .

step "templates"
if [ -n "$(find templates -name '*.html' 2>/dev/null | head -n 1)" ]; then
    $bin -m djlint --quiet --lint templates
    $bin -m djlint --quiet --check templates
fi

step "who may import whom"
$bin -c "from importlinter.cli import lint_imports_command as lint; lint()" --no-logo

step "types"
$bin -m mypy

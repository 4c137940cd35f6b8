#!/bin/sh
# Every check and every test, in the environment that `make test` sets up. Ends with pytest's summary.
set -eu
cd "$(dirname "$0")/.."
python=.venv/bin/python
export DYNOSITE_MODE=test
unset SECRET_KEY DJANGO_SETTINGS_MODULE

step() { printf '\n== %s\n' "$*"; }

deploy/lint.sh

step "migrations match the models"
$python manage.py makemigrations --check --dry-run

step "production settings pass Django's deployment checks"
DYNOSITE_MODE=production ALLOWED_HOSTS=dynosite.example FORWARDED_ALLOW_IPS=10.0.0.5 SECRET_KEY="$($python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    $python manage.py check --deploy --fail-level WARNING

step "tests"
# A file stays with one of the two processes, each of which has a database and a Redis database of its own.
exec $python -m pytest -n 2 --dist loadfile "$@"

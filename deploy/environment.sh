#!/bin/sh
# Makes or refreshes .venv from pinned requirements: deploy/environment.sh FILE...
# Nothing is done when the files are those of the last time.
set -eu
cd "$(dirname "$0")/.."

fail() { printf '%s\n' "$*" >&2; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

choose_python() {
    for candidate in ${PYTHON:-python3 python3.13 python3.12 python3.11 python3.14}; do
        if command -v "$candidate" >/dev/null && new_enough "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    found=$("${PYTHON:-python3}" --version 2>&1) || found="no Python here"
    fail "Dynosite needs Python 3.11 or later ($found). Install it, or name it: make PYTHON=/path/to/python3.11"
}

as_root() {
    if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi
}

make_venv() {
    rm -rf .venv
    "$python" -m venv .venv >/dev/null 2>&1 && return
    # Debian keeps what venv needs in a package of its own.
    package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
    echo "Installing $package, which Python's venv needs here."
    rm -rf .venv
    as_root apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1 \
        || { as_root apt-get update >/dev/null 2>&1 \
            && as_root apt-get install -y --no-install-recommends "$package" >/dev/null 2>&1; } \
        || true
    "$python" -m venv .venv || fail "Python can't make a virtual environment. Install $package, then try again."
}

for file in "$@"; do [ -r "$file" ] || fail "$file is missing."; done
if [ -e .venv ] && [ ! -O .venv ] && [ "$(id -u)" != 0 ]; then
    fail ".venv belongs to another user: remove it, or run as that user."
fi

stamp=.venv/installed
wanted=$(cat "$@" | cksum)
if ! .venv/bin/python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
    python=$(choose_python)
    echo "Making .venv with $("$python" --version)."
    make_venv
    # The checkout is importable from anywhere, so that bare `pytest` and `celery` find it too.
    pwd >"$(echo .venv/lib/python3.*/site-packages)/checkout.pth"
fi
# An environment for development serves `make run` as well, so each set of files that is there is noted.
if grep -qxF "$wanted" "$stamp" 2>/dev/null; then exit 0; fi

echo "Installing the pinned requirements into .venv. The first time this takes a minute or two."
first=$(cat "$1" | cksum)
set -- $(printf -- '-r %s ' "$@")
rm -f "$stamp"
PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore \
    .venv/bin/python -m pip install --quiet --require-hashes --no-deps --only-binary :all: "$@"
printf '%s\n' "$first" "$wanted" >"$stamp"

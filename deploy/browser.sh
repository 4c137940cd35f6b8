#!/bin/sh
# Debian's Chromium for the browser tests, where it can be had. Never fails: without it those tests are skipped.
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null && exit 0
done
if [ "$(id -u)" = 0 ]; then sudo=""; else sudo="sudo -n"; fi
if command -v apt-get >/dev/null && { [ -z "$sudo" ] || $sudo true 2>/dev/null; }; then
    echo "Installing Chromium for the browser tests."
    export DEBIAN_FRONTEND=noninteractive
    $sudo apt-get update >/dev/null 2>&1
    $sudo apt-get install -y --no-install-recommends chromium >/dev/null 2>&1
fi
command -v chromium >/dev/null || echo "No Chromium, and it can't be installed here: the browser tests are skipped."

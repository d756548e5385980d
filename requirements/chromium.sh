#!/bin/sh
# The site is tested in Chromium. Install Debian's package where it is missing and where this user may.
set -u
for name in chromium chromium-browser google-chrome; do
    command -v "$name" >/dev/null 2>&1 && exit 0
done

if [ "$(id -u)" = 0 ]; then
    root=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    root="sudo"
else
    root="none"
fi

if [ "$root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
    echo "The tests need Chromium and this user cannot install it. Run: sudo apt-get install chromium" >&2
    exit 1
fi
echo "Installing Chromium ..."
export DEBIAN_FRONTEND=noninteractive
if ! { $root apt-get update && $root apt-get install --yes --no-install-recommends chromium; } >/dev/null 2>&1; then
    echo "Chromium could not be installed. Run: apt-get update && apt-get install chromium" >&2
    exit 1
fi

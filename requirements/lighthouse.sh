#!/bin/sh
# `make audit` needs Lighthouse, which needs node and npm:  lighthouse.sh FOLDER
# Install Debian's packages where they are missing and where this user may, and Lighthouse into a folder of its own.
set -u
folder=$1
version=12.8.2 # the last that runs on Debian's node

fail() {
    echo "$1" >&2
    exit 1
}

if ! command -v node >/dev/null 2>&1 || ! command -v npm >/dev/null 2>&1; then
    if [ "$(id -u)" = 0 ]; then
        root=""
    elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
        root="sudo"
    else
        root="none"
    fi
    if [ "$root" = none ] || ! command -v apt-get >/dev/null 2>&1; then
        fail "The audit needs node and npm and this user cannot install them. Run: sudo apt-get install nodejs npm"
    fi
    echo "Installing node ..."
    export DEBIAN_FRONTEND=noninteractive
    { $root apt-get update && $root apt-get install --yes --no-install-recommends nodejs npm; } >/dev/null 2>&1 ||
        fail "node could not be installed. Run: apt-get update && apt-get install nodejs npm"
fi

echo "Installing Lighthouse $version into $folder ..."
rm -rf "$folder" && mkdir -p "$folder" || fail "The folder $folder could not be made."
npm install --prefix "$folder" --no-audit --no-fund --no-update-notifier --loglevel=error "lighthouse@$version" >"$folder/install.log" 2>&1 ||
    fail "Lighthouse could not be installed; npm's output is in $folder/install.log."
touch "$folder/installed"

#!/bin/sh
# Make a virtual environment and install one list of requirements into it:  install.sh PYTHON VENV REQUIREMENTS CONSTRAINTS
# Every way this is known to fail ends in one line that says what to do.
set -u
python=$1 venv=$2 requirements=$3 constraints=$4

fail() {
    echo "$1" >&2
    exit 1
}

command -v "$python" >/dev/null 2>&1 ||
    fail "Python 3.11 or newer is needed and '$python' was not found. Install it, or name one: make PYTHON=/path/to/python3.12"
version=$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null) ||
    fail "'$python' does not run. Name a Python 3.11 or newer: make PYTHON=/path/to/python3.12"
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "Python 3.11 or newer is needed; '$python' is $version. Name a newer one: make PYTHON=/path/to/python3.12"
"$python" -c 'import ensurepip, venv' 2>/dev/null ||
    fail "Python's venv module is missing. On Debian and Ubuntu: apt-get install python3-venv"

[ -w . ] || fail "This folder is read-only: copy it to a place where you may write."
if [ -e "$venv/pyvenv.cfg" ] && [ ! -e "$venv/install.log" ]; then
    fail "$venv was not made by make, which would empty it. Move it away first: mv $venv $venv.mine"
fi
lock=$venv.lock
mkdir "$lock" 2>/dev/null || fail "Another make is installing into $venv. If none is, remove $lock and try again."
trap 'rmdir "$lock"' EXIT

echo "Installing $requirements into $venv with Python $version ..."
log=$venv/install.log
"$python" -m venv --clear "$venv" && : >"$log" || fail "The environment $venv could not be made; the lines above say why."
if ! "$venv/bin/python" -m pip install --disable-pip-version-check --no-input --progress-bar off -r "$requirements" -c "$constraints" >"$log" 2>&1; then
    if grep -q -i -E 'connection|name resolution|network is unreachable|timed out|from versions: none' "$log"; then
        fail "The packages could not be fetched: no network, or no answer from the package index. Try again when there is one; pip's output is in $log."
    fi
    grep '^ERROR' "$log" | tail -n 3 >&2
    fail "pip could not install $requirements; all that it said is in $log."
fi
touch "$venv/installed"

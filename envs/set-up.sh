#!/bin/sh
# Makes .venv agree with the locks: creates it where it is missing and installs what is not installed yet.
#
# Usage: envs/set-up.sh          what the workflow needs (envs/build.txt, envs/requirements.txt)
#        envs/set-up.sh dev      the same, and what tests and linters need (envs/requirements-dev.txt)
#
# A lock counts as installed when its text is in .venv/locks/, where it is copied once the install has ended well. So
# neither a touch nor a checkout installs anything, and the next call makes good an install that was interrupted.

set -eu
cd "$(dirname "$0")/.."

locks=.venv/locks
python=.venv/bin/python

say() { printf 'set-up: %s\n' "$*"; }

# Settings of the user's own that would send packages elsewhere or hide the environment's.
unset PYTHONPATH PYTHONHOME PIP_USER PIP_TARGET PIP_PREFIX PIP_NO_BINARY PIP_ONLY_BINARY
export PIP_DISABLE_PIP_VERSION_CHECK=1

# names LOCK: the packages that a lock pins, one a line.
names() { sed -n 's/^\([A-Za-z0-9][A-Za-z0-9._-]*\)==.*/\1/p' "$1"; }

# An install that was interrupted leaves its mark behind, whatever copy of the lock is beside it.
installed() { [ ! -e "$locks/$1.unfinished" ] && cmp -s "envs/$1" "$locks/$1"; }

# failed LOCK: says what pip does not, and ends. Without a network pip finds "no matching distribution".
failed() {
    say "envs/$1 could not be installed; what is above is from pip" >&2
    say "where it found no matching distribution, it may have no network: check the connection, a proxy, pip's index" >&2
    say 'the next call goes on from here' >&2
    exit 1
}

# install LOCK: installs it by hash, then removes what the lock named at the last install and no lock names now.
install() {
    say "installing envs/$1"
    "$python" -m pip install --quiet --no-compile --require-hashes --no-build-isolation --use-pep517 -r "envs/$1" ||
        failed "$1"
    [ -f "$locks/$1" ] || return 0
    names "$locks/$1" | sort >"$locks/before"
    for each in $all; do names "envs/$each"; done | sort -u >"$locks/now"
    gone=$(comm -23 "$locks/before" "$locks/now")
    rm "$locks/before" "$locks/now"
    [ -n "$gone" ] || return 0
    say "removing what no lock names any more:" $gone
    "$python" -m pip uninstall --quiet --yes $gone
}

# Compiled here and at once, for pip's own compiling can be switched off and takes one core: without bytecode every job of
# the workflow would lose seconds on its imports. Files that do not compile (templates, tests of old versions) are left.
compile() {
    say 'compiling the packages to bytecode'
    "$python" -m compileall -q -q -j 0 .venv/lib >/dev/null 2>&1 || true
}

# Why an existing .venv cannot be used, or nothing.
fault() {
    "$python" -c '' >/dev/null 2>&1 || { echo 'its interpreter does not run' && return; }
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 12))' || { echo 'its Python is older than 3.12' && return; }
    "$python" -c 'import importlib.util as u; u.find_spec("pip.__main__") or exit(1)' 2>/dev/null ||
        { echo 'it is without pip' && return; }
    # Its scripts hold absolute paths.
    [ ! -f "$locks/place" ] || [ "$(cat "$locks/place")" = "$(pwd -P)" ] || { echo 'it was made in another folder' && return; }
    [ -z "${PYTHON:-}" ] || [ "$("$python" -c "$base")" = "$interpreter" ] || echo "PYTHON asks for $interpreter"
}

all='build.txt requirements.txt requirements-dev.txt'
base='import os, sys; print(os.path.realpath(sys._base_executable))'
case "${1:-}" in
    '') wanted='build.txt requirements.txt' ;;
    dev) wanted=$all ;;
    *) echo "usage: $0 [dev]" >&2 && exit 2 ;;
esac

interpreter=
[ -z "${PYTHON:-}" ] || interpreter=$(envs/find-python.sh)
if [ -d .venv ]; then
    why=$(fault)
    if [ -n "$why" ]; then
        say ".venv is made anew: $why"
        rm -rf .venv
    fi
fi
if [ ! -d .venv ]; then
    [ -n "$interpreter" ] || interpreter=$(envs/find-python.sh)
    say "creating .venv with $interpreter"
    "$interpreter" -m venv .venv
fi
mkdir -p "$locks"
pwd -P >"$locks/place"

todo=
for lock in $wanted; do
    installed "$lock" || todo="$todo $lock"
done
[ -n "$todo" ] || exit 0

for lock in $todo; do
    : >"$locks/$lock.unfinished"
    install "$lock"
done
compile
for lock in $todo; do
    cp "envs/$lock" "$locks/$lock"
    rm "$locks/$lock.unfinished"
done
say 'done'

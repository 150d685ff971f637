#!/bin/sh
# Prints the path of the interpreter to build .venv with, or says on stderr how to get one and exits 1.
#
# Usage: envs/find-python.sh          an interpreter of the user's own choice: PYTHON=/path/to/python envs/find-python.sh
#
# CPython 3.13 and 3.12 are tested and taken first, 3.14 only where there is neither. Looked through, in this order:
# python3, python3.13 and python3.12 on PATH, pyenv's versions, uv's interpreters, and last an interpreter that uv fetches.

tested='3.13 3.12'
untested='3.14'

# One line about an interpreter: version, implementation and kind of build, whether it can make environments, its real path
# (that of the base interpreter, so that a .venv never hangs on another .venv).
probe='
import importlib.util, os, sys, sysconfig
free_threaded = "-free-threaded" if sysconfig.get_config_var("Py_GIL_DISABLED") else ""
able = all(importlib.util.find_spec(name) for name in ("venv", "ensurepip"))
path = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)
print("%d.%d" % sys.version_info[:2], sys.implementation.name + free_threaded, "able" if able else "unable", path)
'

newline='
'
notes=''

note() {
    case "$newline$notes" in
        *"$newline  $1$newline"*) ;;
        *) notes="$notes  $1$newline" ;;
    esac
}

# try CANDIDATE VERSIONS: prints the interpreter's path and succeeds if it is one of VERSIONS and can make environments.
# A pyenv shim of a version that is not switched on fails here like a file that is no interpreter.
try() {
    answer=$("$1" -c "$probe" </dev/null 2>/dev/null) || return 1
    read -r version kind able path <<ANSWER
$answer
ANSWER
    [ -n "$path" ] || return 1
    case " $2 " in
        *" $version "*) ;;
        *)
            note "$path is Python $version"
            return 1
            ;;
    esac
    if [ "$kind" != cpython ]; then
        note "$path is Python $version, but $kind: the locked packages are built for plain CPython"
        return 1
    fi
    if [ "$able" != able ]; then
        note "$path is Python $version, but without venv or ensurepip (Debian and Ubuntu: apt install python$version-venv)"
        return 1
    fi
    printf '%s\n' "$path"
}

# The folders in which pyenv may keep its versions. HOME says nothing where it is empty or another user's, so pyenv itself
# and the interpreter behind python3 are asked too.
pyenv_folders() {
    printf '%s\n' "${PYENV_ROOT:-${HOME:-}/.pyenv}/versions"
    if command -v pyenv >/dev/null 2>&1; then
        real=$(readlink -f "$(command -v pyenv)") && printf '%s\n' "${real%/*/*}/versions"
        root=$(pyenv root 2>/dev/null) && printf '%s\n' "$root/versions"
    fi
    if command -v python3 >/dev/null 2>&1; then
        shim=$(command -v python3)
        case "$shim" in */shims/python3) printf '%s\n' "${shim%/shims/python3}/versions" ;; esac
        real=$(python3 -c 'import os, sys; print(os.path.realpath(sys.executable))' 2>/dev/null)
        case "$real" in */versions/*/bin/*) printf '%s\n' "${real%/*/bin/*}" ;; esac
    fi
}

search() {
    try python3 "$1" && return
    for version in $1; do
        try "python$version" "$version" && return
    done
    folders=$(pyenv_folders)
    for wanted in $1; do
        while read -r folder; do
            # Newest patch release first: 3.13.10 before 3.13.9.
            for found in $(ls "$folder" 2>/dev/null | grep "^$wanted\\.[0-9]*\$" | sort -t . -k 3,3nr); do
                try "$folder/$found/bin/python3" "$wanted" && return
            done
        done <<FOLDERS
$folders
FOLDERS
    done
    if command -v uv >/dev/null 2>&1; then
        for version in $1; do
            found=$(uv python find --system --no-python-downloads "$version" 2>/dev/null) || continue
            try "$found" "$version" && return
        done
    fi
    return 1
}

if [ -n "${PYTHON:-}" ]; then
    try "$PYTHON" "$tested $untested" && exit 0
    [ -n "$notes" ] || notes="  it does not run as a Python interpreter$newline"
    printf 'error: PYTHON=%s cannot be used; CPython 3.12 to 3.14 with venv is needed.\n%s' "$PYTHON" "$notes" >&2
    exit 1
fi

search "$tested" && exit 0
search "$untested" && exit 0
if command -v uv >/dev/null 2>&1; then
    echo 'no Python 3.12 or newer here: uv fetches Python 3.13' >&2
    if uv python install --quiet 3.13 >&2; then
        found=$(uv python find --system --no-python-downloads 3.13 2>/dev/null) && try "$found" 3.13 && exit 0
    fi
    note 'uv could not fetch Python 3.13'
fi

{
    echo 'error: no CPython 3.12 or 3.13 (3.14 is untested) that can make a virtual environment was found.'
    if [ -n "$notes" ]; then
        echo 'Looked at and left:'
        printf '%s' "$notes"
    fi
    cat <<'MESSAGE'
Ways to get one:
  Debian 13, Ubuntu 24.04:  sudo apt install python3 python3-venv
  pyenv:                    pyenv install 3.13
  uv:                       uv python install 3.13
  conda:                    conda create --name python313 python=3.13
Then run `make` again, or `make PYTHON=/path/to/python3.13` where it is somewhere else.
MESSAGE
} >&2
exit 1

#!/bin/sh
# Tries to install the Quarto of envs/quarto.txt into .venv and says what came of it. Without Quarto the workflow renders
# with pandoc, so a failure here is reported and is no error; with it, too, until the configuration asks for it by name.

set -u
cd "$(dirname "$0")/.."

oldest='1.9'
log=.venv/quarto.log

# report QUARTO: where it is and which version; fails if it does not run.
report() {
    version=$("$1" --version 2>/dev/null) && [ -n "$version" ] || return 1
    printf 'quarto: version %s at %s\n' "$version" "$1"
    first=$(printf '%s\n%s\n' "$oldest" "$version" | sort -V | head -n 1)
    [ "$first" = "$oldest" ] || {
        printf 'quarto: older than %s, which the manuscript needs\n' "$oldest"
        return 1
    }
}

for found in .venv/bin/quarto "$(command -v quarto 2>/dev/null)"; do
    if [ -n "$found" ] && [ -x "$found" ] && report "$found"; then
        echo 'quarto: nothing to install'
        exit 0
    fi
done

echo 'quarto: downloading and installing (about 150 MB)'
limit=
command -v timeout >/dev/null 2>&1 && limit='timeout 1200'
if $limit .venv/bin/python -m pip install --no-deps --no-build-isolation --require-hashes -r envs/quarto.txt >"$log" 2>&1; then
    report "$PWD/.venv/bin/quarto" && exit 0
    what='it was installed, but does not run'
    .venv/bin/python -m pip uninstall --quiet --yes quarto-cli
elif grep -q 'Error downloading Quarto' "$log"; then
    what="$(sed -n 's/^ *Error downloading Quarto: */its release could not be downloaded from GitHub: /p' "$log" | head -n 1)"
else
    what="$(grep -i '^ *error' "$log" | head -n 1)"
fi
cat <<MESSAGE
quarto: not installed: ${what:-pip failed}
quarto: the manuscript will be rendered with pandoc instead; nothing else changes, and .venv is as it was.
quarto: the whole log is in $log. Other ways: conda (envs/environment.yaml), or any quarto >= $oldest on PATH.
MESSAGE
exit 0

"""A checkout has the same bytes wherever it is made: git may turn no line end into another one.

With `core.autocrlf` shells would not read the scripts, the manifest would have other checksums than
the raw files, and the digest of the lock would make every fit anew.
"""

from __future__ import annotations

import subprocess

from helpers.repository import ROOT


def test_git_changes_no_line_end_of_any_file() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--eol", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    # Index, work tree and attributes, as `i/lf w/lf attr/text=auto eol=lf`, before a tab.
    attributes = {line.partition("\t")[2]: line.partition("\t")[0] for line in listed}
    changed = {
        name for name, eol in attributes.items() if "eol=lf" not in eol and "attr/-text" not in eol
    }
    assert len(attributes) > 300
    assert not changed
    raw = {name: eol for name, eol in attributes.items() if name.startswith("data/raw/")}
    assert all("attr/-text" in eol for eol in raw.values())
    assert "i/crlf" not in {attributes[name].split()[0] for name in attributes.keys() - raw.keys()}

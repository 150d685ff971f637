"""A killed run leaves a temporary folder, with rows of people in it; the next one removes it."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.repository import ROOT
from metastudy.common.scratch import beside, made_for

KILLED = """\
import os, sys
from pathlib import Path
from metastudy.common.scratch import beside

with beside(Path(sys.argv[1])) as new:
    (new / "respondents.parquet").touch()
    os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_removed_by_the_next_and_nothing_else_is(
    tmp_path: Path,
) -> None:
    wanted = tmp_path / "staged" / "pay"
    done = subprocess.run(
        [sys.executable, "-c", KILLED, wanted], env={"PYTHONPATH": str(ROOT / "workflow")}
    )
    assert done.returncode == -signal.SIGKILL
    (left,) = wanted.parent.iterdir()
    assert (left / "new" / "respondents.parquet").exists()
    others = {".pay_more-abcdefgh", ".pay-abc", "pay-abcdefgh", ".snakemake", ".pay-mynotes1"}
    for name in others:
        (wanted.parent / name).mkdir()
    (wanted.parent / ".pay-mynotes1" / "read me.txt").touch()
    with beside(wanted) as new:
        assert new.parent.parent == wanted.parent
        assert list(new.iterdir()) == []
        assert {path.name for path in wanted.parent.iterdir()} == {new.parent.name, *others}
    assert (wanted.parent / ".pay-mynotes1" / "read me.txt").exists()
    assert {path.name for path in wanted.parent.iterdir()} == others


def test_a_link_that_looks_like_one_leads_nowhere_that_is_emptied(tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    (tmp_path / ".pay-abcdefgh").symlink_to(kept)
    with beside(tmp_path / "pay"):
        pass
    assert kept.is_dir()


def test_a_copy_of_what_a_run_left_is_the_users_own(tmp_path: Path) -> None:
    copy = tmp_path / ".pay-mycopy12"
    with beside(tmp_path / "pay") as new:
        shutil.copytree(new.parent, copy)
    with beside(tmp_path / "pay"):
        assert copy.is_dir()


@pytest.mark.parametrize(
    ("name", "study"),
    [(".pay_north-5dzeox76", "pay_north"), ("pay_north", ""), (".store-5dzeox76.part", "")],
)
def test_a_temporary_folder_tells_what_it_is_for(name: str, study: str) -> None:
    assert made_for(name) == study

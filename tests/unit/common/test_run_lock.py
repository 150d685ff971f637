"""The lock of a killed run goes with the next run, that of a living one stays and is named."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.repository import ROOT
from metastudy.common import run_lock


@pytest.fixture
def folder(tmp_path: Path, monkeypatch) -> Path:
    monkeypatch.setattr(run_lock, "_HELD", {})
    made = tmp_path / ".snakemake"
    (made / "locks").mkdir(parents=True)
    (made / "locks" / "0.output.lock").write_text("results/fits/threat.nc\n")
    return made


def test_a_lock_stays_while_its_run_lives_and_goes_when_it_was_killed(folder: Path) -> None:
    code = "import sys, pathlib; from metastudy.common import run_lock\n"
    code += "run_lock.claim(pathlib.Path(sys.argv[1])); print('here', flush=True); sys.stdin.read()"
    lock = folder / "locks" / "0.output.lock"
    text = lock.read_text("utf-8")
    with subprocess.Popen(
        [sys.executable, "-c", code, folder],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "here\n"
        lock.write_text(text, "utf-8")  # as Snakemake does, once its run has begun
        said = run_lock.claim(folder)
        assert said is not None
        assert f"process {other.pid}, since " in said
        assert lock.is_file()
        other.kill()
        other.wait()
    os.close(run_lock._HELD.pop(folder))
    assert run_lock.claim(folder) == "the lock of a run that was killed is removed"
    assert not lock.exists()
    lock.write_text(text, "utf-8")  # now it is this run's own
    assert run_lock.claim(folder) is None
    assert lock.is_file()


def test_a_folder_without_a_lock_is_nothing_to_speak_of(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_lock, "_HELD", {})
    assert run_lock.claim(tmp_path / ".snakemake") is None
    assert run_lock.claim(tmp_path / "no folder" / ".snakemake") is None


def test_the_lock_of_a_run_on_another_machine_stays(folder: Path) -> None:
    (folder / "metastudy.lock").write_text("node7")
    said = run_lock.claim(folder)
    assert said is not None
    assert "node7" in said
    assert (folder / "locks" / "0.output.lock").is_file()

"""The lock of a killed run goes with the next run, that of a living one stays and is named."""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from pathlib import Path

import pytest
from snakemake.exceptions import LockException

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
        note, said = run_lock.claim(folder)
        assert not note
        assert f"process {other.pid}, since " in said
        assert lock.is_file()
        other.kill()
        other.wait()
    os.close(run_lock._HELD.pop(folder))
    assert run_lock.claim(folder) == ("the lock of a run that was killed is removed", "")
    assert not lock.exists()
    lock.write_text(text, "utf-8")  # now it is this run's own
    assert run_lock.claim(folder) == ("", "")
    assert lock.is_file()


def test_a_folder_without_a_lock_is_nothing_to_speak_of(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr(run_lock, "_HELD", {})
    assert run_lock.claim(tmp_path / ".snakemake") == ("", "")
    assert run_lock.claim(tmp_path / "no folder" / ".snakemake") == ("", "")


def test_a_refusal_names_the_run_at_work_and_no_way_around(
    caplog: pytest.LogCaptureFixture,
) -> None:
    logger = logging.getLogger("snakemake.logging.of_a_test")
    refusal = run_lock.Refusal("another run is at work in this folder: process 12, since 22:01:00")
    logger.addFilter(refusal)
    logger.error(f"LockException:\n{LockException()}")
    logger.error("another error")
    said = [record.getMessage() for record in caplog.records]
    assert "process 12, since 22:01:00" in said[0]
    assert "unlock" not in said[0]
    assert said[1] == "another error"


def test_the_lock_of_a_run_on_another_machine_stays(folder: Path) -> None:
    (folder / "metastudy.lock").write_text("node7")
    said, others = run_lock.claim(folder)
    assert not others
    assert "node7" in said
    assert (folder / "locks" / "0.output.lock").is_file()

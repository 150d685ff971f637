"""A command before which the store is asked: it runs once, and imports nothing heavy otherwise."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.repository import ROOT

# Any command will do; this one reads JSON and writes JSON.
GATE = {"passed": True, "draws": "all", "gate": "rhat", "parameter": "beta", "value": 1.0}
GATE |= {"threshold": 1.01, "remedy": "longer chains"}
CHECK = {"fit": "threat", "gates": [GATE]}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "check.json").write_text(json.dumps(CHECK))
    return tmp_path


GATES = ("-m", "metastudy.commands.gate", "--checks", "check.json", "--out", "gates.json")


def python(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
    )


def gate(
    folder: Path, *options: str, code: str = "1", store: str = "store"
) -> subprocess.CompletedProcess[str]:
    """The command, after it was looked for in a store."""
    words = ["--store", store] if store else []
    words += ["--code", code, "--lock", "2", "--inputs", "check.json", "--outputs", "gates.json"]
    return python(
        folder, *options, "-m", "metastudy.commands._stored", *words, "--", "python", *GATES
    )


def test_what_was_made_is_taken_without_anything_heavy(folder: Path) -> None:
    first = gate(folder)
    assert first.returncode == 0, first.stderr
    assert "not in the store before" in first.stdout
    made = (folder / "gates.json").read_bytes()
    (folder / "gates.json").unlink()
    second = gate(folder, "-X", "importtime")
    assert "taken from the store" in second.stdout
    assert (folder / "gates.json").read_bytes() == made
    imported = {line.rpartition("|")[2].strip() for line in second.stderr.splitlines()}
    heavy = ("numpy", "pandas", "xarray", "pymc", "matplotlib", "yaml", "argparse")
    assert not imported & set(heavy)
    assert "metastudy.common.stored_outputs" in imported
    assert "not in the store before" in gate(folder, code="2").stdout


def test_a_command_that_fails_ends_as_it_would_by_itself(folder: Path) -> None:
    (folder / "check.json").write_text(
        json.dumps({"fit": "threat", "gates": [GATE | {"passed": False}]})
    )
    failed = gate(folder)
    alone = python(folder, *GATES)
    assert (failed.returncode, failed.stderr) == (alone.returncode, alone.stderr)
    assert failed.returncode != 0
    assert not (folder / "store").exists(), "a failure is not kept"


def test_without_a_store_the_command_runs(folder: Path) -> None:
    for _ in range(2):
        done = gate(folder, store="")
        assert (done.returncode, done.stdout) == (0, ""), done.stderr
        (folder / "gates.json").unlink()


def test_nothing_is_kept_of_an_input_that_changed_while_the_job_ran(folder: Path) -> None:
    # The command writes over its own input, as somebody else may do while it runs.
    words = ["--store", "store", "--code", "1", "--lock", "2", "--inputs", "check.json"]
    words += ["--outputs", "check.json", "--", "python", *GATES[:-1], "check.json"]
    done = python(folder, "-m", "metastudy.commands._stored", *words)
    assert done.returncode == 0
    assert "an input changed while the job ran" in done.stderr
    assert not (folder / "store").exists()

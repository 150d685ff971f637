"""Benchmarks call commands by the options that these have: they are run rarely, and would rot."""

from __future__ import annotations

import importlib
import importlib.util
import os
import re
import shutil
import subprocess
import sys
import zipfile
from hashlib import sha256
from io import BytesIO
from pathlib import Path

import pytest
import yaml

from helpers.repository import ROOT


def called(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """The commands that the benchmark of the checks runs, with their options; nothing is run."""
    spec = importlib.util.spec_from_file_location("checks", ROOT / "benchmarks" / "checks.py")
    assert spec
    assert spec.loader
    benchmark = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(benchmark)
    found: dict[str, list[str]] = {}

    def seconds(command: str, *options: object) -> float:
        found[command] = [str(one) for one in options if str(one).startswith("--")]
        return 1.0

    monkeypatch.setattr(benchmark, "seconds", seconds)
    monkeypatch.setattr(benchmark.subprocess, "check_output", lambda *_, **__: '{"study": {}}')
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    took = benchmark.module("threat", Path("results"), config, Path("made"))
    assert set(took) == {"fit", "refits", "predictive", "comparison"}
    return found


def test_the_checks_are_called_by_the_options_that_they_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    commands = called(monkeypatch)
    monkeypatch.undo()
    assert set(commands) == {"fit", "refits", "predictive_checks", "loo_comparison"}
    for command, options in commands.items():
        done = subprocess.run(
            [sys.executable, "-m", f"metastudy.commands.{command}", "--help"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "workflow"), "COLUMNS": "1000"},
            capture_output=True,
            text=True,
            check=True,
        )
        usage = done.stdout.partition("\n\n")[0]
        known = set(re.findall(r"--[\w-]+", usage))
        needed = set(re.findall(r"--[\w-]+", re.sub(r"\[[^\]]*\]", "", usage)))
        assert needed, command
        assert needed <= set(options) <= known, command


@pytest.mark.parametrize("change", ["answer", "interview", "label", "study"])
def test_an_update_changes_one_study_and_leaves_the_manifest_right(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    monkeypatch.syspath_prepend(str(ROOT / "benchmarks"))
    update = importlib.import_module("update")
    raw = tmp_path / "data" / "raw"
    shutil.copytree(ROOT / "data" / "raw", raw)
    before = {p.relative_to(raw): p.read_bytes() for p in raw.rglob("*") if p.is_file()}
    study = update.STUDY_OF[change]
    assert update.changed(tmp_path, change, None, "Q5_1")
    after = {p.relative_to(raw): p.read_bytes() for p in raw.rglob("*") if p.is_file()}
    other = {path for path in after if before.get(path) != after[path]} - {Path("manifest.yaml")}
    assert {path.parts[0] for path in other} == {f"{study}_again" if change == "study" else study}
    assert before.keys() <= after.keys()
    manifest = yaml.safe_load((raw / "manifest.yaml").read_text("utf-8"))
    for name, files in manifest.items():
        for file, digest in files.items():
            assert sha256((raw / name / file).read_bytes()).hexdigest() == digest
    book = yaml.safe_load((raw / next(iter(other)).parts[0] / "codebook.yaml").read_text("utf-8"))
    assert book["study"]["id"] == next(iter(other)).parts[0]
    if change == "interview":
        (path,) = other
        old, new = (
            zipfile.ZipFile(BytesIO(one[path])).read("project.qde").count(b"<PlainTextSelection")
            for one in (before, after)
        )
        assert 0 < new < old

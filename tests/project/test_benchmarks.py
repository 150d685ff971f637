"""Benchmarks call commands by the options that these have: they are run rarely, and would rot."""

from __future__ import annotations

import importlib.util
import os
import re
import subprocess
import sys
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

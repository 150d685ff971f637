"""Another world is one command: its data in a folder of its own, then this project's own rules."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from helpers.repository import ROOT

WORLDS = sorted(path.stem for path in (ROOT / "config" / "worlds").glob("*.yaml"))


def ran(*command: str | Path, cwd: Path = ROOT) -> str:
    """Run a command of this environment; what it printed."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=os.environ | {"PATH": path},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def test_make_world_prepares_a_folder_and_runs_the_workflow_in_it() -> None:
    said = ran("make", "--dry-run", "world", "WORLD=null", "CORES=2")
    assert "prepare.py config/worlds/null.yaml results/worlds/null" in said
    assert "snakemake --cores 2 --directory results/worlds/null" in said


def refused(*words: str | Path) -> str:
    """What `prepare.py` says when it leaves a folder as it is."""
    done = subprocess.run(
        [sys.executable, ROOT / "data" / "generator" / "prepare.py", *words],
        text=True,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    return done.stderr


def test_a_folder_with_data_of_others_is_left_as_it_is(tmp_path: Path) -> None:
    world = ROOT / "config/worlds/null.yaml"
    raw = tmp_path / "project" / "data" / "raw" / "mine"
    raw.mkdir(parents=True)
    (raw / "answers.csv").write_text("real", "utf-8")
    for folder in (tmp_path / "project", ROOT, raw / "answers.csv"):
        assert str(folder) in refused(world, folder)
    assert (raw / "answers.csv").read_text("utf-8") == "real"
    assert [path.name for path in raw.iterdir()] == ["answers.csv"]


def test_a_world_that_is_none_is_told_with_those_that_are(tmp_path: Path) -> None:
    said = refused("config/worlds/nil.yaml", tmp_path / "new")
    assert all(name in said for name in WORLDS)
    assert not (tmp_path / "new").exists()


def test_make_help_and_the_readme_name_every_world() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    for text in (ran("make", "help"), readme):
        assert [name for name in WORLDS if name not in text] == []


@pytest.mark.slow
def test_a_prepared_world_ends_with_an_article_of_its_own(tmp_path: Path) -> None:
    folder = tmp_path / "world"
    prepare = ROOT / "data" / "generator" / "prepare.py"
    small = ("--set", "threat_replications.respondents=8")
    ran(sys.executable, prepare, ROOT / "config/worlds/multi_country.yaml", folder, *small)
    listed = ran(
        *(sys.executable, "-m", "snakemake", "--snakefile", ROOT / "Snakefile"),
        *("--directory", folder, "--cores", "1", "--dry-run"),
    )
    assert "results/manuscript/manuscript.html" in listed
    assert "results/harmonized/threat_replication_5" in listed

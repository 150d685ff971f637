"""The article that grows, through the rules: of one study with rows, and of each simulated world.

Of published effects alone it is that of the tutorial (`test_start.py`), of real ones that of the
examples (`test_examples.py`). Chains are short: what is tested is that all of it is there.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
import yaml

from helpers import small_project
from helpers.grown_article import faults, figures, with_skeleton
from helpers.repository import ROOT

WORLDS = sorted(path.stem for path in (ROOT / "config" / "worlds").glob("*.yaml"))
pytestmark = [pytest.mark.slow, pytest.mark.fit]


@pytest.mark.ci
def test_one_study_of_rows_has_an_article(tmp_path: Path) -> None:
    project = small_project.make(tmp_path / "project")
    only, other = small_project.STUDIES
    shutil.rmtree(project / "data" / "raw" / other)
    manifest = project / "data" / "raw" / "manifest.yaml"
    listed = yaml.safe_load(manifest.read_text("utf-8"))
    small_project.write(manifest, {only: listed[only]})
    with_skeleton(project)
    done = small_project.snakemake(project)
    assert done.returncode == 0, done.stdout[-6000:]
    results = project / "results"
    assert faults(results) == []
    html = (results / "manuscript" / "manuscript.html").read_text("utf-8")
    found = {caption.partition("?")[0].partition(": ")[2]: caption for caption, _ in figures(html)}
    rows = len(pd.read_csv(project / "data" / "raw" / only / "answers.csv"))
    assert f"{rows} respondents of one study" in found["Who was asked what, and where"]
    assert all(caption.endswith("Simulated data.") for caption in found.values())
    assert "Each effect rests on one study" in html


@pytest.mark.long(of=("metastudy.article.make", "metastudy.article.sections"))
@pytest.mark.parametrize("world", WORLDS)
def test_each_world_has_an_article_that_grows(world: str, tmp_path: Path) -> None:
    folder = tmp_path / "world"
    small = ("--set", "threat_replications.respondents=60")
    prepare = ROOT / "data" / "generator" / "prepare.py"
    of = ROOT / "config" / "worlds" / f"{world}.yaml"
    subprocess.run([sys.executable, prepare, of, folder, *small], check=True)
    with_skeleton(folder)
    (folder / ".store").unlink()  # short chains are nothing to keep for others
    settings = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
    settings |= {"sensitivity": {"ordinal": [], "folded": []}, "primary": {}, "candidates": []}
    for section in ("sampling", "refits"):
        settings[section] |= small_project.CHAINS
    settings["gates"] |= small_project.LOOSE | {"ebfmi": 0}
    settings["refit_gates"] |= small_project.LOOSE
    settings["manuscript"]["formats"] = ["html"]
    words = (ROOT / "config" / "vocabulary.yaml").read_text("utf-8")
    (folder / "config").unlink()
    (folder / "config").mkdir()
    (folder / "config" / "vocabulary.yaml").write_text(words, "utf-8")
    small_project.write(folder / "config" / "config.yaml", settings)
    done = small_project.snakemake(
        folder, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder), timeout=None
    )
    assert done.returncode == 0, done.stdout[-6000:]
    assert faults(folder / "results") == []

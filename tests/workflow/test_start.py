"""The tutorial goes from an empty folder to an article: its commands run as on the page."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from helpers.repository import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.ci]

TUTORIAL = ROOT / "docs" / "tutorial.md"


def commands() -> str:
    """The commands of the page, one after the other."""
    return "\n".join(re.findall(r"^```sh\n(.*?)^```$", TUTORIAL.read_text("utf-8"), re.M | re.S))


def in_shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=folder,
        env={**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=800,
    )


@pytest.fixture(scope="module")
def happy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the tutorial, made by its commands from a folder that is like the clone."""
    clone = tmp_path_factory.mktemp("tutorial") / "clone"
    clone.mkdir()
    for name in (
        "Snakefile",
        "workflow",
        "config",
        "data",
        "manuscript",
        "envs",
        "profiles",
        "docs",
    ):
        (clone / name).symlink_to(ROOT / name)
    done = in_shell(commands(), clone)
    assert done.returncode == 0, done.stdout + done.stderr
    return clone.parent / "happy"


def test_the_commands_of_the_tutorial_end_with_an_article(happy: Path) -> None:
    html = (happy / "results/manuscript/manuscript.html").read_text("utf-8")
    assert {p.suffix for p in (happy / "results/manuscript").glob("manuscript.*")} == {
        *(".html", ".pdf", ".docx")
    }
    headings = re.findall(r"<h2[^>]*>(.*?)</h2>", html, re.S)
    said = [re.sub(r"<[^>]+>|[\d.\s]+", " ", text).strip() for text in headings]
    expected = ["Data", "Models", "Synthesis", "Checks", "Limitations"]
    assert [name for name in said if name in expected] == expected
    assert "Results" not in said, "no module was fitted to people"
    assert "imulated" not in html
    assert "co-prod" not in html.lower(), "no paper of anybody else"


def test_its_effects_are_pooled_with_a_prediction_for_a_new_study(happy: Path) -> None:
    pooled = pd.read_parquet(happy / "results/synthesis/pooled.parquet")
    (mean,) = pooled.loc[pooled["level"] == "population", "mean"]
    # Hedges' g of the five trials are from 0.15 to 0.52; with a wide prior the mean is among them.
    assert 0.15 < mean < 0.52
    assert pooled["level"].str.startswith("new_").any()


def test_the_picture_of_the_tutorial_is_what_its_commands_drew(happy: Path) -> None:
    """``cp ../happy/results/figures/synthesis.png docs/tutorial_forest.png`` makes it anew."""
    shown, drawn = (
        np.asarray(Image.open(path).convert("L"), dtype=float)
        for path in (
            ROOT / "docs" / "tutorial_forest.png",
            happy / "results" / "figures" / "synthesis.png",
        )
    )
    assert shown.shape == drawn.shape
    # another processor may move a mark by part of a pixel; a moved row is more than ten
    assert np.abs(shown - drawn).mean() < 2


def test_the_file_of_rows_of_the_tutorial_is_checked_without_a_fit(happy: Path) -> None:
    table = pd.read_parquet(happy / "results/harmonized/programme/measurements.parquet")
    raw = pd.read_csv(ROOT / "docs" / "programme.csv")
    assert len(table) == 2 * len(raw)
    assert table["missing_reason"].value_counts().to_dict() == {"refused": 2, "system": 1}
    # The second question is worded the other way round: 8 minus the answer.
    second = 8 - raw["q2"].where(raw["q2"] != 99)
    aligned = table.loc[table["item_id"] == "q2", "value_aligned"].dropna()
    assert sorted(aligned) == sorted(second.dropna())
    assert (happy / "results/data_report/programme.html").is_file()
    assert not (happy / "results/fits/wellbeing.nc").exists()


def test_before_there_is_a_study_a_run_says_what_to_do_and_a_study_can_be_drafted(
    tmp_path: Path,
) -> None:
    made = in_shell(f"snakemake start --cores 1 --config to='{tmp_path}/mine'", ROOT)
    assert made.returncode == 0, made.stdout + made.stderr
    there = f"snakemake --snakefile workflow/Snakefile --directory '{tmp_path}/mine' --cores 1"
    empty = in_shell(there, ROOT)
    assert empty.returncode != 0
    assert "there is no study yet" in empty.stderr
    assert "Traceback" not in empty.stderr
    (tmp_path / "elsewhere").mkdir()
    call = f"snakemake --snakefile {shlex.quote(str(ROOT / 'workflow/Snakefile'))} start --cores 1"
    nowhere = in_shell(call, tmp_path / "elsewhere")
    assert nowhere.returncode != 0
    assert "the folder to make is missing" in nowhere.stdout + nowhere.stderr
    other = in_shell(f"{call} --config to=../other", tmp_path / "elsewhere")
    assert other.returncode == 0, other.stdout + other.stderr
    assert (tmp_path / "other/config/config.yaml").is_file()
    again = in_shell(f"snakemake start --cores 1 --config to='{tmp_path}/mine'", ROOT)
    assert again.returncode != 0
    (tmp_path / "answers.csv").write_text("person,arm,happy\n1,a,3\n2,b,5\n3,a,4\n", "utf-8")
    drafted = in_shell(f"{there} codebook --config study=first file='{tmp_path}/answers.csv'", ROOT)
    assert drafted.returncode == 0, drafted.stdout + drafted.stderr
    assert "happy" in (tmp_path / "mine/data/raw/first/codebook.yaml").read_text("utf-8")

"""One command removes a study everywhere: no byte of what a person said is left.

A word is planted among the answers of one study. It must be found in what is made before, by the
same search, or the search would prove nothing.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers.small_project import STUDIES, digests, listed, make, snakemake

pytestmark = [pytest.mark.slow, pytest.mark.ci]

PLANTED = "-".join(("Xylographia", "7731"))  # this file is in the copy that is searched
STUDY, OTHER = STUDIES


def where(project: Path, *words: str) -> set[str]:
    """Files that hold one of some words, in bytes or in the columns of a table."""
    found = set()
    for path in project.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += pd.read_parquet(path).to_csv().encode()
            if any(word.encode() in content for word in words):
                found.add(path.relative_to(project).as_posix())
    return found


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the word in a ward's name, harmonized and inspected, as far as the cells."""
    project = make(tmp_path_factory.mktemp("withdraw") / "project")
    book = project / "data" / "raw" / STUDY / "codebook.yaml"
    text = book.read_text("utf-8")
    assert "1: ward 1" in text
    book.write_text(text.replace("1: ward 1", f"1: {PLANTED}"), "utf-8")
    # First a run that fails on an answer, so that logs have something to say of the study.
    data = book.with_name("answers.csv")
    good = data.read_text("utf-8")
    for content, fails in ((good.replace(",core,", ",core,9", 1), True), (good, False)):
        data.write_text(content, "utf-8")
        listed(project, STUDY)
        if fails:
            done = snakemake(project, "check")
            assert done.returncode != 0, done.stdout
    done = snakemake(project, "check", "results/cells/threat.nc")
    assert done.returncode == 0, done.stdout
    return project


def test_a_withdrawn_study_leaves_nothing_of_what_its_people_said(checked: Path) -> None:
    people = pd.read_parquet(checked / "results" / "harmonized" / STUDY / "respondents.parquet")
    planted = (PLANTED, *people["respondent_id"].str.rpartition("-")[2].head(3))
    before = where(checked, *planted)
    assert f"data/raw/{STUDY}/codebook.yaml" in before
    assert {path for path in before if path.startswith(f"results/harmonized/{STUDY}/")}
    kept = digests(checked / "results" / "harmonized" / OTHER)

    done = snakemake(checked, "withdraw", "--config", f"study={STUDY}")
    assert done.returncode == 0, done.stdout
    assert where(checked, *planted) == set()
    assert not (checked / "data" / "raw" / STUDY).exists()
    assert not (checked / "results" / "cells" / "threat.nc").exists(), "it was pooled in them"
    assert not list((checked / "results" / "data_report").glob("*.html"))
    assert digests(checked / "results" / "harmonized" / OTHER) == kept
    assert "data/raw/manifest.yaml, line" in done.stdout, "which still names it, for the user"

    # What is left builds without it, and of the other study nothing is made again but what pools.
    again = snakemake(checked, "check", "results/cells/threat.nc", "--dry-run")
    assert again.returncode == 0, again.stdout
    assert STUDY not in again.stdout
    assert f"Harmonize {OTHER}" not in again.stdout
    assert "Aggregate the cells of the threat fit" in again.stdout


def test_a_name_that_is_no_study_ends_in_one_line(checked: Path) -> None:
    done = snakemake(checked, "withdraw", "--config", "study=no_such_study")
    assert done.returncode != 0
    assert "there is nothing of a study 'no_such_study'" in done.stdout
    assert "Traceback" not in done.stdout

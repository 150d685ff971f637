"""One command removes a study everywhere: no byte of what a person said is left.

A word is planted among the answers of one study. It must be found in what is made before, by the
same search, or the search would prove nothing.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from helpers import small_project

pytestmark = [pytest.mark.slow, pytest.mark.ci]

PLANTED = "Xylographia-7731"
STUDY, OTHER = small_project.STUDIES


def where(project: Path) -> set[str]:
    """Files that hold the planted word, in bytes or in the columns of a table."""
    found = set()
    for path in project.rglob("*"):
        if path.is_file() and not path.is_symlink():
            content = path.read_bytes()
            if path.suffix == ".parquet":
                content += pd.read_parquet(path).to_csv().encode()
            if PLANTED.encode() in content:
                found.add(path.relative_to(project).as_posix())
    return found


@pytest.fixture(scope="module")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with the word in a ward's name, harmonized and inspected, as far as the cells."""
    project = small_project.make(tmp_path_factory.mktemp("withdraw") / "project")
    data = project / "data" / "raw" / STUDY / "answers.csv"
    data.write_text(data.read_text("utf-8").replace("ward 1", PLANTED), "utf-8")
    small_project.listed(project, STUDY)
    # A run that fails on an answer, so that logs have something to say of it.
    good = data.read_bytes()
    data.write_bytes(good.replace(b",core,", f",{PLANTED},".encode(), 1))
    small_project.listed(project, STUDY)
    done = small_project.snakemake(project, "check")
    assert done.returncode != 0, done.stdout
    data.write_bytes(good)
    small_project.listed(project, STUDY)
    done = small_project.snakemake(project, "check", "results/cells/threat.nc")
    assert done.returncode == 0, done.stdout
    return project


def test_a_withdrawn_study_leaves_nothing_of_what_its_people_said(checked: Path) -> None:
    before = where(checked)
    assert f"data/raw/{STUDY}/answers.csv" in before
    assert {path for path in before if path.startswith(f"results/harmonized/{STUDY}/")}
    kept = small_project.digests(checked / "results" / "harmonized" / OTHER)

    done = small_project.snakemake(checked, "withdraw", "--config", f"study={STUDY}")
    assert done.returncode == 0, done.stdout
    assert where(checked) == set()
    assert not (checked / "data" / "raw" / STUDY).exists()
    assert not (checked / "results" / "cells" / "threat.nc").exists(), "it was pooled in them"
    assert not list((checked / "results" / "data_report").glob("*.html"))
    assert small_project.digests(checked / "results" / "harmonized" / OTHER) == kept
    assert "data/raw/manifest.yaml, line" in done.stdout, "which still names it, for the user"

    # What is left builds without it, and of the other study nothing is made again but what pools.
    again = small_project.snakemake(checked, "check", "results/cells/threat.nc", "--dry-run")
    assert again.returncode == 0, again.stdout
    assert STUDY not in again.stdout
    assert f"Harmonize {OTHER}" not in again.stdout
    assert "Aggregate the cells of the threat fit" in again.stdout


def test_a_name_that_is_no_study_ends_in_one_line(checked: Path) -> None:
    done = small_project.snakemake(checked, "withdraw", "--config", "study=no_such_study")
    assert done.returncode != 0
    assert "there is nothing of a study 'no_such_study'" in done.stdout
    assert "Traceback" not in done.stdout

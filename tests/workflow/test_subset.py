"""A part of the studies goes the whole way: nothing in the article is of the others."""

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd
import pytest

from helpers.repository import copy_of_the_repository
from helpers.small_project import snakemake

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.config", "metastudy.article.make")),
]

STUDY = "frontline_interviews"
SHORT = {"chains": 2, "tune": 40, "draws": 40, "target_accept": 0.8}
LOOSE = {"rhat": 9, "ess_bulk": 1, "ess_tail": 1, "divergences": 9999, "ebfmi": 0.01}


def test_a_subset_ends_with_its_own_figures_and_tables(tmp_path: Path) -> None:
    project = copy_of_the_repository(tmp_path / "project")
    short, gates = f"sampling={json.dumps(SHORT)}", f"gates={json.dumps(LOOSE)}"
    chosen = ("--config", f"studies={STUDY}", short, gates)
    done = snakemake(project, *chosen, cores=2, timeout=None)
    assert done.returncode == 0, done.stdout[-4000:]
    table = pd.read_csv(project / "results/tables/studies.csv")
    assert set(table["study"]) == {STUDY}
    assert {path.name for path in (project / "results/harmonized").iterdir()} == {STUDY}

"""Arms with means beside rows of people go the whole way: to estimates, an article, and its limits.

One study has rows; of the other only n, mean and SD of its arms are known, on two outcomes, and not
how these are correlated.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import yaml

from helpers import small_project
from metastudy.common.yaml_document import read_yaml

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.models.answers.kind", "metastudy.article.make")),
]
OUTCOMES = {"pay": "threat_pay", "job": "threat_job"}
ROWS, ARMS = small_project.STUDIES


def answers(project: Path, study: str, seed: int) -> pd.DataFrame:
    """The answers of a study, with a second outcome beside the first."""
    table = pd.read_csv(project / "data" / "raw" / study / "answers.csv")
    job = np.random.default_rng(seed).integers(0, 3, len(table)) + table["pay"] // 2 + 1
    return table.assign(job=job.clip(1, 7))


def as_arms(table: pd.DataFrame) -> pd.DataFrame:
    by = table.groupby("arm")
    found = {"n": by.size()}
    for name in OUTCOMES:
        found |= {f"m_{name}": by[name].mean(), f"sd_{name}": by[name].std()}
    return pd.DataFrame(found).reset_index().rename_axis("person").reset_index()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = small_project.make(tmp_path_factory.mktemp("arms") / "project")
    for seed, study in enumerate((ROWS, ARMS)):
        folder = made / "data" / "raw" / study
        table = answers(made, study, seed)
        table.to_csv(made / f"{study}.csv", index=False)
        book = dict(read_yaml(folder / "codebook.yaml").data)  # in which NO is Norway
        person, _, arm, item = book["variables"]
        if study == ROWS:
            second = {**item, "name": "job", "construct": "threat_job"}
            book["variables"] = [person, arm, item, second]
        else:
            table = as_arms(table)
            book["study"]["clustered"] = False
            book["variables"] = [person, arm, {"name": "n", "as": "people"}]
            for name, construct in OUTCOMES.items():
                mean = {"name": f"m_{name}", "as": "mean", "construct": construct}
                sd = {"name": f"sd_{name}", "as": "sd", "construct": construct}
                book["variables"] += [{**mean, "min": 1, "max": 7}, sd]
        book["outcomes"] = list(OUTCOMES.values())
        small_project.write(folder / "codebook.yaml", book)
        table.to_csv(folder / "answers.csv", index=False)
        small_project.listed(made, study)
    done = small_project.snakemake(made)
    assert done.returncode == 0, done.stdout[-6000:]
    return made


@pytest.fixture(scope="module")
def assumed(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a correlation that its configuration assumes."""
    made = tmp_path_factory.mktemp("assumed") / "project"
    shutil.copytree(project, made, symlinks=True)
    path = made / "config" / "config.yaml"
    settings = dict(read_yaml(path).data)
    settings["pooling"] = {**settings["pooling"], "correlation_of_arms": 0.6}
    small_project.write(path, settings)
    done = small_project.snakemake(made)
    assert done.returncode == 0, done.stdout[-6000:]
    return made


def test_with_an_assumed_correlation_outcomes_are_compared_and_it_is_said(assumed: Path) -> None:
    effects = pd.read_parquet(assumed / "results" / "contrasts" / "threat.parquet")
    differences = effects[effects["estimand"].eq("difference")]
    assert set(differences["outcome"]) == set(OUTCOMES.values())
    beside = pd.read_parquet(assumed / "results" / "refits" / "threat-correlations.parquet")
    assert set(differences["id"]) < set(beside["id"])
    both = differences.merge(beside, on="id", suffixes=("", "_again"))
    np.testing.assert_allclose(both["mean"], both["mean_again"])
    assert beside[["mean_30", "mean_90"]].notna().all(axis=None)
    refits = pd.read_parquet(assumed / "results" / "refits" / "threat.parquet")
    assert set(refits.loc[refits["kind"].eq("correlation"), "group"]) == {"0.3", "0.9"}
    table = (assumed / "results" / "tables" / "_tbl-differences_threat.md").read_text("utf-8")
    assert "At 0.3" in table
    assert "At 0.9" in table
    tree = yaml.safe_load((assumed / "results/variables/_variables.yml").read_text("utf-8"))
    assert "one of 0.6 is assumed; with 0.3 or 0.9" in tree["threat"]["assumed"]["sentence"]
    assert "apart" not in tree["threat"]
    text = (assumed / "results" / "tables" / "_part-results.md").read_text("utf-8")
    assert "threat.assumed.sentence" in text


def test_estimates_of_arms_are_those_of_the_people_whom_they_stand_for(project: Path) -> None:
    found = pd.read_parquet(project / "results" / "synthesis" / "estimates.parquet")
    for study in (ROWS, ARMS):
        rows = pd.read_csv(project / f"{study}.csv")
        core = rows["arm"].eq("core")
        for name, construct in OUTCOMES.items():
            row = found[found["study"].eq(study) & found["outcome"].eq(construct)].iloc[0]
            y, df = rows[name], (~core).sum() - 1
            sd = y[~core].std() / (1 - 3 / (4 * df - 1))  # Hedges 1981
            assert row["estimate"] == pytest.approx((y[core].mean() - y[~core].mean()) / sd)
            assert row["n"] == len(rows)


def test_nothing_is_made_of_what_arms_do_not_say(project: Path) -> None:
    effects = pd.read_parquet(project / "results" / "contrasts" / "threat.parquet")
    assert not effects["estimand"].eq("difference").any()
    assert set(effects["outcome"]) == set(OUTCOMES.values())
    checks = pd.read_parquet(project / "results" / "predictive" / "threat.parquet")
    assert ARMS not in set(checks["study"])


def test_the_article_says_what_the_arms_do_not_say(project: Path) -> None:
    tree = yaml.safe_load((project / "results/variables/_variables.yml").read_text("utf-8"))
    assert "no correlations between outcomes" in tree["threat"]["apart"]["sentence"]
    assert tree["threat"]["cells"]["rows"] == "120"
    assert tree["predictive"]["threat"]["sentence"].endswith(
        "This is without Pay south, of which there are no rows."
    )
    text = (project / "results" / "tables" / "_part-results.md").read_text("utf-8")
    assert "threat.apart.sentence" in text
    assert (project / "results" / "manuscript" / "manuscript.html").stat().st_size > 10_000

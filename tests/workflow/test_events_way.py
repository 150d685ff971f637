"""A module of 0/1 outcomes goes the whole way: from two surveys to shares by arm in an article."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
import yaml

from helpers import small_project

pytestmark = [
    pytest.mark.slow,
    pytest.mark.fit,
    pytest.mark.long(of=("metastudy.models.events.kind", "metastudy.article.make")),
]
SHARE = {"core": 0.6, "complementary": 0.35}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project after a run, its outcome being whether the pay is feared for."""
    made = small_project.make(tmp_path_factory.mktemp("events") / "project")
    for seed, study in enumerate(small_project.STUDIES):
        path = made / "data" / "raw" / study / "answers.csv"
        table = pd.read_csv(path)
        chance = np.random.default_rng(seed).random(len(table))
        fears = (chance < table["arm"].map(SHARE)).astype(int)
        table.assign(pay=fears).to_csv(path, index=False)
        book = path.with_name("codebook.yaml")
        text = book.read_text("utf-8")
        assert "min: 1, max: 7" in text
        book.write_text(text.replace("min: 1, max: 7", "min: 0, max: 1"), "utf-8")
        small_project.listed(made, study)
    words = made / "config" / "vocabulary.yaml"
    vocabulary = yaml.safe_load(words.read_text("utf-8"))
    vocabulary["modules"]["threat"]["model"] = "events"
    small_project.write(words, vocabulary)
    done = small_project.snakemake(made)
    assert done.returncode == 0, done.stdout[-6000:]
    return made


def test_log_odds_ratios_lie_between_those_of_the_studies_and_zero(project: Path) -> None:
    """Each study's own by maximum likelihood; the shrunken ones have to be between their means."""
    found = pd.read_parquet(project / "results" / "contrasts" / "threat.parquet")
    effects = found[found["estimand"].eq("effect") & found["metric"].eq("log_odds")]
    by_study = effects[effects["level"].eq("study")].set_index("group")
    for study in small_project.STUDIES:
        rows = pd.read_csv(project / "data" / "raw" / study / "answers.csv")
        rows = rows.assign(core=rows["arm"].eq("core").astype(int))
        own = smf.logit("pay ~ core", rows).fit(disp=False)
        row = by_study.loc[study]
        assert abs(row["mean"] - own.params["core"]) < own.bse["core"]
        assert row["sd"] < own.bse["core"]
    population = effects[effects["level"].eq("population")].iloc[0]
    assert population["lower"] < by_study["mean"].min() < population["upper"]


def test_shares_by_arm_are_near_those_of_the_rows_and_in_the_article(project: Path) -> None:
    found = pd.read_csv(project / "results" / "figures" / "module_threat.csv")
    arms = found[found["axis"].eq("People with the outcome, %")].set_index("series")
    rows = pd.concat(
        pd.read_csv(project / "data" / "raw" / study / "answers.csv")
        for study in small_project.STUDIES
    )
    for label, arm in (("Core tasks", "core"), ("Complementary tasks", "complementary")):
        own = 100 * rows.loc[rows["arm"].eq(arm), "pay"].mean()
        assert arms.loc[label, "lower"] < own < arms.loc[label, "upper"]
    text = (project / "results" / "tables" / "_part-results.md").read_text("utf-8")
    assert "fig-module-threat" in text
    assert "tbl-shares-threat" in text
    assert (project / "results" / "manuscript" / "manuscript.html").stat().st_size > 10_000

"""Weighted estimates with errors robust to clusters, against the sandwich written out by hand."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from helpers.hand_made import answer_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.common.problems import BadInput
from metastudy.harmonized import parquet
from metastudy.harmonized import study as harmonized_study
from metastudy.harmonized.study import Study
from metastudy.models.answers.rows import rows_of
from metastudy.synthesis.design_based import COLUMNS, clusters, design_based, regression


def sandwich(
    y: np.ndarray, x: np.ndarray, w: np.ndarray, groups: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Estimates and errors by the formula: bread, meat, bread, and the small-sample factor."""
    bread = np.linalg.inv(x.T @ (w[:, None] * x))
    beta = bread @ (x.T @ (w * y))
    scores = x * (w * (y - x @ beta))[:, None]
    meat = np.zeros((x.shape[1], x.shape[1]))
    names = np.unique(groups)
    for name in names:
        one = scores[groups == name].sum(axis=0)
        meat += np.outer(one, one)
    n, k, g = len(y), x.shape[1], len(names)
    covariance = bread @ meat @ bread * g / (g - 1) * (n - 1) / (n - k)
    return beta, np.sqrt(np.diag(covariance))


def weighted(n: int = 120, seed: int = 3, **more: object) -> tuple[Study, np.ndarray]:
    """An experiment with weights and sampling clusters."""
    random = np.random.default_rng(seed)
    weight = random.uniform(0.3, 4, n)
    cluster = random.integers(0, 9, n).astype(str)
    study, _ = experiment("one", n, seed, sites=4, weight=weight, cluster_id=cluster, **more)  # type: ignore[arg-type]
    return study, weight


def test_the_regression_is_the_sandwich_of_the_textbook() -> None:
    random = np.random.default_rng(1)
    x = np.column_stack([np.ones(80), random.normal(size=80), random.integers(0, 2, 80)])
    groups = random.integers(0, 7, 80)
    y = x @ [1.0, 0.5, -0.2] + random.normal(size=7)[groups] + random.normal(size=80)
    w = random.uniform(0.2, 5, 80)
    estimate, error, limits = regression(y, x, w, groups, 0.9)
    beta, se = sandwich(y, x, w, groups)
    np.testing.assert_allclose(estimate, beta, rtol=1e-9)
    np.testing.assert_allclose(error, se, rtol=1e-9)
    half = stats.t.ppf(0.95, 6) * se
    np.testing.assert_allclose(limits, np.column_stack([beta - half, beta + half]), rtol=1e-9)


def test_only_the_ratios_of_weights_matter() -> None:
    random = np.random.default_rng(2)
    x = np.column_stack([np.ones(50), random.normal(size=50)])
    y, w, groups = random.normal(size=50), random.uniform(1, 2, 50), random.integers(0, 5, 50)
    for one, other in zip(
        regression(y, x, w, groups), regression(y, x, 1000 * w, groups), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_what_the_predictors_do_not_identify_has_no_estimate() -> None:
    random = np.random.default_rng(4)
    a, b = random.normal(size=(2, 40))
    x = np.column_stack([np.ones(40), a, b, 1e-7 * b])
    estimate, error, _ = regression(a, x, np.ones(40), random.integers(0, 5, 40))
    assert np.isnan(estimate).tolist() == [False, False, True, True]
    assert np.isnan(error).tolist() == [False, False, True, True]
    assert estimate[1] == pytest.approx(1)


def test_a_study_is_estimated_in_the_units_of_the_models_weighted_and_not() -> None:
    study, weight = weighted(missing=0.1)
    table = design_based([study], VOCABULARY, 0.95)
    assert list(table.columns) == COLUMNS
    assert len(table) == 2 * 2 * 2  # exposures, outcomes, with and without weights
    rows = rows_of(study, "threat", VOCABULARY)
    y = rows.y["threat_job", "volunteers_at_work"].to_numpy()
    people = study.respondents.set_index("respondent_id")
    use = ~np.isnan(y)
    x = np.column_stack([np.ones(use.sum()), rows.x.to_numpy()[use]])
    groups = people["cluster_id"].reindex(rows.y.index).to_numpy()[use]
    by_person = pd.Series(weight, index=people.index).reindex(rows.y.index).to_numpy()[use]
    mine = table[(table["outcome"] == "threat_job")].set_index(["exposure_name", "weighted"])
    for with_weights, w in ((True, by_person), (False, np.ones(use.sum()))):
        beta, se = sandwich(y[use], x, w, groups)
        for at, name in enumerate(["task_type", "involvement_degree"], start=1):
            row = mine.loc[(name, with_weights)]
            assert row["estimate"] == pytest.approx(beta[at], rel=1e-9)
            assert row["se"] == pytest.approx(se[at], rel=1e-9)
            assert (row["n"], row["clusters"]) == (use.sum(), 9)
    assert not np.allclose(
        table.loc[table["weighted"], "estimate"], table.loc[~table["weighted"], "estimate"]
    )


def test_equal_weights_change_no_estimate() -> None:
    study, _ = weighted()
    study = study.with_tables(respondents=study.respondents.assign(weight=2.5))
    table = design_based([study], VOCABULARY)
    one, other = (table[table["weighted"] == value] for value in (True, False))
    np.testing.assert_allclose(one["estimate"], other["estimate"], rtol=1e-9)
    np.testing.assert_allclose(one["se"], other["se"], rtol=1e-9)


def test_who_has_no_weight_is_in_neither_row() -> None:
    study, _ = weighted()
    people = study.respondents.copy()
    people.loc[people.index[:30], "weight"] = np.nan
    table = design_based([study.with_tables(respondents=people)], VOCABULARY)
    assert set(table["n"]) == {90}


def test_studies_without_weights_have_no_rows() -> None:
    study, _ = experiment("bare", 40, 1)
    null = study.with_tables(respondents=study.respondents.assign(weight=np.nan))
    for one in (study, null):
        table = design_based([one], VOCABULARY)
        assert table.empty
        assert list(table.columns) == COLUMNS


def test_clusters_are_the_declared_ones_or_the_sites_or_the_persons() -> None:
    people = pd.DataFrame({"respondent_id": ["a", "b", "c"], "org_id": ["x", "x", None]})
    assert clusters(people).tolist() == ["x", "x", "c"]
    assert clusters(people.assign(cluster_id=["k", None, "k"])).tolist() == ["k", "b", "k"]
    assert clusters(people.assign(cluster_id=None)).tolist() == ["x", "x", "c"]
    assert clusters(people.assign(org_id=None)).tolist() == ["a", "b", "c"]


def test_one_cluster_alone_is_refused() -> None:
    study = answer_study(
        "flat",
        {("threat_job", None): [10.0, 20.0, 30.0, 50.0, 60.0, 80.0]},
        {"task_type": ["complementary"] * 3 + ["core"] * 3},
        ["threat_job"],
        [{"factor": "task_type", "type": "randomised"}],
        org=["x"] * 6,
        weight=[1.0, 2, 1, 2, 1, 2],
    )
    with pytest.raises(BadInput) as caught:
        design_based([study], VOCABULARY)
    assert caught.value.problems[0].code == "one-cluster"


def test_the_command_writes_the_table_of_all_its_studies(tmp_path: Path) -> None:
    study, _ = weighted()
    folder = tmp_path / "one"
    folder.mkdir()
    for name in ("respondents", "assignments", "measurements", "codings", "readings"):
        table = getattr(study, name)
        if name == "assignments":
            table = table.assign(vignette=None, randomised=True)
        parquet.write(table, folder / f"{name}.parquet")
    (folder / "report.json").write_text(json.dumps(study.report))
    assert harmonized_study.load_study(folder).id == "one"
    out = tmp_path / "made" / "design_based.parquet"
    done = subprocess.run(
        [
            *(sys.executable, "-m", "metastudy.commands.design_based", "--studies", folder),
            *("--vocabulary", ROOT / "config" / "vocabulary.yaml"),
            *("--interval", "0.9", "--out", out),
        ],
        env={"PYTHONPATH": str(ROOT / "workflow")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "8 estimates from 1 studies with weights" in done.stdout
    pd.testing.assert_frame_equal(pd.read_parquet(out), design_based([study], VOCABULARY, 0.9))

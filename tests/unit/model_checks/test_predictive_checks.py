"""Predictive checks: silent where the model is true, and loud where rows have another shape."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
from scipy.stats import norm

from helpers.hand_made import answer_study, coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.harmonized.study import Study
from metastudy.model_checks.predictive_checks import checks
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.observations import Answers, observe_answers
from metastudy.models.answers.predictive import draw_answers
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.observations import Interviews, observe_interviews
from metastudy.models.codings.predictive import draw_interviews

REPLICATES = 200
Checked = tuple[Answers, xr.Dataset, xr.Dataset]


def constant(values: dict[str, np.ndarray | float]) -> xr.Dataset:
    """The same parameters in every draw."""
    return xr.Dataset(
        {
            name: (
                ("sample", *(f"{name}_{d}" for d in range(np.ndim(value)))),
                np.broadcast_to(value, (REPLICATES, *np.shape(value))),
            )
            for name, value in values.items()
        }
    )


def known(study: Study, spread: float = 0.4, sigma: float = 1.0) -> Checked:
    """A study's rows and cells, with draws that all are one known point of the model."""
    cells = answer_cells([study], "threat", VOCABULARY)
    k, sites = cells.sizes["outcome"], cells.sizes["site"]
    rng = np.random.default_rng(7)
    correlation = np.full((k, k), 0.4) + 0.6 * np.eye(k)
    values: dict[str, np.ndarray | float] = {
        "baseline": np.zeros((1, k)),
        "beta": np.full((1, cells.sizes["exposure"], k), 0.3),
        "standardiser": np.ones((1, k)),
        "sigma": np.full((1, k), sigma),
        "construct_chol": np.linalg.cholesky(correlation),
    }
    if sites > 2:
        values["site_effect"] = spread * rng.standard_normal((sites, cells.sizes["coefficient"], k))
    return observe_answers([study], cells, VOCABULARY), cells, constant(values)


def outside(table: pd.DataFrame) -> pd.Series:
    return (table["observed"] < table["lower"]) | (table["observed"] > table["upper"])


def one(table: pd.DataFrame, statistic: str, **more: str) -> pd.Series:
    mine = table[table["statistic"] == statistic]
    for name, value in more.items():
        mine = mine[mine[name] == value]
    assert len(mine) == 1
    return mine.iloc[0]


# --- answers ------------------------------------------------------------------------------------


def test_rows_that_the_model_made_lie_inside_at_the_nominal_rate() -> None:
    study, _ = experiment("a", 150, 1, missing=0.2, sites=5)
    rows, cells, draws = known(study)
    found = []
    for seed, y in enumerate(draw_answers(rows, cells, draws, np.random.default_rng(1))):
        if seed == 30:
            break
        made = replace(rows, y=y)
        table = checks(made, cells, draws.isel(sample=slice(0, 100)), np.random.default_rng(seed))
        found.append(table[~table["statistic"].isin(["floor", "ceiling"])])
    table = pd.concat(found)
    assert len(table) == 30 * 9  # two outcomes with four statistics, one correlation
    assert 0.02 < outside(table).mean() < 0.09
    assert 0.4 < table["observed"].between(table["lower50"], table["upper50"]).mean() < 0.6
    assert table["tail"].mean() == pytest.approx(0.5, abs=0.08)


def test_skewed_answers_are_caught_by_their_skewness_and_not_by_their_mean() -> None:
    n, rng = 400, np.random.default_rng(3)
    task = np.resize(["complementary", "core"], n)
    y = 10 + 10 * rng.standard_exponential(n)
    study = answer_study(
        "skewed",
        {("threat_quality", None): y},
        {"task_type": task},
        ["threat_quality"],
        [{"factor": "task_type", "type": "randomised"}],
    )
    rows, cells, _ = known(study)
    fitted: dict[str, np.ndarray | float] = {
        "baseline": np.array([[np.nanmean(rows.y)]]),
        "beta": np.zeros((1, 1, 1)),
        "standardiser": np.ones((1, 1)),
        "sigma": np.array([[np.nanstd(rows.y)]]),
    }
    table = checks(rows, cells, constant(fitted), np.random.default_rng(1))
    bad = set(table.loc[outside(table), "statistic"])
    assert bad == {"skewness", "floor"}  # a normal distribution has a left tail as well
    assert one(table, "skewness")["observed"] > 1
    assert one(table, "skewness")["tail"] == 0
    assert one(table, "floor")["observed"] == 0 < one(table, "floor")["lower"]


def test_what_replicates_have_beyond_an_end_of_the_scale_counts_as_at_it() -> None:
    study, _ = experiment("a", 300, 5, outcomes=["threat_quality"])
    value = (30 + study.measurements["value_pomp"]).clip(0, 100)
    moved = study.with_tables(measurements=study.measurements.assign(value_pomp=value))
    rows, cells, draws = known(moved, sigma=1.5)
    table = checks(rows, cells, draws, np.random.default_rng(1))
    ceiling, floor = one(table, "ceiling"), one(table, "floor")
    assert ceiling["observed"] == pytest.approx((value == 100).mean())
    assert ceiling["observed"] > 0.05
    assert floor["observed"] == 0
    centre, scale = float(cells.centre[0, 0]), float(cells.scale[0, 0])
    mean = rows.x @ np.array([0.0, 0.3, 0.3])
    beyond = [norm.sf((100 - centre) / scale, mean, 1.5), norm.cdf(-centre / scale, mean, 1.5)]
    assert ceiling["mean"] == pytest.approx(beyond[0].mean(), abs=0.01)
    assert floor["mean"] == pytest.approx(beyond[1].mean(), abs=0.01)
    assert beyond[0].mean() > 0.1


def test_statistics_are_those_that_pandas_computes_over_who_answered() -> None:
    vignettes = ["volunteers_at_work", None]
    study, wide = experiment("a", 80, 2, missing=0.3, sites=4, vignettes=vignettes)
    rows, cells, draws = known(study)
    table = checks(rows, cells, draws, np.random.default_rng(1))
    y = wide.drop(columns=["x1", "x2", "site"])
    y.columns = pd.MultiIndex.from_tuples([(c, v or "") for c, v in y.columns])
    y = y[y.notna().any(axis=1)]
    for (outcome, vignette), column in y.items():
        place = {"outcome": outcome, "vignette": vignette, "other": ""}
        assert one(table, "mean", **place)["observed"] == pytest.approx(column.mean())
        assert one(table, "sd", **place)["observed"] == pytest.approx(column.std())
        between = column.groupby(wide["site"]).mean().std()
        assert one(table, "site_sd", **place)["observed"] == pytest.approx(between)
    correlation = table[table["statistic"] == "correlation"]
    assert len(correlation) == 6
    for row in correlation.itertuples():
        a, b = y[row.outcome, row.vignette], y[row.other, row.other_vignette]
        assert row.observed == pytest.approx(a.corr(b))


def test_countries_and_sectors_stand_by_themselves_where_there_are_several() -> None:
    """A country that is one study alone has no row of its own."""
    studies = [
        experiment(name, 30, seed, sites=1, country=country, sector=sector)[0]
        for seed, (name, country, sector) in enumerate(
            [("a", "DK", "elderly_care"), ("b", "FI", "elderly_care"), ("c", "DK", "social_care")]
        )
    ]
    cells = answer_cells(studies, "threat", VOCABULARY)
    rows = observe_answers(studies, cells, VOCABULARY)
    k = cells.sizes["outcome"]
    draws = constant(
        {
            "baseline": np.zeros((3, k)),
            "beta": np.zeros((3, 2, k)),
            "standardiser": np.ones((3, k)),
            "sigma": np.ones((3, k)),
            "construct_chol": np.eye(k),
        }
    )
    table = checks(rows, cells, draws, np.random.default_rng(1))
    groups = table[["study", "country", "sector"]].drop_duplicates().to_numpy().tolist()
    assert groups == [
        *(["a", "", ""], ["b", "", ""], ["c", "", ""]),
        *(["a + c", "DK", ""], ["a + b", "", "elderly_care"]),
    ]
    both = one(table, "mean", country="DK", outcome="threat_job")["observed"]
    parts = [one(table, "mean", study=s, outcome="threat_job")["observed"] for s in "ac"]
    assert both == pytest.approx(np.mean(parts))


# --- codings ------------------------------------------------------------------------------------

CODES = ["role_change", "uncertainty", "value_conflict", "job_insecurity"]


def coded(chance: np.ndarray, seed: int, second: bool = True) -> tuple[Interviews, xr.Dataset]:
    """Interviews of eight organisations; ``chance`` (interview, code) of a code's presence."""
    rng = np.random.default_rng(seed)
    present = rng.random(chance.shape) < chance
    found = []
    for i, row in enumerate(present):
        read = [np.where(row, rng.random(4) < 0.9, rng.random(4) > 0.9) for _ in range(2)]
        coders = {"coder-1": [c for c, is_there in zip(CODES, read[0], strict=True) if is_there]}
        if second and i % 3 == 0:
            coders["coder-2"] = [c for c, is_there in zip(CODES, read[1], strict=True) if is_there]
        found.append((f"org-{i % 8}", coders))
    study = coding_study("told", found, CODES)
    cells = code_cells([study], "strain", VOCABULARY)
    return observe_interviews([study], cells), cells


def truth(cells: xr.Dataset, presence: float) -> xr.Dataset:
    shape = (cells.sizes["organisation"], cells.sizes["code"])
    return constant({"presence": np.full(shape, presence), "sensitivity": 0.9, "specificity": 0.9})


def test_interviews_that_the_model_made_lie_inside_at_the_nominal_rate() -> None:
    rows, cells = coded(np.full((120, 4), 0.4), 1)
    draws = truth(cells, 0.4)
    found = []
    for seed, (first, second) in enumerate(draw_interviews(rows, draws, np.random.default_rng(2))):
        if seed == 30:
            break
        made = replace(rows, first=first, second=second)
        found.append(
            checks(made, cells, draws.isel(sample=slice(0, 100)), np.random.default_rng(seed))
        )
    table = pd.concat(found)
    assert len(table) == 30 * (4 * 3 + 2)
    assert 0.02 < outside(table).mean() < 0.09


def test_codes_that_come_together_are_caught_by_the_spread_of_their_number() -> None:
    """Each code is as frequent as before, but some interviews have many and some have none."""
    talkative = np.resize([0.75, 0.05], 240)[:, None] * np.ones(4)
    rows, cells = coded(talkative, 1)
    table = checks(rows, cells, truth(cells, 0.4), np.random.default_rng(1))
    assert set(table.loc[outside(table), "statistic"]) >= {"codes_sd"}
    prevalence = table.loc[table["statistic"] == "prevalence", "observed"]
    assert prevalence.between(0.32, 0.52).all()  # the coders' errors make 0.42 of 0.4
    assert one(table, "codes_sd")["tail"] == 0
    rows, cells = coded(np.full((240, 4), 0.4), 1)
    table = checks(rows, cells, truth(cells, 0.4), np.random.default_rng(1))
    assert not outside(table[table["statistic"] == "codes_sd"]).any()


def test_agreement_is_the_share_of_double_coded_interviews_with_the_same_reading() -> None:
    rows, cells = coded(np.full((60, 4), 0.4), 3)
    table = checks(rows, cells, truth(cells, 0.4), np.random.default_rng(1))
    twice = ~np.isnan(rows.second[:, 0])
    assert twice.sum() == 20
    for c, code in enumerate(cells.code.values):
        same = (rows.first[twice, c] == rows.second[twice, c]).mean()
        assert one(table, "agreement", outcome=str(code))["observed"] == pytest.approx(same)
    rows, cells = coded(np.full((60, 4), 0.4), 3, second=False)
    table = checks(rows, cells, truth(cells, 0.4), np.random.default_rng(1))
    assert "agreement" not in set(table["statistic"])


def test_nothing_is_told_of_few_people() -> None:
    """A share that rests on one to four interviews has no observed value, a small group no row."""
    rows, cells = coded(np.full((40, 4), 0.5), 2)
    first = np.zeros_like(rows.first)
    first[:3, 0] = 1  # three have it
    first[:38, 1] = 1  # all but two have it
    first[:20, 2] = 1
    rows = replace(rows, first=first)
    table = checks(rows, cells, truth(cells, 0.5), np.random.default_rng(1), smallest=5)
    prevalence = table[table["statistic"] == "prevalence"].set_index("outcome")
    codes = [str(c) for c in cells.code.values]
    assert list(prevalence.loc[codes, "observed"].isna()) == [True, True, False, False]
    assert list(prevalence.loc[codes, "tail"].isna()) == [True, True, False, False]
    assert prevalence.loc[codes[2:], "observed"].tolist() == [0.5, 0.0]
    assert prevalence["mean"].notna().all()
    assert not len(checks(rows, cells, truth(cells, 0.5), np.random.default_rng(1), smallest=41))

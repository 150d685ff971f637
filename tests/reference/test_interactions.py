"""Sampled interactions, against a grid, against least squares, and against the truth.

One experiment with two factors, a trait, and an outcome that depends on a product of the factors
and on a product of one with the trait, in the model of answers as it is shipped.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy.special import digamma, logsumexp, polygamma
from scipy.stats import norm

from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.inference.convergence import gates
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.model import build
from metastudy.models.data_vector import pack
from metastudy.models.priors import Prior, priors_of
from metastudy.posterior.contrasts import contrasts
from metastudy.posterior.summarise import summarize

pytestmark = [pytest.mark.fit, pytest.mark.slow, pytest.mark.ci]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SAMPLING = CONFIG["sampling"] | {"chains": 2, "draws": 2000}
WORK = "volunteers_at_work"
FACTORS, TRAIT = (
    "involvement_degree_randomised:task_type_randomised",
    "task_type_randomised:self_efficacy_measured",
)
TRUE = {FACTORS: 10.0, TRAIT: -4.0}  # points of the scale, and of the trait's true SD of 12
N, NOISE = 480, 12.0
SCALES = {"baseline": 1.0, "effect": 0.2, "tau": 0.3, "outcomes": 0.3, "sigma": 0.5}
PRIOR = priors_of(SCALES | {"correlation": 2.0})  # it pulls an interaction by a fifth or more
FLAT = priors_of(SCALES | {"correlation": 2.0, "effect": 40.0, "baseline": 40.0})
ERRORS = 4  # Monte Carlo standard errors


def experiment() -> tuple[xr.Dataset, pd.DataFrame]:
    """The cells, and the rows they were made from, in the units of the cells."""
    rng = np.random.default_rng(41)
    task, degree = rng.integers(0, 2, N), rng.integers(0, 2, N)
    trait = rng.normal(50, 12, N)
    z = (trait - 50) / 12
    mean = 45 + 4 * task - 2 * degree + 3 * z + TRUE[FACTORS] * task * degree
    y = mean + TRUE[TRAIT] * (task - 0.5) * z + rng.normal(0, NOISE, N)
    study = answer_study(
        "one",
        {("threat_quality", WORK): y, ("self_efficacy", None): trait},
        {
            "task_type": np.array(["complementary", "core"])[task],
            "involvement_degree": np.array(["low", "high"])[degree],
        },
        ["threat_quality"],
        [
            {"factor": "task_type", "type": "randomised"},
            {"factor": "involvement_degree", "type": "randomised"},
            {"construct": "self_efficacy", "type": "measured"},
        ],
    )
    study.report["interactions"] = [
        ["task_type", "involvement_degree"],
        ["self_efficacy", "task_type"],
    ]
    cells = answer_cells([study], "threat", VOCABULARY)
    t = (trait - trait.mean()) / trait.std(ddof=1)
    a, b = task - 0.5, degree - 0.5
    rows = pd.DataFrame({"one": 1.0, "a": a, "b": b, "t": t, FACTORS: a * b, TRAIT: a * t})
    return cells, rows.assign(y=(y - cells.centre.item()) / cells.scale.item())


def of_kappa(cells: xr.Dataset) -> tuple[float, float]:
    """Mean and SD of the logarithm of the true standard deviation in units of the estimated one.

    They are those of a chi-squared variance, and Hedges' correction is in the units.
    """
    df = float(cells.scale_df.item())
    centre = np.log(1 - 3 / (4 * df - 1)) + (np.log(df / 2) - digamma(df / 2)) / 2
    return float(centre), float(np.sqrt(polygamma(1, df / 2)) / 2)


def on_a_grid(cells: xr.Dataset, rows: pd.DataFrame, priors: dict[str, Prior]) -> pd.DataFrame:
    """Mean and SD of each effect: given the two standard deviations, coefficients are normal.

    The likelihood is that of the rows.
    """
    x, y = rows.drop(columns="y").to_numpy(), rows["y"].to_numpy()
    centre, width = of_kappa(cells)
    scales = np.r_[priors["baseline"].scale, [priors["effect"].scale] * (x.shape[1] - 1)]
    weight, first, second = [], [], []
    for log_kappa in np.linspace(centre - 6 * width, centre + 6 * width, 61):
        unit = np.r_[1.0, [np.exp(log_kappa)] * (x.shape[1] - 1)]
        design = x * unit  # of effects in units of the true standard deviation
        for log_sigma in np.linspace(-0.6, 0.6, 241):
            variance = np.exp(2 * log_sigma)
            precision = design.T @ design / variance + np.diag(scales**-2.0)
            covariance = np.linalg.inv(precision)
            mean = covariance @ design.T @ y / variance
            fit = mean @ precision @ mean - y @ y / variance
            size = np.linalg.slogdet(covariance)[1]
            weight.append(
                norm.logpdf(log_kappa, centre, width)
                + norm.logpdf(log_sigma, 0, priors["sigma"].scale)
                + (fit + size) / 2
                - len(y) * log_sigma
            )
            first.append(mean)
            second.append(np.diag(covariance) + mean**2)
    share = np.exp(np.array(weight) - logsumexp(weight))
    mean = share @ np.array(first)
    sd = np.sqrt(share @ np.array(second) - mean**2)
    return pd.DataFrame({"mean": mean, "sd": sd}, rows.columns[:-1])


@pytest.fixture(scope="module")
def fitted() -> dict[str, Any]:
    """Posteriors under both priors, of one compilation."""
    cells, rows = experiment()
    compiled = compile_model(build(cells, PRIOR))
    trees = {
        "prior": draw(compiled, SAMPLING),
        "flat": draw(compiled, SAMPLING, given=pack(cells, FLAT)),
    }
    for tree in trees.values():
        posterior, stats = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
        assert [g for g in gates(posterior, stats, CONFIG["gates"]) if not g["passed"]] == []
    return {"cells": cells, "rows": rows} | trees


def sampled(tree: xr.DataTree) -> pd.DataFrame:
    """Mean, SD and Monte Carlo error of each exposure's population effect."""
    mu = tree["posterior"].to_dataset()["mu"].transpose("chain", "draw", "estimand")
    table = summarize(mu, 0.95)
    names = [str(name).partition(",")[0] for name in mu.estimand.values]
    return table.set_axis(names)


NAMES = {"a": "task_type_randomised", "b": "involvement_degree_randomised",
         "t": "self_efficacy_measured", FACTORS: FACTORS, TRAIT: TRAIT}  # fmt: skip


@pytest.mark.parametrize("which", ["prior", "flat"])
def test_the_posterior_of_every_effect_is_that_of_the_grid(
    fitted: dict[str, Any], which: str
) -> None:
    want = on_a_grid(fitted["cells"], fitted["rows"], {"prior": PRIOR, "flat": FLAT}[which])
    found = sampled(fitted[which])
    assert sorted(found.index) == sorted(NAMES.values())
    for column, name in NAMES.items():
        row = found.loc[name]
        assert abs(row["mean"] - want.loc[column, "mean"]) < ERRORS * row["mcse"], name
        assert row["sd"] == pytest.approx(want.loc[column, "sd"], rel=0.05), name


def test_under_a_flat_prior_an_interaction_is_that_of_least_squares_on_the_rows(
    fitted: dict[str, Any],
) -> None:
    """In closed form: least squares over the true standard deviation kappa.

    A flat prior of an effect is a density of its slope, kappa times the effect, that falls with
    kappa; so each of the effects draws the mean of log kappa down by the variance of log kappa.
    """
    rows, cells = fitted["rows"], fitted["cells"]
    x, y = rows.drop(columns="y").to_numpy(), rows["y"].to_numpy()
    inverse = np.linalg.inv(x.T @ x)
    b = inverse @ x.T @ y
    left = y - x @ b
    se = np.sqrt(np.diag(inverse) * (left @ left) / (len(y) - x.shape[1]))
    centre, width = of_kappa(cells)
    effects = x.shape[1] - 1
    centre -= effects * width**2
    found, pulled = sampled(fitted["flat"]), sampled(fitted["prior"])
    for name in (FACTORS, TRAIT):
        at = rows.columns.get_loc(name)
        row = found.loc[name]
        mean = b[at] * np.exp(-centre + width**2 / 2)
        square = (b[at] ** 2 + se[at] ** 2) * np.exp(-2 * centre + 2 * width**2)
        assert abs(row["mean"] - mean) < ERRORS * row["mcse"], name
        assert row["sd"] == pytest.approx(np.sqrt(square - mean**2), rel=0.05), name
        kept = pulled.loc[name, "mean"] / row["mean"]
        assert kept < 0.95, "the other prior pulls it, so that the two tests are not one"


def test_in_points_of_the_scale_an_interaction_is_the_difference_that_was_put_in(
    fitted: dict[str, Any],
) -> None:
    table = contrasts(fitted["cells"], fitted["flat"]).table(0.95)
    table = table[table["metric"].eq("pomp") & table["exposure_type"].eq("interaction")]
    points = table.set_index("exposure")
    assert sorted(points.index) == sorted(TRUE)
    for name, true in TRUE.items():
        row = points.loc[name]
        assert row["lower"] < true < row["upper"]
        assert abs(row["mean"]) > 2 * row["sd"], "an effect of zero would be seen"

"""Heterogeneity with t tails: what it gives is what the same model gives when integrated otherwise.

Seven studies, of which one is far from the others.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metastudy.models.priors import Prior
from metastudy.synthesis.families import APART
from metastudy.synthesis.grid import Grid
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.selection import plain
from metastudy.synthesis.tails import DF, FEW, heavy, tails

EFFECT, BETWEEN = (
    Prior("student_t", {"scale": 0.5, "df": 2.5}),
    Prior("half_normal", {"scale": 0.3}),
)
PRIORS = {"effect": EFFECT, "tau": BETWEEN, "moderator": Prior("normal", {"scale": 0.5})}
Y = np.array([0.10, 0.16, 0.05, 0.12, 0.20, 0.08, 1.10])
SE = np.array([0.08, 0.10, 0.09, 0.12, 0.11, 0.07, 0.10])


def dense(y: np.ndarray, se: np.ndarray, df: float) -> tuple[np.ndarray, np.ndarray, float]:
    """Means and SDs of mean and heterogeneity, and P(mean > 0.2), each deviation summed over."""
    mu = -0.6 + 0.02 * (np.arange(90) + 0.5)  # 0.2 is between two of them
    tau = 0.02 * (np.arange(60) + 0.5)
    log = stats.t(2.5, scale=0.5).logpdf(mu)[:, None] + stats.halfnorm(scale=0.3).logpdf(tau)
    # Deviations by the quantiles of their law: fine in its middle, and out to one in ten million.
    p = np.concatenate([np.geomspace(1e-9, 0.01, 120), np.linspace(0.01, 0.5, 120)[1:]])
    unit = stats.t(df).ppf(np.concatenate([p, 1 - p[::-1][1:]])) * np.sqrt((df - 2) / df)
    edges = (unit[1:] + unit[:-1]) / 2
    mass = np.diff(stats.t(df).cdf(edges / np.sqrt((df - 2) / df)), prepend=0.0, append=1.0)
    for one, s in zip(y, se, strict=True):
        for k, t in enumerate(tau):
            law = stats.norm.pdf(one, mu[:, None] + t * unit, s) @ mass
            log[:, k] += np.log(law)
    weight = np.exp(log - log.max())
    weight /= weight.sum()
    axes = (mu[:, None], tau[None, :])
    means = np.array([(weight * axis).sum() for axis in axes])
    squares = np.array([(weight * axis**2).sum() for axis in axes])
    return means, np.sqrt(squares - means**2), float(weight[mu > 0.2].sum())


def moments(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    found = [grid.moments(axis) for axis in range(2)]
    return np.array([f[0] for f in found]), np.array([f[1] for f in found])


def test_one_outlying_study_has_the_posterior_of_a_grid_over_its_deviation() -> None:
    grid = heavy(Y, SE, EFFECT, BETWEEN)
    means, sds, above = dense(Y, SE, DF)
    np.testing.assert_allclose(moments(grid)[0], means, atol=0.002)
    np.testing.assert_allclose(moments(grid)[1], sds, atol=0.002)
    assert 1 - grid.below(0, 0.2) == pytest.approx(above, abs=0.01)
    normal = plain(Y, SE, EFFECT, BETWEEN)
    assert grid.moments(0)[0] < normal.moments(0)[0] - 0.04, "it follows the six others"


def test_many_degrees_of_freedom_are_the_normal_model() -> None:
    grid, normal = heavy(Y, SE, EFFECT, BETWEEN, df=4000.0), plain(Y, SE, EFFECT, BETWEEN)
    np.testing.assert_allclose(moments(grid)[0], moments(normal)[0], atol=0.003)
    np.testing.assert_allclose(moments(grid)[1], moments(normal)[1], atol=0.003)


def table(y: np.ndarray, se: np.ndarray) -> pd.DataFrame:
    names = [f"s{k}" for k in range(len(y))]
    return pd.DataFrame(
        {
            "id": names, "study": names, "country": "DK", "sector": "x", "role": "r",
            "exposure": "e_randomised", "exposure_name": "e", "exposure_type": "randomised",
            "outcome": "o", "family": "f", "vignette": "", "response_mode": "m", "metric": "sd",
            "n": 100, "estimate": y, "se": se, "provenance": "observed", "note": "",
        }
    )  # fmt: skip


def made(y: np.ndarray, se: np.ndarray, **changed: object) -> pd.DataFrame:
    (plan,) = plans(table(y, se).assign(**changed), np.diag(se**2))
    main = {"id": plan.estimands["id"], "level": "population", "provenance": "observed"}
    one = pd.DataFrame(main | {"mean": 0.2, "sd": 0.1, "lower": 0.0, "upper": 0.4, "metric": "sd"})
    one = one.assign(**dict.fromkeys(APART, np.nan))
    # The same name in another metric is another effect.
    pooled = pd.concat([one.assign(metric="log_odds", mean=9.0), one], ignore_index=True)
    return tails(plan, "sd", PRIORS, 0.95, pooled)


def test_both_heterogeneities_are_beside_the_main_result_and_the_farthest_study_is_named() -> None:
    (row,) = made(Y, SE).to_dict("records")
    assert (row["studies"], row["mean"], row["farthest"], row["reason"]) == (7, 0.2, "s6", "")
    grid = heavy(Y, SE, EFFECT, BETWEEN)
    assert row["mean_t"] == grid.moments(0)[0]
    assert (row["lower_t"], row["upper_t"]) == grid.interval(0, 0.95)
    assert row["mean_normal"] == plain(Y, SE, EFFECT, BETWEEN).moments(0)[0]
    assert row["total_t"] == grid.moments(1)[0]


def test_of_two_studies_it_is_not_done_and_says_why() -> None:
    (row,) = made(Y[:2], SE[:2]).to_dict("records")
    assert row["reason"] == FEW
    assert np.isnan(row["mean_t"])


def test_of_one_publication_from_several_countries_it_is_not_done_and_says_why() -> None:
    places = ["DK", "FI", "NO"]
    (row,) = made(Y[:3], SE[:3], study="s", country=places, effect=places).to_dict("records")
    assert (row["studies"], row["reason"]) == (1, FEW)

"""Prediction of left-out groups: densities are those of a grid, and one group is not asked."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from metastudy.models.priors import Prior
from metastudy.synthesis.left_out_groups import left_out_groups, log_marginal

EFFECT, BETWEEN = (
    Prior("student_t", {"scale": 0.5, "df": 2.5}),
    Prior("half_normal", {"scale": 0.3}),
)
PRIORS = {"effect": EFFECT, "tau": BETWEEN}
SE = np.array([0.08, 0.10, 0.09, 0.12])
ALIKE, APART = np.array([0.31, 0.30, 0.33, 0.28]), np.array([-0.5, 0.6, 0.1, 1.2])


def predicted(y: np.ndarray, se: np.ndarray, left: int, way: str) -> float:
    """Log density of an estimate given the others, from posterior weights on a dense grid."""
    at = np.linspace(-6, 6, 2401)[:, None]
    mu = np.sinh(at) / 2  # out to a hundred, and fine in the middle
    tau = stats.halfnorm(scale=0.3).ppf((np.arange(150) + 0.5) / 150)[None, :]
    tau = tau if way == "partial" else np.zeros((1, 1))
    weight = stats.t(2.5, scale=0.5).pdf(mu) * np.cosh(at) * np.ones_like(tau)
    for k in range(len(y)):
        if k != left and way != "unpooled":
            weight = weight * stats.norm.pdf(y[k], mu, np.sqrt(se[k] ** 2 + tau**2))
    density = stats.norm.pdf(y[left], mu, np.sqrt(se[left] ** 2 + tau**2))
    return float(np.log((weight * density).sum() / weight.sum()))


def table(y: np.ndarray, country: str = "aabc") -> pd.DataFrame:
    names = [f"s{k}" for k in range(len(y))]
    return pd.DataFrame(
        {
            "id": names, "module": "threat", "study": names, "country": list(country),
            "sector": "x", "role": "r", "exposure": "e_randomised", "exposure_name": "e",
            "exposure_type": "randomised", "outcome": "o", "family": "f", "vignette": "",
            "response_mode": "m", "metric": "sd", "n": 100, "estimate": y, "se": SE,
            "provenance": "observed", "note": "",
        }
    )  # fmt: skip


def compared(y: np.ndarray, **more: str) -> pd.DataFrame:
    return left_out_groups(table(y, **more), np.diag(SE**2), PRIORS)


@pytest.mark.parametrize("y", [ALIKE, APART])
@pytest.mark.parametrize("way", ["pooled", "partial", "unpooled"])
def test_each_way_of_pooling_has_the_density_of_a_dense_grid(y: np.ndarray, way: str) -> None:
    found = compared(y).set_index(["grouping", "pooling"]).loc[("study", way)]
    expected = [predicted(y, SE, k, way) for k in range(4)]
    assert found["elpd"] == pytest.approx(sum(expected), abs=0.01)
    tau = np.zeros(1)
    whole = log_marginal(y, SE, EFFECT, tau)
    assert abs(whole - sum(expected)) > 0.05, "none left out is another number"


def test_groups_that_agree_are_predicted_by_pooling_and_others_are_not() -> None:
    def best(y: np.ndarray) -> str:
        mine = compared(y).query("grouping == 'study'").set_index("pooling")
        assert mine.loc[mine["elpd"].idxmax(), "difference"] == 0
        assert mine["difference"].max() == 0
        return str(mine["elpd"].idxmax())

    assert best(ALIKE) == "pooled"
    assert best(APART) != "pooled"


def test_a_group_of_several_studies_is_left_out_as_one() -> None:
    y = APART
    found = compared(y).set_index(["grouping", "pooling"]).loc[("country", "pooled")]
    w = 1 / SE[:2] ** 2
    own = np.array([w @ y[:2] / w.sum(), *y[2:]]), np.array([w.sum() ** -0.5, *SE[2:]])
    assert found["groups"] == 3
    expected = sum(predicted(*own, k, "pooled") for k in range(3))
    assert found["elpd"] == pytest.approx(expected, abs=0.01)


def test_what_rests_on_one_group_is_not_compared_and_says_so() -> None:
    found = compared(ALIKE, country="aaaa").set_index("grouping")
    assert found.loc["country", "reason"] == "rests on one country"
    assert found.loc["sector", "reason"] == "rests on one sector"
    assert found.loc[["country", "sector"], "elpd"].isna().all()
    one = left_out_groups(table(ALIKE).head(1), np.diag(SE[:1] ** 2), PRIORS)
    assert one["reason"].tolist() == [f"rests on one {g}" for g in ("study", "country", "sector")]

"""Measured associations: what a confounder would have to be, and what errors of scales change.

The confounder is made and put into the regression; true scores are those that the answers are
simulated from.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm
from scipy import stats

from helpers.hand_made import answer_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.models.answers.associations import (
    LOW,
    NONE,
    associations,
    corrected,
    robustness_value,
)
from metastudy.models.answers.cells import answer_cells

TAIL = 0.025


def regressed(t: float, df: int, share: float) -> tuple[float, float]:
    """Slope and t of an exposure beside a confounder that explains this share of both."""
    rng = np.random.default_rng(2)
    whole = rng.normal(size=(df + 2, 4))
    e, _ = np.linalg.qr(np.column_stack([np.ones(df + 2), whole]))
    d, u, v = e[:, 1], e[:, 2], e[:, 3]
    rho = t / np.sqrt(t**2 + df)
    y = rho * d + np.sqrt(1 - rho**2) * u
    z = np.sqrt(share) * d + np.sqrt(1 - share) * (np.sqrt(share) * u + np.sqrt(1 - share) * v)
    alone = sm.OLS(y, sm.add_constant(d)).fit()
    assert alone.tvalues[1] == pytest.approx(t)
    assert alone.df_resid == df
    beside = sm.OLS(y, sm.add_constant(np.column_stack([d, z]))).fit()
    return float(beside.params[1]), float(beside.tvalues[1])


@pytest.mark.parametrize(("t", "df"), [(4.2, 783), (2.5, 40), (9.0, 30)])
def test_a_confounder_of_the_robustness_value_brings_the_estimate_to_zero(
    t: float, df: int
) -> None:
    slope, _ = regressed(t, df, robustness_value(t, df))
    assert slope == pytest.approx(0, abs=1e-9)
    weaker, _ = regressed(t, df, t**2 / (t**2 + df))
    assert weaker > 0.01, "partial R2 of the exposure is another share"
    assert robustness_value(-t, df) == robustness_value(t, df)


@pytest.mark.parametrize(("t", "df"), [(4.2, 783), (2.5, 40)])
def test_a_confounder_of_the_other_value_brings_the_interval_to_zero(t: float, df: int) -> None:
    _, beside = regressed(t, df, robustness_value(t, df, TAIL))
    assert beside == pytest.approx(stats.t.isf(TAIL, df - 1))
    assert robustness_value(1.9, df, TAIL) == 0, "it holds zero without a confounder"


def test_published_robustness_values_come_out() -> None:
    """Cinelli and Hazlett (2020), table 1: t of 4.18445 with 783 degrees of freedom."""
    assert robustness_value(4.18445, 783) == pytest.approx(0.139, abs=0.0005)
    assert robustness_value(4.18445, 783, TAIL) == pytest.approx(0.076, abs=0.0005)


def survey(reliable: tuple[float, float, float], n: int, seed: int) -> tuple[object, np.ndarray]:
    """Two correlated traits and an outcome, measured with error; and the slopes of true scores."""
    rng = np.random.default_rng(seed)
    true = rng.multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]], n)
    slope = np.array([0.4, -0.2])
    rest = np.sqrt(1 - slope @ np.array([[1, 0.5], [0.5, 1]]) @ slope)
    scores = np.column_stack([true, true @ slope + rest * rng.normal(size=n)])
    noise = np.sqrt(1 / np.array(reliable) - 1)  # of true scores in standard deviations
    seen = 50 + 10 * (scores + noise * rng.normal(size=scores.shape))
    answers = {
        ("self_efficacy", None): seen[:, 0],
        ("trust_government", None): seen[:, 1],
        ("coping_avoidance", "user_vs_collective_value"): seen[:, 2],
    }
    exposures = [
        {"construct": c, "type": "measured"} for c in ("self_efficacy", "trust_government")
    ]
    study = answer_study("s", answers, {}, ["coping_avoidance"], exposures)
    return answer_cells([study], "coping", VOCABULARY), slope


def test_known_reliabilities_give_back_the_slopes_of_true_scores() -> None:
    reliable = (0.6, 0.8, 0.7)
    cells, slope = survey(reliable, 40_000, 4)
    names = ("self_efficacy", "trust_government", "coping_avoidance")
    found = associations(cells, VOCABULARY, {"s": dict(zip(names, reliable, strict=True))}, TAIL)
    assert found["reason"].eq("").all()
    np.testing.assert_allclose(found["corrected"], slope, atol=0.02)
    one_by_one = found["estimate"] / np.sqrt(np.array(reliable[:2]) * reliable[2])
    assert np.abs(one_by_one - slope).max() > 0.05, "as if exposures were not correlated"
    assert np.abs(found["estimate"] - slope).max() > 0.1
    assert (found["corrected_se"] > found["se"]).all()


def test_of_one_exposure_the_correction_is_that_of_a_correlation() -> None:
    matrix = corrected(np.array([[99.0]]), 99.0, np.array([0.64]), 0.81)
    assert matrix is not None
    assert matrix[0, 0] == pytest.approx(1 / np.sqrt(0.64 * 0.81))


@pytest.mark.ci
def test_corrected_slopes_keep_to_their_standard_errors() -> None:
    """Of 60 samples of 150 people the 95 % intervals cover the slopes of true scores."""
    names, reliable = ("self_efficacy", "trust_government", "coping_avoidance"), (0.7, 0.8, 0.75)
    given = {"s": dict(zip(names, reliable, strict=True))}
    covered = {"corrected": 0, "estimate": 0}
    for seed in range(60):
        cells, slope = survey(reliable, 150, 100 + seed)
        found = associations(cells, VOCABULARY, given, TAIL)
        for name, se in (("corrected", "corrected_se"), ("estimate", "se")):
            covered[name] += int((np.abs(found[name] - slope) < 1.96 * found[se]).sum())
    assert covered["corrected"] >= 0.88 * 120
    assert covered["estimate"] < covered["corrected"]


def test_without_a_declared_reliability_nothing_is_corrected_and_it_says_so() -> None:
    cells, _ = survey((0.9, 0.9, 0.9), 200, 1)
    found = associations(cells, VOCABULARY, {}, TAIL)
    assert found["reason"].eq(NONE).all()
    assert found["corrected"].isna().all()
    low = associations(cells, VOCABULARY, {"s": {"self_efficacy": 0.1}}, TAIL)
    assert low["reason"].eq(LOW).all()


def test_estimate_and_error_are_those_of_least_squares() -> None:
    cells, _ = survey((0.9, 0.8, 0.9), 60, 7)
    found = associations(cells, VOCABULARY, {}, TAIL)
    x, xy = cells.xx.values.sum(axis=0), cells.xy.values.sum(axis=0)
    yy, n = cells.yy.values.sum(), cells.n.values.sum()
    slope = np.linalg.solve(x, xy)[:, 0]
    variance = (yy - slope @ xy[:, 0]) / (n - 3) * np.linalg.inv(x)
    np.testing.assert_allclose(found["estimate"], slope[1:], rtol=1e-8)
    np.testing.assert_allclose(found["se"], np.sqrt(np.diag(variance))[1:], rtol=1e-8)
    t = found["estimate"] / found["se"]
    np.testing.assert_allclose(found["partial_r2"], t**2 / (t**2 + n - 3))


def test_randomised_exposures_are_no_associations() -> None:
    study, _ = experiment("s", 60, seed=1)
    found = associations(answer_cells([study], "threat", VOCABULARY), VOCABULARY, {}, TAIL)
    assert isinstance(found, pd.DataFrame)
    assert found.empty

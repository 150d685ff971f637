"""Dependent and nested effects give the posterior that integration on a grid gives.

Five trials of surgical against other treatment of periodontitis with two outcomes each, whose
covariances are known (Berkey et al. 1998, Statistics in Medicine 17: 2537-2550); and schools in
districts (Konstantopoulos 2011, Research Synthesis Methods 2: 61-76).
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.repository import ROOT
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.nesting import NESTED
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.results import results
from metastudy.synthesis.stages import pool

pytestmark = pytest.mark.fit

SAMPLING = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["sampling"]
PRIORS = priors_of({"effect": 1.0, "tau": 0.3, "effect_correlation": 2.0})
ERRORS = 4  # Monte Carlo standard errors
# Millimetres that probing depth and attachment level improve by: estimates, variances, covariance.
TRIALS = np.array(
    [
        [0.47, -0.32, 0.0075, 0.0077, 0.0030],
        [0.20, -0.60, 0.0057, 0.0008, 0.0009],
        [0.40, -0.12, 0.0021, 0.0014, 0.0007],
        [0.26, -0.31, 0.0029, 0.0015, 0.0009],
        [0.56, -0.39, 0.0148, 0.0304, 0.0072],
    ]
)
# Districts, and of each school the effect of a changed calendar and its sampling variance.
DISTRICTS = np.repeat(
    [11, 12, 18, 27, 56, 58, 71, 86, 91, 108, 644], [4, 4, 3, 4, 4, 11, 3, 8, 6, 5, 4]
)
SCHOOLS = np.array(
    [
        -0.18, -0.22, 0.23, -0.30, 0.13, -0.26, 0.19, 0.32, 0.45, 0.38, 0.29, 0.16, 0.65, 0.36,
        0.60, 0.08, 0.04, 0.19, -0.06, -0.18, 0.00, 0.00, -0.28, -0.04, -0.30, 0.07, 0.00, 0.05,
        -0.08, -0.09, 0.30, 0.98, 1.19, -0.07, -0.05, -0.01, 0.02, -0.03, 0.00, 0.01, -0.10, 0.50,
        0.66, 0.20, 0.00, 0.05, 0.07, -0.52, 0.70, -0.03, 0.27, -0.34, 0.12, 0.61, 0.04, -0.05,
    ]
)  # fmt: skip
VARIANCE = 1e-3 * np.array(
    [
        118, 118, 144, 144, 14, 14, 15, 24, 23, 43, 12, 20, 4, 4, 7, 19, 7, 5, 4, 20, 18, 19, 22,
        20, 21, 6, 7, 7, 7, 7, 15, 11, 10, *[1] * 8, 10, 11, 10, 9, 13, 13, 31, 31, 30, 30, 30, 87,
        82, 67, 67,
    ]
)  # fmt: skip


def rows(
    study: list[str], outcome: list[str], estimate: np.ndarray, se: np.ndarray
) -> pd.DataFrame:
    """Published effects, as the second stage takes them."""
    return pd.DataFrame(
        {
            "id": [f"file|F{k}" for k in range(len(study))], "study": study,
            "country": [f"unknown in {s}" for s in study],
            "sector": [f"unknown in {s}" for s in study], "role": "not_stated",
            "exposure": "surgery_randomised", "exposure_name": "surgery",
            "exposure_type": "randomised", "outcome": outcome, "family": "f", "vignette": "",
            "response_mode": "published", "metric": "sd", "n": 100, "estimate": estimate, "se": se,
            "provenance": "observed", "effect": [f"F{k}" for k in range(len(study))],
        }
    )  # fmt: skip


def assert_agree(row: pd.Series, mean: float, sd: float) -> None:
    assert abs(row["mean"] - mean) < ERRORS * row["mcse"]
    assert row["sd"] == pytest.approx(sd, rel=0.05)


class Exact:
    """Moments over a grid of two spreads: given them, means and estimates are normal."""

    def __init__(self, y: np.ndarray, x: np.ndarray, v, tau: np.ndarray, log_prior) -> None:
        at, density, mean, variance = [], [], [], []
        prior = np.eye(x.shape[1]) / PRIORS["effect"].scale ** 2
        for one in tau:
            for two in tau:
                s = v(one, two)
                solved = np.linalg.solve(s, np.column_stack([x, y]))
                precision = x.T @ solved[:, :-1] + prior
                spread = np.linalg.inv(precision)
                centre = spread @ x.T @ solved[:, -1]
                log = -np.linalg.slogdet(s)[1] + np.linalg.slogdet(spread)[1]
                quadratic = y @ solved[:, -1] - centre @ precision @ centre
                at.append((one, two))
                density.append(0.5 * (log - quadratic) + log_prior(one, two))
                mean.append(centre)
                variance.append(np.diag(spread))
        weight = np.exp(np.array(density) - max(density))
        self.weight, self.tau = weight / weight.sum(), np.array(at)
        self.mean, self.variance = np.array(mean), np.array(variance)

    def moments(self, at: int) -> tuple[float, float]:
        first = self.weight @ self.mean[:, at]
        second = self.weight @ (self.variance[:, at] + (self.mean[:, at] - first) ** 2)
        return float(first), float(np.sqrt(second))

    def spread(self, at: int) -> tuple[float, float]:
        first = self.weight @ self.tau[:, at]
        return float(first), float(np.sqrt(self.weight @ (self.tau[:, at] - first) ** 2))


def taus(posterior: xr.Dataset) -> pd.DataFrame:
    return summarize(posterior["tau"].transpose("chain", "draw", "tau_of"), 0.95)


def periodontal(known: bool) -> tuple[pd.DataFrame, np.ndarray]:
    """The trials outcome by outcome, with their covariances or without."""
    one, two, v_one, v_two, both = TRIALS.T
    names = [f"trial-{k + 1}" for k in range(5)]
    v = np.column_stack([v_one, v_two]).ravel()
    covariance = np.diag(v)
    for k, value in enumerate(both * known):
        covariance[2 * k, 2 * k + 1] = covariance[2 * k + 1, 2 * k] = value
    estimate = np.column_stack([one, two]).ravel()
    table = rows(list(np.repeat(names, 2)), ["depth", "level"] * 5, estimate, np.sqrt(v))
    return table, covariance


class JointExact:
    """Moments of two outcomes over a grid of both spreads and the correlation of deviations.

    Given them, each study's estimates and the two means are normal. Studies are blocks of one or
    two rows; ``free`` says whether the correlation is, or zero.
    """

    def __init__(self, table: pd.DataFrame, covariance: np.ndarray, free: bool = True) -> None:
        tau, r = (np.arange(60) + 0.5) * 0.015, (np.arange(60 if free else 1) + 0.5) / 30 - 1
        grids = np.meshgrid(tau, tau, r if free else np.zeros(1), indexing="ij")
        self.at = np.stack([grid.ravel() for grid in grids])
        one, two, both = self.at
        deviation = np.empty((len(one), 2, 2))
        deviation[:, 0, 0], deviation[:, 1, 1] = one**2, two**2
        deviation[:, 0, 1] = deviation[:, 1, 0] = one * two * both
        precision = np.tile(np.eye(2) / PRIORS["effect"].scale ** 2, (len(one), 1, 1))
        shift, log = np.zeros((len(one), 2)), np.zeros(len(one))
        place = pd.factorize(table["outcome"])[0]
        for _, mine in table.groupby("study"):
            rows, k = mine.index.to_numpy(), place[mine.index]
            y, v = mine["estimate"].to_numpy(), covariance[np.ix_(rows, rows)]
            s = deviation[:, k[:, None], k] + v
            inverse = np.linalg.inv(s)
            precision[:, k[:, None], k] += inverse
            shift[:, k] += inverse @ y
            log -= 0.5 * (np.linalg.slogdet(s)[1] + np.einsum("i,gij,j->g", y, inverse, y))
        spread = np.linalg.inv(precision)
        mean = np.einsum("gij,gj->gi", spread, shift)
        log += 0.5 * (np.linalg.slogdet(spread)[1] + np.einsum("gi,gi->g", shift, mean))
        log += -0.5 * (one**2 + two**2) / PRIORS["tau"].scale ** 2
        log += (PRIORS["effect_correlation"].numbers["shape"] - 1) * np.log(1 - both**2)
        weight = np.exp(log - log.max())
        self.weight, self.mean = weight / weight.sum(), mean
        self.variance = np.diagonal(spread, axis1=1, axis2=2)

    def moments(self, k: int) -> tuple[float, float]:
        first = self.weight @ self.mean[:, k]
        second = self.weight @ (self.variance[:, k] + (self.mean[:, k] - first) ** 2)
        return float(first), float(np.sqrt(second))

    def of(self, k: int) -> tuple[float, float]:
        """Of the spreads, and last the correlation."""
        first = self.weight @ self.at[k]
        return float(first), float(np.sqrt(self.weight @ (self.at[k] - first) ** 2))


def assert_joint(table: pd.DataFrame, covariance: np.ndarray, exact: JointExact) -> pd.DataFrame:
    """Means, spreads and the correlation are those of the grid; the population means."""
    (found,) = plans(table, covariance)
    posterior = pool(found, PRIORS, SAMPLING)["posterior"].to_dataset()
    means = results(found, posterior, 0.95, 1).query("level == 'population'")
    for k in range(2):
        assert_agree(means.iloc[k], *exact.moments(k))
        assert_agree(taus(posterior).iloc[k], *exact.of(k))
    r = posterior["correlation"].transpose("chain", "draw", "pair_of")
    assert_agree(summarize(r, 0.95).iloc[0], *exact.of(2))
    return means


@pytest.mark.ci
def test_two_outcomes_with_known_covariances_are_pooled_jointly() -> None:
    table, covariance = periodontal(known=True)
    exact = JointExact(table, covariance)
    means = assert_joint(table, covariance, exact)
    assert means["outcome"].tolist() == ["depth", "level"]
    # Restricted maximum likelihood: 0.3534 (0.0588) and -0.3392 (0.0879), correlation 0.61.
    np.testing.assert_allclose(means["mean"], [0.3534, -0.3392], atol=0.25 * 0.0588)
    assert exact.of(2)[0] > 0.1
    without = JointExact(*periodontal(known=False))
    assert abs(without.of(2)[0] - exact.of(2)[0]) > 0.02, "without covariances another answer"


@pytest.mark.ci
def test_an_outcome_that_half_of_the_studies_lack_is_pooled_with_what_the_other_says() -> None:
    """The studies without it are lower in the other: alone its mean would be too high."""
    both = np.array([0.5, 0.62, 0.44, 0.71, 0.58, 0.39, 0.66, 0.53])
    rest = np.array([0.02, -0.1, 0.1, -0.16, 0.06, -0.05, 0.14, -0.2])
    second = both - 0.1 + 0.02 * np.array([1, -1, 1, 1, -1, -1, 1, -1])
    names = [f"study {k}" for k in range(16)]
    table = rows(
        [*names, *names[:8]], ["a"] * 16 + ["b"] * 8, np.r_[both, rest, second], np.full(24, 0.05)
    )
    covariance = np.diag(table["se"] ** 2)
    exact, alone = JointExact(table, covariance), JointExact(table, covariance, free=False)
    means = assert_joint(table, covariance, exact)
    gap = means["mean"].iloc[1] - alone.moments(1)[0]
    assert gap < -5 * ERRORS * means["mcse"].iloc[1], "by itself it is another answer"


@pytest.mark.ci
def test_schools_in_districts_have_a_spread_each_and_a_prediction_for_a_new_district() -> None:
    names = [f"school-{k + 1:02d}" for k in range(56)]
    variance = VARIANCE
    table = rows(names, ["reading"] * 56, SCHOOLS, np.sqrt(variance))
    table[f"{NESTED}district"] = [str(d) for d in DISTRICTS]
    (found,) = plans(table, np.diag(variance))
    ((_, own),) = found.found.items()
    assert [c.name for c in own.components] == ["district", "study+setting"]
    posterior = pool(found, PRIORS, SAMPLING)["posterior"].to_dataset()
    same = (DISTRICTS[:, None] == DISTRICTS).astype(float)

    def v(district: float, school: float) -> np.ndarray:
        return np.diag(variance + school**2) + district**2 * same

    def log_prior(district: float, school: float) -> float:
        """Half-normal total, uniform share: the density of both is that over the total."""
        total = district**2 + school**2
        scaled = total / PRIORS["tau"].scale ** 2
        return -0.5 * scaled + np.log(district * school) - 1.5 * np.log(total)

    exact = Exact(SCHOOLS, np.ones((56, 1)), v, (np.arange(60) + 0.5) * 0.0125, log_prior)
    table = results(found, posterior, 0.95, 1)
    whole = table.query("level == 'population'").squeeze()
    assert_agree(whole, *exact.moments(0))
    for k in range(2):
        assert_agree(taus(posterior).iloc[k], *exact.spread(k))
    new = table.query("level == 'new_district'").squeeze()
    total = np.sqrt(exact.weight @ (exact.tau**2).sum(axis=1))
    assert_agree(new, exact.moments(0)[0], np.hypot(exact.moments(0)[1], total))
    # Restricted maximum likelihood: 0.1847 (0.0846), 0.0651 between districts, 0.0327 in them.
    assert whole["mean"] == pytest.approx(0.1847, abs=0.25 * 0.0846)
    squares = (posterior["tau"] ** 2).median(("chain", "draw")).values
    np.testing.assert_allclose(squares, [0.0651, 0.0327], rtol=0.25)

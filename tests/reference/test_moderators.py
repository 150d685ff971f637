"""The second stage with moderators gives the posterior that integration on a grid gives.

Thirteen trials of the BCG vaccine against tuberculosis by their distance from the equator
(Colditz et al. 1994, JAMA 271: 698-702; the tables as in Berkey et al. 1995, Statistics in Medicine
14: 395-411, and in many books), with the restricted maximum likelihood of the same regression.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml

from helpers.repository import ROOT
from metastudy.design.moderators import MODERATED, Moderator
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.moderators import coefficients, lines
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.results import results
from metastudy.synthesis.stages import pool

pytestmark = pytest.mark.fit

# Cases and the others, vaccinated and not; degrees of latitude.
BCG = np.array(
    [
        [4, 119, 11, 128, 44], [6, 300, 29, 274, 55], [3, 228, 11, 209, 42],
        [62, 13536, 248, 12619, 52], [33, 5036, 47, 5761, 13], [180, 1361, 372, 1079, 44],
        [8, 2537, 10, 619, 19], [505, 87886, 499, 87892, 13], [29, 7470, 45, 7232, 27],
        [17, 1699, 65, 1600, 42], [186, 50448, 141, 27197, 18], [5, 2493, 3, 2338, 33],
        [27, 16886, 29, 17825, 33],
    ],
    dtype=float,
)  # fmt: skip
ALLOCATION = ["random"] * 4 + ["alternate"] * 2 + ["random"] * 3 + ["systematic"] * 4
SAMPLING = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["sampling"]
PRIORS = priors_of({"effect_logit": 0.9, "tau_logit": 0.5, "moderator_logit": 0.5})
ERRORS = 4  # Monte Carlo standard errors
LATITUDE = Moderator("latitude", (), "degrees")


def trials() -> tuple[pd.DataFrame, np.ndarray]:
    """Log risk ratios, as published effects come."""
    a, b, c, d, latitude = BCG.T
    estimate = np.log(a / (a + b)) - np.log(c / (c + d))
    variance = 1 / a - 1 / (a + b) + 1 / c - 1 / (c + d)
    table = pd.DataFrame(
        {
            "study": [f"trial-{k + 1:02d}" for k in range(13)],
            "country": [f"unknown in trial {k}" for k in range(13)],
            "sector": [f"unknown in trial {k}" for k in range(13)],
            "exposure": "vaccine_randomised",
            "exposure_name": "vaccine",
            "exposure_type": "randomised",
            "outcome": "tuberculosis",
            "family": "tuberculosis",
            "role": "not_stated",
            "vignette": "",
            "response_mode": "published",
            "metric": "log_risk_ratio",
            "n": (a + b + c + d).astype(int),
            "estimate": estimate,
            "se": np.sqrt(variance),
            "provenance": "observed",
            f"{MODERATED}latitude": latitude,
            f"{MODERATED}allocation": ALLOCATION,
        }
    )
    return table, np.diag(variance)


class Exact:
    """Moments by integration over the spread: given it, mean and coefficients are normal."""

    def __init__(self, y: np.ndarray, v: np.ndarray, x: np.ndarray, scales: list[float]) -> None:
        self.tau = np.linspace(0.001, 3, 6_000)
        mean, cov, density = [], [], []
        prior = np.diag(np.array(scales) ** -2.0)
        for tau in self.tau:
            w = 1 / (v + tau**2)
            precision = x.T @ (w[:, None] * x) + prior
            spread = np.linalg.inv(precision)
            centre = spread @ x.T @ (w * y)
            quadratic = w @ y**2 - centre @ precision @ centre
            density.append(
                0.5 * (np.log(w).sum() + np.linalg.slogdet(spread)[1] - quadratic)
                - 0.5 * (tau / PRIORS["tau_logit"].scale) ** 2
            )
            mean.append(centre)
            cov.append(np.diag(spread))
        weight = np.exp(np.array(density) - max(density))
        self.weight = weight / weight.sum()
        self.mean, self.variance = np.array(mean), np.array(cov)

    def moments(self, at: int) -> tuple[float, float]:
        first = self.weight @ self.mean[:, at]
        second = self.weight @ (self.variance[:, at] + (self.mean[:, at] - first) ** 2)
        return float(first), float(np.sqrt(second))

    def spread(self) -> tuple[float, float]:
        first = self.weight @ self.tau
        return float(first), float(np.sqrt(self.weight @ (self.tau - first) ** 2))


def assert_agree(row: pd.Series, mean: float, sd: float) -> None:
    assert abs(row["mean"] - mean) < ERRORS * row["mcse"]
    assert row["sd"] == pytest.approx(sd, rel=0.05)


@pytest.fixture(scope="module")
def fitted() -> tuple[SecondStage, xr.Dataset]:
    (found,) = plans(*trials(), [LATITUDE])
    return found, pool(found, PRIORS, SAMPLING, "log_risk_ratio")["posterior"].to_dataset()


def exact(columns: list[np.ndarray]) -> Exact:
    table, covariance = trials()
    x = np.column_stack([np.ones(13), *columns])
    scales = [0.9, *[0.5] * len(columns)]
    return Exact(table["estimate"].to_numpy(), np.diag(covariance), x, scales)


def standardised() -> np.ndarray:
    latitude = BCG[:, 4]
    return (latitude - latitude.mean()) / latitude.std(ddof=1)


@pytest.mark.ci
def test_mean_slope_and_residual_spread_are_those_of_the_grid(
    fitted: tuple[SecondStage, xr.Dataset],
) -> None:
    found, posterior = fitted
    grid = exact([standardised()])
    table = results(found, posterior, 0.95, 1)
    whole = table.query("level == 'population'").squeeze()
    assert_agree(whole, *grid.moments(0))
    assert "at the mean of latitude: 33.46 degrees" in whole["note"]
    slope = coefficients(found, posterior, 0.95).squeeze()
    assert_agree(slope, *grid.moments(1))
    tau = summarize(posterior["tau"].transpose("chain", "draw", "tau_of"), 0.95).squeeze()
    assert_agree(tau, *grid.spread())
    wrong = exact([])
    assert abs(tau["mean"] - wrong.spread()[0]) > 20 * tau["mcse"], "the spread that is left"
    new = table.query("level == 'new_study'").squeeze()
    assert_agree(new, grid.moments(0)[0], np.hypot(grid.moments(0)[1], np.sqrt(
        grid.weight @ grid.tau**2)))  # fmt: skip


@pytest.mark.ci
def test_the_slope_is_that_of_restricted_maximum_likelihood_within_what_its_prior_explains(
    fitted: tuple[SecondStage, xr.Dataset],
) -> None:
    """Per degree -0.0291 (0.0072), at latitude zero 0.2515; tau² 0.0764 (Viechtbauer 2010)."""
    found, posterior = fitted
    row = coefficients(found, posterior, 0.95).squeeze()
    degree, error = row["mean"] / row["scale"], row["sd"] / row["scale"]
    prior = 0.5 / row["scale"]
    shrunk = -0.0291 / (1 + (0.0072 / prior) ** 2)
    assert degree == pytest.approx(shrunk, abs=0.15 * 0.0072)
    assert 0.0072 < error < 1.25 * 0.0072, "the spread is not known, as in REML it is"
    at_zero = posterior["mu"].mean().item() - degree * float(row["at"])
    assert at_zero == pytest.approx(0.2515, abs=0.25 * 0.2491)
    assert (posterior["tau"] ** 2).median().item() == pytest.approx(0.0764, abs=0.0591)
    assert float(row["at"]) == pytest.approx(BCG[:, 4].mean())
    assert row["between"]
    assert row["note"] == ""


@pytest.mark.ci
def test_the_line_of_the_figure_is_mean_and_slope_at_each_latitude(
    fitted: tuple[SecondStage, xr.Dataset],
) -> None:
    found, posterior = fitted
    drawn = lines(found, posterior, 0.95)
    estimates, line = (drawn[drawn["kind"] == kind] for kind in ("estimate", "mean"))
    assert estimates["x"].tolist() == BCG[:, 4].tolist()
    slope = coefficients(found, posterior, 0.95).squeeze()
    mean = posterior["mu"].mean().item()
    expected = mean + slope["mean"] * (line["x"] - float(slope["at"])) / slope["scale"]
    np.testing.assert_allclose(line["mean"], expected, atol=1e-6)
    assert (line["x"].min(), line["x"].max()) == (13, 55)


@pytest.mark.long(of=("metastudy.synthesis.moderators", "metastudy.synthesis.stages"))
def test_a_category_beside_a_number_is_a_difference_from_its_reference(
    figures: Callable[..., None],
) -> None:
    """Latitude and allocation together; the population mean is that of random allocation."""
    kinds = Moderator("allocation", ("random", "alternate", "systematic"))
    (found,) = plans(*trials(), [LATITUDE, kinds])
    posterior = pool(found, PRIORS, SAMPLING, "log_risk_ratio")["posterior"].to_dataset()
    allocation = np.array(ALLOCATION)
    grid = exact([standardised(), *(1.0 * (allocation == k) for k in kinds.levels[1:])])
    table = coefficients(found, posterior, 0.95)
    assert table["category"].tolist() == ["", "alternate", "systematic"]
    for at in range(3):
        assert_agree(table.iloc[at], *grid.moments(at + 1))
    figures(**{row["category"] or row["moderator"]: row["mean"] for _, row in table.iterrows()})
    whole = results(found, posterior, 0.95, 1).query("level == 'population'").squeeze()
    assert_agree(whole, *grid.moments(0))
    assert "at the reference of allocation: random" in whole["note"]
    notes = set(table["note"])
    assert notes == {""}, "13 studies and 3 coefficients"

"""The second stage gives the posterior that integration on a grid gives.

Eight studies with the estimates and standard errors of the coaching experiments in eight schools
(Rubin 1981; Gelman et al., Bayesian Data Analysis, section 5.5), and wide priors.
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
from metastudy.synthesis.pooling import SecondStage, plan
from metastudy.synthesis.results import inconsistency, results
from metastudy.synthesis.stages import pool

pytestmark = pytest.mark.fit

ESTIMATE = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SE = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
PRIORS = priors_of({"effect": 50.0, "tau": 20.0})
SAMPLING = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["sampling"]
ERRORS = 4  # Monte Carlo standard errors


def schools() -> tuple[pd.DataFrame, np.ndarray]:
    """One estimate per school, as the estimates of a module come."""
    table = pd.DataFrame(
        {
            "study": list("ABCDEFGH"),
            "country": "US",
            "sector": "schools",
            "exposure": "coaching",
            "exposure_name": "coaching",
            "exposure_type": "randomised",
            "outcome": "score",
            "family": "scores",
            "vignette": "",
            "response_mode": "test",
            "metric": "sd",
            "estimate": ESTIMATE,
            "se": SE,
            "provenance": "observed",
        }
    )
    return table, np.diag(SE**2)


@pytest.fixture(scope="module")
def fitted() -> tuple[SecondStage, xr.Dataset, pd.DataFrame]:
    found = plan(*schools())
    assert found is not None
    posterior = pool(found, PRIORS, SAMPLING)["posterior"].to_dataset()
    return found, posterior, results(found, posterior, 0.95, SAMPLING["seed"])


class Grid:
    """Moments by integration: given tau all is normal, and tau is one number."""

    def __init__(self) -> None:
        self.tau = np.linspace(0.005, 120, 24_000)
        total = SE**2 + self.tau[:, None] ** 2
        precision = (1 / total).sum(1) + 1 / PRIORS["effect"].scale ** 2
        self.mean = (ESTIMATE / total).sum(1) / precision
        self.variance = 1 / precision
        # Density of the estimates given tau: that at mu = 0 by prior and posterior of mu there.
        at_zero = -0.5 * (np.log(total) + ESTIMATE**2 / total).sum(1)
        density = at_zero + 0.5 * np.log(self.variance) + 0.5 * self.mean**2 / self.variance
        density += -0.5 * (self.tau / PRIORS["tau"].scale) ** 2
        weight = np.exp(density - density.max())
        self.weight = weight / weight.sum()
        shrink = self.tau[:, None] ** 2 / total
        self.school = shrink * ESTIMATE + (1 - shrink) * self.mean[:, None]
        self.school_variance = shrink * SE**2 + (1 - shrink) ** 2 * self.variance[:, None]

    def moments(self, mean: np.ndarray, variance: np.ndarray) -> tuple[float, float]:
        first = self.weight @ mean
        return float(first), float(np.sqrt(self.weight @ (variance + (mean - first) ** 2)))


GRID = Grid()


def assert_agree(row: pd.Series, mean: float, sd: float) -> None:
    assert abs(row["mean"] - mean) < ERRORS * row["mcse"]
    assert row["sd"] == pytest.approx(sd, rel=0.05)


def test_the_population_mean_is_that_of_the_grid(fitted: tuple) -> None:
    row = fitted[2].query("level == 'population'").squeeze()
    assert_agree(row, *GRID.moments(GRID.mean, GRID.variance))
    assert row["studies"] == 8


def test_the_spread_between_studies_is_that_of_the_grid(fitted: tuple) -> None:
    row = summarize(fitted[1]["tau"].transpose("chain", "draw", "tau_of"), 0.95).squeeze()
    assert_agree(row, *GRID.moments(GRID.tau, np.zeros_like(GRID.tau)))


def test_the_inconsistency_is_that_of_the_grid(fitted: tuple) -> None:
    """The typical variance is that at which tau² / (tau² + it) is the (Q - 7) / Q of moments."""
    weight = SE**-2.0
    q = weight @ (ESTIMATE - weight @ ESTIMATE / weight.sum()) ** 2
    # The estimator of DerSimonian and Laird before it is cut at zero: here Q is less than 7.
    moments = (q - 7) / (weight.sum() - weight @ weight / weight.sum())
    typical = moments * 7 / (q - 7)
    share = GRID.tau**2 / (GRID.tau**2 + typical)
    row = inconsistency(fitted[0], fitted[1], 0.95).squeeze()
    assert abs(row["i2"] - GRID.weight @ share) < ERRORS * row["i2_mcse"]
    assert 0 < row["i2_lower"] < row["i2"] < row["i2_upper"] < 1
    assert row["parameter"] == f"tau[{fitted[1]['tau_of'].item()}]"


def test_two_estimates_of_a_study_have_no_inconsistency() -> None:
    """Nor have estimates that are not independent of each other: no typical variance is theirs."""
    table, covariance = schools()
    again = pd.concat([table, table.iloc[:1].assign(country="FI")], ignore_index=True)
    posterior = xr.Dataset()
    for given in (
        plan(again, np.diag([*SE, SE[0]]) ** 2.0),
        plan(table, covariance + 1.0),
    ):
        assert given is not None
        assert inconsistency(given, posterior, 0.95).empty


def test_every_spread_has_a_share_of_its_own() -> None:
    """Twelve studies, each country with each sector once; all weights are the same."""
    table, _ = schools()
    table = pd.concat([table, table.iloc[:4]], ignore_index=True)
    table["study"] = list("ABCDEFGHIJKL")
    table["country"] = np.repeat(["DK", "FI", "SE", "NO"], 3)
    table["sector"] = np.tile(["schools", "health", "housing"], 4)
    found = plan(table, np.eye(12) * 4.0)
    assert found is not None
    labels = [t.name for s in found.structures.values() for t in s.terms if t.kind == "varying"]
    assert sorted(labels) == ["country", "sector", "study"]
    (estimand,) = found.structures
    tau = xr.DataArray(
        np.broadcast_to([1.0, 2.0, 3.0], (2, 50, 3)),
        dims=("chain", "draw", "tau_of"),
        coords={"tau_of": [f"{estimand} {label}" for label in labels]},
    )
    shares = inconsistency(found, tau.to_dataset(name="tau"), 0.95)
    assert list(shares["parameter"]) == [f"tau[{label}]" for label in tau.tau_of.values]
    np.testing.assert_allclose(shares["i2"], np.array([1, 4, 9]) / (1 + 4 + 9 + 4))


def test_every_study_shrinks_as_on_the_grid(fitted: tuple) -> None:
    studies = fitted[2].query("level == 'study'").set_index("group")
    assert list(studies.index) == list("ABCDEFGH")
    for k, name in enumerate(studies.index):
        assert_agree(
            studies.loc[name], *GRID.moments(GRID.school[:, k], GRID.school_variance[:, k])
        )


def test_a_study_has_what_its_country_adds() -> None:
    """Given means and spreads, effects are normal: shrunk towards what the country's others say."""
    table, covariance = schools()
    table["country"] = list("ddddffss")
    found = plan(table, covariance)
    assert found is not None
    posterior = pool(found, PRIORS, SAMPLING)["posterior"].to_dataset()
    studies = results(found, posterior, 0.95, 1).query("level == 'study'").set_index("group")
    tau = posterior["tau"].stack(sample=("chain", "draw")).transpose("sample", "tau_of").values
    (study, country) = (
        tau[:, [str(of).endswith(name) for of in posterior["tau_of"].values]] ** 2
        for name in (" study", " country")
    )
    same = table["country"].to_numpy()[:, None] == table["country"].to_numpy()
    between = study[..., None] * np.eye(8) + country[..., None] * same
    gap = ESTIMATE - posterior["mu"].stack(sample=("chain", "draw")).values.reshape(-1, 1)
    shrunk = (between @ np.linalg.solve(between + covariance, gap[..., None]))[..., 0]
    expected = (ESTIMATE - gap + shrunk).mean(axis=0)
    studies = studies.loc[list("ABCDEFGH")]
    assert (np.abs(studies["mean"] - expected) < ERRORS * studies["mcse"]).all()
    assert studies["mean"].std() > 1


def test_the_prediction_for_a_new_study_is_that_of_the_grid(fitted: tuple) -> None:
    row = fitted[2].query("level == 'new_study'").squeeze()
    assert_agree(row, *GRID.moments(GRID.mean, GRID.variance + GRID.tau**2))


def test_one_country_and_one_sector_give_no_prediction_for_another(fitted: tuple) -> None:
    assert set(fitted[2]["level"]) == {"population", "study", "new_study"}


def test_correlated_estimates_are_weighed_by_their_whole_covariance() -> None:
    """Two estimands of three studies; without spread the answer is generalised least squares."""
    rng = np.random.default_rng(4)
    table = pd.concat([schools()[0].iloc[:3].assign(outcome=o) for o in ("one", "two")])
    table = table.sort_values("study", kind="stable", ignore_index=True)
    root = np.kron(np.eye(3), np.array([[1.0, 0.0], [0.8, 0.6]]))
    covariance = root @ np.diag([1, 1, 4, 1, 1, 9.0]) @ root.T
    table["estimate"] = rng.standard_normal(6)
    found = plan(table, covariance)
    assert found is not None
    posterior = pool(found, priors_of({"effect": 100.0, "tau": 1e-3}), SAMPLING)[
        "posterior"
    ].to_dataset()
    x = np.tile(np.eye(2), (3, 1))
    inverse = np.linalg.inv(covariance)
    spread = np.linalg.inv(x.T @ inverse @ x + np.eye(2) / 100.0**2)
    mean = spread @ x.T @ inverse @ table["estimate"].to_numpy()
    numbers = summarize(posterior["mu"].transpose("chain", "draw", "mu_of"), 0.95)
    assert [name.split("|")[2] for name in numbers.index] == ["one", "two"]
    assert (np.abs(numbers["mean"] - mean) < ERRORS * numbers["mcse"]).all()
    np.testing.assert_allclose(numbers["sd"], np.sqrt(np.diag(spread)), rtol=0.05)
    drawn = posterior["mu"].stack(sample=("chain", "draw")).transpose("mu_of", "sample")
    correlation = spread[0, 1] / np.sqrt(spread[0, 0] * spread[1, 1])
    assert np.corrcoef(drawn)[0, 1] == pytest.approx(correlation, abs=0.05)

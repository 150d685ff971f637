"""The second stage gives the posterior that integration on a grid gives.

Eight studies with the estimates and standard errors of the coaching experiments in eight schools
(Rubin 1981; Gelman et al., Bayesian Data Analysis, section 5.5), and wide priors. After them, few
studies: two that differ, and five in one country against one in another.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy import stats
from scipy.optimize import minimize_scalar

from helpers.exact_pooling import Exact, law_of
from helpers.repository import ROOT
from metastudy.models.priors import Prior, priors_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.influence import MOST, Fit, influence, without
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.results import inconsistency, results
from metastudy.synthesis.stages import fitter, pool

pytestmark = pytest.mark.fit

ESTIMATE = np.array([28.0, 8.0, -3.0, 7.0, -1.0, 1.0, 18.0, 12.0])
SE = np.array([15.0, 10.0, 16.0, 11.0, 9.0, 11.0, 10.0, 18.0])
PRIORS = priors_of({"effect": 50.0, "tau": 20.0})
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SAMPLING, SHIPPED = CONFIG["sampling"], CONFIG["priors"]
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
            "role": "student",
            "vignette": "",
            "response_mode": "test",
            "metric": "sd",
            "n": 60,
            "estimate": ESTIMATE,
            "se": SE,
            "provenance": "observed",
        }
    )
    return table, np.diag(SE**2)


@pytest.fixture(scope="module")
def again() -> Fit:
    """The model of the eight schools, compiled once."""
    (found,) = plans(*schools())
    return fitter(found, PRIORS)


@pytest.fixture(scope="module")
def fitted(again: Fit) -> tuple[SecondStage, xr.Dataset, pd.DataFrame]:
    (found,) = plans(*schools())
    posterior = again(found.covariance, SAMPLING)["posterior"].to_dataset()
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
    assert [c.name for c in next(iter(fitted[0].found.values())).components] == ["study+setting"]
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


def test_the_influence_of_each_study_is_that_of_the_grid_without_it(
    again: Fit, fitted: tuple[SecondStage, xr.Dataset, pd.DataFrame]
) -> None:
    found, posterior, _ = fitted
    chains = CONFIG["refits"] | {"seed": 5}
    table = influence(found, posterior, again, chains, CONFIG["refit_gates"], 0.95)
    whole, all_of_it = (GRID.moments(*two) for two in ((GRID.mean, GRID.variance), (GRID.tau, 0)))
    moved = []
    for k, row in table.iterrows():
        left = np.arange(8) != k
        own = Exact(ESTIMATE[left], np.diag(SE[left] ** 2), [np.arange(7)], stats.norm(0, 50), 20)
        mean, sd = own.moments()
        total, spread = own.moments(own.total, 0.0)
        error = ERRORS / np.sqrt(row["ess_bulk"])
        assert row["mean_without"] == pytest.approx(mean, abs=error * sd)
        assert row["total_without"] == pytest.approx(total, abs=error * spread)
        assert row["shift"] == pytest.approx((mean - whole[0]) / whole[1], abs=2 * error)
        assert row["total"] == pytest.approx(all_of_it[0], rel=0.05)
        moved.append(abs(mean - whole[0]) > error * sd)
    assert any(moved), "the posterior with all of them would not pass"
    assert table["study"].tolist() == list("ABCDEFGH")
    assert table.loc[[0, 6], "shift"].lt(-0.2).all(), "the two largest estimates raise the mean"
    assert (table["missed"] == "").all()
    assert (table["studies"] == 8).all()


def test_a_left_out_study_that_misses_a_gate_says_so(
    again: Fit, fitted: tuple[SecondStage, xr.Dataset, pd.DataFrame]
) -> None:
    chains = {"chains": 2, "tune": 50, "draws": 50, "target_accept": 0.9, "seed": 5}
    table = influence(*fitted[:2], again, chains, CONFIG["refit_gates"] | {"ess_bulk": 1000}, 0.95)
    assert table["missed"].str.contains(r"bulk ESS \d+").all()


def test_a_left_out_study_keeps_the_covariances_of_the_others() -> None:
    table, _ = schools()
    both = table.assign(study=[*"AABBCDEF"], sector=[*"xyxyxxxx"])
    covariance = np.diag(SE**2)
    covariance[0, 1] = covariance[1, 0] = covariance[2, 3] = covariance[3, 2] = 50.0
    (found,) = plans(both, covariance)
    given = without(found, "A")
    assert ((given == 0) == (found.covariance == 0)).all()
    np.testing.assert_array_equal(given[2:, 2:], found.covariance[2:, 2:])
    assert (given[:2, :2] > 1e6 * found.covariance[:2, :2]).all()


def test_many_studies_are_not_left_out_one_by_one(again: Fit) -> None:
    table, _ = schools()
    one = table.iloc[[0] * (MOST + 1)].assign(study=[f"s{k}" for k in range(MOST + 1)])
    (found,) = plans(one.reset_index(drop=True), np.eye(MOST + 1))
    assert influence(found, xr.Dataset(), again, {}, {}, 0.95).empty


def test_two_estimates_of_a_study_have_no_inconsistency() -> None:
    """Nor have estimates that are not independent of each other: no typical variance is theirs."""
    table, covariance = schools()
    again = pd.concat([table, table.iloc[:1].assign(country="FI")], ignore_index=True)
    posterior = xr.Dataset()
    for given in (
        *plans(again, np.diag([*SE, SE[0]]) ** 2.0),
        *plans(table, covariance + 1.0),
    ):
        assert inconsistency(given, posterior, 0.95).empty


def test_every_spread_has_a_share_of_its_own() -> None:
    """Twelve studies, each country with each sector once; all weights are the same."""
    table, _ = schools()
    table = pd.concat([table, table.iloc[:4]], ignore_index=True)
    table["study"] = list("ABCDEFGHIJKL")
    table["country"] = np.repeat(["DK", "FI", "SE", "NO"], 3)
    table["sector"] = np.tile(["schools", "health", "housing"], 4)
    (found,) = plans(table, np.eye(12) * 4.0)
    ((estimand, own),) = found.found.items()
    labels = [component.name for component in own.components]
    assert labels == ["study+setting", "country", "sector"]
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


@pytest.mark.ci
def test_a_study_has_what_its_country_adds() -> None:
    """Given means and spreads, effects are normal: shrunk towards what the country's others say."""
    table, covariance = schools()
    table["country"] = list("ddddffss")
    (found,) = plans(table, covariance)
    posterior = pool(found, PRIORS, SAMPLING)["posterior"].to_dataset()
    studies = results(found, posterior, 0.95, 1).query("level == 'study'").set_index("group")
    tau = posterior["tau"].stack(sample=("chain", "draw")).transpose("sample", "tau_of").values
    (study, country) = (
        tau[:, [str(of).endswith(name) for of in posterior["tau_of"].values]] ** 2
        for name in (" study+setting", " country")
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


@pytest.mark.ci
def test_correlated_estimates_are_weighed_by_their_whole_covariance() -> None:
    """Two estimands of three studies; without spread the answer is generalised least squares."""
    rng = np.random.default_rng(4)
    table = pd.concat([schools()[0].iloc[:3].assign(outcome=o) for o in ("one", "two")])
    table = table.sort_values("study", kind="stable", ignore_index=True)
    root = np.kron(np.eye(3), np.array([[1.0, 0.0], [0.8, 0.6]]))
    covariance = root @ np.diag([1, 1, 4, 1, 1, 9.0]) @ root.T
    table["estimate"] = rng.standard_normal(6)
    (found,) = plans(table, covariance)
    # Two studies and more measure both, so that what is between studies is joint, and near zero.
    priors = priors_of({"effect": 100.0, "tau": 1e-3, "effect_correlation": 2.0})
    posterior = pool(found, priors, SAMPLING)["posterior"].to_dataset()
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


# --- few studies ---------------------------------------------------------------------------------


def made(estimate: np.ndarray, se: np.ndarray, country: list[str]) -> SecondStage:
    """The plan of studies of one estimand."""
    names = [f"study-{k}" for k in range(len(estimate))]
    table = schools()[0].iloc[:1].loc[[0] * len(estimate)].reset_index(drop=True)
    table = table.assign(study=names, country=country, estimate=estimate, se=se)
    (found,) = plans(table, np.diag(se**2))
    return found


def fit(found: SecondStage, priors: dict[str, Prior]) -> tuple[xr.Dataset, pd.DataFrame]:
    posterior = pool(found, priors, SAMPLING)["posterior"].to_dataset()
    return posterior, results(found, posterior, 0.95, 1, effect=priors["effect"])


def assert_positive(row: pd.Series, posterior: xr.Dataset, exact: float) -> None:
    """Within four Monte Carlo standard errors of the probability of a mean above zero."""
    above = (posterior["mu"] > 0).astype(float).transpose("chain", "draw", "mu_of")
    error = summarize(above, 0.95)["mcse"].item()
    assert abs(row["positive"] - exact) < ERRORS * error


def test_two_studies_that_differ_say_little_of_the_population() -> None:
    """0.0 and 0.6, each with a standard error of 0.08: no midpoint of the two is a population."""
    y, se = np.array([0.0, 0.6]), np.full(2, 0.08)
    exact = Exact(y, np.diag(se**2), [np.arange(2)], law_of(0.5), 0.3)
    assert exact.positive == pytest.approx(0.855, abs=0.005)
    found = made(y, se, ["DK", "DK"])
    posterior, table = fit(found, priors_of({"effect": 0.5, "tau": 0.3}))
    row = table.query("level == 'population'").squeeze()
    assert_agree(row, *exact.moments())
    assert_positive(row, posterior, exact.positive)
    assert_agree(table.query("level == 'new_study'").squeeze(), *exact.new(0))
    assert row["lower"] < 0 < row["upper"]
    assert row["positive"] < 0.9


@pytest.fixture(scope="module")
def five_against_one() -> tuple[Exact, xr.Dataset, pd.DataFrame]:
    """Five studies of one country, one of another, under the shipped priors."""
    y = np.array([0.35, 0.375, 0.40, 0.425, 0.45, 0.0])
    country = ["DK"] * 5 + ["US"]
    se = np.full(6, 0.08)
    groupings = [np.arange(6), np.array(country)]
    exact = Exact(y, np.diag(se**2), groupings, law_of(SHIPPED["effect"]), SHIPPED["tau"])
    return exact, *fit(made(y, se, country), priors_of(SHIPPED))


@pytest.mark.ci
def test_five_studies_against_one_are_no_two_halves(five_against_one: tuple) -> None:
    exact, posterior, table = five_against_one
    row = table.query("level == 'population'").squeeze()
    assert_agree(row, *exact.moments())
    assert_positive(row, posterior, exact.positive)
    assert row["sd"] > 0.1, "of two countries nobody knows a population as of six studies"
    for component, name in enumerate(("study+setting", "country")):
        tau = posterior["tau"].sel(tau_of=[t for t in posterior["tau_of"].values if name in t])
        numbers = summarize(tau.transpose("chain", "draw", "tau_of"), 0.95).squeeze()
        first = exact.weight @ exact.tau[:, component]
        square = exact.weight @ exact.tau[:, component] ** 2
        assert_agree(numbers, first, np.sqrt(square - first**2))


@pytest.mark.ci
def test_predictions_are_one_new_setting_and_contain_what_is_at_hand(
    five_against_one: tuple,
) -> None:
    exact, _, table = five_against_one
    own = table.set_index(["level", "group"])
    assert_agree(own.loc[("new_study", "")], *exact.new(0))
    new_country = exact.moments(noise=exact.total**2)  # a new country has a new study as well
    assert_agree(own.loc[("new_country", "")], *new_country)
    for at, country in enumerate(("DK", "US")):
        assert_agree(own.loc[("country", country)], *exact.level(1, at))
        assert_agree(own.loc[("next_in_country", country)], *exact.next_in(1, at))
    assert own.loc[("new_study", ""), "mean"] > own.loc[("population", ""), "mean"], (
        "most settings at hand are of the country with the larger effects"
    )


def restricted_likelihood(y: np.ndarray, se: np.ndarray) -> tuple[float, float]:
    """Mean and its standard error by restricted maximum likelihood (Viechtbauer 2005)."""

    def at(square: float) -> tuple[float, float, float]:
        w = 1 / (se**2 + square)
        mean = w @ y / w.sum()
        value = 0.5 * (np.log(w).sum() - np.log(w.sum()) - w @ (y - mean) ** 2)
        return -value, mean, w.sum() ** -0.5

    best = minimize_scalar(lambda square: at(square)[0], bounds=(0, 4), method="bounded")
    return at(best.x)[1:]


def test_a_large_effect_is_not_pulled_by_the_shipped_priors() -> None:
    """A mean of 1.9 with a standard error of 0.13 is within a quarter of it of REML."""
    se = np.linspace(0.1, 0.25, 16)
    y = 1.9 + 0.52 * stats.norm.ppf(((7 * np.arange(16) + 3) % 16 + 0.5) / 16)
    y = y + 1.9 - restricted_likelihood(y, se)[0]
    mean, error = restricted_likelihood(y, se)
    assert mean == pytest.approx(1.9, abs=0.001)
    assert error == pytest.approx(0.13, abs=0.001)

    def integrated(effect: float | dict[str, float]) -> Exact:
        return Exact(y, np.diag(se**2), [np.arange(16)], law_of(effect), SHIPPED["tau"])

    exact = integrated(SHIPPED["effect"])
    assert abs(exact.moments()[0] - mean) < 0.25 * error
    assert integrated(0.5).moments()[0] < mean - 0.8 * error, "as a narrow normal prior pulls it"
    _, table = fit(made(y, se, ["DK"] * 16), priors_of(SHIPPED))
    row = table.query("level == 'population'").squeeze()
    assert_agree(row, *exact.moments())
    assert row["prior_pull"] == pytest.approx((exact.moments()[0] - mean) / error, abs=0.05)

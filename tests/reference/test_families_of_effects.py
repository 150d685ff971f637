"""Outcomes of a family in the second stage give the posterior that integration gives.

Two outcomes of the same people, which point opposite ways, with the correlation of their deviations
free; and three outcomes of studies of their own, of which one has no direction. What is integrated
here has nothing of the project's in it. In the limits it is the closed form, as statsmodels
has it: without the family the inverse-variance mean of each outcome, without a spread of all.
"""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy import stats
from scipy.special import logsumexp
from statsmodels.stats.meta_analysis import combine_effects

from helpers.repository import ROOT
from metastudy.calibration.rank_bands import uniformity
from metastudy.calibration.simulation_based import Simulation, fit_and_rank, for_short_chains
from metastudy.calibration.synthesis import (
    from_estimates,
    truths_from_posterior,
    truths_from_priors,
)
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.families import apart, beside
from metastudy.synthesis.influence import without
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.priors import priors_of_plan
from metastudy.synthesis.results import results
from metastudy.synthesis.stages import pool

pytestmark = pytest.mark.fit

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
SAMPLING = CONFIG["sampling"]
SHORT = {"chains": 2, "tune": 250, "draws": 200, "target_accept": 0.9}
SIMULATIONS, KEPT, SEED = 40, 49, 11
NUMBERS = {"effect": 0.5, "tau": 0.3, "outcomes": 0.3, "effect_correlation": 2.0}
PRIORS = MappingProxyType(priors_of(NUMBERS))
ERRORS = 4  # Monte Carlo standard errors
SLICES = 40  # of the prior of each standard deviation


def rows(study: list[str], outcome: list[str], y: np.ndarray, se: np.ndarray) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": [f"{s}|{o}" for s, o in zip(study, outcome, strict=True)], "study": study,
            "country": "DK", "sector": "care", "role": "professional",
            "exposure": "e_randomised", "exposure_name": "e", "exposure_type": "randomised",
            "outcome": outcome, "family": "f", "vignette": "", "response_mode": "m", "metric": "sd",
            "n": 100, "estimate": y, "se": se, "provenance": "observed",
        }
    )  # fmt: skip


def slices(scale: float, number: int = SLICES) -> np.ndarray:
    """Points of a half-normal prior that stand for the same mass each."""
    return np.asarray(stats.halfnorm(scale=scale).ppf((np.arange(number) + 0.5) / number))


def agree(draws: xr.DataArray, mean: float, sd: float) -> None:
    """Mean and standard deviation within their Monte Carlo errors."""
    row = summarize(draws.expand_dims("x").transpose("chain", "draw", "x"), 0.95).iloc[0]
    assert abs(row["mean"] - mean) < ERRORS * row["mcse"]
    error = np.sqrt((stats.kurtosis(draws, axis=None) + 2) / (4 * row["ess"]))
    assert row["sd"] == pytest.approx(sd, rel=ERRORS * error)


SIGN = np.array([1.0, -1.0])
Y = np.array([[0.5, -0.3], [0.1, -0.5], [0.4, 0.1], [0.2, -0.1], [0.7, -0.6], [0.3, -0.4]])
SE = np.array([[0.15, 0.2], [0.1, 0.15], [0.2, 0.25], [0.15, 0.1], [0.25, 0.2], [0.1, 0.12]])


def both(correlation: float = 0.4) -> tuple[pd.DataFrame, np.ndarray]:
    """Six studies of two outcomes, whose estimates are correlated."""
    names = list(np.repeat([f"s{k}" for k in range(len(Y))], 2))
    table = rows(names, ["a", "b"] * len(Y), Y.ravel(), SE.ravel())
    same = np.equal.outer(names, names) & ~np.eye(len(names), dtype=bool)
    return table, np.outer(table["se"], table["se"]) * (np.eye(len(names)) + correlation * same)


class Joint:
    """Moments of both means, the family's and the spread, given the studies at some places.

    Both heterogeneities, the correlation and the spread are on a grid; given these all is normal.
    ``other`` numbers of the priors take the place of ``NUMBERS``.
    """

    def __init__(self, at: list[int], **other: float) -> None:
        n = NUMBERS | other
        tau, r = slices(n["tau"]), (np.arange(SLICES) + 0.5) / (SLICES / 2) - 1
        one, two, both_ = (grid.ravel() for grid in np.meshgrid(tau, tau, r, indexing="ij"))
        precision, shift = np.zeros((len(one), 2, 2)), np.zeros((len(one), 2))
        log = (n["effect_correlation"] - 1) * np.log1p(-(both_**2))  # LKJ
        for k in at:
            s = np.empty((len(one), 2, 2))
            s[:, 0, 0], s[:, 1, 1] = SE[k, 0] ** 2 + one**2, SE[k, 1] ** 2 + two**2
            s[:, 0, 1] = s[:, 1, 0] = 0.4 * SE[k].prod() + one * two * both_
            inverse = np.linalg.inv(s)
            precision, shift = precision + inverse, shift + inverse @ Y[k]
            log = log - 0.5 * (np.linalg.slogdet(s)[1] + Y[k] @ inverse @ Y[k])
        parts = []
        for omega in slices(n["outcomes"]):
            prior = omega**2 * np.eye(2) + n["effect"] ** 2 * np.outer(SIGN, SIGN)
            k = np.linalg.inv(precision + np.linalg.inv(prior))
            mean = (k @ shift[..., None])[..., 0]
            weight = log + 0.5 * np.einsum("ni,ni->n", shift, mean)
            weight = weight + 0.5 * (np.linalg.slogdet(k)[1] - np.linalg.slogdet(prior)[1])
            of_family = 1 / (1 / n["effect"] ** 2 + 2 / omega**2)
            slope = of_family / omega**2 * SIGN
            parts.append((weight, mean, k, omega, mean @ slope, of_family + slope @ k @ slope))
        logs = np.concatenate([p[0] for p in parts])
        self.weight = np.exp(logs - logsumexp(logs))
        self.mean = np.concatenate([p[1] for p in parts])
        self.cov = np.concatenate([p[2] for p in parts])
        self.omega = np.repeat([p[3] for p in parts], len(one))
        self.correlation = np.tile(both_, len(parts))
        self.family = np.concatenate([p[4] for p in parts])
        self.of_family = np.concatenate([p[5] for p in parts])

    def moments(self, mean: np.ndarray, variance: np.ndarray | float = 0.0) -> tuple[float, float]:
        first = self.weight @ mean
        second = self.weight @ (mean**2 + variance)
        return float(first), float(np.sqrt(second - first**2))


class Model:
    """One compiled model of the two outcomes, for other covariances and priors."""

    def __init__(self) -> None:
        (self.found,) = plans(*both(), signs={"a": 1, "b": -1})
        self.y = self.found.table["estimate"].to_numpy()
        own = priors_of_plan(PRIORS, "sd", self.found)
        more = {"families": self.found.families}
        self.built = synthesis_model.build(
            self.y, self.found.covariance, self.found.design, *own, **more
        )
        self.compiled = compile_model(self.built)

    def draws(self, covariance: np.ndarray | None = None, **numbers: float) -> xr.Dataset:
        covariance = self.found.covariance if covariance is None else covariance
        own = priors_of_plan(priors_of(NUMBERS | numbers), "sd", self.found)
        given = synthesis_model.packed(self.y, covariance, self.found.design, *own)
        tree = draw(self.compiled, SAMPLING, 1, given)
        assert int(tree["sample_stats"]["diverging"].sum()) == 0
        return tree["posterior"].to_dataset()


@pytest.fixture(scope="module")
def model() -> Model:
    return Model()


@pytest.mark.ci
@pytest.mark.parametrize("outcomes", [0.15, 0.3, 0.6])
def test_two_outcomes_of_the_same_people_are_as_on_the_grid_with_the_spread_halved_and_doubled(
    model: Model, outcomes: float
) -> None:
    assert model.found.design.joint is not None, "deviations are correlated"
    draws, exact = model.draws(outcomes=outcomes), Joint([*range(len(Y))], outcomes=outcomes)
    for at, name in enumerate(model.found.design.means):
        own = exact.moments(exact.mean[:, at], exact.cov[:, at, at])
        agree(draws["mu"].sel(mu_of=name), *own)
    agree(
        draws["family_mean"].isel(directed_family=0), *exact.moments(exact.family, exact.of_family)
    )
    agree(draws["outcome_tau"].isel(family_of=0), *exact.moments(exact.omega))
    assert (draws["log_prior"].std() > 0).item()


@pytest.mark.ci
def test_without_a_study_they_are_as_on_the_grid_without_it(model: Model) -> None:
    draws, exact = model.draws(without(model.found, "s4")), Joint([0, 1, 2, 3, 5])
    for at, name in enumerate(model.found.design.means):
        own = exact.moments(exact.mean[:, at], exact.cov[:, at, at])
        agree(draws["mu"].sel(mu_of=name), *own)


@pytest.mark.ci
def test_without_the_family_each_mean_is_that_of_statsmodels() -> None:
    """With a flat prior and neither heterogeneity nor covariance: the inverse-variance mean."""
    table, covariance = both(0.0)
    (found,) = plans(table, covariance, signs={"a": 1, "b": -1})
    flat = priors_of(NUMBERS | {"effect": 1e3, "tau": 1e-4})
    draws = pool(apart(found), flat, SAMPLING)["posterior"].to_dataset()
    assert "outcome_tau" not in draws
    for at, name in enumerate(found.design.means):
        own = combine_effects(Y[:, at], SE[:, at] ** 2).summary_frame().loc["fixed effect"]
        agree(draws["mu"].sel(mu_of=name), own["eff"], own["sd_eff"])


def test_no_spread_gives_one_mean_of_all_estimates_towards_one_side(model: Model) -> None:
    variance = np.diag(model.found.covariance)
    draws = model.draws(np.diag(variance), outcomes=1e-4, effect=1e3, tau=1e-4)
    one = combine_effects((Y * SIGN).ravel(), SE.ravel() ** 2).summary_frame().loc["fixed effect"]
    agree(draws["family_mean"].isel(directed_family=0), one["eff"], one["sd_eff"])
    for sign, name in zip(SIGN, model.found.design.means, strict=True):
        agree(draws["mu"].sel(mu_of=name), sign * one["eff"], one["sd_eff"])


@pytest.mark.ci
@pytest.mark.parametrize("source", ["prior", "posterior"])
def test_a_family_is_calibrated_and_one_whose_spread_is_taken_for_small_is_not(
    model: Model, source: str
) -> None:
    """Ranks of all quantities together; the wrong model is given a tenth of the prior's width."""
    own = priors_of_plan(PRIORS, "sd", model.found)
    if source == "prior":
        truths = truths_from_priors(model.built, model.found, SIMULATIONS, SEED)
    else:
        truths = truths_from_posterior(
            model.compiled, model.found, SAMPLING | {"seed": SEED}, SIMULATIONS
        )
    made = [*from_estimates(model.built, model.found, own, truths, SEED, source == "posterior")]
    gates = for_short_chains(CONFIG["gates"], SAMPLING, SHORT)

    def ranked(simulations: list[Simulation]) -> pd.DataFrame:
        sampling = SAMPLING | SHORT
        return fit_and_rank(model.compiled, simulations, sampling, KEPT, gates)[0]

    right = ranked(made)
    assert {"family_mean", "outcome_tau", "mu", "correlation"} <= set(right["parameter"])
    found = uniformity(right)
    assert found["together"].all(), found[~found["together"]]
    if source == "prior":
        narrow = (*own[:-1], own[-1].scaled(0.1))
        wide, less = (
            synthesis_model.packed(model.y, model.found.covariance, model.found.design, *priors)
            for priors in (own, narrow)
        )
        wrong = [replace(one, given=one.given + (less - wide)) for one in made]
        assert not uniformity(ranked(wrong))["together"].all()


# Three outcomes of studies of their own; the last has no direction.
ALONE: dict[str, tuple[int, Any, Any]] = {
    "a": (1, np.array([0.9, 0.4, 0.7, 0.5]), np.array([0.2, 0.15, 0.25, 0.1])),
    "b": (-1, np.array([-0.1, -0.4]), np.array([0.2, 0.25])),
    "c": (0, np.array([0.3, 0.0, 0.2]), np.array([0.15, 0.2, 0.1])),
}
LAW = {"family": "student_t", "scale": 0.5, "df": 2.5}


class Apart:
    """The same by one integral for each outcome: the heterogeneities are independent given mu."""

    def __init__(self, m: np.ndarray, log_prior: np.ndarray, omega: np.ndarray) -> None:
        self.tau = slices(NUMBERS["tau"], 200)
        log = np.tile(log_prior, (len(omega), 1))  # (omega, m)
        self.given: dict[str, tuple[np.ndarray, ...]] = {}
        for name, (sign, y, se) in ALONE.items():
            v = se**2 + self.tau[:, None] ** 2
            square = 1 / (1 / v).sum(axis=1)
            centre = square * (y / v).sum(axis=1)
            own = 0.5 * (np.log(square) - (np.log(v) + (y - centre[:, None]) ** 2 / v).sum(axis=1))
            spread = omega[:, None] ** 2 + square  # (omega, tau)
            # (omega, m, tau)
            each = own + stats.norm.logpdf(centre, sign * m[:, None], np.sqrt(spread)[:, None, :])
            gain = omega[:, None] ** 2 / spread
            mean = gain[:, None] * centre + (1 - gain)[:, None] * sign * m[:, None]
            variance = np.broadcast_to((gain * square)[:, None], mean.shape)
            log = log + logsumexp(each, axis=-1)
            self.given[name] = (each, mean, variance)
        self.weight = np.exp(log - logsumexp(log))
        self.m, self.omega = m, omega

    def moments(self, name: str, new: bool = False) -> tuple[float, float]:
        """Of an outcome's mean, or of the effect in a new study."""
        each, mean, variance = self.given[name]
        weight = self.weight[..., None] * np.exp(each - logsumexp(each, axis=-1, keepdims=True))
        first = (weight * mean).sum()
        more = self.tau**2 if new else 0.0
        second = (weight * (mean**2 + variance + more)).sum()
        return float(first), float(np.sqrt(second - first**2))

    def family(self) -> tuple[float, float]:
        weight = self.weight.sum(axis=0)
        first = weight @ self.m
        return float(first), float(np.sqrt(weight @ self.m**2 - first**2))


@pytest.fixture(scope="module")
def three() -> tuple[SecondStage, xr.Dataset, pd.DataFrame]:
    """The plan of the three, its draws and its table of results."""
    parts = [
        rows([f"{o}{k}" for k in range(len(y))], [o] * len(y), y, se)
        for o, (_, y, se) in ALONE.items()
    ]
    table = pd.concat(parts, ignore_index=True)
    signs = {name: sign for name, (sign, _, _) in ALONE.items()}
    (found,) = plans(table, np.diag(table["se"] ** 2), signs=signs)
    priors = priors_of(NUMBERS | {"effect": LAW})
    draws = pool(found, priors, SAMPLING)["posterior"].to_dataset()
    made = results(found, draws, 0.95, 1, {"sd": 0.1}, (), priors["effect"])
    alone = pool(apart(found), priors, SAMPLING)["posterior"].to_dataset()
    return found, draws, beside(made, found, alone, 0.95)


@pytest.mark.ci
def test_the_table_has_outcomes_the_familys_mean_and_predictions_as_integrated(
    three: tuple[SecondStage, xr.Dataset, pd.DataFrame],
) -> None:
    _, draws, made = three
    m = np.linspace(-2.5, 2.5, 1001)
    law = stats.t(LAW["df"], scale=LAW["scale"])
    exact = Apart(m, law.logpdf(m), slices(NUMBERS["outcomes"], 100))
    means = made[made["level"] == "population"].set_index("outcome")
    new = made[made["level"] == "new_study"].set_index("outcome")
    for name in ALONE:
        mean, sd = exact.moments(name)
        assert abs(means.loc[name, "mean"] - mean) < ERRORS * means.loc[name, "mcse"]
        assert means.loc[name, "sd"] == pytest.approx(sd, rel=0.05)
        mean, sd = exact.moments(name, new=True)
        assert abs(new.loc[name, "mean"] - mean) < ERRORS * new.loc[name, "mcse"]
        assert new.loc[name, "sd"] == pytest.approx(sd, rel=0.05)
    (family,) = made[made["level"] == "family"].to_dict("records")
    agree(draws["family_mean"].isel(directed_family=0), *exact.family())
    assert abs(family["mean"] - exact.family()[0]) < ERRORS * family["mcse"]
    assert (family["outcome"], family["group"], family["studies"]) == ("f", "f", 6)


@pytest.mark.ci
def test_beside_each_outcome_is_its_mean_without_the_family(
    three: tuple[SecondStage, xr.Dataset, pd.DataFrame],
) -> None:
    """The grid of one outcome: a mean with the prior of an effect."""
    _, _, made = three
    means = made[made["level"] == "population"].set_index("outcome")
    tau = slices(NUMBERS["tau"], 200)
    mu = np.linspace(-2.5, 2.5, 2001)
    for name, (_, y, se) in ALONE.items():
        v = se**2 + tau[:, None] ** 2
        log = stats.norm.logpdf(y[:, None, None], mu, np.sqrt(v).T[:, :, None]).sum(axis=0)
        log = log + stats.t(LAW["df"], scale=LAW["scale"]).logpdf(mu)
        weight = np.exp(log - logsumexp(log)).sum(axis=0)
        mean = weight @ mu
        sd = np.sqrt(weight @ mu**2 - mean**2)
        row = means.loc[name]
        assert abs(row["mean_apart"] - mean) < ERRORS * row["sd_apart"] / np.sqrt(row["ess"] / 2)
        assert row["sd_apart"] == pytest.approx(sd, rel=0.05)
        assert row["lower_apart"] < mean < row["upper_apart"]
        assert np.isnan(row["prior_pull"]), "its prior is the family's"
    others = made[made["level"] != "population"]
    assert others["mean_apart"].isna().all()

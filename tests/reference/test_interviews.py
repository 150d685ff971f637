"""A world in which some people tell more than others: the main model's check says so, and the
analysis with an effect of the interview finds by how much.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import arviz as az
import numpy as np
import pytest
import xarray as xr
import yaml
from scipy.special import expit, logit
from scipy.stats import norm

from helpers.hand_made import coding_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.harmonized.study import Study
from metastudy.inference.convergence import gates
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.model import build as build_codings
from metastudy.models.codings.observations import Interviews, observe_interviews
from metastudy.models.codings.predictive import draw_interviews
from metastudy.models.interviews.cells import interview_cells
from metastudy.models.interviews.kind import over_interviews
from metastudy.models.interviews.model import NODES, build
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts

pytestmark = [pytest.mark.slow, pytest.mark.fit, pytest.mark.ci]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
PRIORS = priors_of(CONFIG["priors"])
SAMPLING = {"chains": 2, "tune": 500, "draws": 700, "target_accept": 0.9, "seed": 3}
THRESHOLDS = {"rhat": 1.03, "ess_bulk": 150, "ess_tail": 150, "divergences": 0, "ebfmi": 0.3}
ORGANISATIONS, EACH = 24, 8
CODES = [
    *("role_change", "uncertainty", "lack_of_tools_methods", "reduced_discretion"),
    *("accountability_ties", "job_insecurity", "morale", "value_conflict"),
]
TAU, CONTRAST, MEAN = 1.2, 0.6, -0.8
SENSITIVITY, SPECIFICITY = 0.9, 0.95


def world(seed: int) -> Study:
    """Interviews that differ in how much they tell; every third is read by two coders.

    Their effects are normal scores, so that their spread is what it is called.
    """
    rng = np.random.default_rng(seed)
    talks, kinds = [], []
    number = ORGANISATIONS * EACH
    effects = iter(TAU * rng.permutation(norm.ppf((np.arange(number) + 0.5) / number)))
    for o in range(ORGANISATIONS):
        side = 0.5 if o % 2 else -0.5
        of_code = MEAN + 0.4 * rng.standard_normal() + CONTRAST * side
        for i in range(EACH):
            there = rng.random(len(CODES)) < expit(of_code + next(effects))
            chance = np.where(there, SENSITIVITY, 1 - SPECIFICITY)
            said = {
                f"coder-{k}": [c for c, p in zip(CODES, chance, strict=True) if rng.random() < p]
                for k in range(1 + (i % 3 == 0))
            }
            talks.append((f"org-{o:02d}", said))
            kinds.append("org_mission" if side > 0 else "state_policy")
    exposures = [{"attribute": "arrangement", "type": "organisational"}]
    return coding_study("talks", talks, CODES, exposures, arrangement=kinds)


class Fits(NamedTuple):
    """The world's cells and posteriors, by the main model and by that of interviews."""

    cells: xr.Dataset
    rows: Interviews
    main: xr.DataTree
    own: xr.DataTree
    finer: xr.DataTree  # with twice as many nodes


@pytest.fixture(scope="module")
def fits() -> Fits:
    study = world(11)
    counts = code_cells([study], "strain", VOCABULARY)
    cells = interview_cells([study], "strain", VOCABULARY)
    return Fits(
        cells,
        observe_interviews([study], counts),
        draw(compile_model(build_codings(counts, PRIORS)), SAMPLING),
        draw(compile_model(build(cells, PRIORS)), SAMPLING),
        draw(compile_model(build(cells, PRIORS, 2 * NODES)), SAMPLING | {"seed": 4}),
    )


def posterior(tree: xr.DataTree) -> xr.Dataset:
    return tree["posterior"].to_dataset()


def test_the_fit_passes_gates(fits: Fits) -> None:
    stats = fits.own["sample_stats"].to_dataset()
    missed = [g for g in gates(posterior(fits.own), stats, THRESHOLDS) if not g["passed"]]
    assert missed == []


def test_the_spread_of_interviews_comes_back(fits: Fits, figures: Callable[..., None]) -> None:
    tau = posterior(fits.own)["interview_tau"]
    lower, upper = tau.quantile([0.025, 0.975]).values
    figures(tau=float(tau.mean()), lower=float(lower), upper=float(upper))
    assert lower < TAU < upper
    assert lower > 0.6


def flat(draws: xr.Dataset, step: int = 5) -> xr.Dataset:
    found = draws.stack(sample=("chain", "draw"), create_index=False).transpose("sample", ...)
    return found.isel(sample=slice(None, None, step))


def test_only_the_model_with_an_effect_of_the_interview_has_their_spread(fits: Fits) -> None:
    """The check by which the main model is found wanting, made of both."""
    rng = np.random.default_rng(5)
    observed = np.nansum(fits.rows.first, axis=1).std(ddof=1)
    names = ["presence", "sensitivity", "specificity"]
    of_main = draw_interviews(fits.rows, flat(posterior(fits.main)[names]), rng)
    main = [np.nansum(first, axis=1).std(ddof=1) for first, _ in of_main]
    assert observed > np.quantile(main, 0.975)
    own, spread = flat(posterior(fits.own)), []
    for at in range(own.sizes["sample"]):
        one = own.isel(sample=at)
        effect = float(one["interview_tau"]) * rng.standard_normal(len(fits.rows.unit))
        there = rng.random(fits.rows.first.shape) < expit(
            one["log_odds"].values[fits.rows.unit] + effect[:, None]
        )
        chance = np.where(there, one["sensitivity"].item(), 1 - one["specificity"].item())
        spread.append((rng.random(there.shape) < chance).sum(axis=1).std(ddof=1))
    assert np.quantile(spread, 0.025) < observed < np.quantile(spread, 0.975)


def test_prevalences_stay_and_the_contrast_of_a_family_holds_the_truth(
    fits: Fits, figures: Callable[..., None]
) -> None:
    """Without the effect organisations take up a part of it, so neither interval must be wider."""
    of_main = fits.cells.assign_attrs(variant="main", model="codings")
    main = contrasts(of_main, fits.main).table(0.95)
    own = contrasts(fits.cells, fits.own).table(0.95)
    keys = ["estimand", "level", "outcome", "metric", "group"]
    both = main.merge(own, on=keys, suffixes=("", "_own"))
    prevalence = both[both["estimand"].eq("mean") & both["level"].eq("population")]
    assert len(prevalence) == len(CODES)
    assert (prevalence["mean_own"] - prevalence["mean"]).abs().max() < 0.05
    family = both[both["outcome"].eq("strain_coded") & both["level"].eq("population")].iloc[0]
    figures(sd=family["sd"], sd_own=family["sd_own"])
    truth = over(CONTRAST)
    assert family["lower_own"] < truth < family["upper_own"]


def over(contrast: float) -> float:
    """The contrast over interviews that is `contrast` within one, by a large sample."""
    effects = TAU * np.random.default_rng(1).standard_normal(200_000)
    low, high = (expit(MEAN + side * contrast + effects).mean() for side in (-0.5, 0.5))
    return float(logit(high) - logit(low))


def test_twice_as_many_nodes_move_nothing_by_more_than_its_monte_carlo_error(fits: Fits) -> None:
    """Means of all parameters, of other seeds, beside the errors of both."""
    names = ["interview_tau", "contrast", "gamma", "alpha", "sensitivity", "specificity"]
    names += ["organisation_tau", "code_tau", "prevalence"]
    apart = []
    for name in names:
        one, two = (posterior(tree)[name] for tree in (fits.own, fits.finer))
        error = np.hypot(*(az.mcse(each.to_dataset())[name] for each in (one, two)))
        gap = one.mean(("chain", "draw")) - two.mean(("chain", "draw"))
        apart.append(np.ravel(gap / error))
    apart = np.concatenate(apart)
    assert len(apart) > 20
    assert np.abs(apart).max() < 4
    assert np.sqrt((apart**2).mean()) < 1.5


def test_presence_within_and_over_interviews_are_not_the_same(fits: Fits) -> None:
    """Over interviews a rare code is more frequent than in the interview in the middle."""
    draws = posterior(fits.own)
    within = expit(draws["log_odds"]).mean()
    over_all = over_interviews(fits.cells, draws)["presence"].mean()
    assert float(over_all) > float(within) + 0.02

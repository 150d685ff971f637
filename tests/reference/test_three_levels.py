"""Effects of countries with one or two sites are those of a three-level model of another package.

One made experiment: people at sites, sites in countries, most of which have one site or two. An
effect differs between sites wherever they are, so that what one site says of its country is less
than its own standard error. statsmodels says so at its estimates of the variances, and integration
under the priors of the configuration without them. The wrong model, in which sites vary only in
countries with three or more of them, misses both.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from statsmodels.regression.mixed_linear_model import MixedLM

from helpers.exact_pooling import law_of
from helpers.hand_made import answer_study
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from helpers.three_levels_exact import Sites, ThreeLevels, integrated
from metastudy.inference.sampling import compile_model, draw
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.kind import build
from metastudy.models.priors import priors_of
from metastudy.posterior.contrasts import contrasts

pytestmark = [pytest.mark.fit, pytest.mark.slow, pytest.mark.ci]

SCALES = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"]
SAMPLING = {"chains": 2, "tune": 500, "draws": 1500, "target_accept": 0.95, "seed": 7}
OUTCOME = "threat_quality"
SITES = np.array([1] * 13 + [2] * 8 + [5] * 5 + [6])  # of each country: 27 countries, 60 sites
FEW = 2  # sites: so many in a country, and the wrong model does not let them vary
MEAN, COUNTRY_SD, SITE_SD, LEVEL_SD = 0.2, 0.25, 0.27, 0.2


def people() -> pd.DataFrame:
    """Answers in POMP, the arm and the place of everybody; in a site half are in each arm."""
    rng = np.random.default_rng(20264)
    parts = []
    for c, sites in enumerate(SITES):
        of_country = MEAN + COUNTRY_SD * rng.standard_normal()
        for s in range(sites):
            n = 2 * int(rng.integers(60, 130))
            effect = of_country + SITE_SD * rng.standard_normal()
            level = LEVEL_SD * rng.standard_normal()
            x = rng.permutation(np.resize([-0.5, 0.5], n))
            y = 50 + 20 * (level + effect * x + rng.standard_normal(n))
            parts.append(
                pd.DataFrame({"y": y, "x": x, "country": f"C{c:02}", "site": f"C{c:02}-{s}"})
            )
    return pd.concat(parts, ignore_index=True)


def in_standard_units(table: pd.DataFrame) -> np.ndarray:
    """Answers in standard deviations of the people of a country in the arm without the exposure."""
    square, df = 0.0, 0
    for _, mine in table[table["x"] < 0].groupby("country"):
        square += float(((mine["y"] - mine["y"].mean()) ** 2).sum())
        df += len(mine) - 1
    return table["y"].to_numpy() / (np.sqrt(square / df) / (1 - 3 / (4 * df - 1)))


def estimates(table: pd.DataFrame) -> Sites:
    """The difference between the arms at each site; the residual variance is one for all."""
    arms = table.groupby(["site", "x"])["z"].agg(["mean", "var", "count"])
    residual = (arms["var"] * (arms["count"] - 1)).sum() / (arms["count"] - 1).sum()
    mean, count = arms["mean"].unstack(), arms["count"].unstack()
    country = table.groupby("site")["country"].first().to_numpy(dtype=str)
    return Sites(
        (mean[0.5] - mean[-0.5]).to_numpy(),
        residual * (1 / count).sum(axis=1).to_numpy(),
        country,
        np.ones(len(mean), dtype=bool),
    )


def in_few(sites: Sites) -> np.ndarray:
    """Which countries have one site or two."""
    return np.unique(sites.country, return_counts=True)[1] <= FEW


def sites_vary_where_there_are_three(sites: Sites) -> Sites:
    """The wrong model."""
    of_site = in_few(sites)[np.unique(sites.country, return_inverse=True)[1]]
    return replace(sites, varies=~of_site)


@dataclass(frozen=True)
class Found:
    """Effects of countries, their standard deviations and the Monte Carlo errors of both."""

    mean: np.ndarray
    sd: np.ndarray
    mcse: np.ndarray
    mcse_sd: np.ndarray
    spreads: xr.Dataset

    def instead(self, other: ThreeLevels) -> Found:
        return replace(self, mean=other.mean, sd=other.sd)


@dataclass(frozen=True)
class Experiment:
    found: Found
    sites: Sites
    exact: ThreeLevels
    wrong: ThreeLevels
    table: pd.DataFrame


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    table = people().assign(z=lambda t: in_standard_units(t))
    study = answer_study(
        "sites",
        {(OUTCOME, "volunteers_at_work"): table["y"].to_numpy()},
        {"task_type": np.where(table["x"] > 0, "core", "complementary")},
        [OUTCOME],
        [{"factor": "task_type", "type": "randomised"}],
        org=list(table["site"]),
        country=table["country"].to_numpy(),
    )
    cells = answer_cells([study], "threat", VOCABULARY)
    posterior = draw(compile_model(build(cells, priors_of(SCALES))), SAMPLING)
    rows = contrasts(cells, posterior).table(0.95)
    kept = (rows["estimand"] == "effect") & (rows["level"] == "study") & (rows["metric"] == "sd")
    rows = rows[kept].sort_values("country")
    sites = estimates(table)
    assert list(rows["country"]) == list(sites.countries)
    found = Found(
        rows["mean"].to_numpy(),
        rows["sd"].to_numpy(),
        rows["mcse"].to_numpy(),
        (rows["sd"] / np.sqrt(2 * rows["ess"])).to_numpy(),
        posterior["posterior"].to_dataset()[["tau", "site_tau"]],
    )
    priors = law_of(SCALES["effect"]), SCALES["tau"], SCALES["tau"]
    return Experiment(
        found,
        sites,
        integrated(sites, *priors),
        integrated(sites_vary_where_there_are_three(sites), *priors),
        table,
    )


ERRORS = 4.5  # Monte Carlo errors: of 54 numbers one in 2,700 runs is further off
ROUNDING = 0.01  # of a standard deviation: what knowing the residual variance makes


def check(found: Found, exact: ThreeLevels) -> None:
    """All 27 countries, against integration under the same priors."""
    off = np.abs(found.mean - exact.mean)
    assert (off < ERRORS * found.mcse + ROUNDING * exact.sd).all()
    off = np.abs(found.sd - exact.sd)
    assert (off < ERRORS * found.mcse_sd + ROUNDING * exact.sd).all()


def test_effects_of_countries_are_those_of_integration_under_the_same_priors(
    experiment: Experiment, figures: Callable[..., None]
) -> None:
    found, exact, wrong = experiment.found, experiment.exact, experiment.wrong
    few = in_few(experiment.sites)
    figures(
        sd_few=float(found.sd[few].mean()),
        exact_few=float(exact.sd[few].mean()),
        wrong_ratio=float((wrong.sd / exact.sd)[few].mean()),
        largest_z=float((np.abs(found.mean - exact.mean) / found.mcse).max()),
        largest_ratio=float(np.abs(found.sd / exact.sd - 1).max()),
    )
    check(found, exact)
    with pytest.raises(AssertionError):
        check(found.instead(wrong), exact)


def test_countries_and_sites_have_the_spreads_of_integration(
    experiment: Experiment, figures: Callable[..., None]
) -> None:
    """Without sites that vary everywhere, the spread of countries takes up that of sites."""
    exact, wrong, draws = experiment.exact, experiment.wrong, experiment.found.spreads
    (country,) = draws["tau"].transpose("tau_of", ...)
    site = draws["site_tau"].sel(coefficient="task_type_randomised").squeeze("outcome")
    figures(
        country=float(country.mean()),
        exact_country=exact.country_sd[0],
        wrong_country=wrong.country_sd[0],
        site=float(site.mean()),
        exact_site=exact.site_sd[0],
        wrong_site=wrong.site_sd[0],
    )
    close = 0.15  # of a posterior standard deviation: four errors of 700 effective draws
    for mine, (mean, sd) in ((country, exact.country_sd), (site, exact.site_sd)):
        assert abs(float(mine.mean()) - mean) < close * sd
        assert float(mine.std()) == pytest.approx(sd, rel=close)
    assert abs(wrong.country_sd[0] - exact.country_sd[0]) > close * exact.country_sd[1]


def three_level_model(table: pd.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """statsmodels: a country's effect and its prediction error, at the REML variances.

    The effect differs between countries and between their sites. Levels of sites are taken out:
    half of a site's people are in each arm, so they say nothing of its effect.
    """
    centred = table.assign(z=table["z"] - table.groupby("site")["z"].transform("mean"))
    model = MixedLM.from_formula(
        "z ~ 0 + x",
        centred,
        groups="country",
        re_formula="0 + x",
        vc_formula={"effect": "0 + C(site):x"},
    )
    fitted = model.fit(reml=True)
    assert fitted.converged
    names = np.unique(table["country"])
    own = np.array([fitted.random_effects[name]["x"] for name in names])
    conditional = np.array([fitted.random_effects_cov[n].loc["x", "x"] for n in names])
    # The estimated mean's error enters by the part of a country's effect that is the mean's.
    rest = conditional / float(fitted.cov_re.iloc[0, 0])
    variance = conditional + rest**2 * fitted.bse_fe["x"] ** 2
    return fitted.fe_params["x"] + own, np.sqrt(variance)


def test_effects_of_one_site_countries_are_those_of_a_three_level_model_of_statsmodels(
    experiment: Experiment, figures: Callable[..., None]
) -> None:
    few = in_few(experiment.sites)
    blup, error = (one[few] for one in three_level_model(experiment.table))

    def beside(mean: np.ndarray, sd: np.ndarray) -> tuple[float, float]:
        """How far means are off, in standard deviations, and the ratio of these."""
        return float(np.abs((mean[few] - blup) / error).max()), float((sd[few] / error).mean())

    found = experiment.found
    off, ratio = beside(found.mean, found.sd)
    wrong_off, wrong_ratio = beside(experiment.wrong.mean, experiment.wrong.sd)
    figures(off=off, ratio=ratio, wrong_off=wrong_off, wrong_ratio=wrong_ratio)
    # REML takes its variances as known; the posterior's standard deviation has their uncertainty,
    # and the priors of the spreads.
    assert off < 0.25
    assert 0.95 < ratio < 1.15
    assert wrong_off > 0.25
    assert not 0.95 < wrong_ratio < 1.15

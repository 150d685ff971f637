"""Refits of the second stage with other priors give what integration with those priors gives.

One estimand of eight studies, and two outcomes of a family whose deviations are correlated.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import xarray as xr
import yaml
from scipy import stats

from helpers.exact_pooling import Exact
from helpers.repository import ROOT
from metastudy.common.result_tables import checked
from metastudy.models.priors import priors_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.influence import Fit
from metastudy.synthesis.pooling import SecondStage, plans
from metastudy.synthesis.prior_scales import prior_scales
from metastudy.synthesis.results import results
from metastudy.synthesis.stages import fitter
from reference.test_families_of_effects import NUMBERS as OF_FAMILY
from reference.test_families_of_effects import Joint, Y, agree, both
from reference.test_second_stage import ESTIMATE, SE, schools

pytestmark = pytest.mark.fit

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))
CHAINS = {"chains": 4, "tune": 500, "draws": 1000, "target_accept": 0.95, "retries": 1, "seed": 3}
GATES = CONFIG["refit_gates"]
# Narrow priors of estimates that are more precise than they were: both decide something.
NARROW, SHARPER = {"effect": 6.0, "tau": 4.0}, 0.4
ERRORS = 4  # Monte Carlo standard errors
type Fitted = tuple[SecondStage, xr.Dataset, pd.DataFrame]


def exact(effect: float, tau: float) -> Exact:
    v = np.diag((SHARPER * SE) ** 2)
    return Exact(ESTIMATE, v, [np.arange(8)], stats.norm(0, effect), tau)


@pytest.fixture(scope="module")
def again() -> Fit:
    """The model of the eight schools, compiled once."""
    table, covariance = schools()
    (found,) = plans(table, SHARPER**2 * covariance)
    return fitter(found, priors_of(NARROW))


@pytest.fixture(scope="module")
def fitted(again: Fit) -> Fitted:
    table, covariance = schools()
    (found,) = plans(table, SHARPER**2 * covariance)
    draws = again(found.covariance, CHAINS)["posterior"].to_dataset()
    return found, draws, results(found, draws, 0.95, 1)


def assert_agree(row: pd.Series, mean: float, sd: float) -> None:
    error = ERRORS / np.sqrt(row["ess"])
    assert row["mean"] == pytest.approx(mean, abs=error * sd)
    assert row["sd"] == pytest.approx(sd, rel=error)


def test_each_prior_halved_and_doubled_and_both_at_once_are_as_on_the_grid(
    again: Fit, fitted: Fitted
) -> None:
    found, draws, made = fitted
    priors, ropes = priors_of(NARROW), {"sd": 1.0}
    table = prior_scales(made, found, "sd", priors, again, draws, CHAINS, GATES, 0.95, ropes)
    checked("prior_scales", table)
    assert (table["missed"] == "").all()
    whole = exact(**NARROW).moments()
    moved = {}
    for (key, factor), row in table.set_index(["prior_key", "factor"]).iterrows():
        varied = NARROW if key == "all" else {key: NARROW[key]}
        own = exact(**NARROW | {name: factor * scale for name, scale in varied.items()})
        mean, sd = own.moments()
        assert_agree(row, mean, sd)
        error = ERRORS / np.sqrt(row["ess"])
        assert row["positive"] == pytest.approx(own.positive, abs=error / 2)
        assert row["shift"] == pytest.approx((mean - whole[0]) / whole[1], abs=2 * error)
        moved[key, factor] = max(abs(mean / whole[0] - 1) * whole[0] / sd, abs(sd / whole[1] - 1))
        assert moved[key, factor] > error, "the posterior with the priors as they are would pass"
    assert list(moved) == [(k, f) for k in ("effect", "tau", "all") for f in (0.5, 2.0)]
    said = table.set_index(["prior_key", "factor"])["note"]
    assert said["tau", 2.0] == "half-normal, scale 8"
    assert said["all", 0.5] == "normal, scale 3; half-normal, scale 2"


def test_priors_as_they_are_give_the_main_numbers(again: Fit, fitted: Fitted) -> None:
    found, draws, made = fitted
    same = again(found.covariance, CHAINS, priors_of(NARROW))["posterior"].to_dataset()
    xr.testing.assert_identical(same["mu"], draws["mu"])
    other = again(found.covariance, CHAINS | {"seed": 4}, priors_of(NARROW))["posterior"]["mu"]
    row = summarize(other.transpose("chain", "draw", "mu_of"), 0.95).iloc[0]
    whole = made.query("level == 'population'").squeeze()
    assert row["mean"] == pytest.approx(whole["mean"], abs=ERRORS * np.sqrt(2) * whole["mcse"])


def test_a_refit_that_misses_a_gate_says_so(again: Fit, fitted: Fitted) -> None:
    found, draws, made = fitted
    few = {"chains": 2, "tune": 50, "draws": 50, "target_accept": 0.9, "seed": 5}
    gates = GATES | {"ess_bulk": 1000}
    narrow = priors_of(NARROW)
    table = prior_scales(made, found, "sd", narrow, again, draws, few, gates, 0.95, {})
    assert table["missed"].str.contains(r"bulk ESS \d+").all()
    assert table["rope"].isna().all(), "no region of this metric was given"


@pytest.mark.ci
def test_outcomes_of_a_family_and_their_correlation_are_as_on_the_grid() -> None:
    """Five priors and all of them; the shape of the correlation's is doubled where it is halved."""
    (found,) = plans(*both(), signs={"a": 1, "b": -1})
    priors = priors_of(OF_FAMILY)
    fit = fitter(found, priors)
    draws = fit(found.covariance, CHAINS)["posterior"].to_dataset()
    made = results(found, draws, 0.95, 1)
    table = prior_scales(made, found, "sd", priors, fit, draws, CHAINS, GATES, 0.95, {"sd": 0.1})
    assert (table["missed"] == "").all()
    assert set(table["prior_key"]) == {*OF_FAMILY, "all"}
    assert table.groupby(["prior_key", "factor"])["kind"].apply(list).map(len).eq(3).all()
    plain, moved = Joint([*range(len(Y))]), []
    for (key, factor), rows in table.groupby(["prior_key", "factor"]):
        factors = {k: 1 / factor if k == "effect_correlation" else factor for k in OF_FAMILY}
        varied = OF_FAMILY if key == "all" else {key: OF_FAMILY[str(key)]}
        own = Joint([*range(len(Y))], **{k: factors[k] * v for k, v in varied.items()})
        for _, row in rows.iterrows():
            if row["kind"] == "family":
                of = [(each.family, each.of_family) for each in (own, plain)]
            else:
                at = list(found.design.means).index(row["id"])
                of = [(each.mean[:, at], each.cov[:, at, at]) for each in (own, plain)]
            (mean, sd), whole = own.moments(*of[0]), plain.moments(*of[1])
            assert_agree(row, mean, sd)
            error = ERRORS / np.sqrt(row["ess"])
            if abs(mean - whole[0]) > error * sd or abs(sd / whole[1] - 1) > error:
                moved.append((key, factor))
    assert {key for key, _ in moved} == {"effect", "tau", "outcomes", "all"}
    for shape in (1.0, 4.0):  # which moves no mean beyond its error here
        number = {"effect_correlation": shape}
        draws = fit(found.covariance, CHAINS, priors_of(OF_FAMILY | number))["posterior"]
        own = Joint([*range(len(Y))], **number)
        agree(draws["correlation"].isel(pair_of=0), *own.moments(own.correlation))

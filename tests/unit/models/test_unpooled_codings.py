"""A study's own estimate is of the same kind as the model's contrast: within an organisation.

So where one study says enough, and priors are wide, the two agree, and what is between them
elsewhere is pooling.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import xarray as xr
from scipy.integrate import quad
from scipy.optimize import brentq
from scipy.special import expit, logit
from scipy.stats import norm

from helpers.coding_worlds import one_study
from helpers.raw_studies import VOCABULARY
from metastudy.models.codings.corrections import accuracy
from metastudy.models.codings.estimates import blocks
from metastudy.models.codings.kind import population_effects
from metastudy.models.codings.marginal import conditional, marginal, slope
from metastudy.models.priors import priors_of

CONTRAST, SD = 1.0, 1.0


def estimated(cells: xr.Dataset) -> tuple[float, float]:
    """The study's own estimate and its standard error."""
    ((table, covariance),) = blocks(cells, VOCABULARY)
    return float(table["estimate"].item()), float(np.sqrt(covariance.item()))


def over_organisations(cells: xr.Dataset) -> float:
    """The log-odds ratio of shares over organisations, corrected for coders' errors."""
    single, double = cells["single"].values, cells["double"].values
    s, t = accuracy(cells)
    applied = single[..., 0] + double[..., :2].sum(-1)
    total = single.sum(-1) + double.sum(-1)
    x = cells["x"].values[:, 0]
    share = [
        (applied[side].sum(0) / total[side].sum(0) - (1 - t)) / (s + t - 1)
        for side in (x < 0, x > 0)
    ]
    return float((logit(share[1]) - logit(share[0])).mean())


def share_of(log_odds: float, sd: float) -> float:
    """Share over organisations, by SciPy."""
    return float(quad(lambda z: expit(log_odds + sd * z) * norm.pdf(z), -9, 9, epsabs=1e-13)[0])


@pytest.mark.parametrize("sd", [0.0, 0.5, 1.0, 2.0])
@pytest.mark.parametrize("log_odds", [-4.0, -0.7, 0.0, 2.5])
def test_shares_over_groups_and_log_odds_within_one_follow_from_each_other(
    log_odds: float, sd: float
) -> None:
    want = share_of(log_odds, sd)
    assert float(marginal(log_odds, sd)) == pytest.approx(want, rel=1e-5)
    found = float(conditional(np.array(want), sd))
    assert found == pytest.approx(log_odds, abs=1e-4)
    inverse = brentq(lambda at: share_of(at, sd) - want, -20, 20, xtol=1e-10)
    assert found == pytest.approx(inverse, abs=1e-4)
    step = 1e-4
    numeric = (share_of(log_odds + step, sd) - share_of(log_odds - step, sd)) / (2 * step)
    assert float(slope(log_odds, sd)) == pytest.approx(numeric, rel=1e-4)


def test_the_more_organisations_the_nearer_a_study_comes_to_the_contrast_within_one() -> None:
    """What is said over organisations stays as far away as it was."""
    apart, other = [], []
    for organisations in (400, 6400):
        cells = one_study(organisations, 12, seed=organisations, sd=SD, contrast=CONTRAST)
        estimate, error = estimated(cells)
        assert abs(estimate - CONTRAST) < 3 * error
        apart.append(error)
        other.append((over_organisations(cells) - CONTRAST) / error)
    assert apart[1] == pytest.approx(apart[0] / 4, rel=0.15)
    limit = logit(share_of(-0.5, SD)) - logit(share_of(-1.5, SD)) - CONTRAST
    assert limit < -0.1
    assert other[1] < -4, "an estimate of the other kind would be seen to be one"


@pytest.mark.ci
def test_its_standard_error_is_its_spread_over_many_samples() -> None:
    found = np.array([estimated(one_study(60, 8, seed)) for seed in range(150)])
    estimates, errors = found.T
    assert estimates.mean() == pytest.approx(CONTRAST, abs=3 * estimates.std() / np.sqrt(150))
    assert np.median(errors) == pytest.approx(estimates.std(ddof=1), rel=0.2)


def test_where_organisations_do_not_differ_both_kinds_are_one() -> None:
    cells = one_study(2000, 10, 3, sd=0.0)
    estimate, error = estimated(cells)
    assert abs(estimate - CONTRAST) < 3 * error
    assert estimate == pytest.approx(over_organisations(cells), abs=0.03)


WIDE = priors_of(
    {
        "prevalence": 5.0,
        "effect_logit": 10.0,
        "tau_logit": 3.0,
        "accuracy_a": 1.0,
        "accuracy_b": 1.0,
    }
)
SAMPLING = {"chains": 2, "tune": 400, "draws": 500, "target_accept": 0.9, "seed": 5}


@pytest.mark.fit
@pytest.mark.long(of=("metastudy.models.codings.kind", "metastudy.inference.sampling"))
def test_of_one_study_that_says_enough_the_model_says_what_the_study_says(
    figures: Callable[..., None],
) -> None:
    """Wide priors, two sizes: the distance in posterior standard deviations, and that of the other
    kind of estimate."""
    from metastudy.inference.sampling import compile_model, draw
    from metastudy.models.codings.model import build

    apart, sds, wrong = [], [], []
    for organisations in (60, 240):
        cells = one_study(organisations, 20, seed=organisations, sd=SD, contrast=CONTRAST)
        tree = draw(compile_model(build(cells, WIDE)), SAMPLING)
        effect = population_effects(tree["posterior"].to_dataset(), cells).isel(effect=0)
        mean, sd = float(effect.mean()), float(effect.std())
        estimate, _ = estimated(cells)
        apart.append(estimate - mean)
        sds.append(sd)
        wrong.append(over_organisations(cells) - mean)
    figures(apart=apart[1], sd=sds[1], over_organisations=wrong[1])
    assert abs(apart[1]) < 0.35 * sds[1]
    assert abs(apart[1]) < abs(wrong[1]) / 4, "what is said over organisations is another thing"
    assert wrong[1] < -0.1

"""Models of selection: what they give is what the same model gives when computed otherwise."""

from __future__ import annotations

import numpy as np
import pytest
import statsmodels.api as sm
from scipy import stats
from scipy.optimize import brentq

from helpers.exact_pooling import Exact
from helpers.selection_worlds import experiments
from metastudy.models.priors import Prior
from metastudy.synthesis.grid import Grid
from metastudy.synthesis.selection import affirmative, bound, plain, regression, step_function

EFFECT, BETWEEN = (
    Prior("student_t", {"scale": 0.5, "df": 2.5}),
    Prior("half_normal", {"scale": 0.3}),
)
LAWS = stats.t(2.5, scale=0.5), stats.halfnorm(scale=0.3)
FLAT, NONE = Prior("normal", {"scale": 100.0}), Prior("half_normal", {"scale": 1e-5})
Y, SE, ALONE = experiments(np.random.default_rng(5), 0.2, 12)


def dense(y: np.ndarray, se: np.ndarray, selected: bool) -> tuple[np.ndarray, ...]:
    """Mean and SD of mean, heterogeneity and weight: study by study, on one fixed wide grid."""
    mu = np.linspace(-1.2, 1.2, 301)[:, None, None]
    tau = np.linspace(0.002, 1.2, 150)[None, :, None]
    weight = ((np.arange(60) + 0.5) / 60)[None, None, :] if selected else np.ones((1, 1, 1))
    log = LAWS[0].logpdf(mu) + LAWS[1].logpdf(tau)
    for one, s in zip(y, se, strict=True):
        law = stats.norm(mu, np.sqrt(s**2 + tau**2))
        up = stats.norm.sf(one / s) < 0.025
        cut = stats.norm.isf(0.025) * s
        share = law.sf(cut) + weight * law.cdf(cut)  # of the studies like this one that are seen
        log = log + law.logpdf(one) + np.log(np.where(up, 1.0, weight)) - np.log(share)
    mass = np.exp(log - log.max())
    mass = mass / mass.sum()
    means = np.array([(mass * axis).sum() for axis in (mu, tau, weight)])
    squares = np.array([(mass * axis**2).sum() for axis in (mu, tau, weight)])
    return means, np.sqrt(np.maximum(squares - means**2, 0))


def moments(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    found = [grid.moments(axis) for axis in range(grid.mass.ndim)]
    return np.array([f[0] for f in found]), np.array([f[1] for f in found])


def test_random_effects_without_selection_are_those_of_another_integration() -> None:
    grid = plain(Y, SE, EFFECT, BETWEEN)
    exact = Exact(Y, np.diag(SE**2), [np.arange(len(Y))], LAWS[0], 0.3)
    assert grid.moments(0) == pytest.approx(exact.moments(), abs=0.0005)
    assert 1 - grid.below(0, 0.0) == pytest.approx(exact.positive, abs=0.0005)
    assert grid.moments(1)[0] == pytest.approx(exact.weight @ exact.total, abs=0.001)


def test_step_function_selection_is_the_weighted_density_study_by_study() -> None:
    means, sds = moments(step_function(Y, SE, EFFECT, BETWEEN))
    expected, spread = dense(Y, SE, selected=True)
    np.testing.assert_allclose(means, expected, atol=0.001)
    np.testing.assert_allclose(sds, spread, rtol=0.01)
    without, _ = dense(Y, SE, selected=False)
    assert abs(means[0] - without[0]) > 0.03, "without selection it is another mean"


def test_a_finer_grid_gives_the_same_numbers() -> None:
    before = step_function(Y, SE, EFFECT, BETWEEN)
    after = step_function(Y, SE, EFFECT, BETWEEN, (201, 81, 121))
    assert after.mass.shape != before.mass.shape
    for axis in range(3):
        assert before.moments(axis) == pytest.approx(after.moments(axis), rel=0.003, abs=2e-4)
        assert before.interval(axis, 0.95) == pytest.approx(after.interval(axis, 0.95), abs=0.003)


@pytest.mark.parametrize("power", [1, 2], ids=["PET", "PEESE"])
def test_without_heterogeneity_and_prior_the_regressions_are_weighted_least_squares(
    power: int,
) -> None:
    grid, slope, sd = regression(Y, SE, ALONE**power, FLAT, NONE)
    fit = sm.WLS(Y, sm.add_constant(ALONE**power), 1 / SE**2).fit(cov_type="fixed scale")
    assert [grid.moments(0)[0], slope] == pytest.approx(list(fit.params), rel=0.002, abs=2e-4)
    assert [grid.moments(0)[1], sd] == pytest.approx(list(fit.bse), rel=0.005)
    alone = sm.WLS(Y, np.ones(len(Y)), 1 / SE**2).fit()
    assert abs(grid.moments(0)[0] - alone.params[0]) > 0.008, "the plain mean is another one"


def test_a_regression_on_errors_that_are_all_alike_is_refused() -> None:
    with pytest.raises(ValueError, match="all alike"):
        regression(Y, SE, np.full(len(Y), 0.2), EFFECT, BETWEEN)


def test_the_worst_case_pools_what_is_not_affirmative_and_the_ratios_bring_it_to_zero() -> None:
    y, se = np.append(Y, [-0.25, -0.2, -0.3]), np.append(SE, [0.11, 0.1, 0.12])
    found = bound(y, se, FLAT, NONE)
    up = affirmative(y, se)
    w = 1 / se**2
    assert found.worst is not None
    assert found.worst.moments(0)[0] == pytest.approx((w * y)[~up].sum() / w[~up].sum(), abs=2e-4)
    closed = -(w * y)[up].sum() / (w * y)[~up].sum()  # Mathur and VanderWeele, common effect
    assert closed > 1
    assert found.to_zero == pytest.approx(closed, rel=1e-4)

    def lower(ratio: float) -> float:
        each = np.where(up, 1, ratio) * w
        return float(each @ y / each.sum() - 1.96 * np.sqrt((each**2) @ se**2) / each.sum())

    assert found.to_interval == pytest.approx(brentq(lower, 1, closed), rel=1e-3)
    assert found.to_interval < found.to_zero


def test_where_others_point_the_same_way_no_selection_explains_the_mean() -> None:
    y, se = np.array([0.5, 0.4, 0.1, 0.12]), np.array([0.1, 0.1, 0.08, 0.09])
    found = bound(y, se, EFFECT, BETWEEN)
    assert np.isinf(found.to_zero)


@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_the_grid_finds_the_mass_whatever_the_unit(scale: float) -> None:
    effect, between = EFFECT.scaled(scale), BETWEEN.scaled(scale)
    grid = step_function(scale * Y, scale * SE, effect, between)
    base = step_function(Y, SE, EFFECT, BETWEEN)
    assert grid.moments(0)[0] / scale == pytest.approx(base.moments(0)[0], abs=1e-4)
    assert grid.moments(2) == pytest.approx(base.moments(2), abs=1e-4)


def test_one_precise_study_among_vague_ones_is_not_lost_between_the_cells() -> None:
    y, se = np.array([0.2, 5.0, -5.0, 3.0]), np.array([0.001, 20.0, 20.0, 20.0])
    mean, sd = plain(y, se, FLAT, NONE).moments(0)
    assert mean == pytest.approx(0.2, abs=1e-4)
    assert sd == pytest.approx(0.001, rel=0.02)


def test_an_effect_far_from_its_prior_is_still_weighed_by_it() -> None:
    normal = Prior("normal", {"scale": 0.1})
    mean, sd = plain(np.array([4.0, 4.0]), np.array([0.2, 0.2]), normal, NONE).moments(0)
    assert mean == pytest.approx(4 * 0.01 / (0.01 + 0.02), abs=0.001)
    assert sd == pytest.approx((1 / (1 / 0.01 + 1 / 0.02)) ** 0.5, rel=0.01)

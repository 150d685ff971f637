"""Blocks of the second stage: the density and its gradients are those of the dense matrix."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from scipy.stats import multivariate_normal

from metastudy.design.effects import EffectDesign, Part, effect_design
from metastudy.design.identification import Component, Identification
from metastudy.models.densities import compiled
from metastudy.models.prior_simulation import log_likelihood, parameters
from metastudy.models.priors import Prior
from metastudy.synthesis import blocks as module
from metastudy.synthesis import model as synthesis_model
from metastudy.synthesis.blocks import BlockNormal, blocks, in_blocks

EFFECT, BETWEEN = Prior("normal", {"scale": 0.5}), Prior("half_normal", {"scale": 0.3})


def designed(estimand: np.ndarray, groupings: dict[str, np.ndarray]) -> EffectDesign:
    """A design in which each estimand has a component of its own for each grouping."""
    parts = []
    for e in np.unique(estimand):
        rows = np.flatnonzero(estimand == e)
        components = []
        for name, codes in groupings.items():
            levels, index = np.unique(codes[rows], return_inverse=True)
            components.append(Component((name,), tuple(map(str, levels)), index))
        found = Identification(len(rows), tuple(components), None)
        name = f"e{e}"
        parts.append(Part(name, "", rows, [name] * len(rows), found, np.arange(len(rows))))
    return effect_design(len(estimand), parts)


def correlated(study: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A covariance in which the estimates of a study are correlated."""
    covariance = np.zeros((len(study), len(study)))
    for s in np.unique(study):
        mine = np.flatnonzero(study == s)
        root = rng.normal(size=(len(mine), len(mine) + 2))
        covariance[np.ix_(mine, mine)] = 0.01 * root @ root.T
    return covariance


def dense(design: EffectDesign, covariance: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """Covariance of the estimates: the likelihood's and that of the levels that they share."""
    z = np.zeros((len(covariance), len(design.levels)))
    for row, levels in enumerate(design.level_of):
        for level in levels[levels >= 0]:
            z[row, level] = 1
    return covariance + (z * variance[design.component_of]) @ z.T


def case(name: str) -> tuple[EffectDesign, np.ndarray]:
    rng = np.random.default_rng([3, *map(ord, name)])
    rows = 40
    study = rng.integers(0, 15, rows)
    estimand = rng.integers(0, 3, rows)
    country, sector = study // 3, study % 4  # countries hold studies, sectors cross them
    unit = np.arange(rows)
    groupings = {
        "none": {},
        "one": {"study": study},
        "nested": {"country": country, "study": study, "setting": unit},
        "crossed": {"study": study, "country": country, "sector": sector},
        "woven": {"study": study, **{f"of {k}": study % k for k in (3, 4, 5)}},
        "alone": {"setting": unit},
    }[name]
    independent = name == "alone"
    covariance = np.diag(rng.uniform(0.01, 0.1, rows)) if independent else correlated(study, rng)
    return designed(estimand, groupings), covariance


CASES = ["none", "one", "nested", "crossed", "woven", "alone"]


@pytest.mark.parametrize("largest", [1, 6, 32])
@pytest.mark.parametrize("name", CASES)
def test_value_and_gradients_are_those_of_the_dense_normal(
    name: str, largest: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever links blocks and whatever lies in them."""
    monkeypatch.setattr(module, "LARGEST", largest)
    design, covariance = case(name)
    rng = np.random.default_rng(8)
    variance = rng.uniform(0.01, 0.3, max(len(design.components), 1))
    residual = rng.normal(size=len(covariance))
    found = blocks(design, covariance)
    v = in_blocks(found, covariance)
    density = compiled(BlockNormal())
    value, of_residual, of_variance = density(residual[found.row], v, variance, *found.arrays)

    def exact(residual: np.ndarray, variance: np.ndarray) -> float:
        total = dense(design, covariance, variance) if design.levels else covariance
        return float(multivariate_normal.logpdf(residual, np.zeros(len(total)), total))

    assert value == pytest.approx(exact(residual, variance), rel=1e-9)
    step = 1e-5
    for row in range(len(residual)):
        off = step * np.eye(len(residual))[found.row[row]]
        slope = (exact(residual + off, variance) - exact(residual - off, variance)) / (2 * step)
        assert of_residual[row] == pytest.approx(slope, rel=1e-5, abs=1e-5)
    for c in range(len(design.components)):
        off = step * np.eye(len(variance))[c]
        slope = (exact(residual, variance + off) - exact(residual, variance - off)) / (2 * step)
        assert of_variance[c] == pytest.approx(slope, rel=1e-5, abs=1e-4)
    assert (of_variance[len(design.components) :] == 0).all()


def test_a_variance_of_zero_is_no_variance() -> None:
    design, covariance = case("crossed")
    residual = np.random.default_rng(2).normal(size=len(covariance))
    found = blocks(design, covariance)
    given = (residual[found.row], in_blocks(found, covariance), np.zeros(len(design.components)))
    value, *gradients = compiled(BlockNormal())(*given, *found.arrays)
    exact = multivariate_normal.logpdf(residual, np.zeros(len(residual)), covariance)
    assert value == pytest.approx(exact, rel=1e-9)
    assert all(np.isfinite(gradient).all() for gradient in gradients)


def test_estimates_of_a_study_are_in_one_block_and_what_crosses_links_blocks() -> None:
    rng = np.random.default_rng(0)
    study = np.repeat(np.arange(100), 3)
    sector = study % 5
    design = designed(np.tile(np.arange(3), 100), {"study": study, "sector": sector})
    found = blocks(design, correlated(study, rng))
    for low, high in zip(found.start, found.start[1:], strict=False):
        assert len(set(study[found.row[low:high]])) == 1
    assert len(found.component) == 15, "five sectors of three estimands"
    assert sorted(found.row) == list(range(300))


def test_a_study_of_many_estimates_does_not_make_every_component_link() -> None:
    study = np.r_[np.zeros(50, dtype=int), np.repeat(np.arange(1, 51), 2)]
    design = designed(np.zeros(150, dtype=int), {"study": study})
    found = blocks(design, correlated(study, np.random.default_rng(0)))
    assert np.diff(found.start).max() == 50
    assert not len(found.component)


@pytest.mark.parametrize("name", CASES)
def test_levels_and_effects_have_the_moments_of_the_dense_formula(name: str) -> None:
    """Given means and spreads: normal, with the mean and variance of conditioning by hand."""
    design, covariance = case(name)
    rng = np.random.default_rng(4)
    draws = 4000
    estimate = rng.normal(size=len(covariance))
    mu = rng.normal(size=len(design.means))
    tau = rng.uniform(0.1, 0.5, len(design.components))
    posterior = xr.Dataset(
        {"mu": (("chain", "draw", "mu_of"), np.broadcast_to(mu, (2, draws, len(mu))))}
    )
    if len(tau):
        posterior["tau"] = (("chain", "draw", "tau_of"), np.broadcast_to(tau, (2, draws, len(tau))))
    found = synthesis_model.add_levels(posterior, estimate, covariance, design, 5)
    mean = mu[design.mean_of]
    theta = found["theta"].to_numpy().reshape(2 * draws, -1)
    if not len(tau):
        np.testing.assert_allclose(theta, np.broadcast_to(mean, theta.shape))
        return
    between = dense(design, np.zeros_like(covariance), tau**2)
    gain = between @ np.linalg.inv(between + covariance)
    expected = mean + gain @ (estimate - mean)
    spread = between - gain @ between
    error = np.sqrt(np.diag(spread) / (2 * draws))
    assert (np.abs(theta.mean(axis=0) - expected) < 4.5 * error).all()
    np.testing.assert_allclose(np.cov(theta.T), spread, atol=0.1 * spread.max())
    level = found["level"].to_numpy().reshape(2 * draws, -1)
    np.testing.assert_allclose(design.sums(np.broadcast_to(mu, (2 * draws, len(mu))), level), theta)
    assert list(found["level_of"].values) == list(design.levels)


def test_the_model_is_the_dense_one_and_a_refit_takes_other_estimates() -> None:
    design, covariance = case("crossed")
    rng = np.random.default_rng(6)
    first, second = rng.normal(size=(2, len(covariance)))
    model = synthesis_model.build(first, covariance, design, EFFECT, BETWEEN)
    joint = log_likelihood(model)
    truth = parameters(model, 2, 7).isel(simulation=0, drop=True)
    total = dense(design, covariance, truth["tau"].values ** 2)
    mean = truth["mu"].values[design.mean_of]
    for estimate in (first, second):
        given = synthesis_model.packed(estimate, covariance, design, EFFECT, BETWEEN)
        exact = multivariate_normal.logpdf(estimate, mean, total)
        assert joint(truth, given) == pytest.approx(exact, rel=1e-9)

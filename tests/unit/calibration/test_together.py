"""Two data sets fitted together: their log-likelihoods add up, with all parameters in common."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import MappingProxyType

import numpy as np
import pytest
import xarray as xr
import yaml
from scipy.stats import multivariate_normal

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from helpers.repository import ROOT
from metastudy.calibration.synthesis import (
    built,
    from_estimates,
    simulated_studies,
    truths_from_priors,
)
from metastudy.models.answers.cells import answer_cells
from metastudy.models.answers.observations import coefficients, observe_answers, residual_factors
from metastudy.models.codings.cells import code_cells
from metastudy.models.data_vector import pack
from metastudy.models.prior_simulation import log_likelihood, parameters, together
from metastudy.models.priors import priors_of
from metastudy.models.registry import MODELS, model_of
from metastudy.synthesis.blocks import blocks
from metastudy.synthesis.pooling import plans
from metastudy.synthesis.study_estimates import estimates

PRIORS = MappingProxyType(
    priors_of(yaml.safe_load((ROOT / "config" / "config.yaml").read_text("utf-8"))["priors"])
)


def of_answers() -> xr.Dataset:
    """Three organisations, two outcomes, some of them missing."""
    return answer_cells([experiment("a", 60, 1, missing=0.3, sites=3)[0]], "threat", VOCABULARY)


def of_codings() -> xr.Dataset:
    """Four organisations, every second interview read twice."""
    rng, codes = np.random.default_rng(3), ["role_change", "uncertainty"]
    heard = [
        (f"org-{at % 4}", {f"coder-{c}": list(rng.choice(codes, 1)) for c in range(1 + at % 2)})
        for at in range(24)
    ]
    return code_cells([coding_study("small", heard, codes)], "strain", VOCABULARY)


class Likelihood:
    """The log-likelihood of a model at a few parameters from its priors."""

    def __init__(self, cells: xr.Dataset) -> None:
        model = MODELS[cells.attrs["model"]].build(cells, PRIORS)
        drawn = parameters(model, 3, seed=1)
        self.at = [drawn.isel(simulation=s, drop=True) for s in range(3)]
        self.of: Callable[[xr.Dataset, np.ndarray], float] = log_likelihood(model)

    def __call__(self, cells: xr.Dataset) -> np.ndarray:
        return np.array([self.of(one, pack(cells, PRIORS)) for one in self.at])


@pytest.mark.parametrize("cells_of", [of_answers, of_codings])
def test_a_data_set_with_itself_is_one_twice_as_large(
    cells_of: Callable[[], xr.Dataset],
) -> None:
    """A factor of two is exact in floating-point numbers."""
    cells = cells_of()
    both, likelihood = together(cells, cells), Likelihood(cells)
    assert (likelihood(both) == 2 * likelihood(cells)).all()
    model = model_of(cells)
    counted_twice = model.weigh(cells, np.full(len(model.places(cells)), 2.0))
    names = [name for name in cells.attrs["data"].split() if name in cells]  # others follow
    for name in names:
        np.testing.assert_array_equal(both[name], counted_twice[name])
    xr.testing.assert_identical(both.drop_vars(names).coords, cells.coords)


@pytest.mark.parametrize("cells_of", [of_answers, of_codings])
def test_the_log_likelihood_of_both_is_the_sum_of_the_two(
    cells_of: Callable[[], xr.Dataset],
) -> None:
    cells = cells_of()
    likelihood = Likelihood(cells)
    other = model_of(cells).simulate(cells, likelihood.at[0], np.random.default_rng(2))
    assert not np.allclose(likelihood(other), likelihood(cells))
    np.testing.assert_allclose(
        likelihood(together(cells, other)), likelihood(cells) + likelihood(other), rtol=1e-10
    )


def test_both_are_the_rows_of_both_in_the_units_of_the_first() -> None:
    """By SciPy's density of each row: up to a constant, so as differences between parameters."""
    study, _ = experiment("a", 50, 1, missing=0.0, sites=3)
    cells = answer_cells([study], "threat", VOCABULARY)
    rows, likelihood = observe_answers([study], cells, VOCABULARY), Likelihood(cells)
    more = np.random.default_rng(4).normal(1.0, 2.0, rows.y.shape)  # another level, another spread
    xy, yy = np.zeros(cells.xy.shape), np.zeros(cells.yy.shape)
    for c, site in enumerate(cells.site_of_cell.values):
        x, y = rows.x[rows.site == site], more[rows.site == site]
        xy[c], yy[c] = x.T @ y, y.T @ y
    other = cells.assign(xy=(cells.xy.dims, xy), yy=(cells.yy.dims, yy))

    exact = []
    for one in likelihood.at:
        sample = one.expand_dims("sample")
        mean = np.einsum("np,npk->nk", rows.x, coefficients(cells, sample)[0][rows.site])
        root = residual_factors(sample)[0, 0]
        density = multivariate_normal(np.zeros(len(root)), root @ root.T)
        exact.append(sum(density.logpdf(y - mean).sum() for y in (rows.y, more)))
    np.testing.assert_allclose(np.diff(likelihood(together(cells, other))), np.diff(exact))


def test_the_mean_of_two_estimates_says_what_both_say() -> None:
    """By SciPy's density of both, whose effects are the same: up to a constant, as above."""
    studies = simulated_studies(np.linspace(-1, 1, 8), VOCABULARY, np.random.default_rng(4))
    (found,) = plans(*estimates(answer_cells(studies, "threat", VOCABULARY), VOCABULARY))
    rng = np.random.default_rng(5)
    rows = len(found.table)
    root = np.tril(0.2 * rng.random((rows, rows)))  # estimates of one study would be correlated
    found = replace(found, covariance=found.covariance + root @ root.T)
    priors = PRIORS["effect"], PRIORS["tau"]
    model = built(found, priors)
    truths = [*truths_from_priors(model, found, 4, seed=7)]
    (one,) = from_estimates(model, found, priors, truths[:1], seed=7, with_estimates=True)
    mean = np.empty(rows)
    mean[blocks(found.design, found.covariance).row] = one.given[:rows]
    own = found.table["estimate"].to_numpy()
    y = np.concatenate([own, 2 * mean - own])

    design, likelihood = found.design, log_likelihood(model)
    given, exact = [], []
    for truth in truths[1:]:
        z = np.zeros((rows, len(design.levels)))
        for row, levels in enumerate(design.level_of):
            z[row, levels[levels >= 0]] = 1
        between = z * truth["tau"].values[design.component_of] ** 2 @ z.T
        covariance = np.kron(np.ones((2, 2)), between) + np.kron(np.eye(2), found.covariance)
        expected = np.tile(truth["mu"].values[design.mean_of], 2)
        exact.append(multivariate_normal(expected, covariance).logpdf(y))
        given.append(likelihood(truth, one.given))
    np.testing.assert_allclose(np.diff(given), np.diff(exact), rtol=1e-8)

"""Simulations: parameters from a model's priors, and the cells that they would give.

Cells are drawn from their own distribution given the parameters, never row by row, so that a
simulation costs the same for a thousand respondents as for a million.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from metastudy import backend as backend  # isort: skip  before PyMC is imported

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt
import xarray as xr

from metastudy.design import VARYING_FROM

__all__ = ["SIMULATE", "answers", "codings", "log_likelihood", "parameters"]

RANK = 1e-10  # of the largest eigenvalue of cross-products: less than this is rounding
# Each graph is run some hundred times: compiling it would take longer.
UNCOMPILED = pytensor.Mode("py", None)


def parameters(model: pm.Model, simulations: int, seed: int) -> xr.Dataset:
    """Draws of all parameters from the priors of a model, the likelihood left out.

    Returns
    -------
    xarray.Dataset
        Every free parameter and what the model computes of it, with ``simulation`` first.
    """
    wanted = [v for v in model.basic_RVs + model.deterministics if not _is_density(v.name)]
    drawn = pm.draw(wanted, simulations, mode=UNCOMPILED, random_seed=seed)
    named = {}
    for variable, values in zip(wanted, drawn, strict=True):
        own = [f"{variable.name}_dim_{at}" for at in range(variable.ndim)]
        dims = model.named_vars_to_dims.get(variable.name, own)
        named[variable.name] = (("simulation", *dims), values)
    coords = {name: list(labels) for name, labels in model.coords.items() if labels is not None}
    used = {dim for dims, _ in named.values() for dim in dims}
    return xr.Dataset(named, {name: coords[name] for name in used if name in coords})


def _is_density(name: str) -> bool:
    return name in ("log_likelihood", "log_prior")


def log_likelihood(model: pm.Model) -> Callable[[xr.Dataset, np.ndarray], float]:
    """The joint log-likelihood of a model, as a function of its parameters and of what it is given.

    Returns
    -------
    Function of one simulation of :func:`parameters` and of :func:`metastudy.models.given.pack`.
    """
    names = [v.name for v in model.free_RVs]
    data = pt.vector("data")
    compiled = pytensor.function(
        [*model.free_RVs, data],
        model["log_likelihood"],
        givens={model["given"]: data},
        mode=UNCOMPILED,
        on_unused_input="ignore",
    )
    return lambda at, given: float(compiled(*(at[name].values for name in names), given))


# --- answers -------------------------------------------------------------------------------------


def answers(cells: xr.Dataset, at: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    r"""Cross-products of answers to the same questions by people with the same exposures.

    Of :math:`Y = X B + E` with n rows of E normal, only :math:`X'E` and :math:`E'E` are random.
    With C the root of the residual covariance and :math:`L L' = X'X` of rank r

    .. math:: X'E = L Z C', \qquad E'E = C (Z'Z + W) C',

    Z being r rows of standard normal numbers and W a Wishart matrix with n - r degrees of freedom.

    Parameters
    ----------
    cells : of a module's answers; their ``n``, ``xx`` and patterns of observed outcomes stay.
    at : one simulation of :func:`parameters`.
    rng : source of randomness.
    """
    b, root = _coefficients(cells, at), _covariance_roots(cells, at)
    site = cells.site_of_cell.values
    block = np.unique(cells.study.values, return_inverse=True)[1][
        cells.setting_of_site.values[site]
    ]
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    xy, yy = np.zeros(cells.xy.shape), np.zeros(cells.yy.shape)
    for c, (n, xx) in enumerate(zip(cells.n.values, cells.xx.values, strict=True)):
        here = np.flatnonzero(seen[c])
        mean = b[site[c]][:, here]
        own = root[block[c]][here]  # the observed block of the covariance is own times own'
        xe, ee = _residuals(int(n), xx, np.linalg.cholesky(own @ own.T), rng)
        cross = mean.T @ xe
        xy[c][:, here] = xx @ mean + xe
        yy[c][np.ix_(here, here)] = mean.T @ xx @ mean + cross + cross.T + ee
    return cells.assign(xy=(cells.xy.dims, xy), yy=(cells.yy.dims, yy))


def _residuals(
    n: int, xx: np.ndarray, root: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Cross-products of n rows of residuals with the predictors, and with each other."""
    values, vectors = np.linalg.eigh(xx)
    kept = values > RANK * max(values.max(), 1e-300)
    left = vectors[:, kept] * np.sqrt(values[kept])
    z = rng.standard_normal((kept.sum(), len(root)))
    w = _triangle(n - int(kept.sum()), len(root), rng)
    return left @ z @ root.T, root @ (z.T @ z + w.T @ w) @ root.T


def _triangle(rows: int, columns: int, rng: np.random.Generator) -> np.ndarray:
    """The triangular factor of so many rows of standard normal numbers (Bartlett 1933).

    With fewer rows than columns it is a trapezoid, and its product a singular Wishart matrix.
    """
    size = min(max(rows, 0), columns)
    factor = np.triu(rng.standard_normal((size, columns)), 1)
    factor[np.arange(size), np.arange(size)] = np.sqrt(rng.chisquare(rows - np.arange(size)))
    return factor


def _coefficients(cells: xr.Dataset, at: xr.Dataset) -> np.ndarray:
    """Coefficients of each site, shape (site, coefficient, outcome)."""
    setting = cells.setting_of_site.values
    b = np.concatenate([at["baseline"].values[:, None], at["beta"].values], axis=1)[setting]
    if "site_effect" in at:
        many = np.flatnonzero(np.bincount(setting)[setting] >= VARYING_FROM)
        b[many] = at["site_effect"].values
    return b


def _covariance_roots(cells: xr.Dataset, at: xr.Dataset) -> np.ndarray:
    """Roots of the residual covariance of each study, shape (study, outcome, outcome)."""
    root = np.ones((1, 1))
    for name in ("construct", "vignette"):
        if f"{name}_chol" in at:  # one construct, or one vignette, has no correlations
            root = np.kron(root, at[f"{name}_chol"].values)
    return at["sigma"].values[:, :, None] * root


# --- codings -------------------------------------------------------------------------------------


def codings(cells: xr.Dataset, at: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
    """Counts of codings of as many interviews, read by as many coders.

    Parameters
    ----------
    cells : of a module's codings; the numbers of interviews of one and of two coders stay.
    at : one simulation of :func:`parameters`.
    rng : source of randomness.
    """
    p, s, t = (at[name].values for name in ("presence", "sensitivity", "specificity"))
    applied = p * s + (1 - p) * (1 - t)
    both = p * s**2 + (1 - p) * (1 - t) ** 2
    shares = {
        "single": np.stack([applied, 1 - applied], axis=-1),
        "double": np.stack([both, applied - both, applied - both, 1 - 2 * applied + both], axis=-1),
    }
    counts = {}
    for name, share in shares.items():
        read = cells[name].values.sum(axis=-1).astype(np.int64)
        share = np.clip(share, 0, None)
        drawn = rng.multinomial(read, share / share.sum(axis=-1, keepdims=True))
        counts[name] = (cells[name].dims, drawn.astype(float))
    return cells.assign(counts)


SIMULATE: Mapping[str, Callable[[xr.Dataset, xr.Dataset, np.random.Generator], xr.Dataset]] = {
    "answers": answers,
    "codings": codings,
}

"""Simulated cells of answers, and which of their quantities the data identify."""

from __future__ import annotations

import numpy as np
import xarray as xr

from metastudy.models.answers.design import clustered, informed_effects, observed
from metastudy.models.answers.observations import coefficients, residual_factors
from metastudy.models.base import SAMPLE, labelled

__all__ = ["OF_ANSWERS", "correlations", "identified", "simulate_answers"]

OF_ANSWERS = (
    *("mu", "moderator", "family_mean", "outcome_tau", "total_tau", "tau"),
    *("beta", "baseline", "site_tau", "sigma", "standardiser"),
)


def identified(values: xr.Dataset, cells: xr.Dataset) -> xr.DataArray:
    """All quantities of answers that the data speak about, and the joint log-likelihood.

    Parameters
    ----------
    values : draws of a posterior, or parameters; ``log_likelihood`` among them.
    cells : what the design is read from; no outcome is.

    Returns
    -------
    xarray.DataArray
        The dims of the draws, then ``quantity``, with its label and as ``parameter`` its name.
    """
    pairs = {
        f"{what}_correlation": correlations(values, cells, what)
        for what in ("construct", "vignette")
    }
    found = values.assign({name: array for name, array in pairs.items() if array.size})
    return labelled(found, (*OF_ANSWERS, *pairs, "log_likelihood"), _informed(cells))


def _informed(cells: xr.Dataset) -> dict[str, xr.DataArray]:
    """Which entries of a quantity data are about, by the quantity's name."""
    seen = observed(cells)  # (setting, outcome)
    has = informed_effects(cells)  # (setting, exposure, outcome)
    study = np.unique(cells.study.values, return_inverse=True)[1]
    of_study = np.stack([seen[study == at].any(axis=0) for at in range(study.max() + 1)])
    sited = np.unique(cells.setting_of_site.values[clustered(cells)])
    with_intercept = np.concatenate([seen[sited].any(axis=0)[None], has[sited].any(axis=0)])
    found = {
        "beta": (("setting", "exposure", "outcome"), has),
        "baseline": (("setting", "outcome"), seen),
        "site_tau": (("coefficient", "outcome"), with_intercept),
        "sigma": (("setting", "outcome"), seen),
        "standardiser": (("study", "outcome"), of_study),
    }
    return {name: xr.DataArray(keep, dims=dims) for name, (dims, keep) in found.items()}


def correlations(values: xr.Dataset, cells: xr.Dataset, what: str) -> xr.DataArray:
    """Correlations of pairs that somebody answered both of; dims of the draws, then ``pair``."""
    if f"{what}_chol" not in values:  # one construct, or one vignette
        return xr.DataArray(np.zeros(0), dims=f"{what}_pair")
    names = cells[what].values.astype(str)
    pattern = cells.observed.values[np.unique(cells.pattern_of_cell.values)]
    answered = pattern @ (cells[f"{what}_of"].values == names[:, None]).T > 0
    together = answered.T.astype(float) @ answered > 0
    first, second = np.nonzero(np.tril(together, -1))
    chol = values[f"{what}_chol"]
    sample = [d for d in chol.dims if d in SAMPLE]
    root = chol.transpose(*sample, ...).values
    pairs = (root[..., first, :] * root[..., second, :]).sum(axis=-1)
    labels = [f"{names[b]}, {names[a]}" for a, b in zip(first, second, strict=True)]
    return xr.DataArray(pairs, {f"{what}_pair": labels}, (*sample, f"{what}_pair"))


RANK = 1e-10  # of the largest eigenvalue of cross-products: less than this is rounding


def simulate_answers(cells: xr.Dataset, at: xr.Dataset, rng: np.random.Generator) -> xr.Dataset:
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
    sample = at.expand_dims("sample")
    b, root = coefficients(cells, sample)[0], residual_factors(sample)[0]
    site = cells.site_of_cell.values
    setting = cells.setting_of_site.values[site]
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    xy, yy = np.zeros(cells.xy.shape), np.zeros(cells.yy.shape)
    for c, (n, xx) in enumerate(zip(cells.n.values, cells.xx.values, strict=True)):
        here = np.flatnonzero(seen[c])
        mean = b[site[c]][:, here]
        own = root[setting[c]][here]  # the observed block of the covariance is own times own'
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
    """The triangular factor of this many rows of standard normal numbers (Bartlett 1933).

    With fewer rows than columns it is a trapezoid, and its product a singular Wishart matrix.
    """
    size = min(max(rows, 0), columns)
    factor = np.triu(rng.standard_normal((size, columns)), 1)
    factor[np.arange(size), np.arange(size)] = np.sqrt(rng.chisquare(rows - np.arange(size)))
    return factor

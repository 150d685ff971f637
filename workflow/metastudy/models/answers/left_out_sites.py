"""Density of all answers at a site, with the effects of the site integrated out."""

from __future__ import annotations

import numpy as np
import xarray as xr

from metastudy.models.answers.design import clustered
from metastudy.models.answers.observations import residual_factors

__all__ = ["several_sites", "site_densities"]

AT_ONCE = 4_000_000  # numbers that are held for one block of draws


def several_sites(cells: xr.Dataset) -> np.ndarray:
    """Places of the sites of settings that have two or more, shape (sites,)."""
    sites = clustered(cells)
    setting = cells.setting_of_site.values[sites]
    number = np.bincount(setting, minlength=1)
    return np.asarray(sites[number[setting] > 1]) if len(sites) else sites


def site_densities(cells: xr.Dataset, draws: xr.Dataset, spread: float | None = None) -> np.ndarray:
    r"""Log-density of the answers at each site, for a site that was never seen.

    With the deviation :math:`\delta` of a site's coefficients from those of its setting, whose
    standard deviations are on the diagonal of A, the log-likelihood of its cells is quadratic:

    .. math:: \ell(\delta) = \ell(0) + g'\delta - \tfrac12 \delta' Q \delta, \qquad
              \log \int e^{\ell(\delta)} N(\delta; 0, A^2)\, d\delta
              = \ell(0) - \tfrac12 \log|I + A Q A| + \tfrac12 g' A (I + A Q A)^{-1} A g

    Parameters
    ----------
    cells : of answers.
    draws : ``baseline``, ``beta``, ``standardiser``, ``sigma``, the correlations and ``site_tau``,
        with the dimension ``sample``, of length S, first.
    spread : standard deviation between sites in place of ``site_tau``, where a fit has it fixed.

    Returns
    -------
    Log-densities in the units of the cells, those of rows added up, shape (S, sites), of the sites
    of :func:`several_sites`.
    """
    sites = several_sites(cells)
    samples = draws.sizes["sample"]
    size = int(np.prod(cells.xy.shape[1:]))
    step = max(AT_ONCE // (size * size), 1)
    found = np.empty((samples, len(sites)))
    for begin in range(0, samples, step):
        block = draws.isel(sample=slice(begin, begin + step))
        mean, sd, covariance = _of_settings(cells, block, spread)
        for at, site in enumerate(sites):
            j = int(cells.setting_of_site.values[site])
            mine = np.flatnonzero(cells.site_of_cell.values == site)
            density = _marginal(cells, mine, mean[:, j], sd[:, j], covariance[:, j])
            found[begin : begin + step, at] = density
    return found


def _of_settings(
    cells: xr.Dataset, draws: xr.Dataset, spread: float | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Coefficients, their SD between sites and the residual covariance, by draw and setting."""
    study = np.unique(cells.study.values, return_inverse=True)[1]
    unit = draws["standardiser"].values[:, study]  # (S, setting, K)
    slopes = draws["beta"].values * unit[:, :, None]
    mean = np.concatenate([draws["baseline"].values[:, :, None], slopes], axis=2)
    tau = draws["site_tau"].values if spread is None else np.full(mean[:, 0].shape, spread)
    root = residual_factors(draws)
    return mean, unit[:, :, None] * tau[:, None], np.matmul(root, root.swapaxes(-1, -2))


def _marginal(
    cells: xr.Dataset, mine: np.ndarray, mean: np.ndarray, sd: np.ndarray, covariance: np.ndarray
) -> np.ndarray:
    """Log-density of the cells of one site; the shapes are (S, P, K), (S, P, K) and (S, K, K)."""
    samples, p, k = mean.shape
    total = np.zeros(samples)
    slope = np.zeros(mean.shape)
    curve = np.zeros((samples, p, k, p, k))
    seen = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    for c in mine:
        here = np.flatnonzero(seen[c])
        n, xx = float(cells.n.values[c]), cells.xx.values[c]
        xy, yy = cells.xy.values[c][:, here], cells.yy.values[c][np.ix_(here, here)]
        own = covariance[:, here[:, None], here]
        precision = np.linalg.inv(own)
        m = mean[..., here]
        apart = xy - xx @ m  # (S, P, k)
        cross = np.swapaxes(m, 1, 2)
        residual = yy - cross @ xy - np.swapaxes(cross @ xy, 1, 2) + cross @ xx @ m
        constant = np.linalg.slogdet(own)[1] + len(here) * np.log(2 * np.pi)
        total -= 0.5 * (n * constant + (precision * residual).sum(axis=(1, 2)))
        slope[..., here] += apart @ precision
        both = xx[None, :, None, :, None] * precision[:, None, :, None, :]
        curve[:, :, here[:, None], :, here] += np.moveaxis(both, (2, 4), (0, 1))
    return total + _integrated(slope, curve, sd)


def _integrated(slope: np.ndarray, curve: np.ndarray, sd: np.ndarray) -> np.ndarray:
    """Logarithm of what integration over the deviations makes of the density at zero."""
    samples = len(sd)
    told = np.flatnonzero(np.diagonal(curve.reshape(samples, sd[0].size, -1)[0]) > 0)
    a = sd.reshape(samples, -1)[:, told]
    q = curve.reshape(samples, sd[0].size, -1)[:, told[:, None], told]
    root = np.linalg.cholesky(np.eye(len(told)) + a[:, :, None] * q * a[:, None, :])
    scaled = a * slope.reshape(samples, -1)[:, told]
    whitened = np.linalg.solve(root, scaled[..., None])[..., 0]
    log_root = np.log(np.diagonal(root, axis1=1, axis2=2)).sum(axis=1)
    return np.asarray(0.5 * (whitened**2).sum(axis=1) - log_root)

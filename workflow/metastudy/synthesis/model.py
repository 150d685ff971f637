"""The second stage: unpooled study estimates around a population mean."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt
import xarray as xr

from metastudy.design.matrix import Effects
from metastudy.models.algebra import product
from metastudy.models.data_vector import given, pack
from metastudy.models.priors import Prior
from metastudy.models.terms import likelihood

__all__ = ["add_levels", "build", "packed"]


def build(
    estimate: np.ndarray, covariance: np.ndarray, design: Effects, effect: Prior, between: Prior
) -> pm.Model:
    r"""Normal-normal hierarchical meta-analysis with several estimates per study.

    .. math::
        \hat\theta &\sim N(\theta, V) \\
        \theta_{je} &= \mu_e + \textstyle\sum_t u_t[t(j)]_e, \qquad u_t \sim N(0, \tau_{te}^2)

    for estimand e in study j; V is the likelihood covariance of the estimates, zero between
    studies; t runs over what the design identifies of study, country and sector. The levels u are
    integrated out, :math:`\hat\theta \sim N(X b, V + Z \tau^2 Z')`: the same posterior without its
    funnels. :func:`add_levels` draws them afterwards.

    Parameters
    ----------
    estimate, covariance : estimates, shape (R,), and their covariance, shape (R, R).
    design : takes means, differences and levels to the R rows.
    effect, between : priors of means and differences, and of standard deviations between groups,
        in the units of the estimates (:func:`metastudy.synthesis.priors.prior_of`).

    Returns
    -------
    pymc.Model
        With ``mu``, ``difference``, ``tau``, ``log_likelihood`` and ``log_prior``; what a refit
        changes is one array of data, ``given`` (:func:`packed`).
    """
    x, z = _split(design)
    coords = {
        "mu_of": design.means,
        "difference_of": design.differences,
        "tau_of": design.components,
    }
    with pm.Model(coords=coords) as model:
        (found, v), prior, _ = given(*_data(estimate, covariance, effect, between))
        mu = prior["effect"].variable("mu", dims="mu_of")
        difference = prior["effect"].variable("difference", dims="difference_of")
        tau = prior["tau"].variable("tau", dims="tau_of")
        mean = product(x, pt.concatenate([mu, difference]))
        between = product(z * tau[design.component] ** 2, z.T)
        likelihood(pm.logp(pm.MvNormal.dist(mean, cov=v + between), found))
    return model


def packed(
    estimate: np.ndarray, covariance: np.ndarray, effect: Prior, between: Prior
) -> np.ndarray:
    """What :func:`build` is given, in one vector: for a refit to other estimates or priors."""
    return pack(*_data(estimate, covariance, effect, between))


def _data(
    estimate: np.ndarray, covariance: np.ndarray, effect: Prior, between: Prior
) -> tuple[xr.Dataset, dict[str, Prior]]:
    rows = xr.Dataset(
        {"estimate": ("row", estimate), "covariance": (("row", "row_"), covariance)},
        attrs={"data": "estimate covariance"},
    )
    return rows, {"effect": effect, "tau": between}


def add_levels(
    posterior: xr.Dataset, estimate: np.ndarray, covariance: np.ndarray, design: Effects, seed: int
) -> xr.Dataset:
    """The posterior with the levels and effects that :func:`build` integrates out.

    Each draw of means and standard deviations gets one draw of the levels, from their normal
    distribution given it and the estimates, by correcting a draw from the prior (Matheron's rule).

    Returns
    -------
    xarray.Dataset
        With ``level`` (chain, draw, level_of) and ``theta`` (chain, draw, row) added.
    """
    x, z = _split(design)
    rng = np.random.default_rng(seed)
    fixed = np.concatenate([posterior["mu"], posterior["difference"]], axis=-1) @ x.T
    tau = posterior["tau"].to_numpy()[..., design.component]
    prior = tau * rng.standard_normal(tau.shape)
    noise = rng.standard_normal(fixed.shape) @ np.linalg.cholesky(covariance).T
    total = covariance + np.einsum("rl,cdl,sl->cdrs", z, tau**2, z, optimize=True)
    gap = (estimate - fixed - prior @ z.T - noise)[..., None]
    level = prior + tau**2 * (np.linalg.solve(total, gap)[..., 0] @ z)
    return posterior.assign(
        level=(("chain", "draw", "level_of"), level),
        theta=(("chain", "draw", "row"), fixed + level @ z.T),
    ).assign_coords(level_of=list(design.levels))


def _split(design: Effects) -> tuple[np.ndarray, np.ndarray]:
    """The columns of means and differences, and those of levels."""
    fixed = len(design.means) + len(design.differences)
    return design.matrix[:, :fixed], design.matrix[:, fixed:]

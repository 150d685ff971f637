"""The second stage: unpooled study estimates around a population mean."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor.tensor as pt

from metastudy.design import Effects
from metastudy.models.terms import linear

__all__ = ["build"]


def build(
    estimate: np.ndarray, covariance: np.ndarray, design: Effects, effect_sd: float, tau_sd: float
) -> pm.Model:
    r"""Normal-normal hierarchical meta-analysis with several estimates per study.

    .. math::
        \hat\theta &\sim N(\theta, V) \\
        \theta_{je} &= \mu_e + \textstyle\sum_t u_t[t(j)]_e, \qquad u_t \sim N(0, \tau_{te}^2)

    for estimand e in study j; V is the likelihood covariance of the estimates, zero between
    studies; t runs over what the design identifies of study, country and sector.

    Parameters
    ----------
    estimate, covariance : estimates, shape (R,), and their covariance, shape (R, R).
    design : takes means, differences and levels to the R rows.
    effect_sd, tau_sd : prior scales, in the units of the estimates.
    """
    whiten = np.linalg.inv(np.linalg.cholesky(covariance))
    with pm.Model() as model:
        theta = pm.Deterministic("theta", linear(design, None, effect_sd, tau_sd))
        # Whitened once, so that the likelihood is a sum of squares.
        residual = pt.dot(pt.constant(whiten), theta - estimate)
        pm.Potential("log_likelihood", -0.5 * (residual**2).sum())
    return model

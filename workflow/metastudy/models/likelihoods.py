"""Log-likelihoods of cells: those of the rows, up to a constant, at a fixed cost."""

from __future__ import annotations

import numpy as np
import pytensor.tensor as pt
from pytensor.tensor import TensorVariable

from metastudy.models.densities import Gaussian, LatentClass
from metastudy.models.latent_classes import pattern_probabilities

__all__ = ["binomial_cells", "coded_cells", "gaussian_cells"]


def gaussian_cells(
    n: TensorVariable,
    xx: TensorVariable,
    xy: TensorVariable,
    yy: TensorVariable,
    b: TensorVariable,
    cov: TensorVariable,
    observed: np.ndarray,
    pattern: np.ndarray,
    block: np.ndarray,
) -> TensorVariable:
    r"""Multivariate normal log-likelihood from cross-products.

    Rows :math:`y_i \sim N(B_c' x_i, \Sigma_j)` of cell c with covariance block j, of which only
    the outcomes of the cell's pattern are observed, have up to a constant the log-likelihood

    .. math:: -\tfrac12 \sum_c \left[ n_c \log|\Sigma_c| + \operatorname{tr} \Sigma_c^{-1}
              (Y'Y - Y'X B - B'X'Y + B'X'X B)_c \right],

    :math:`\Sigma_c` being the observed block of :math:`\Sigma_j`. Missing outcomes are ignorable.

    Parameters
    ----------
    n, xx, xy, yy : count and cross-products per cell; shapes (C,), (C, P, P), (C, P, K), (C, K, K),
        zero where an outcome is not observed.
    b : coefficients per cell, shape (C, P, K).
    cov : residual covariance per block, shape (J, K, K).
    observed : which outcomes a pattern observes, shape (R, K), zero or one.
    pattern, block : pattern and covariance block of each cell, shape (C,).
    """
    pairs, of_cell = np.unique(np.column_stack([pattern, block]), axis=0, return_inverse=True)
    density = Gaussian(*xy.type.shape[1:])  # the data's shape is always known, that of b is not
    return density(n, xx, xy, yy, b, cov, observed[pairs[:, 0]], of_cell, pairs[:, 1])[0]


def binomial_cells(
    n: TensorVariable, events: TensorVariable, log_odds: TensorVariable
) -> TensorVariable:
    r"""Log-likelihood of 0/1 outcomes from their counts, up to a constant.

    .. math:: \sum_c k_c \eta_c - n_c \log(1 + e^{\eta_c})

    It is that of the people one by one: whose log-odds are the same, only their number matters.

    Parameters
    ----------
    n, events : people and how many of them have the event, shape (...,); zero where nobody is.
    log_odds : of the event, of the same shape.
    """
    return (events * log_odds - n * pt.softplus(log_odds)).sum()


def coded_cells(
    single: TensorVariable,
    double: TensorVariable,
    presence: TensorVariable,
    sensitivity: TensorVariable,
    specificity: TensorVariable,
) -> TensorVariable:
    r"""Log-likelihood of code counts under coders' errors (latent classes, Dawid and Skene 1979).

    With :math:`\pi` the probability that a code is truly present, sensitivity :math:`s` and
    specificity :math:`t`, one coder applies it with :math:`\pi s + (1-\pi)(1-t)`; two coders,
    independent given the truth, both apply it with :math:`\pi s^2 + (1-\pi)(1-t)^2`.

    Parameters
    ----------
    single : interviews of one coder (applied, not applied), shape (N, 2) for N cells.
    double : interviews of two coders (both, only first, only second, none), shape (N, 4).
    presence : probability that the code is truly present, shape (N,).
    sensitivity, specificity : scalars inside the unit interval.
    """
    counts = pt.concatenate([single, double], axis=1)
    patterns = ("one", "not_one", "both", "either", "either", "none")
    if_present, if_absent = (
        pt.stack([share[pattern] for pattern in patterns])
        for share in pattern_probabilities(sensitivity, specificity)
    )
    return LatentClass()(counts, presence, if_present, if_absent)[0]

"""Draws of a fit as draws of another posterior, by importance weights."""

from __future__ import annotations

import arviz as az
import numpy as np
import pandas as pd
import xarray as xr
from arviz_stats.base import array_stats

__all__ = ["LARGEST_K", "pareto_weights", "weighted_summary"]

LARGEST_K = 0.5  # above it the weights have no variance, and the posterior is sampled instead


def pareto_weights(log_ratio: np.ndarray) -> tuple[np.ndarray, float]:
    """Pareto-smoothed importance weights.

    Parameters
    ----------
    log_ratio : logarithm of the other posterior's density over that of the draws, up to a
        constant, one for each draw.

    Returns
    -------
    weights, k
        Weights that sum to one, and the estimated shape of their tail.

    References
    ----------
    Vehtari et al. (2024), Pareto smoothed importance sampling.
    """
    flat = log_ratio.ravel()
    if np.ptp(flat) < 1e-12:  # nothing changes
        return np.full(len(flat), 1 / len(flat)), -np.inf
    logs, k = array_stats.psislw(-flat)  # it takes the negative, as of a left-out row
    weights = np.exp(logs - logs.max())
    return weights / weights.sum(), float(k)


def weighted_summary(
    draws: xr.DataArray, weights: np.ndarray, interval: float, rope: float
) -> pd.DataFrame:
    """What :func:`metastudy.posterior.summarise.summarize` says of draws, with weights.

    Parameters
    ----------
    draws : dims (chain, draw, quantity).
    weights : one for each draw, chain after chain; they sum to one.

    Returns
    -------
    pandas.DataFrame
        The columns that a table of refits has. ``ess`` is the least of the draws' bulk and tail,
        times the share that the weights leave of it (Kish 1965).
    """
    x = draws.values.reshape(len(weights), -1)
    mean = weights @ x
    left = 1 / (weights**2).sum() / len(weights)
    data = draws.rename("x").to_dataset()
    bulk, tail = (az.ess(data, method=method)["x"].to_numpy() for method in ("bulk", "tail"))
    ends = np.array([_quantiles(one, weights, interval) for one in x.T]).reshape(-1, 2)
    positive = np.clip(weights @ (x > 0), 0, 1)
    masses = {
        "rope": weights @ (np.abs(x) <= rope),
        "above": weights @ (x > rope),
        "below": weights @ (x < -rope),
    }
    return pd.DataFrame(
        {
            "mean": mean,
            "sd": np.sqrt(weights @ (x - mean) ** 2),
            "lower": ends[:, 0],
            "upper": ends[:, 1],
            "positive": positive,
            "pd": np.maximum(positive, 1 - positive),
            **{name: np.clip(mass, 0, 1) for name, mass in masses.items()},
            "ess_bulk": bulk * left,
            "ess_tail": tail * left,
            "ess": np.minimum(bulk, tail) * left,
        }
    )


def _quantiles(x: np.ndarray, weights: np.ndarray, interval: float) -> np.ndarray:
    order = np.argsort(x)
    middle = np.cumsum(weights[order]) - weights[order] / 2
    return np.interp([(1 - interval) / 2, (1 + interval) / 2], middle, x[order])

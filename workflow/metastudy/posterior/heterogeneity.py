"""Heterogeneity: between-group standard deviations beside their priors."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.posterior.summarise import NUMBERS, summarize

__all__ = ["HETEROGENEITY", "heterogeneity", "taus"]


def heterogeneity(
    cells: xr.Dataset, posterior: xr.DataTree, priors: dict[str, float], interval: float
) -> pd.DataFrame:
    """Every between-group standard deviation and coder's accuracy beside its prior.

    Returns
    -------
    pandas.DataFrame
        ``variant``, ``parameter``, :func:`metastudy.posterior.summarise.summarize` of the
        posterior, and ``prior_mean``, ``prior_sd`` and ``ratio``, the posterior's standard
        deviation over the prior's: near one, the data say nothing.
    """
    codes = "code" in cells.dims
    tables = []
    for variant, group in (("main", "posterior"), ("error_free", "error_free_posterior")):
        if group in posterior.children:
            draws = posterior[group].to_dataset()
            found = taus(draws, priors["tau_logit" if codes else "tau"], interval)
            if codes:
                wide = [f"{name}_tau" for name in ("prevalence",)]
                found = found[~found["parameter"].isin(wide)]
                found = pd.concat([found, *_spread(draws, priors, interval)], ignore_index=True)
            tables.append(found.assign(variant=variant))
    return pd.concat(tables, ignore_index=True)


def taus(draws: xr.Dataset, scale: float, interval: float) -> pd.DataFrame:
    """Standard deviations of a fit beside their common half-normal prior."""
    prior = (scale * np.sqrt(2 / np.pi), scale * np.sqrt(1 - 2 / np.pi))
    names = [str(n) for n in draws.data_vars if n == "tau" or str(n).endswith("_tau")]
    names = [name for name in names if draws[name].size]  # a design may identify none
    tables = [_beside(draws[name], name, prior, interval) for name in names]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=HETEROGENEITY)


def _spread(draws: xr.Dataset, priors: dict[str, float], interval: float) -> Iterator[pd.DataFrame]:
    scale, a, b = priors["prevalence"], priors["accuracy_a"], priors["accuracy_b"]
    half_normal = (scale * np.sqrt(2 / np.pi), scale * np.sqrt(1 - 2 / np.pi))
    yield _beside(draws["prevalence_tau"], "prevalence_tau", half_normal, interval)
    beta = (0.5 + 0.5 * a / (a + b), 0.5 * np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))
    for name in ("sensitivity", "specificity"):
        if name in draws:
            yield _beside(draws[name], name, beta, interval)


def _beside(
    array: xr.DataArray, name: str, prior: tuple[float, float], interval: float
) -> pd.DataFrame:
    """Summary of a parameter's draws beside the mean and standard deviation of its prior."""
    dims = [d for d in array.dims if d not in ("chain", "draw")]
    flat = (
        array.stack(parameter=dims, create_index=False) if dims else array.expand_dims("parameter")
    )
    labels = [
        f"{name}[{', '.join(key)}]"
        for key in zip(*(flat[d].astype(str).values for d in dims), strict=True)
    ]
    flat = flat.drop_vars([c for c in flat.coords if c not in ("chain", "draw")])
    flat = flat.assign_coords(parameter=labels or [name]).transpose("chain", "draw", "parameter")
    numbers = summarize(flat, interval).reset_index()
    return numbers.assign(
        variant="main", prior_mean=prior[0], prior_sd=prior[1], ratio=numbers["sd"] / prior[1]
    )[HETEROGENEITY]


HETEROGENEITY = ["variant", "parameter", *NUMBERS, "prior_mean", "prior_sd", "ratio"]

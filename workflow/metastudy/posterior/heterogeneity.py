"""Heterogeneity: between-group standard deviations beside their priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.models.priors import Prior
from metastudy.models.registry import model_of
from metastudy.posterior.summarise import summarize

__all__ = ["HETEROGENEITY", "heterogeneity", "taus"]

HETEROGENEITY = result_tables.columns("heterogeneity")


def heterogeneity(
    cells: xr.Dataset, posterior: xr.DataTree, priors: Mapping[str, Prior], interval: float
) -> pd.DataFrame:
    """Every between-group standard deviation and coder's accuracy beside its prior.

    Parameters
    ----------
    cells : of a module.
    posterior : its draws, with the groups of :func:`metastudy.inference.fit.fit`.
    priors : by the configuration's keys (:func:`metastudy.models.priors.priors_of`).
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        ``variant``, ``parameter``, :func:`metastudy.posterior.summarise.summarize` of the
        posterior, and ``prior_mean``, ``prior_sd`` and ``ratio``, the posterior's standard
        deviation over the prior's: near one, the data say nothing.
    """
    tables = []
    for variant, group in (("main", "posterior"), ("error_free", "error_free_posterior")):
        if group in posterior.children:
            draws = posterior[group].to_dataset()
            names = [*_taus(draws), *(name for name in ACCURACIES if name in draws)]
            found = _beside_priors(
                draws, names, partial(model_of(cells).prior_of, priors), interval
            )
            tables.append(found.assign(variant=variant))
    return pd.concat(tables, ignore_index=True)


def taus(draws: xr.Dataset, prior_of: Callable[[str], Prior], interval: float) -> pd.DataFrame:
    """Standard deviations of a fit beside their priors.

    Parameters
    ----------
    draws : of a posterior; ``tau`` and what ends in ``_tau`` are such standard deviations.
    prior_of : takes the name of a parameter to its prior.
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        ``HETEROGENEITY``; no rows where the design identifies none.
    """
    return _beside_priors(draws, _taus(draws), prior_of, interval)


def _taus(draws: xr.Dataset) -> list[str]:
    """Names of standard deviations, in the order of the model; prevalences are last."""
    names = [str(n) for n in draws.data_vars if n == "tau" or str(n).endswith("_tau")]
    names = [name for name in names if draws[name].size]  # a design may identify none
    return sorted(names, key=lambda name: name == "prevalence_tau")


def _beside_priors(
    draws: xr.Dataset, names: Sequence[str], prior_of: Callable[[str], Prior], interval: float
) -> pd.DataFrame:
    tables = [_beside(draws[name], name, prior_of(name), interval) for name in names]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=HETEROGENEITY)


def _beside(array: xr.DataArray, name: str, prior: Prior, interval: float) -> pd.DataFrame:
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
        variant="main", prior_mean=prior.mean, prior_sd=prior.sd, ratio=numbers["sd"] / prior.sd
    )[HETEROGENEITY]


ACCURACIES = ("sensitivity", "specificity")

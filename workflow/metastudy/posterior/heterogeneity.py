"""Heterogeneity: between-group standard deviations beside their priors."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial

import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.models.priors import Prior, ShareOfTotal, component_prior
from metastudy.models.registry import model_of
from metastudy.posterior.summarise import summarize

__all__ = ["HETEROGENEITY", "decided_by_prior", "heterogeneity", "taus"]

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
        posterior; ``prior``, in words, ``prior_mean``, ``prior_sd``, ``prior_lower`` and
        ``prior_upper``, of the parameter's own marginal prior; and ``ratio``, the posterior's
        standard deviation over the prior's: near one, the data say nothing.
    """
    model = model_of(cells)
    parts = model.design(cells).parts
    tables = []
    for variant, group in (("main", "posterior"), ("error_free", "error_free_posterior")):
        if group in posterior.children:
            draws = posterior[group].to_dataset()
            names = [*_taus(draws), *(name for name in ACCURACIES if name in draws)]
            found = _beside_priors(draws, names, partial(model.prior_of, priors), parts, interval)
            tables.append(found.assign(variant=variant))
    return pd.concat(tables, ignore_index=True)


def taus(
    draws: xr.Dataset,
    prior_of: Callable[[str], Prior],
    parts: Mapping[str, int],
    interval: float,
) -> pd.DataFrame:
    """Standard deviations of a fit beside their priors.

    Parameters
    ----------
    draws : of a posterior; ``tau`` and what ends in ``_tau`` are such standard deviations.
    prior_of : takes the name of a parameter to its prior.
    parts : for each component, among how many its total is shared
        (:attr:`metastudy.design.effects.EffectDesign.parts`).
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        ``HETEROGENEITY``; no rows where the design identifies none.
    """
    return _beside_priors(draws, _taus(draws), prior_of, parts, interval)


def decided_by_prior(table: pd.DataFrame, limit: float) -> frozenset[str]:
    """Parameters of a table of heterogeneity whose posterior is as wide as their prior.

    Parameters
    ----------
    limit : ratio of the posterior's standard deviation to the prior's from which it is so.
    """
    return frozenset(
        table.loc[(table["variant"] != "error_free") & (table["ratio"] > limit), "parameter"]
    )


def _taus(draws: xr.Dataset) -> list[str]:
    """Names of standard deviations: totals, then components, then others; prevalences are last."""
    names = [str(n) for n in draws.data_vars if n == "tau" or str(n).endswith("_tau")]
    # Those apart from a total are among the components; a design may identify none.
    names = [name for name in names if draws[name].size and name != "apart_tau"]
    order = {"total_tau": -2, "tau": -1, "prevalence_tau": 1}
    return sorted(names, key=lambda name: order.get(name, 0))


def _beside_priors(
    draws: xr.Dataset,
    names: Sequence[str],
    prior_of: Callable[[str], Prior],
    parts: Mapping[str, int],
    interval: float,
) -> pd.DataFrame:
    tables = []
    for name in names:
        flat = _flat(draws[name], name)
        numbers = summarize(flat, interval).reset_index()
        before = [_prior(label, prior_of, parts) for label in numbers["parameter"]]
        ends = [prior.interval(interval) for prior in before]
        numbers = numbers.assign(
            variant="main",
            prior=[prior.label for prior in before],
            prior_mean=[prior.mean for prior in before],
            prior_sd=[prior.sd for prior in before],
            prior_lower=[low for low, _ in ends],
            prior_upper=[high for _, high in ends],
        )
        tables.append(numbers.assign(ratio=numbers["sd"] / numbers["prior_sd"])[HETEROGENEITY])
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame(columns=HETEROGENEITY)


def _prior(
    label: str, prior_of: Callable[[str], Prior], parts: Mapping[str, int]
) -> Prior | ShareOfTotal:
    """The marginal prior of a parameter; a component's is a share of its total's."""
    prior = prior_of(label)
    if label.startswith("tau["):
        return component_prior(prior, parts[label.removeprefix("tau[").removesuffix("]")])
    return prior


def _flat(array: xr.DataArray, name: str) -> xr.DataArray:
    """A parameter's elements beside each other, with their labels: (chain, draw, parameter)."""
    dims = [d for d in array.dims if d not in ("chain", "draw")]
    flat = (
        array.stack(parameter=dims, create_index=False) if dims else array.expand_dims("parameter")
    )
    labels = [
        f"{name}[{', '.join(key)}]"
        for key in zip(*(flat[d].astype(str).values for d in dims), strict=True)
    ]
    flat = flat.drop_vars([c for c in flat.coords if c not in ("chain", "draw")])
    return flat.assign_coords(parameter=labels or [name]).transpose("chain", "draw", "parameter")


ACCURACIES = ("sensitivity", "specificity")

"""Pooled means with the priors of the second stage halved and doubled, from one compiled model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.inference.refit_gates import converged
from metastudy.models.prior_widths import ALL, VARIANTS, variants
from metastudy.models.priors import Prior
from metastudy.posterior.power import moved, tree_of
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.families import FAMILY
from metastudy.synthesis.influence import Fit, gated
from metastudy.synthesis.pooling import SecondStage
from metastudy.synthesis.priors import as_in_plan, keys_of_plan

__all__ = ["prior_scales"]

LEVELS = ("population", FAMILY)
SCALED = ("scaled_prior", "scaled_likelihood")
KEPT = ("id", "exposure", "exposure_type", "outcome", "family", "role", "response_mode", "metric")


def prior_scales(
    table: pd.DataFrame,
    found: SecondStage,
    metric: str,
    priors: Mapping[str, Prior],
    fit: Fit,
    draws: xr.Dataset,
    sampling: Mapping[str, Any],
    thresholds: Mapping[str, float],
    interval: float,
    ropes: Mapping[str, float],
) -> pd.DataFrame:
    """Means of a plan with the scale of each of its priors halved and doubled, and of all at once.

    Beside that is how each mean moves with a power of all priors, and of the likelihood.

    A refit that misses a gate is made once more with longer chains; if it misses it still, its rows
    say so.

    Parameters
    ----------
    table : results of the plan (:func:`metastudy.synthesis.results.results`).
    found, metric : the plan, and the metric that its priors are those of.
    priors : of the whole fit, by the configuration's keys.
    fit : see :class:`metastudy.synthesis.influence.Fit`.
    draws : of the whole fit.
    sampling, thresholds : of refits (:func:`metastudy.inference.refit_gates.missed`).
    interval : probability of the credible intervals.
    ropes : half-width of the region of practical equivalence, by metric.

    Returns
    -------
    pandas.DataFrame
        A row for each mean of an estimand or a family, prior and factor; ``note`` says what the
        priors are that were varied.
    """
    means = table[table["level"].isin(LEVELS)]
    means = means.assign(**_scaled(means, draws))
    keys = keys_of_plan(metric, found)
    rows: list[dict[str, Any]] = []
    for key, name, other in variants(priors, keys):
        varied = [as_in_plan(other[k], found.unit) for k in (keys if key == ALL else (key,))]
        said = "; ".join(prior.label for prior in varied)
        refit = partial(fit, found.covariance, priors=other)
        made = gated(refit, partial(_rows, means, interval, ropes), sampling, thresholds)
        about = {"prior_key": key, "factor": VARIANTS[name], "note": said}
        rows += [row | about for row in made]
    columns = result_tables.columns("prior_scales")
    return pd.DataFrame(rows)[columns] if rows else result_tables.none("prior_scales")


def _rows(
    means: pd.DataFrame, interval: float, ropes: Mapping[str, float], draws: xr.Dataset
) -> Iterator[dict[str, Any]]:
    """Each mean of a refit beside that of the whole fit."""
    read = _means(draws, means)
    half = means["metric"].map(dict(ropes)).to_numpy(dtype=float)
    numbers, each = summarize(read, interval, half), converged(read)
    for at, (_, whole) in enumerate(means.iterrows()):
        row = {str(name): value for name, value in numbers.iloc[at].items()}
        row |= {name: found[at] for name, found in each.items()}
        yield {
            **row,
            **{name: whole[name] for name in (*KEPT, *SCALED, "studies", "provenance")},
            "kind": whole["level"],
            "shift": (row["mean"] - whole["mean"]) / whole["sd"],
            "ess": min(row["ess_bulk"], row["ess_tail"]),
        }


def _scaled(means: pd.DataFrame, draws: xr.Dataset) -> dict[str, np.ndarray]:
    """Sensitivity of each mean to a power of all priors of the plan, and to one of the data."""
    if means.empty:
        return {name: np.zeros(0) for name in SCALED}
    tree = tree_of(_means(draws, means), draws[["log_prior"]], draws["log_likelihood"])
    found = moved(tree)
    return {name: found[name.removeprefix("scaled_")].to_numpy() for name in SCALED}


def _means(draws: xr.Dataset, means: pd.DataFrame) -> xr.DataArray:
    """Draws of some means, dims (chain, draw, effect)."""
    return xr.concat(
        [_mean(draws, *one) for one in zip(means["level"], means["id"], strict=True)],
        pd.RangeIndex(len(means), name="effect"),
    ).transpose("chain", "draw", "effect")


def _mean(draws: xr.Dataset, level: str, name: str) -> xr.DataArray:
    if level == FAMILY:
        return draws["family_mean"].sel(directed_family=name, drop=True)
    return draws["mu"].sel(mu_of=name, drop=True)

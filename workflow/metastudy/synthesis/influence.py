"""Influence of each study on a pooled mean and on the total heterogeneity: both without it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import partial
from typing import Any, Protocol

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.inference.refit_gates import converged, missed
from metastudy.models.priors import Prior
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.pooling import ESTIMAND, SecondStage

__all__ = ["MOST", "Fit", "gated", "influence", "without"]

MOST = 40  # studies of a model: beyond, one of them is little of it, and each costs a refit
LONGER = 4  # warm-up and draws of a refit that has missed a gate, over those of the others
SAYS_NOTHING = 1e4  # a left-out study's standard errors, over its own
OVER = ("chain", "draw")


class Fit(Protocol):
    """Posterior of a plan with another covariance of its estimates, or with other priors.

    ``priors`` are by the configuration's keys, of the families of the plan's; without them the
    plan's own. With its own covariance and priors it is the posterior of the plan.
    """

    def __call__(
        self,
        covariance: np.ndarray,
        sampling: Mapping[str, Any],
        priors: Mapping[str, Prior] | None = None,
    ) -> xr.DataTree:
        """Draw from it, with the chains of ``sampling``."""
        ...


def without(found: SecondStage, study: str) -> np.ndarray:
    """The covariance of a plan's estimates in which those of a study say nothing.

    It is zero where that of the plan is, so no model is compiled again.

    Returns
    -------
    numpy.ndarray
        Shape (row, row).
    """
    scale = np.where(found.table["study"] == study, SAYS_NOTHING, 1.0)
    return np.asarray(found.covariance * np.outer(scale, scale))


def influence(
    found: SecondStage,
    posterior: xr.Dataset,
    fit: Fit,
    sampling: Mapping[str, Any],
    thresholds: Mapping[str, float],
    interval: float,
) -> pd.DataFrame:
    """Means and totals of a plan beside those without each of its studies.

    A refit that misses a gate is made once more with longer chains; if it misses it still, its rows
    say so.

    Parameters
    ----------
    found, posterior : the plan, and its draws.
    fit : see :class:`Fit`.
    sampling, thresholds : of refits (:func:`metastudy.inference.refit_gates.missed`).
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        A row for each estimand of several studies and each of them; none for a plan of more than
        :data:`MOST` studies.
    """
    several = found.table.groupby(ESTIMAND)["study"].transform("nunique") > 1
    studies = list(dict.fromkeys(found.table.loc[several, "study"]))
    rows: list[dict[str, Any]] = []
    for study in studies if len(studies) <= MOST else ():
        read = partial(_rows, found, posterior, study, interval)
        rows += gated(partial(fit, without(found, study)), read, sampling, thresholds)
    columns = result_tables.columns("influence")
    return pd.DataFrame(rows)[columns] if rows else result_tables.none("influence")


def gated(
    refit: Callable[[Mapping[str, Any]], xr.DataTree],
    read: Callable[[xr.Dataset], Iterable[dict[str, Any]]],
    sampling: Mapping[str, Any],
    thresholds: Mapping[str, float],
) -> list[dict[str, Any]]:
    """What is read from a refit, once more with longer chains where it misses a gate.

    Parameters
    ----------
    refit : takes how to sample, and gives ``posterior`` and ``sample_stats``.
    read : takes the posterior to rows, with ``rhat``, ``ess_bulk`` and ``ess_tail``.

    Returns
    -------
    list of dict
        The rows, each with ``missed``: the gates that are missed with the longer chains too.
    """
    for longer in (1, LONGER):
        chains = {name: sampling[name] * longer for name in ("tune", "draws")}
        tree = refit({**sampling, **chains})
        draws, stats = (tree[name].to_dataset() for name in ("posterior", "sample_stats"))
        rows = list(read(draws))
        gates = {name: [row[name] for row in rows] for name in ("rhat", "ess_bulk", "ess_tail")}
        wrong = missed(gates, int(stats["diverging"].sum()), thresholds)
        if not wrong:
            break
    return [row | {"missed": wrong} for row in rows]


def _rows(
    found: SecondStage, whole: xr.Dataset, study: str, interval: float, draws: xr.Dataset
) -> Iterator[dict[str, Any]]:
    """What becomes of each estimand that a study has an estimate of."""
    for _, estimand in found.estimands.iterrows():
        rows = found.table[found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1)]
        if study not in set(rows["study"]) or rows["study"].nunique() == 1:
            continue
        both = [_read(one, str(estimand["id"])) for one in (whole, draws)]
        before, after = (summarize(one, interval) for one in both)
        each = converged(both[1])
        worst = {name: each[name].max() if name == "rhat" else each[name].min() for name in each}
        mean, total = before.iloc[0], before["mean"].iloc[1:]
        yield {
            **estimand,
            "study": study,
            "studies": rows["study"].nunique(),
            "mean": mean["mean"],
            "sd": mean["sd"],
            **{f"{name}_without": after[name].iloc[0] for name in ("mean", "lower", "upper")},
            "shift": (after["mean"].iloc[0] - mean["mean"]) / mean["sd"],
            "total": total.squeeze() if len(total) else np.nan,
            "total_without": after["mean"].iloc[1] if len(total) else np.nan,
            "provenance": rows.loc[rows["study"] == study, "provenance"].iloc[0],
            **worst,
        }


def _read(draws: xr.Dataset, name: str) -> xr.DataArray:
    """What is read of an estimand: its mean and, where it has one, its total heterogeneity."""
    parts = [draws["mu"].sel(mu_of=name, drop=True)]
    if "total_tau" in draws and name in draws["total_of"].values:
        parts.append(draws["total_tau"].sel(total_of=name, drop=True))
    return xr.concat(parts, pd.RangeIndex(len(parts), name="effect")).transpose(*OVER, "effect")

"""Results of the second stage: pooled effects, heterogeneity, predictions, inconsistency."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common.tables import join_values
from metastudy.design.identification import Term
from metastudy.design.new_levels import deviation
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.pooling import ESTIMAND, SecondStage

__all__ = ["inconsistency", "results"]


def results(
    found: SecondStage,
    posterior: xr.Dataset,
    interval: float,
    seed: int,
    ropes: Mapping[str, float] | None = None,
) -> pd.DataFrame:
    """Population means, every group's shrunken effect, and predictions for new groups.

    The effect of a study is that of all its estimates of an estimand; of a country or a sector it
    is that of a new study there, on average.

    A prediction for a new country or sector adds a draw of its varying term to the population
    mean (:func:`metastudy.design.new_levels.deviation`); it exists only where the design has the
    term, so from three levels on.

    Parameters
    ----------
    found : the plan that was fitted.
    posterior : its draws, with ``level`` and ``tau``.
    interval : probability of the credible intervals.
    seed : of the predictions.
    ropes : half-width of the region of practical equivalence, by metric.
    """
    rows, draws = zip(*_quantities(found, posterior, seed), strict=True)
    stacked = xr.concat(
        [d.drop_vars([c for c in d.coords if c not in d.dims]) for d in draws],
        pd.RangeIndex(len(draws), name="row"),
    ).transpose("chain", "draw", "row")
    table = pd.DataFrame(list(rows))
    half = table["metric"].map(dict(ropes or {})).to_numpy(dtype=float)
    return pd.concat([table, summarize(stacked, interval, half).reset_index(drop=True)], axis=1)


def _quantities(
    found: SecondStage, posterior: xr.Dataset, seed: int
) -> Iterator[tuple[dict[str, Any], xr.DataArray]]:
    rng = np.random.default_rng(seed)
    for _, estimand in found.estimands.iterrows():
        name = estimand["id"]
        mine = (
            found.table
            if name == "all"
            else found.table[found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1)]
        )
        base = {
            **estimand,
            "studies": mine["study"].nunique(),
            "provenance": join_values(mine["provenance"]),
            "note": "",
        }
        mean = posterior["mu"].sel(mu_of=name)
        yield base | {"level": "population", "group": ""}, mean
        for term in found.structures[name].terms:
            label = f"{name} {term.name}"
            if term.name == "estimate":
                continue
            for k, level in enumerate(term.levels):
                if term.name == "study":  # with what its country and its sector add
                    rows = mine.index[mine["study"] == level]
                    value = posterior["theta"].isel(row=rows).mean("row")
                elif term.kind == "contrast":
                    value = mean + (k - 0.5) * posterior["difference"].sel(difference_of=label)
                else:
                    value = mean + posterior["level"].sel(level_of=f"{label} {level}")
                yield base | {"level": term.name, "group": level}, value
            if term.kind == "varying":
                shift, note = deviation(
                    term, found.structures[name], partial(_spread, posterior, name), rng
                )
                new = {"level": f"new_{term.name}", "group": "", "note": note}
                yield base | new, mean + shift


def _spread(posterior: xr.Dataset, name: str, term: Term) -> xr.DataArray:
    """Draws of the standard deviation of a term around an estimand."""
    return posterior["tau"].sel(tau_of=f"{name} {term.name}")


def inconsistency(found: SecondStage, posterior: xr.Dataset, interval: float) -> pd.DataFrame:
    """I²: the share of the variance of a typical estimate that each standard deviation makes up.

    It means something for an estimand with one estimate of each study, independent of the others,
    and is left out elsewhere. With spreads between countries beside those between studies each has
    a share of its own.

    Returns
    -------
    pandas.DataFrame
        ``parameter``, as :func:`metastudy.posterior.heterogeneity.taus` names it, and of the
        posterior of I² the mean ``i2``, the interval ``i2_lower`` and ``i2_upper``, and
        ``i2_mcse``, the Monte Carlo standard error of the mean.

    Notes
    -----
    The typical sampling variance is that of Higgins and Thompson (2002), equation 9, from the
    weights w, the inverse variances of k estimates:
    (k - 1) sum(w) / (sum(w)^2 - sum(w^2)).
    """
    shares: dict[str, xr.DataArray] = {}
    for _, estimand in found.estimands.iterrows():
        rows = found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1).to_numpy()
        own = found.covariance[np.ix_(rows, rows)]
        varying = [t for t in found.structures[estimand["id"]].terms if t.kind == "varying"]
        one_each = rows.any() and found.table.loc[rows, "study"].is_unique
        if not varying or not one_each or np.triu(own, 1).any():
            continue
        w = 1 / np.diag(own)
        typical = (len(w) - 1) * w.sum() / (w.sum() ** 2 - (w**2).sum())
        labels = [f"{estimand['id']} {term.name}" for term in varying]
        squares = [posterior["tau"].sel(tau_of=label, drop=True) ** 2 for label in labels]
        total = sum(squares) + typical
        shares |= {f"tau[{label}]": s / total for label, s in zip(labels, squares, strict=True)}
    columns = {"mean": "i2", "lower": "i2_lower", "upper": "i2_upper", "mcse": "i2_mcse"}
    if not shares:
        none = pd.DataFrame(columns=["parameter", *columns.values()])
        return none.astype(dict.fromkeys(columns.values(), float))
    draws = xr.concat([*shares.values()], "parameter")
    draws = draws.assign_coords(parameter=list(shares)).transpose("chain", "draw", "parameter")
    numbers = summarize(draws, interval)[list(columns)]
    return numbers.rename(columns=columns).reset_index()

"""Effects and differences of outcomes where a correlation is assumed, with other ones beside it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.models.base import AT, Row
from metastudy.models.registry import model_of
from metastudy.posterior.contrasts import Contrasts

__all__ = ["correlations_of_arms"]

ENDS = ("mean", "lower", "upper")


def correlations_of_arms(
    cells: xr.Dataset, draws: xr.Dataset, refits: Mapping[str, xr.Dataset], interval: float
) -> pd.DataFrame:
    """Population effects and differences between outcomes, with other correlations beside them.

    Parameters
    ----------
    cells, draws : what the module was fitted to, and its posterior.
    refits : posteriors by the correlation that they assume, as written in decimals
        (:func:`metastudy.model_checks.refits.refit`); one that misses a gate is not shown.
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``correlations_of_arms``, with the ids of the contrasts; without rows
        where no correlation is assumed.
    """
    assumed = model_of(cells).assumed_correlation(cells)
    if assumed is None:
        return result_tables.none("correlations_of_arms")
    whole = _table(cells, draws, interval)
    found = whole[["id", "module", *ENDS, "provenance"]].assign(correlation=assumed, missed="")
    for at in AT:
        own = refits.get(f"{at:g}")
        missed = "" if own is None else str(own.attrs["missed"])
        if missed:
            found["missed"] += f"at {at:g}: {missed}; "
        shown = own is not None and not missed
        numbers = _table(cells, own, interval)[list(ENDS)] if shown else whole[list(ENDS)] * np.nan
        found = found.assign(**{f"{name}_{100 * at:.0f}": numbers[name] for name in ENDS})
    return found[result_tables.columns("correlations_of_arms")]


def _table(cells: xr.Dataset, draws: xr.Dataset, interval: float) -> pd.DataFrame:
    tree = xr.DataTree.from_dict({"posterior": draws})
    rows = model_of(cells).contrasts(cells, tree, np.random.default_rng(0), 1, ())
    return Contrasts(_of_outcomes(rows, model_of(cells).metric)).table(interval)


def _of_outcomes(rows: Iterator[Row], metric: str) -> Iterator[Row]:
    """Effects on outcomes in all settings, and differences between such effects."""
    for row, draws in rows:
        effect = row["estimand"] == "effect" and row["level"] == "population"
        between = row["estimand"] == "difference" and row["level"] == "outcome"
        if (effect or between) and row["metric"] == metric:
            yield row, draws

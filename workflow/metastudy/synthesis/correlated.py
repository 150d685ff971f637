"""Correlations between the deviations of pooled effects: estimated, or taken as zero, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common import result_tables
from metastudy.common.tables import join_values
from metastudy.models.priors import Prior
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.pooling import ESTIMAND, SecondStage
from metastudy.synthesis.priors import CORRELATION
from metastudy.synthesis.together import LEAST, common

__all__ = ["correlated"]

FEW = "one study only measures both"
APART = "the two vary by no grouping in common"


def correlated(
    fits: Sequence[tuple[SecondStage, xr.Dataset]], priors: Mapping[str, Prior], interval: float
) -> pd.DataFrame:
    """Every two pooled effects that a study measures together, and how they deviate together.

    Parameters
    ----------
    fits : plans of the second stage and their draws.
    priors : by the configuration's keys.
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``correlations``: a row for each two estimands; the numbers are missing
        where the correlation is taken as zero, and ``reason`` says why.
    """
    if not fits:
        return result_tables.none("correlations")
    estimands = pd.concat([found.estimands for found, _ in fits], ignore_index=True)
    table = pd.concat([found.table for found, _ in fits], ignore_index=True)
    at = {name: k for k, name in enumerate(estimands["id"])}
    keys = {key: k for k, key in enumerate(estimands[ESTIMAND].itertuples(index=False, name=None))}
    own = [keys[key] for key in table[ESTIMAND].itertuples(index=False, name=None)]
    number = common(table, np.array(own))
    shown = {}
    for found, draws in fits:
        for k, pair in enumerate(found.design.joint.pairs if found.design.joint else ()):
            one, other = (at[found.design.means[mean]] for mean in pair)
            drawn = draws["correlation"].isel(pair_of=[k]).transpose("chain", "draw", "pair_of")
            shown[one, other] = summarize(drawn, interval).iloc[0]
    rows: list[dict[str, Any]] = []
    for i, j in np.argwhere(np.triu(number > 0, 1)):
        one, other = estimands.iloc[i], estimands.iloc[j]
        both = np.isin(own, [i, j])
        row: dict[str, Any] = dict(one) | {f"other_{n}": other[n] for n in ("exposure", "outcome")}
        row |= {"other": other["id"], "studies": int(number[i, j]), "prior": "", "reason": ""}
        row |= dict.fromkeys(("mean", "lower", "upper"), np.nan)
        row["provenance"] = join_values(table.loc[both, "provenance"])
        if (i, j) in shown:
            row |= {name: shown[i, j][name] for name in ("mean", "lower", "upper")}
            row["prior"] = priors[CORRELATION].label
        else:
            row["reason"] = FEW if number[i, j] < LEAST else APART
        rows.append(row)
    columns = result_tables.columns("correlations")
    return pd.DataFrame(rows)[columns] if rows else result_tables.none("correlations")

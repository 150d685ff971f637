"""Scale scores: the mean of a construct's items, where enough of them are answered."""

from __future__ import annotations

import pandas as pd

__all__ = ["LEAST_ANSWERED", "NEEDED", "scores"]

LEAST_ANSWERED = 2 / 3  # share of the items; with less, a mean would rest on too few
NEEDED = ("study_id", "respondent_id", "vignette", "construct", "value_pomp")


def scores(measurements: pd.DataFrame, least: float = LEAST_ANSWERED) -> pd.DataFrame:
    """Score each respondent on each construct in each vignette.

    Parameters
    ----------
    measurements : the harmonized table, one row a respondent and item; of its columns
        :data:`NEEDED` are looked at, and texts may be categoricals, which is faster.
    least : least share of a construct's items that must be answered.

    Returns
    -------
    One row a respondent, vignette (null: about no vignette) and construct, in the order of the
    measurements: ``study_id``, ``respondent_id``, ``vignette``, ``construct``, ``items``,
    ``answered`` and ``score``, the mean of ``value_pomp`` (0 to 100), NaN if too few are answered.
    """
    keys = list(NEEDED[:-1])
    groups = measurements.groupby(keys, dropna=False, sort=False, observed=True)["value_pomp"]
    table = groups.agg(items="size", answered="count", score="mean").reset_index()
    enough = table["answered"] >= least * table["items"] - 1e-9  # thirds are not exact in binary
    table["score"] = table["score"].where(enough)
    coded = [key for key in keys if isinstance(table[key].dtype, pd.CategoricalDtype)]
    return table.astype(dict.fromkeys(coded, "str"))

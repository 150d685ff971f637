"""Standardisers: the standard deviation that a study's effects on an outcome are measured in.

It is that of people within a setting, so that a country's level of an outcome changes no effect,
and one for all exposures, so that their effects compare.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

__all__ = [
    "LEAST_DF",
    "LEAST_OF_ALL",
    "arms_sd",
    "centres",
    "small_sample",
    "standardisers",
    "within_sd",
]

LEAST_DF = 20  # below, the reference arms alone say too little of a standard deviation
LEAST_OF_ALL = 2  # with fewer degrees of freedom nothing in units of it has a mean


def small_sample(df: np.ndarray | pd.Series) -> np.ndarray:
    """Hedges' correction of a standardised difference, by the degrees of freedom of its SD.

    References
    ----------
    Hedges (1981), Distribution theory for Glass's estimator of effect size, equation 6e.
    """
    return np.asarray(1 - 3 / (4 * np.maximum(np.asarray(df, dtype=float), 1.0) - 1))


def within_sd(y: pd.DataFrame, group: Sequence[pd.Series]) -> tuple[pd.Series, pd.Series]:
    """Standard deviation of each column within groups, pooled by degrees of freedom.

    Parameters
    ----------
    y : rows of people, NaN where not observed.
    group : what the groups are made of, each aligned with the rows.

    Returns
    -------
    The standard deviations, NaN without degrees of freedom, and the degrees of freedom.
    """
    apart = y - y.groupby(list(group)).transform("mean")
    count = y.notna().groupby(list(group)).sum()
    df = (count - 1).clip(lower=0).sum()
    return ((apart**2).sum() / df.where(df > 0)) ** 0.5, df.astype(float)


def arms_sd(
    y: pd.DataFrame, n: np.ndarray, variance: np.ndarray, group: Sequence[pd.Series]
) -> tuple[pd.Series, pd.Series]:
    """As :func:`within_sd` of the people of arms, from their numbers, means and variances.

    Parameters
    ----------
    y : means of arms, a column per outcome.
    n, variance : people of each arm, shape (arms,), and their variances, shape (arms, outcomes).
    group : what the groups of arms are made of, each aligned with the rows.
    """
    weight = pd.Series(n, index=y.index)
    people = weight.groupby(list(group)).transform("sum")
    centre = y.mul(weight, axis=0).groupby(list(group)).transform("sum").div(people, axis=0)
    square = (n - 1)[:, None] * variance + ((y - centre) ** 2).mul(weight, axis=0)
    df = (weight.groupby(list(group)).sum() - 1).clip(lower=0).sum()
    sd = (square.sum() / df) ** 0.5 if df > 0 else square.sum() * np.nan
    return sd, pd.Series(float(df), index=y.columns)


def standardisers(
    y: pd.DataFrame,
    setting: Sequence[pd.Series],
    randomised: pd.DataFrame,
    within: tuple[np.ndarray, np.ndarray] | None = None,
) -> pd.DataFrame:
    """The standardiser of each outcome of a study.

    The standard deviation within settings of those at the reference level of every randomised
    factor, or of all where nothing is randomised; below :data:`LEAST_DF` degrees of freedom that
    within the arms of all. Sites are in it: it is the standard deviation of people in a place.

    Parameters
    ----------
    y : scores, a column per outcome, NaN where not observed.
    setting : what settings are made of within the study, each aligned with the rows.
    randomised : randomised exposures; not above zero is the reference level.
    within : where rows are arms and ``y`` their means, number of people (rows,) and variances
        (rows, outcomes).

    Returns
    -------
    pandas.DataFrame
        A row per outcome: ``scale``, the standard deviation divided by Hedges' correction, so that
        effects in its units are unbiased, and NaN with fewer than two degrees of freedom; ``df``,
        its degrees of freedom; ``all_arms``, whether it is that within all arms.
    """
    reference = _reference(randomised)
    arms = [randomised[name] for name in randomised]
    if within is None:
        sd, df = within_sd(y[reference], [part[reference] for part in setting])
        sd_all, df_all = within_sd(y, [*setting, *arms])
    else:
        n, variance = within
        own = [part[reference] for part in setting]
        sd, df = arms_sd(y[reference], n[reference], variance[reference], own)
        sd_all, df_all = arms_sd(y, n, variance, [*setting, *arms])
    few = (df < LEAST_DF) & (df_all > df)
    sd, df = sd.where(~few, sd_all), df.where(~few, df_all)
    scale = (sd / small_sample(df)).where(df >= LEAST_OF_ALL)
    return pd.DataFrame({"scale": scale, "df": df, "all_arms": few})


def centres(
    y: pd.DataFrame,
    setting: Sequence[pd.Series],
    randomised: pd.DataFrame,
    n: np.ndarray | None = None,
) -> pd.DataFrame:
    """Mean of each outcome at the reference level in each setting; of all where nobody is at it.

    Rows are people, or arms of ``n`` people each, shape (rows,).
    """
    reference = _reference(randomised)

    def mean(rows: pd.Series) -> pd.DataFrame:
        group = [part[rows] for part in setting]
        if n is None:
            return y[rows].groupby(group).mean()
        weight = pd.Series(n, index=y.index)[rows]
        total = y[rows].mul(weight, axis=0).groupby(group).sum()
        return total.div(weight.groupby(group).sum(), axis=0)

    everyone, at_reference = mean(reference | True), mean(reference)
    return at_reference.reindex(everyone.index).fillna(everyone)


def _reference(randomised: pd.DataFrame) -> pd.Series:
    return (randomised <= 0).all(axis=1)

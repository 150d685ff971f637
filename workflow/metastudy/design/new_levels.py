"""Predictions: what a country, a sector or a study that is not among the data would give."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.design.identification import Structure, Term

__all__ = ["DOMINATED", "PLACES", "brought", "deviation", "is_prediction"]

PLACES = ("country", "sector")
DOMINATED = "the standard deviation that it needs is dominated by its prior"


def is_prediction(level: str) -> bool:
    """Whether a row's level says that it is a prediction: ``new_country`` and the like."""
    return level.startswith("new_")


def brought(term: Term, found: Structure) -> list[Term]:
    """The varying terms that a new level of a term brings along: its own first, then the others.

    Where each study is in one country, a new study is in a new country: its prediction has the
    spread of the countries as well as that of the studies. A new country has its own spread alone.
    """
    return [term, *(t for t in found.terms if t.kind == "varying" and _nested(term, t))]


def _nested(inner: Term, outer: Term) -> bool:
    """Whether each level of one term lies within one level of another."""
    if inner.name == outer.name:
        return False
    return bool(pd.Series(outer.index).groupby(inner.index).nunique().eq(1).all())


def deviation(
    term: Term,
    found: Structure,
    tau: Callable[[Term], xr.DataArray],
    rng: np.random.Generator,
) -> tuple[xr.DataArray, str]:
    """How far a new level of a varying term lies from the population mean, draw by draw.

    Parameters
    ----------
    term : a varying term of the structure; a contrast has no standard deviation to predict from.
    found : the structure around the mean.
    tau : gives the draws of a term's standard deviation.
    rng : source of the standard normal deviates.

    Returns
    -------
    deviation, note
        Draws of the sum of standard deviation times standard normal over :func:`brought`, and
        :data:`DOMINATED` where one of these terms has fewer levels than its standard deviation
        needs to be learnt, else an empty text.

    References
    ----------
    Higgins, Thompson and Spiegelhalter (2009), A re-evaluation of random-effects meta-analysis.
    """
    terms = brought(term, found)
    drawn = [spread * rng.standard_normal(spread.shape) for spread in map(tau, terms)]
    note = DOMINATED if any(t.prior_dominated for t in terms) else ""
    return sum(drawn[1:], start=drawn[0]), note

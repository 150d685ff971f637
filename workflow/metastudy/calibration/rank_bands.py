"""Ranks of true values among posterior draws, and how uniform they have to be.

If simulations and model agree, a true value is as likely in one place among independent draws of
its posterior as in any other (Talts et al. 2018; Modrák et al. 2023).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.stats import binom

__all__ = [
    "END_TO_END",
    "INTERVALS",
    "POSTERIOR",
    "Band",
    "band",
    "bins_for",
    "by_quantity",
    "counts",
    "inside",
    "ranks",
    "thinned",
    "uniformity",
]

INTERVALS = (50, 80, 95)  # per cent, equal-tailed
END_TO_END = "end_to_end"  # the part of the synthesis that begins with rows
POSTERIOR = "_posterior"  # ends the name of a part whose true values are from the data's posterior
STEPS = 40  # of the bisection: far below what a drawing or a verdict could show


@dataclass(frozen=True)
class Band:
    """Bounds that all counts of uniform ranks keep together with a probability.

    ``lower`` and ``upper`` have an entry a bin: of its count, or of the cumulated count up to it.
    """

    lower: np.ndarray
    upper: np.ndarray
    cumulative: bool


def thinned(draws: np.ndarray, kept: int) -> np.ndarray:
    """Some of the draws (first axis), evenly spaced, so that neighbours hardly depend."""
    if len(draws) < kept:
        raise ValueError(f"{len(draws)} draws cannot be thinned to {kept}")
    return draws[np.linspace(0, len(draws) - 1, kept).round().astype(int)]


def ranks(truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    """Number of draws (first axis) below each true value: 0 to the number of draws."""
    return (draws < truth).sum(axis=0)


def bins_for(kept: int, most: int) -> int:
    """The largest number of equal bins, at most this many, for ranks from 0 to ``kept``."""
    return next(bins for bins in range(min(most, kept + 1), 0, -1) if (kept + 1) % bins == 0)


def counts(found: np.ndarray, kept: int, bins: int) -> np.ndarray:
    """Ranks (last axis) per bin."""
    width = (kept + 1) // bins
    at = np.asarray(found) // width
    return (at[..., None, :] == np.arange(bins)[:, None]).sum(axis=-1)


def band(simulations: int, bins: int, probability: float, cumulative: bool) -> Band:
    """Simultaneous band of the counts of uniform ranks, or of their cumulated counts.

    At each bin the band is a central interval of the binomial distribution; the probability of
    these intervals is the smallest for which all counts together are inside with ``probability``.
    That one is computed exactly, by passing through the bins: given the count up to a bin, the
    next is binomial.

    References
    ----------
    Säilynoja, Bürkner and Vehtari (2022), Graphical test for discrete uniformity.
    """
    passing = _passing(simulations, bins)
    low, high = 0.0, 1.0 - probability  # tail of one bin; all bins are stricter than one
    found = _bounds(simulations, bins, low, cumulative)
    for _ in range(STEPS):
        tail = (low + high) / 2
        tried = _bounds(simulations, bins, tail, cumulative)
        if _probability(passing, tried) >= probability:
            low, found = tail, tried
        else:
            high = tail
    return found


def inside(of_bins: np.ndarray, limits: Band) -> np.ndarray:
    """Whether all counts (last axis: bins) are in the band."""
    found = np.cumsum(of_bins, axis=-1) if limits.cumulative else np.asarray(of_bins)
    return ((found >= limits.lower) & (found <= limits.upper)).all(axis=-1)


def uniformity(ranked: pd.DataFrame, probability: float = 0.95) -> pd.DataFrame:
    """Whether the ranks of each quantity are as uniform as their number lets one expect.

    Parameters
    ----------
    ranked : one row per ``simulation`` and ``quantity`` of a ``parameter``, with ``rank`` and
        ``ranked``, the number of draws that it is a rank among.
    probability : with which uniform ranks stay inside a band.

    Returns
    -------
    pandas.DataFrame
        One row per quantity: ``parameter``, ``quantity``, ``alone``, whether its cumulated ranks
        stay in the band of one quantity, and ``together``, whether they do in the wider band that
        all quantities keep together with at least ``probability`` (Bonferroni).
    """
    found, kept = by_quantity(ranked)
    bins, number = kept + 1, found.shape[1]
    each = 1 - (1 - probability) / len(found)
    of_bins = counts(found.to_numpy(), kept, bins)
    within = {
        name: inside(of_bins, band(number, bins, wanted, cumulative=True))
        for name, wanted in (("alone", probability), ("together", each))
    }
    return found.index.to_frame(index=False).assign(**within)


def by_quantity(ranked: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """Ranks with a row per parameter and quantity and a column per simulation, and the most."""
    keys = ["parameter", "quantity"]
    found = ranked.pivot(index=keys, columns="simulation", values="rank")
    order = pd.MultiIndex.from_frame(ranked[keys].drop_duplicates())
    return found.loc[order], int(ranked["ranked"].iloc[0])


def _bounds(simulations: int, bins: int, tail: float, cumulative: bool) -> Band:
    share = np.arange(1, bins + 1) / bins if cumulative else np.full(bins, 1 / bins)
    lower = binom.ppf(tail / 2, simulations, share) if tail else np.zeros(bins)
    upper = binom.ppf(1 - tail / 2, simulations, share) if tail else np.full(bins, simulations)
    # the quantile of a probability of zero is -1
    return Band(np.maximum(lower, 0), upper, cumulative)


def _passing(simulations: int, bins: int) -> np.ndarray:
    """Probability of each count up to a bin, given the one before; shape (bins, before, after)."""
    before = np.arange(simulations + 1)
    step = before[None, :] - before[:, None]
    return np.stack(
        [binom.pmf(step, simulations - before[:, None], 1 / (bins - at)) for at in range(bins)]
    )


def _probability(passing: np.ndarray, limits: Band) -> float:
    """Probability that uniform ranks keep the band."""
    here = np.arange(passing.shape[1])
    step = here[None, :] - here[:, None]
    reached = (here == 0).astype(float)
    for at, (low, high) in enumerate(zip(limits.lower, limits.upper, strict=True)):
        if limits.cumulative:
            reached = (reached @ passing[at]) * ((here >= low) & (here <= high))
        else:
            reached = reached @ (passing[at] * ((step >= low) & (step <= high)))
    return float(reached.sum())

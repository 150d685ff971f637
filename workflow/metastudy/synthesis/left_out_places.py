"""Each place left out: what all others predict of its estimate, and whether it is there.

The interval is that of the place's *estimate*: what the place may differ by, what its settings
differ by, and the error of the estimate itself. So an interval that holds its share of estimates is
neither too short nor longer than it must be.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.common.tables import join_values, records
from metastudy.inference.refit_gates import converged
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.influence import SAYS_NOTHING, Fit, gated
from metastudy.synthesis.pooling import ESTIMAND, SecondStage

__all__ = ["COLUMNS", "FEWEST", "GROUPED", "digest", "left_out_places", "predicted", "without"]

GROUPED = ("country", "sector")
FEWEST = 8  # places of a grouping: of fewer no share of intervals says anything
COLUMNS = [
    *("date", "commit", "estimates"),  # when, with which code, and of what: see `digest`
    *("grouping", "group", *ESTIMAND),
    *("estimate", "se"),  # of the place alone, the weighted mean of its own estimates
    *("mean", "lower", "upper"),  # of that estimate, predicted from all others
    "missed",  # gates of the refit
    "provenance",
]


def without(found: SecondStage, rows: np.ndarray) -> np.ndarray:
    """The covariance of a plan's estimates in which some say nothing, shape (row, row).

    Parameters
    ----------
    rows : whether a row is left out, shape (row,).
    """
    scale = np.where(rows, SAYS_NOTHING, 1.0)
    return np.asarray(found.covariance * np.outer(scale, scale))


def predicted(
    draws: xr.Dataset, covariance: np.ndarray, rows: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, xr.DataArray]:
    """Weights of the estimates of a place, and draws of their weighted mean.

    Parameters
    ----------
    draws : of a fit to which these rows say nothing, so that each of their effects is a draw from
        what all others say: ``theta``, dims (chain, draw, row).
    covariance : of all estimates, shape (row, row).
    rows : positions of the place's estimates.

    Returns
    -------
    weights of shape (rows,), and draws with dims (chain, draw), the estimates' error in them.
    """
    own = covariance[np.ix_(rows, rows)]
    weight = np.linalg.solve(own, np.ones(len(rows)))
    weight /= weight.sum()
    theta = draws["theta"].transpose("chain", "draw", "row").isel(row=rows)
    error = np.sqrt(weight @ own @ weight) * rng.standard_normal(theta.shape[:2])
    return weight, theta.dot(xr.DataArray(weight, dims="row")) + error


def left_out_places(
    found: SecondStage,
    fit: Fit,
    sampling: Mapping[str, Any],
    thresholds: Mapping[str, float],
    interval: float,
) -> pd.DataFrame:
    """Leave out each place of each grouping of each estimand that has enough places.

    Places whose estimates share an error with those of others are no test of a prediction and are
    passed over, with their whole grouping.

    Parameters
    ----------
    fit : see :class:`metastudy.synthesis.influence.Fit`.
    sampling, thresholds : of refits; the seed of ``sampling`` is that of the errors too.
    interval : probability of the intervals.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`COLUMNS`, without those that say when and with what it was made.
    """
    rows: list[dict[str, Any]] = []
    for _, estimand in found.estimands.iterrows():
        mine = found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1).to_numpy()
        for grouping in GROUPED:
            places = list(dict.fromkeys(found.table.loc[mine, grouping]))
            groups = [np.flatnonzero(mine & found.table[grouping].eq(p)) for p in places]
            if len(places) < FEWEST or any(_shares(found.covariance, own) for own in groups):
                continue
            for place, own in zip(places, groups, strict=True):
                out = np.isin(np.arange(len(mine)), own)
                read = partial(_read, found, own, interval, int(sampling["seed"]))
                about = {"grouping": grouping, "group": place, **estimand[ESTIMAND]}
                refit = partial(fit, without(found, out))
                rows += [about | row for row in gated(refit, read, sampling, thresholds)]
    return pd.DataFrame(rows, columns=[c for c in COLUMNS if c not in COLUMNS[:3]])


def _shares(covariance: np.ndarray, own: np.ndarray) -> bool:
    return bool(np.delete(covariance[own], own, axis=1).any())


def _read(
    found: SecondStage, own: np.ndarray, interval: float, seed: int, draws: xr.Dataset
) -> Iterator[dict[str, Any]]:
    rng = np.random.default_rng([seed, *own])
    weight, drawn = predicted(draws, found.covariance, own, rng)
    one = drawn.expand_dims("effect", axis=-1)
    said, each = summarize(one, interval).iloc[0], converged(one)
    own_error = weight @ found.covariance[np.ix_(own, own)] @ weight
    yield {
        "estimate": float(weight @ found.table["estimate"].to_numpy()[own]),
        "se": float(np.sqrt(own_error)),
        **{name: float(said[name]) for name in ("mean", "lower", "upper")},
        **{name: float(values[0]) for name, values in each.items()},
        "provenance": join_values(found.table["provenance"].iloc[own]),
    }


def digest(estimates: pd.DataFrame) -> str:
    """A short name of the estimates of one estimand: what was left out is about these alone.

    Parameters
    ----------
    estimates : rows of the table ``estimates``. Four decimals of a standard error count, so that
        another processor gives the same name.
    """
    said = sorted(
        f"{row['id']} {round(row['estimate'] / row['se'], 4) + 0.0} {row['se']:.5g}"
        for row in records(estimates)
    )
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:12]

"""Log-likelihood and replicates of interviews."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np
import xarray as xr

from metastudy.models.base import GROUPINGS, Check, Group, Label, Value, between
from metastudy.models.codings.observations import Interviews, applied

__all__ = ["checks", "of_interviews"]


def checks(
    rows: Interviews, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> Check:
    """The predictive checks of codings.

    Parameters
    ----------
    rows : N interviews with C codes.
    cells : with site and groupings of each unit.
    draws : S draws of the posterior.
    rng : for the replicates.

    Returns
    -------
    What first and second coders applied and S replicates of it, a pair of shape (N, C) each, NaN
    where missing; statistics of both; study, country and sector of each row, shape (N,).
    """
    names = [{"outcome": str(code)} for code in cells.code.values]
    site = np.unique(cells.site.values, return_inverse=True)[1][rows.unit]
    return Check(
        (rows.first, rows.second),
        draw_interviews(rows, draws, rng),
        partial(_of_interviews, names=names, sites=site),
        [cells[name].values[rows.unit] for name in GROUPINGS],
    )


def draw_interviews(
    rows: Interviews, draws: xr.Dataset, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Replicates of what first and second coders applied, missing where theirs is."""
    presence = draws["presence"].values
    asked, twice = ~np.isnan(rows.first), ~np.isnan(rows.second)
    sensitivity, specificity = draws["sensitivity"].values, draws["specificity"].values
    for at in range(len(presence)):
        truth = rng.random(asked.shape) < presence[at, rows.unit]
        chance = np.where(truth, sensitivity[at], 1 - specificity[at])  # of being applied
        first, second = (rng.random(asked.shape) < chance for _ in range(2))
        yield np.where(asked, first, np.nan), np.where(twice, second, np.nan)


def _of_interviews(
    read: tuple[np.ndarray, np.ndarray],
    group: Group,
    names: Sequence[Label],
    sites: np.ndarray,
) -> Iterator[Value]:
    first, second = (coder[group.rows] for coder in read)
    seen, twice = ~np.isnan(first), ~np.isnan(second)
    applied = np.where(seen, first, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"prevalence": (applied.sum(axis=0) / seen.sum(axis=0), seen.sum(axis=0))}
        if group.whole:
            found["site_sd"] = (between(applied, seen, sites[group.rows]), seen.sum(axis=0))
            agreed = (twice & (first == second)).sum(axis=0)
            found["agreement"] = (agreed / twice.sum(axis=0), twice.sum(axis=0))
    for statistic, (values, people) in found.items():
        for c in map(int, np.flatnonzero(seen.any(axis=0))):
            label = group.label | names[c] | {"statistic": statistic}
            yield label, float(values[c]), float(people[c])
    number, people = applied.sum(axis=1), len(applied)
    yield group.label | {"statistic": "codes_mean"}, float(number.mean()), people
    spread = float(number.std(ddof=1)) if people > 1 else np.nan
    yield group.label | {"statistic": "codes_sd"}, spread, people


def of_interviews(rows: Interviews, cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Log-probability of what the coders of each interview applied, shape (S, N)."""
    twice = ~np.isnan(rows.second)
    once = ~np.isnan(rows.first) & ~twice
    first, second = rows.first == 1, rows.second == 1
    # How often each of these happened to a code in an interview: zero or once.
    happened = np.stack(
        [
            once & first,
            once & ~first,
            twice & first & second,
            twice & (first != second),
            twice & ~first & ~second,
        ],
        axis=-1,
    ).astype(float)
    p = applied(draws)
    logs = np.log(np.stack([p["one"], 1 - p["one"], p["both"], p["either"], p["none"]], axis=-1))
    found = np.empty((len(logs), len(rows.first)))
    for unit in np.unique(rows.unit):
        mine = rows.unit == unit
        of_unit = logs[:, unit].reshape(len(logs), -1)
        found[:, mine] = of_unit @ happened[mine].reshape(int(mine.sum()), -1).T
    return found

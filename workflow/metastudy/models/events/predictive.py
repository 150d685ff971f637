"""Log-likelihood and replicates of people with 0/1 outcomes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np
import xarray as xr
from scipy.special import expit

from metastudy.models.base import GROUPINGS, HIGHEST, Check, Group, Label, Value, between
from metastudy.models.events.design import setting_of_group
from metastudy.models.events.observations import People, log_odds
from metastudy.models.events.patterns import is_joint
from metastudy.models.events.states import drawn_patterns, log_probability, of_groups

__all__ = ["checks", "of_events"]


def checks(rows: People, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator) -> Check:
    """The predictive checks of events.

    Parameters
    ----------
    rows : N people with K outcomes.
    draws : S draws of the posterior.
    rng : for the replicates.

    Returns
    -------
    Outcomes and S replicates of them, shape (N, K), NaN where missing; statistics of both; study,
    country and sector of each row, shape (N,).
    """
    names = [{"outcome": str(construct)} for construct in cells.construct_of.values]
    setting = setting_of_group(cells)[rows.group]
    return Check(
        rows.y,
        draw_events(rows, cells, draws, rng),
        partial(_of_people, names=names, sites=cells.site_of_group.values[rows.group]),
        [cells[name].values[setting] for name in GROUPINGS],
    )


def draw_events(
    rows: People, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Replicates of everybody's outcomes, missing where theirs are."""
    missing = np.isnan(rows.y)
    if is_joint(cells):
        states = of_groups(cells, log_odds(cells, draws), draws)
        for there in drawn_patterns(rows, cells, states, rng):
            yield np.where(missing, np.nan, there)
        return
    for chance in expit(log_odds(cells, draws)):
        there = rng.random(rows.y.shape) < chance[rows.group]
        yield np.where(missing, np.nan, there)


def _of_people(
    y: np.ndarray, group: Group, names: Sequence[Label], sites: np.ndarray
) -> Iterator[Value]:
    y = y[group.rows]
    seen = ~np.isnan(y)
    known, n = np.where(seen, y, 0.0), seen.sum(axis=0)
    keep = [int(k) for k in np.flatnonzero(n > 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"share": known.sum(axis=0) / n}
        if group.whole:
            found["site_sd"] = between(HIGHEST * known, seen, sites[group.rows])
    for statistic, values in found.items():
        for k in keep:
            yield group.label | names[k] | {"statistic": statistic}, float(values[k]), float(n[k])
    if not group.whole:
        return
    for i, j in combinations(keep, 2):
        both = seen[:, i] & seen[:, j]
        one, other = y[both, i], y[both, j]
        varies = len(one) > 1 and one.std() > 0 and other.std() > 0
        value = float(np.corrcoef(one, other)[0, 1]) if varies else np.nan
        label = group.label | names[i] | {"other": names[j]["outcome"], "statistic": "correlation"}
        yield label, value, float(both.sum())


def of_events(rows: People, cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Log-probability of each person's outcomes, shape (S, N)."""
    eta = log_odds(cells, draws)
    if is_joint(cells):
        return log_probability(rows, cells, of_groups(cells, eta, draws))
    there, absent = -np.logaddexp(0, -eta), -np.logaddexp(0, eta)
    found = np.zeros((len(eta), len(rows.y)))
    for k in range(rows.y.shape[1]):
        for value, log in ((1.0, there), (0.0, absent)):
            mine = np.flatnonzero(rows.y[:, k] == value)
            found[:, mine] += log[:, rows.group[mine], k]
    return found

"""Probabilities of the patterns of each group of people, from draws."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from metastudy.models.events.observations import People
from metastudy.models.events.patterns import (
    asked_of_groups,
    first_pairs,
    probabilities,
)

__all__ = ["drawn_patterns", "log_probability", "of_groups"]


def of_groups(cells: xr.Dataset, log_odds: np.ndarray, draws: xr.Dataset) -> list[np.ndarray]:
    """Probability of each state in each group, shape (S, its states).

    Parameters
    ----------
    log_odds : of the outcomes, shape (S, group, outcome).
    draws : with ``association`` and the dimension ``sample``, of length S, first.
    """
    found, first = [], first_pairs(cells)
    association = draws["association"].values
    for g, row in enumerate(asked_of_groups(cells)):
        own = row[row >= 0]
        pairs = slice(first[g], first[g] + len(own) * (len(own) - 1) // 2)
        found.append(probabilities(log_odds[:, g, own], association[:, pairs]))
    return found


def log_probability(rows: People, cells: xr.Dataset, states: list[np.ndarray]) -> np.ndarray:
    """Log-probability of what each person answered, shape (S, N).

    Parameters
    ----------
    states : :func:`of_groups`.
    """
    asked = asked_of_groups(cells)
    alike, of = np.unique(
        np.column_stack([rows.group, np.where(np.isnan(rows.y), -1, rows.y)]),
        axis=0,
        return_inverse=True,
    )
    each = []
    for g, *answer in alike.astype(int):
        own = np.array(answer)[asked[g][asked[g] >= 0]]
        state = np.arange(1 << len(own))[:, None] >> np.arange(len(own)) & 1
        agrees = ((state == own) | (own < 0)).all(axis=1)
        each.append(np.log(states[g][:, agrees].sum(axis=1)))
    return np.stack(each, axis=1)[:, of.ravel()]


def drawn_patterns(
    rows: People, cells: xr.Dataset, states: list[np.ndarray], rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Outcomes of everybody in each draw, shape (N, K), whether they answered them or not."""
    asked = asked_of_groups(cells)
    size = 1 << asked.shape[1]
    bit = np.arange(asked.shape[1])
    for at in range(len(states[0])):
        below = np.ones((len(asked), size))  # the last states of a setting with fewer are in none
        for g, chance in enumerate(states):
            below[g, : chance.shape[1]] = np.cumsum(chance[at])
        below[:, -1] = 1.0
        state = (rng.random(len(rows.group))[:, None] >= below[rows.group]).sum(axis=1)
        y = np.full(rows.y.shape, np.nan)
        place = asked[rows.group]
        person, where = np.nonzero(place >= 0)
        y[person, place[person, where]] = (state[:, None] >> bit & 1)[person, where]
        yield y

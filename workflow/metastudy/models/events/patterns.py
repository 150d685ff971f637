"""Patterns of several 0/1 outcomes of one person: which there are, and how probable each is."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import xarray as xr
from scipy.special import expit

__all__ = [
    *("DATA", "MOST", "TABLE", "asked_of_groups", "counted_anew", "first_pairs", "is_joint"),
    *("pair_names", "probabilities", "with_patterns"),
]

DATA = ("n", "events", "estimates_of_events")

MOST = 6  # outcomes of one person whose patterns are counted: 64
TABLE = "people_by_pattern"
NEAR, SWEEPS = 1e-10, 2000  # of proportional fitting


def is_joint(cells: xr.Dataset) -> bool:
    """Whether it is modelled which outcomes of one person come together."""
    return TABLE in cells


def with_patterns(cells: xr.Dataset, families: Sequence[str]) -> xr.Dataset:
    """Cells with their people by pattern, where some answered several outcomes.

    Nothing is added where nobody did, or where people of a setting were asked more than
    :data:`MOST` outcomes: then each outcome is counted by itself.

    Parameters
    ----------
    cells : with ``count``, ``group_of_pattern`` and ``answer`` (pattern, outcome).
    families : of the constructs, in which effects are then compared.

    Returns
    -------
    xarray.Dataset
        With ``people_by_pattern`` (block, state): people of a group who answered the same outcomes,
        by which of these they have; ``group_of_block`` (block), sorted, and ``answered`` (block), a
        state; ``compared_in`` (construct), the family. A state is the sum of 2^m over outcomes, m
        the place of an outcome among those that its setting was asked.
    """
    several = (cells.answer.values >= 0).sum(axis=1).max(initial=0) > 1
    if not several or cells.asked.values.astype(int).sum(axis=1).max() > MOST:
        return cells
    found = counted_anew(cells).assign(compared_in=("construct", np.array(families, dtype=str)))
    return found.assign_attrs(data=" ".join((*DATA[:2], TABLE, *DATA[2:])))


def counted_anew(cells: xr.Dataset) -> xr.Dataset:
    """The cells with the people of each block by state, from their patterns as they are."""
    asked = asked_of_groups(cells)
    group = cells.group_of_pattern.values
    answer = np.take_along_axis(cells.answer.values, np.maximum(asked, 0)[group], axis=1)
    answer = np.where(asked[group] >= 0, answer, -1)
    bit = 1 << np.arange(asked.shape[1])
    state, answered = (answer > 0) @ bit, (answer >= 0) @ bit
    blocks, block = np.unique(np.column_stack([group, answered]), axis=0, return_inverse=True)
    table = np.zeros((len(blocks), 1 << asked.shape[1]))
    np.add.at(table, (block.ravel(), state), cells["count"].values)
    return cells.assign(
        {
            TABLE: (("block", "state"), table),
            "group_of_block": ("block", blocks[:, 0]),
            "answered": ("block", blocks[:, 1]),
        }
    )


def asked_of_groups(cells: xr.Dataset) -> np.ndarray:
    """Outcomes that the setting of each group was asked, -1 after the last, shape (group, K)."""
    seen = cells.asked.values.astype(bool)
    most = max(int(seen.sum(axis=1).max(initial=0)), 1)
    found = np.full((len(seen), most), -1)
    for j, row in enumerate(seen):
        found[j, : row.sum()] = np.flatnonzero(row)
    return found[cells.setting_of_site.values[cells.site_of_group.values]]


def pair_names(cells: xr.Dataset) -> list[str]:
    """The associations, ``"<setting>: <outcome> & <outcome>"``: each setting has its own."""
    names = cells.outcome.values.astype(str)
    return [
        f"{setting}: {names[k]} & {names[m]}"
        for setting, row in zip(cells.setting.values, cells.asked.values, strict=True)
        for k, m in combinations(np.flatnonzero(row), 2)
    ]


def first_pairs(cells: xr.Dataset) -> np.ndarray:
    """Place of the first association of each group's setting among :func:`pair_names`."""
    number = cells.asked.values.astype(int).sum(axis=1)
    first = np.cumsum([0, *(number * (number - 1) // 2)])[:-1]
    return np.asarray(first[cells.setting_of_site.values[cells.site_of_group.values]])


def probabilities(log_odds: np.ndarray, association: np.ndarray) -> np.ndarray:
    """Probability of each pattern, by proportional fitting of the shares to the associations.

    Parameters
    ----------
    log_odds : of each outcome, shape (S, K).
    association : of each pair of outcomes, shape (S, pairs).

    Returns
    -------
    Shape (S, 2^K), by state.

    References
    ----------
    Deming and Stephan (1940), On a least squares adjustment of a sampled frequency table.
    """
    k = log_odds.shape[1]
    there = (np.arange(1 << k)[:, None] >> np.arange(k)) & 1  # (state, outcome)
    both = [there[:, i] * there[:, j] for i, j in combinations(range(k), 2)]
    found = np.exp(association @ np.array(both)) if both else np.ones((len(log_odds), 1 << k))
    share = expit(log_odds)
    for _ in range(SWEEPS):
        before = found @ there / found.sum(axis=1, keepdims=True)
        for i in range(k):
            for value, wanted in ((1, share[:, i]), (0, 1 - share[:, i])):
                mine = there[:, i] == value
                found[:, mine] *= (wanted / found[:, mine].sum(axis=1))[:, None]
        if np.abs(before - share).max() < NEAR:
            break
    return np.asarray(found / found.sum(axis=1, keepdims=True))

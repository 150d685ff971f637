"""Guess which items are reverse-keyed, from their correlations."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.sparse.linalg import eigsh

__all__ = ["Keying", "keyings", "stem"]

WIDE = 200  # items of a block


@dataclass(frozen=True)
class Keying:
    """How an item runs against the others of its block.

    Parameters
    ----------
    reverse : whether it is guessed to be reverse-keyed.
    correlation : of the item as it was answered with the mean of the others, these aligned.
    low, high : its 95 % interval (Fisher's z).
    people : respondents who answered the item and others of the block.
    """

    reverse: bool
    correlation: float
    low: float
    high: float
    people: int


def stem(name: str) -> str:
    """Give the part of a name that the items of one block share: all before its last number."""
    return re.sub(r"\s*\[[^\]]*\]$|[_.]?\d+(_TEXT)?$", "", name)


def _leading(matrix: np.ndarray) -> np.ndarray:
    """The eigenvector of a symmetric matrix with the largest eigenvalue; its sign is of no account.

    All of them take minutes for thousands of items. Lanczos' method, which finds one, begins with a
    vector that lies across it: not with ones, to which items in opposite pairs are at right angles.
    """
    if len(matrix) <= WIDE:
        return np.asarray(np.linalg.eigh(matrix)[1][:, -1])
    start = np.random.default_rng(0).standard_normal(len(matrix))
    return np.asarray(eigsh(matrix, k=1, which="LA", v0=start)[1][:, 0])


def keyings(answers: pd.DataFrame) -> dict[str, Keying]:
    """Guess the keying of the items of a block from how they go together.

    The first principal component of the correlations says which items run against the rest; the
    side of the majority counts as positive, of two equal sides that of the first item. An item
    counts as reverse-keyed only if the 95 % interval of its correlation with the rest lies below
    zero: wording decides, numbers only warn.

    Parameters
    ----------
    answers : one column an item of the same bounds, NaN where there is no answer.

    Returns
    -------
    By item; empty if fewer than three items vary, for two items cannot say which is reversed.
    """
    spread = answers.std(ddof=1)
    answers = answers[list(spread.index[spread > 0])]
    if answers.shape[1] < 3:
        return {}
    standard = (answers - answers.mean()) / answers.std(ddof=1)
    together = standard.corr(min_periods=3).fillna(0.0).to_numpy()
    loading = _leading(together)
    side = np.where(loading < 0, -1.0, 1.0)
    votes = side[np.abs(loading) > np.abs(loading).max() / 2]  # who hardly loads has no vote
    if votes.sum() < 0 or (votes.sum() == 0 and votes[0] < 0):
        side = -side
    values = standard.to_numpy()
    given = ~np.isnan(values)
    aligned = np.where(given, values, 0.0) * side
    total, number = aligned.sum(axis=1), given.sum(axis=1)  # once: a block may have many items
    found = {}
    for position, name in enumerate(answers):
        both = given[:, position] & (number > 1)
        people = int(both.sum())
        if people < 5:
            continue
        rest = (total[both] - aligned[both, position]) / (number[both] - 1)
        r = float(np.corrcoef(values[both, position], rest)[0, 1])
        r = 0.0 if np.isnan(r) else float(np.clip(r, -0.999, 0.999))
        low, high = np.tanh(np.arctanh(r) + np.array([-1.96, 1.96]) / np.sqrt(people - 3))
        reverse = bool(side[position] < 0 and high < 0)
        found[str(name)] = Keying(reverse, r, float(low), float(high), people)
    return found

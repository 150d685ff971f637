"""Rare patterns of observed outcomes: who has one keeps the outcomes of a pattern that many have.

Cells of different patterns are never added up: a sum over them would mix people who answered an
outcome with people who did not.
"""

from __future__ import annotations

import numpy as np

__all__ = ["coarsened"]

MOST_PATTERNS = 4096  # that are looked at; more come from no questionnaire that has been seen


def coarsened(
    seen: np.ndarray, version: np.ndarray, least: int, needed: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Coarsen the patterns of some people until each has enough people in each version.

    Who is among fewer than ``least`` people of the same pattern and version keeps the outcomes of
    the largest sub-pattern that then has enough people of the version. Among several as large the
    one that most people can keep comes first, and of these the first in order of the outcomes.

    Parameters
    ----------
    seen : which outcomes each person answered, shape (people, outcome).
    version : the version of each person, shape (people,), numbers from zero.
    least : smallest number of people.
    needed : outcomes that nobody may lose, as an exposure is made of them; shape (outcome,).

    Returns
    -------
    The outcomes that each person keeps, shape (people, outcome), and who leaves, shape (people,),
    as no sub-pattern reaches the threshold.
    """
    kept = seen.copy()
    rare = _rare(kept, version, least)
    for candidate in _candidates(seen, rare, needed):
        able = rare & (seen[:, candidate].all(axis=1))
        if not able.any():
            continue
        same = (kept == candidate).all(axis=1) & ~rare
        for v in np.unique(version[able]):
            here = able & (version == v)
            if here.sum() + (same & (version == v)).sum() >= least:
                kept[here] = candidate
                rare &= ~here
    return kept, rare


def _rare(seen: np.ndarray, version: np.ndarray, least: int) -> np.ndarray:
    keys = np.column_stack([version, seen])
    _, group, count = np.unique(keys, axis=0, return_inverse=True, return_counts=True)
    return np.asarray(count[group.ravel()] < least)


def _candidates(seen: np.ndarray, rare: np.ndarray, needed: np.ndarray) -> list[np.ndarray]:
    """Patterns that somebody with a rare one could keep: intersections of those that there are."""
    found = {tuple(row) for row in np.unique(seen[rare], axis=0).tolist()}
    known = found | {tuple(row) for row in np.unique(seen, axis=0).tolist()}
    new = set(known)
    while new and len(known) < MOST_PATTERNS:
        met = (
            tuple(a and b for a, b in zip(one, two, strict=True)) for one in new for two in found
        )
        new = set(met) - known
        known |= new
    patterns = [np.array(one, dtype=bool) for one in known if any(one)]
    patterns = [one for one in patterns if one[needed].all()]
    people = seen[rare]

    def order(pattern: np.ndarray) -> tuple[int, int, tuple[bool, ...]]:
        able = people[:, pattern].all(axis=1).sum() if len(people) else 0
        return (-int(pattern.sum()), -int(able), tuple((~pattern).tolist()))

    return sorted(patterns, key=order)

"""Rare patterns of observed outcomes: who has one keeps the outcomes of a pattern that many have.

Cells of different patterns are never added up: a sum over them would mix people who answered an
outcome with people who did not.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

__all__ = ["coarsened"]

MOST_PATTERNS = 4096  # that are looked at; more come from no questionnaire that has been seen


def coarsened(
    seen: np.ndarray,
    version: np.ndarray,
    least: int,
    needed: np.ndarray,
    told: Sequence[np.ndarray] = (),
    fewest: Callable[[np.ndarray], int] | None = None,
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
    told : patterns that nobody may have, as the sums over those who had them tell answers.
    fewest : of a pattern, how few people of all versions may have it; ``least`` if not given.

    Returns
    -------
    The outcomes that each person keeps, shape (people, outcome), and who leaves, shape (people,),
    as no sub-pattern reaches the threshold.
    """
    kept = seen.copy()
    rare = _rare(kept, version, least)
    if fewest is not None:
        for pattern in np.unique(kept, axis=0):
            own = (kept == pattern).all(axis=1)
            rare |= own & (own.sum() < fewest(pattern))
    for pattern in told:
        rare |= (kept == pattern).all(axis=1)
    for candidate in _candidates(seen, rare, needed):
        if any(np.array_equal(candidate, pattern) for pattern in told):
            continue
        able = rare & (seen[:, candidate].all(axis=1))
        if not able.any():
            continue
        same = (kept == candidate).all(axis=1) & ~rare
        if fewest is not None and (able | same).sum() < fewest(candidate):
            continue
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
    found, known = _numbers(seen[rare]), _numbers(seen)
    new = set(known)
    while new and len(known) < MOST_PATTERNS:
        new = {one & two for one in new for two in found} - known
        known |= new
    outcomes = range(seen.shape[1])
    patterns = [np.array([bool(one >> k & 1) for k in outcomes]) for one in sorted(known) if one]
    patterns = [one for one in patterns if one[needed].all()]
    people = seen[rare]

    def order(pattern: np.ndarray) -> tuple[int, int, tuple[bool, ...]]:
        able = people[:, pattern].all(axis=1).sum() if len(people) else 0
        return (-int(pattern.sum()), -int(able), tuple((~pattern).tolist()))

    return sorted(patterns, key=order)


def _numbers(seen: np.ndarray) -> set[int]:
    """Patterns as numbers, a bit an outcome: intersections of these are quick."""
    return {sum(1 << k for k in np.flatnonzero(row).tolist()) for row in np.unique(seen, axis=0)}

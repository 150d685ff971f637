"""Which effects deviate together: levels of several effects that have a correlation matrix."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np

__all__ = ["Joint"]


@dataclass(frozen=True)
class Joint:
    """Correlations of the deviations of effects, one matrix for all groupings.

    ``pairs`` (pairs, 2) are places among the means of the design, the first below the second, whose
    correlation is free; all others are zero. ``mean`` and ``slot`` (component,) are the mean that a
    component varies around, and which components have levels in common; a mean has one component in
    a slot. Levels with the same number in ``group`` (level,) are of one slot and one place, such as
    one study, and of different means; a level that has none beside it has a number of its own.
    ``component_of`` (level,) is that of the design.
    """

    pairs: np.ndarray
    mean: np.ndarray
    slot: np.ndarray
    group: np.ndarray
    component_of: np.ndarray

    @cached_property
    def cross(self) -> np.ndarray:
        """Two components of a slot, and the pair of their means; shape (crossings, 3)."""
        found = []
        for at, (one, other) in enumerate(self.pairs):
            for a in np.flatnonzero(self.mean == one):
                mine = np.flatnonzero((self.mean == other) & (self.slot == self.slot[a]))
                found += [(a, b, at) for b in mine]
        return np.array(found, dtype=np.int64).reshape(-1, 3)

    @cached_property
    def product(self) -> np.ndarray:
        """Where the covariance of two components is, after the variances; -1 where it is zero.

        Shape (component, component), with the place of the variance of each on the diagonal.
        """
        parts = len(self.mean)
        found = np.full((parts, parts), -1)
        np.fill_diagonal(found, np.arange(parts))
        for at, (a, b, _) in enumerate(self.cross):
            found[a, b] = found[b, a] = parts + at
        return found

    @cached_property
    def sets(self) -> list[np.ndarray]:
        """The levels that are together, those of the same means in one array (groups, means)."""
        order = np.argsort(self.group, kind="stable")
        edges = np.flatnonzero(np.diff(self.group[order])) + 1
        by_means: dict[bytes, list[np.ndarray]] = {}
        for one in np.split(order, edges):
            if len(one) > 1:
                by_means.setdefault(self._mean_of(one).tobytes(), []).append(one)
        return [np.stack(found) for found in by_means.values()]

    def _mean_of(self, levels: np.ndarray) -> np.ndarray:
        return self.mean[self.component_of[levels]]

    def connected(self) -> Iterator[np.ndarray]:
        """The means that free correlations connect, each set of them sorted."""
        left = {int(m) for m in self.pairs.ravel()}
        while left:
            reached, new = set(), {min(left)}
            while new:
                reached |= new
                near = np.isin(self.pairs, list(new)).any(axis=1)
                new = {int(m) for m in self.pairs[near].ravel()} - reached
            left -= reached
            yield np.array(sorted(reached))

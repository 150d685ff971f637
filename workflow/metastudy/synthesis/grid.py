"""Posteriors of two or three parameters, by integration on a grid that moves to the mass."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf

import numpy as np

from metastudy.models.priors import Prior

__all__ = ["FINE", "Axis", "Grid", "integrate"]

DEPTH = 12.0  # log density below the highest from which a slice of an axis is left out
COARSE, MOST = (31, 19, 13), 60  # cells of each axis while the grid moves, and its most moves
SETTLED = 0.15  # of an axis's range: it has come to rest where neither end moves by more
FINE = (101, 41, 61)  # cells of each axis of the last grid


@dataclass(frozen=True)
class Axis:
    """A parameter: where it is looked for first, where it can be, and the prior of each cell.

    Parameters
    ----------
    low, high : the first range.
    prior : gives the mass between edges, shape (cells + 1,), as an array of shape (cells,).
    least, most : no cell reaches beyond.
    """

    low: float
    high: float
    prior: Callable[[np.ndarray], np.ndarray]
    least: float = -inf
    most: float = inf

    @classmethod
    def of(cls, prior: Prior, low: float, high: float, positive: bool = False) -> Axis:
        """An axis for a parameter with a prior around zero, or of one that is never negative."""

        def mass(edges: np.ndarray) -> np.ndarray:
            if positive:
                return np.diff(prior.cdf(edges))
            # By symmetry in the lower tail, where differences between small numbers are exact.
            mirrored = edges[:-1] + edges[1:] > 0
            near = np.where(mirrored, -edges[1:], edges[:-1])
            far = np.where(mirrored, -edges[:-1], edges[1:])
            return np.asarray(prior.cdf(far) - prior.cdf(near))

        return cls(low, high, mass, 0.0 if positive else -inf)

    def edges(self, cells: int) -> np.ndarray:
        """The edges of ``cells`` cells of the same width."""
        return np.linspace(self.low, self.high, cells + 1)

    def moved(self, profile: np.ndarray) -> Axis:
        """The axis around the cells that are near enough to the highest.

        Parameters
        ----------
        profile : the highest log density in each cell, shape (cells,).
        """
        width = (self.high - self.low) / len(profile)
        kept = np.flatnonzero(profile > profile.max() - DEPTH)
        # One cell more on either side; where the mass reaches the end, the range itself grows.
        more = self.high - self.low
        first, last = kept[0], kept[-1]
        low = self.low + (first - 1) * width if first else self.low - more
        high = self.low + (last + 2) * width if last < len(profile) - 1 else self.high + more
        return replace(self, low=max(low, self.least), high=min(high, self.most))

    def near(self, other: Axis) -> bool:
        """Whether another range is nearly this one."""
        ends = max(abs(self.low - other.low), abs(self.high - other.high))
        return ends <= SETTLED * (self.high - self.low)


@dataclass(frozen=True)
class Grid:
    """A posterior: the edges of each axis, and the mass of each cell, shape (cells, ...)."""

    edges: tuple[np.ndarray, ...]
    mass: np.ndarray

    def points(self, axis: int) -> np.ndarray:
        """The middles of an axis's cells, shape (cells,)."""
        return (self.edges[axis][1:] + self.edges[axis][:-1]) / 2

    def marginal(self, axis: int) -> np.ndarray:
        """The mass of an axis's cells, shape (cells,)."""
        return np.asarray(self.mass.sum(axis=tuple(set(range(self.mass.ndim)) - {axis})))

    def moments(self, axis: int) -> tuple[float, float]:
        """Mean and standard deviation."""
        points, mass = self.points(axis), self.marginal(axis)
        mean = float(points @ mass)
        return mean, float(np.sqrt(np.maximum((points - mean) ** 2 @ mass, 0.0)))

    def below(self, axis: int, value: float) -> float:
        """The mass below a value; within a cell it is spread evenly."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.marginal(axis))])
        return float(np.clip(np.interp(value, self.edges[axis], cumulative), 0.0, 1.0))

    def quantile(self, axis: int, p: float) -> float:
        """The value below which a share ``p`` lies."""
        cumulative = np.concatenate([[0.0], np.cumsum(self.marginal(axis))])
        return float(np.interp(p, cumulative, self.edges[axis]))

    def interval(self, axis: int, mass: float) -> tuple[float, float]:
        """Ends of the equal-tailed interval that holds a share ``mass``."""
        tail = (1 - mass) / 2
        return self.quantile(axis, tail), self.quantile(axis, 1 - tail)


def integrate(
    log_likelihood: Callable[..., np.ndarray], axes: Sequence[Axis], fine: Sequence[int] = FINE
) -> Grid:
    """The posterior of at most three parameters.

    A coarse grid is moved to the cells within :data:`DEPTH` of the highest until it comes to rest,
    and a fine one is put there. The likelihood is taken in the middle of each cell, the prior
    exactly over it.

    Parameters
    ----------
    log_likelihood : of the axes' values, each shaped to broadcast to a dimension of its own.
    axes : the parameters.
    fine : cells of each axis of the last grid.

    Raises
    ------
    ValueError
        Where prior and likelihood have no place in common.
    """
    axes = list(axes)
    for _ in range(MOST):
        _, log = _evaluated(log_likelihood, axes, COARSE)
        if not np.isfinite(log.max()):
            raise ValueError("no value of the parameters has both prior mass and likelihood")
        before, every = axes, set(range(log.ndim))
        axes = [axis.moved(log.max(axis=tuple(every - {at}))) for at, axis in enumerate(before)]
        if all(old.near(new) for old, new in zip(before, axes, strict=True)):
            break
    edges, log = _evaluated(log_likelihood, axes, fine)
    mass = np.exp(log - log.max())
    return Grid(edges, mass / mass.sum())


def _evaluated(
    log_likelihood: Callable[..., np.ndarray], axes: Sequence[Axis], cells: Sequence[int]
) -> tuple[tuple[np.ndarray, ...], np.ndarray]:
    """The edges of each axis, and log likelihood plus log prior mass of each cell."""
    edges = tuple(axis.edges(n) for axis, n in zip(axes, cells, strict=False))
    middles = np.meshgrid(
        *((e[1:] + e[:-1]) / 2 for e in edges), indexing="ij", sparse=True, copy=False
    )
    with np.errstate(divide="ignore"):
        priors = np.meshgrid(
            *(np.log(axis.prior(e)) for axis, e in zip(axes, edges, strict=True)),
            indexing="ij",
            sparse=True,
        )
    return edges, np.asarray(log_likelihood(*middles) + sum(priors))

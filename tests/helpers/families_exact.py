"""Effects of a family of outcomes by integration, with nothing of the project's in it.

The spread between outcomes is taken at the middles of slices of the same prior mass, the family's
mean on a grid; given the two all is normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

__all__ = ["Effects", "apart", "directed", "least_squares", "undirected"]

SLICES = 200  # of the prior of the spread
MEANS = 81  # points at which the family's mean is taken, out to six standard errors


@dataclass(frozen=True)
class Effects:
    """The posterior of K effects as a mixture of N normal distributions."""

    weight: np.ndarray  # (N,)
    mean: np.ndarray  # (N, K)
    sd: np.ndarray  # (N, K)

    def below(self, value: np.ndarray | float) -> np.ndarray:
        """Probability that each effect is below a value, shape (K,)."""
        return np.asarray(self.weight @ stats.norm.cdf((value - self.mean) / self.sd))

    def moments(self) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of each effect, shape (K,) each."""
        mean = self.weight @ self.mean
        second = self.weight @ (self.mean**2 + self.sd**2)
        return mean, np.sqrt(second - mean**2)


def least_squares(y: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of the columns of y (people, K) on x (people,), and their covariance."""
    apart_x, apart_y = x - x.mean(), y - y.mean(axis=0)
    square = apart_x @ apart_x
    slope = apart_x @ apart_y / square
    residual = apart_y - np.outer(apart_x, slope)
    return slope, residual.T @ residual / (len(x) - 2) / square


def apart(y: np.ndarray, v: np.ndarray, sd: float) -> Effects:
    """Each effect with its own normal prior around zero, as wide as ``sd``."""
    return _mixture(y, v, np.array([sd]), np.zeros(1), np.zeros(1))


def undirected(y: np.ndarray, v: np.ndarray, half: float) -> Effects:
    """Effects normal around zero, their spread half-normal with scale ``half``."""
    return _mixture(y, v, _slices(half), np.zeros(1), np.zeros(1))


def directed(y: np.ndarray, v: np.ndarray, half: float, law: Any) -> Effects:
    """The same around a mean with the prior ``law``, a SciPy distribution."""
    width = 6 * np.sqrt(np.diag(v).max() + half**2)
    mean = np.linspace(y.mean() - width, y.mean() + width, MEANS)
    return _mixture(y, v, _slices(half), mean, law.logpdf(mean))


def _slices(half: float) -> np.ndarray:
    return np.asarray(stats.halfnorm(scale=half).ppf((np.arange(SLICES) + 0.5) / SLICES))


def _mixture(
    y: np.ndarray, v: np.ndarray, spread: np.ndarray, centre: np.ndarray, log_prior: np.ndarray
) -> Effects:
    values, vectors = np.linalg.eigh(v)
    total = values + spread[:, None] ** 2  # (spread, K), on the axes of v
    off = (y - centre[:, None]) @ vectors  # (centre, K)
    square = (off[None] ** 2 / total[:, None]).sum(axis=-1)
    log = -0.5 * (square + np.log(total).sum(axis=1)[:, None]) + log_prior
    gain = spread[:, None] ** 2 / total
    mean = centre[:, None] + (gain[:, None] * off[None]) @ vectors.T
    variance = (gain * values) @ (vectors**2).T
    weight = np.exp(log - log.max()).ravel()
    sd = np.broadcast_to(np.sqrt(variance)[:, None], mean.shape)
    k = len(y)
    return Effects(weight / weight.sum(), mean.reshape(-1, k), sd.reshape(-1, k))

"""The posterior of one pooled estimand by integration, with nothing of the project's in it.

Total heterogeneity and shares are taken at the middles of slices of the same prior mass, the mean
on a grid of its own, so its prior may be of any family; given the three all is normal.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy import stats

__all__ = ["Exact", "law_of"]


def law_of(said: float | dict[str, Any]) -> Any:
    """The prior of a mean as the configuration has it: a normal one's scale, or a Student-t."""
    if isinstance(said, dict):
        assert said["family"] == "student_t"
        return stats.t(said["df"], scale=said["scale"])
    return stats.norm(scale=said)


class Exact:
    """Random effects of one estimand.

    Parameters
    ----------
    y, v : estimates, shape (R,), and their covariance, shape (R, R).
    groupings : of each component the level of each estimate, shape (R,); at most three components.
    effect : prior of the mean, a SciPy distribution.
    total : scale of the half-normal prior of the total heterogeneity, which the components share
        uniformly.
    """

    def __init__(
        self,
        y: np.ndarray,
        v: np.ndarray,
        groupings: Sequence[np.ndarray],
        effect: Any,
        total: float,
        points: int = 200,
        slices: int = 40,
    ) -> None:
        self.y, self.z = y, [(g[:, None] == np.unique(g)).astype(float) for g in groupings]
        t = stats.halfnorm(scale=total).ppf((np.arange(points) + 0.5) / points)
        share = self._shares(len(groupings), slices)
        nodes = [(each * np.sqrt(part)) for each in t for part in share]
        self.tau = np.array(nodes)  # (node, component)
        self.total = np.repeat(t, len(share))
        z = np.stack([one @ one.T for one in self.z])
        inverse = np.linalg.inv(v + np.einsum("nk,kij->nij", self.tau**2, z))
        self.inverse = inverse
        precision = inverse.sum(axis=(1, 2))
        centre = (inverse @ y).sum(axis=1) / precision
        rest = np.einsum("i,nij,j->n", y, inverse, y) - precision * centre**2
        constant = 0.5 * (np.linalg.slogdet(inverse)[1] - rest)
        width = 12 / np.sqrt(precision.min())
        middle = float(np.median(centre))
        mu = np.linspace(middle - width, middle + width, 4001)
        log_prior = effect.logpdf(mu)
        peak = (constant - 0.5 * np.log(precision)).max() + log_prior.max()
        self.weight, self.mean, self.variance, above = (np.empty(len(nodes)) for _ in range(4))
        for n in range(len(nodes)):
            density = np.exp(
                constant[n] - 0.5 * precision[n] * (mu - centre[n]) ** 2 + log_prior - peak
            )
            self.weight[n] = density.sum()
            self.mean[n] = density @ mu / self.weight[n]
            self.variance[n] = density @ (mu - self.mean[n]) ** 2 / self.weight[n]
            above[n] = density[mu > 0].sum() / self.weight[n]
        self.weight /= self.weight.sum()
        self.positive = float(self.weight @ above)

    @staticmethod
    def _shares(components: int, slices: int) -> np.ndarray:
        """Points of the simplex that stand for the same mass of the uniform distribution each."""
        u = (np.arange(slices) + 0.5) / slices
        if components == 1:
            return np.ones((1, 1))
        if components == 2:
            return np.column_stack([u, 1 - u])
        first, second = (one.ravel() for one in np.meshgrid(1 - np.sqrt(1 - u), u))
        return np.column_stack([first, (1 - first) * second, (1 - first) * (1 - second)])

    def moments(
        self,
        intercept: np.ndarray | float = 0.0,
        slope: np.ndarray | float = 1.0,
        noise: np.ndarray | float = 0.0,
    ) -> tuple[float, float]:
        """Mean and standard deviation of ``intercept + slope * mean``, plus noise of a variance.

        Each is a number or an array over the nodes, shape (node,). Without any, of the mean.
        """
        first, second = self._raw(intercept, slope, noise)
        return first, float(np.sqrt(second - first**2))

    def level(self, component: int, at: int) -> tuple[float, float]:
        """Mean and standard deviation of the mean with the level of a group."""
        return self.moments(*self._of_level(component, at))

    def next_in(self, component: int, at: int) -> tuple[float, float]:
        """The same with one new level of all other components."""
        intercept, slope, noise = self._of_level(component, at)
        others = (np.delete(self.tau, component, axis=1) ** 2).sum(axis=1)
        return self.moments(intercept, slope, noise + others)

    def new(self, component: int) -> tuple[float, float]:
        """One new level of a component, and the levels of an estimate at hand of the other one."""
        fresh = self.tau[:, component] ** 2
        if len(self.z) == 1:
            return self.moments(noise=fresh)
        assert len(self.z) == 2
        other = 1 - component
        raw = []
        for row in self.z[other]:
            intercept, slope, noise = self._of_level(other, int(row.argmax()))
            raw.append(self._raw(intercept, slope, noise + fresh))
        first, second = np.mean(raw, axis=0)
        return float(first), float(np.sqrt(second - first**2))

    def _raw(self, intercept: Any, slope: Any, noise: Any) -> tuple[float, float]:
        mean = intercept + slope * self.mean
        square = mean**2 + slope**2 * self.variance + noise
        return float(self.weight @ mean), float(self.weight @ square)

    def _of_level(self, component: int, at: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        z = self.z[component][:, at]
        square = self.tau[:, component] ** 2
        gain = square[:, None] * (self.inverse @ z)
        return gain @ self.y, 1 - gain.sum(axis=1), square - square * (gain @ z)

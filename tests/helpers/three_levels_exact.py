"""Effects of countries whose sites vary, by integration, with nothing of the project's in it.

The two spreads are taken at the middles of slices of the same prior mass, the mean on a grid; given
the three all is normal.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats

__all__ = ["Sites", "ThreeLevels", "integrated"]

SLICES = 60  # of the prior of each spread
MEANS = 201  # points at which the mean is taken, out to eight standard errors


@dataclass(frozen=True)
class Sites:
    """Estimates of sites: their effects, sampling variances and countries, shape (site,) each.

    ``varies`` says which sites differ from their country at all.
    """

    effect: np.ndarray
    variance: np.ndarray
    country: np.ndarray
    varies: np.ndarray

    @property
    def countries(self) -> np.ndarray:
        """Names of the countries, in the order of all results."""
        return np.unique(self.country)

    def of_countries(self, site_sd: float) -> tuple[np.ndarray, np.ndarray, float]:
        """Estimate and variance of each country, and the log-density of sites around them."""
        variance = self.variance + site_sd**2 * self.varies
        at = np.unique(self.country, return_inverse=True)[1]
        precision = np.bincount(at, 1 / variance)
        estimate = np.bincount(at, self.effect / variance) / precision
        square = ((self.effect - estimate[at]) ** 2 / variance).sum()
        log = -0.5 * (np.log(variance).sum() + np.log(precision).sum() + square)
        return estimate, 1 / precision, float(log)


@dataclass(frozen=True)
class ThreeLevels:
    """Mean and standard deviation of the effects of countries, and of the two spreads."""

    mean: np.ndarray  # (country,)
    sd: np.ndarray
    country_sd: tuple[float, float]
    site_sd: tuple[float, float]


def integrated(sites: Sites, effect: Any, country_scale: float, site_scale: float) -> ThreeLevels:
    """The posterior under half-normal priors of the spreads and a prior of the mean.

    Parameters
    ----------
    effect : prior of the mean over countries, a SciPy distribution.
    """
    u = (np.arange(SLICES) + 0.5) / SLICES
    spreads = [stats.halfnorm(scale=scale).ppf(u) for scale in (country_scale, site_scale)]
    nodes = [(c, s) for s in spreads[1] for c in spreads[0]]
    log, mean, second = [], [], []
    for country_sd, site_sd in nodes:
        estimate, variance, around = sites.of_countries(site_sd)
        total = variance + country_sd**2
        precision = (1 / total).sum()
        middle = (estimate / total).sum() / precision
        mu = middle + np.linspace(-8, 8, MEANS) / np.sqrt(precision)
        density = effect.logpdf(mu) - 0.5 * precision * (mu - middle) ** 2
        weight = np.exp(density - density.max())
        step = mu[1] - mu[0]
        fit = -0.5 * (np.log(total).sum() + ((estimate - middle) ** 2 / total).sum())
        log.append(around + fit + density.max() + np.log(weight.sum() * step))
        weight /= weight.sum()
        mu_mean = weight @ mu
        mu_variance = weight @ (mu - mu_mean) ** 2
        rest = variance / total  # how much of a country's effect is the mean's
        own = (1 - rest) * estimate + rest * mu_mean
        mean.append(own)
        second.append(own**2 + country_sd**2 * rest + rest**2 * mu_variance)
    weight = np.exp(np.array(log) - max(log))
    weight /= weight.sum()
    found = weight @ np.array(mean)
    sd = np.sqrt(weight @ np.array(second) - found**2)
    both = np.array(nodes)
    first = weight @ both
    spread = np.sqrt(weight @ both**2 - first**2)
    return ThreeLevels(found, sd, (first[0], spread[0]), (first[1], spread[1]))

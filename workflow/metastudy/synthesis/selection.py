"""Selection of published effects: models that correct for it, and how much of it would be needed.

All take effects of one estimand, one of each study, turned so that positive ones are those that
selection favours, and have the priors of the main analysis.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import inf, nan

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from metastudy.models.priors import Prior
from metastudy.synthesis.grid import FINE, Axis, Grid, integrate

__all__ = ["CUT", "Bound", "affirmative", "axes", "bound", "plain", "regression", "step_function"]

CUT = 1.959963984540054  # standard errors above zero: one-sided p of 0.025
LARGEST = 1e4  # selection ratio beyond which none is looked for
BLOCK = 40  # probabilities whose product is taken before its logarithm


def affirmative(y: np.ndarray, se: np.ndarray) -> np.ndarray:
    """Which effects are significant on the favoured side, boolean, shape (effects,)."""
    return np.asarray(y / se > CUT)


def plain(y: np.ndarray, se: np.ndarray, effect: Prior, between: Prior) -> Grid:
    r"""Random effects without selection, :math:`y_i \sim N(\mu, s_i^2 + \tau^2)`.

    Parameters
    ----------
    y, se : estimates and standard errors, shape (effects,).
    effect, between : priors of the mean and of the total heterogeneity.

    Returns
    -------
    The posterior of mean and heterogeneity, in this order.
    """
    return integrate(_normal(y, se), axes(y, se, effect, between))


def step_function(
    y: np.ndarray, se: np.ndarray, effect: Prior, between: Prior, cells: Sequence[int] = FINE
) -> Grid:
    r"""Random effects of which the affirmative ones are published and others sometimes.

    .. math::
        p(y_i) = \frac{w_i\, N(y_i; \mu, s_i^2 + \tau^2)}{a_i + \omega (1 - a_i)}, \qquad
        a_i = P(y_i > 1.96\, s_i), \qquad w_i = 1 \text{ if affirmative, else } \omega

    with :math:`\omega \sim U(0, 1)`, the probability of publication relative to an affirmative
    effect, so the weights are in order (Hedges 1992; Vevea and Hedges 1995).

    Parameters
    ----------
    cells : of the last grid, along mean, heterogeneity and weight.

    Returns
    -------
    The posterior of mean, heterogeneity and weight, in this order.
    """
    normal, others = _normal(y, se), int((~affirmative(y, se)).sum())

    def log_likelihood(mu: np.ndarray, tau: np.ndarray, weight: np.ndarray) -> np.ndarray:
        found = normal(mu, tau) + others * np.log(weight)
        blocks = np.array_split(np.arange(len(y)), -(-len(y) // BLOCK))
        for block in blocks:
            published = np.ones(())
            for i in block:
                a = ndtr((mu - CUT * se[i]) / np.sqrt(se[i] ** 2 + tau**2))
                published = published * (a + weight * (1 - a))
            found = found - np.log(published)
        return found

    weight = Axis(0.0, 1.0, np.diff, least=0.0, most=1.0)
    return integrate(log_likelihood, [*axes(y, se, effect, between), weight], cells)


def regression(
    y: np.ndarray, se: np.ndarray, x: np.ndarray, effect: Prior, between: Prior
) -> tuple[Grid, float, float]:
    r"""Random effects on a measure of their size, at zero of which the mean is.

    .. math:: y_i \sim N(\mu + \beta x_i, s_i^2 + \tau^2), \qquad p(\beta) \propto 1

    With the standard error as measure this is PET, with its square PEESE (Stanley and
    Doucouliagos 2014). The slope has a flat prior and is integrated out.

    Parameters
    ----------
    x : the measure, shape (effects,).

    Returns
    -------
    grid, slope, sd
        The posterior of mean and heterogeneity, and mean and standard deviation of the slope's.

    Raises
    ------
    ValueError
        Where the measure does not vary.
    """
    if np.ptp(x) <= 1e-6 * np.abs(x).max():
        raise ValueError("the standard errors are all alike, so no regression on them is possible")

    def sums(mu: np.ndarray, tau: np.ndarray) -> tuple[np.ndarray, ...]:
        log, xx, xr, rr = (np.zeros(()) for _ in range(4))
        for i in range(len(y)):
            v, r = se[i] ** 2 + tau**2, y[i] - mu
            log = log + np.log(v)
            xx, xr, rr = xx + x[i] ** 2 / v, xr + x[i] * r / v, rr + r**2 / v
        return log, xx, xr, rr

    def log_likelihood(mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
        log, xx, xr, rr = sums(mu, tau)
        return np.asarray(-0.5 * (log + np.log(xx) + rr - xr**2 / xx))

    grid = integrate(log_likelihood, axes(y, se, effect, between))
    _, xx, xr, _ = sums(grid.points(0)[:, None], grid.points(1)[None, :])
    slope, variance = xr / xx, 1 / xx + 0 * xr
    mean = float((grid.mass * slope).sum())
    square = float((grid.mass * (variance + slope**2)).sum())
    return grid, mean, float(np.sqrt(square - mean**2))


def _normal(y: np.ndarray, se: np.ndarray) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    def log_likelihood(mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
        found = np.zeros(())
        for one, s in zip(y, se, strict=True):
            v = s**2 + tau**2
            found = found - 0.5 * (np.log(v) + (one - mu) ** 2 / v)
        return found

    return log_likelihood


def axes(y: np.ndarray, se: np.ndarray, effect: Prior, between: Prior) -> list[Axis]:
    """Axes of mean and heterogeneity that begin wide enough for all effects."""
    low, high = float((y - 3 * se).min()), float((y + 3 * se).max())
    return [
        Axis.of(effect, low, high),
        Axis.of(between, 0.0, max(between.quantile(0.999), float(np.std(y))), positive=True),
    ]


@dataclass(frozen=True)
class Bound:
    """What selection could do at worst.

    ``worst`` is the posterior of the effects that are not affirmative, ``None`` where there are
    none. ``to_zero`` says how many times likelier the publication of affirmative effects would
    have to be for the weighted mean to be zero, ``to_interval`` for its interval to reach zero;
    1 where no selection is needed, infinite where none would do.
    """

    worst: Grid | None
    to_zero: float
    to_interval: float


def bound(y: np.ndarray, se: np.ndarray, effect: Prior, between: Prior, z: float = CUT) -> Bound:
    r"""The worst case of Mathur and VanderWeele (2020), and the selection that explains all.

    The worst case pools the effects that are not affirmative: no selection in favour of
    affirmative ones, however strong, leads further. For a selection ratio :math:`\eta` each other
    effect stands for :math:`\eta` of its like,

    .. math::
        \hat\mu_\eta = \frac{\sum_A w_i y_i + \eta \sum_N w_i y_i}{\sum_A w_i + \eta \sum_N w_i},
        \qquad w_i = 1 / (s_i^2 + \tau^2)

    with the heterogeneity of the analysis without selection, here its posterior mean. Its standard
    error is that of a weighted mean of independent effects.

    Parameters
    ----------
    z : standard errors on either side of an estimate that its interval spans.

    References
    ----------
    Mathur and VanderWeele (2020), Sensitivity analysis for publication bias in meta-analyses,
    Journal of the Royal Statistical Society C 69: 1091-1119.
    """
    chosen = affirmative(y, se)
    tau = plain(y, se, effect, between).moments(1)[0]
    w = 1 / (se**2 + tau**2)

    def mean(log_ratio: float) -> float:
        weight = np.where(chosen, 1.0, np.exp(log_ratio)) * w
        return float(weight @ y / weight.sum())

    def lower(log_ratio: float) -> float:
        weight = np.where(chosen, 1.0, np.exp(log_ratio)) * w
        return mean(log_ratio) - z * float(np.sqrt((weight**2 / w).sum()) / weight.sum())

    worst = None
    if not chosen.all():
        worst = plain(y[~chosen], se[~chosen], effect, between)
    if not chosen.any() or chosen.all():
        return Bound(worst, nan, nan)
    return Bound(worst, _first_zero(mean), _first_zero(lower))


def _first_zero(value: Callable[[float], float]) -> float:
    """The smallest selection ratio from one on at which a value is at most zero."""
    at = np.linspace(0.0, np.log(LARGEST), 400)
    found = np.array([value(float(one)) for one in at])
    down = np.flatnonzero(found <= 0)
    if not len(down):
        return inf
    if down[0] == 0:
        return 1.0
    return float(np.exp(brentq(value, at[down[0] - 1], at[down[0]])))

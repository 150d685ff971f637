"""Logistic regressions of counts by maximum likelihood: of one place, and within sites."""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, logsumexp

__all__ = ["firth", "within_sites"]

POINTS = 21  # of the levels of sites
WIDEST = 3.0  # standard deviation between sites, in log-odds; then nearly all or none
STEPS, SMALL = 100, 1e-8  # of Newton's method, and a step after which it has arrived
APART = 1e-4  # of two coefficients between which a second derivative is taken


def firth(n: np.ndarray, events: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Logistic regression with the bias of the first order removed, finite for any counts.

    Of two arms it is the log-odds ratio with half a person added to each of the four counts.

    Parameters
    ----------
    n, events : people of each group and how many have the event, shape (group,).
    x : predictors, shape (group, P), of full rank.

    Returns
    -------
    Coefficients (P,) and their covariance (P, P), the inverse of the information.

    References
    ----------
    Firth (1993), Bias reduction of maximum likelihood estimates.
    """
    b = np.zeros(x.shape[1])
    for _ in range(STEPS):
        p = expit(x @ b)
        weight = n * p * (1 - p)
        inverse = np.linalg.inv((x * weight[:, None]).T @ x)
        hat = weight * np.einsum("gp,pq,gq->g", x, inverse, x)
        step = inverse @ (x.T @ (events - n * p + hat * (0.5 - p)))
        b = b + step / max(1.0, float(np.abs(step).max()))
        if np.abs(step).max() < SMALL:
            break
    return b, inverse


def within_sites(
    n: np.ndarray, events: np.ndarray, x: np.ndarray, site: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Logistic regression with a normal level of each site, integrated over by quadrature.

    So that slopes are finite for any counts, each has the density of half a person with the event
    and half without (log-F; Greenland and Mansournia 2015). The standard deviation between sites is
    the most likely one, and taken as known.

    Parameters
    ----------
    n, events : people of each group and how many have the event, shape (group,).
    x : predictors, shape (group, P), of full rank, the intercept first.
    site : of each group, shape (group,).

    Returns
    -------
    Coefficients (P,), their covariance (P, P), and the standard deviation between sites.
    """
    point, weight = np.polynomial.hermite_e.hermegauss(POINTS)
    log_weight = np.log(weight / weight.sum())
    of = np.unique(site, return_inverse=True)[1]

    def unlikely(b: np.ndarray, sd: float) -> tuple[float, np.ndarray]:
        eta = (x @ b)[:, None] + sd * point
        each = events[:, None] * eta - n[:, None] * np.logaddexp(0, eta)
        total = np.zeros((of.max() + 1, POINTS))
        np.add.at(total, of, each)
        total += log_weight
        site_of = np.exp(total - logsumexp(total, axis=1, keepdims=True))[of]
        off = (site_of * (events[:, None] - n[:, None] * expit(eta))).sum(axis=1)
        value = logsumexp(total, axis=1).sum() + (b[1:] / 2 - np.logaddexp(0, b[1:])).sum()
        slope = x.T @ off
        slope[1:] += 0.5 - expit(b[1:])
        return -float(value), -slope

    start = firth(n, events, x)[0]

    def best(sd: float) -> np.ndarray:
        return np.asarray(minimize(unlikely, start, (sd,), jac=True, method="BFGS").x)

    found = minimize_scalar(
        lambda sd: unlikely(best(sd), sd)[0], bounds=(0.0, WIDEST), method="bounded"
    )
    sd = float(found.x) if found.fun < unlikely(best(0.0), 0.0)[0] else 0.0
    b = best(sd)
    ends = [(b + APART * e, b - APART * e) for e in np.eye(len(b))]
    slopes = [unlikely(above, sd)[1] - unlikely(below, sd)[1] for above, below in ends]
    hessian = np.array(slopes) / (2 * APART)
    return b, np.linalg.inv((hessian + hessian.T) / 2), sd

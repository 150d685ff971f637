"""How well the items of a scale hang together: alpha, omega, and each item against the rest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import pandas as pd

__all__ = [
    "LEAST_ROWS",
    "OMEGA_ITEMS",
    "Reliability",
    "cronbach_alpha",
    "item_rest",
    "loadings",
    "omega",
    "reliability",
]

LEAST_ROWS = 20  # below, a correlation of two items says next to nothing
CONFIDENCE = 0.95
UNIQUE = (0.05, 0.95)  # starting values of unique variances are kept inside
ALPHA_ITEMS, OMEGA_ITEMS = 2, 3  # with two items the loadings of a factor are not identified


@dataclass(frozen=True)
class Reliability:
    """Reliability of a scale; a coefficient is missing where ``why`` says why."""

    items: int
    rows: int
    alpha: float | None = None
    low: float | None = None
    high: float | None = None
    omega: float | None = None
    why_alpha: str = ""
    why_omega: str = ""


def _complete(answers: pd.DataFrame) -> pd.DataFrame:
    return answers.dropna().astype("float64")


def loadings(correlations: np.ndarray) -> np.ndarray | None:
    """Loadings of one factor by maximum likelihood.

    Parameters
    ----------
    correlations : (item, item), at least three items.

    Returns
    -------
    (item,), their sum positive; ``None`` where the solution is improper or was not found.
    """
    from statsmodels.multivariate.factor import Factor

    # the first principal component: statsmodels' own start is drawn at random
    values, vectors = np.linalg.eigh(correlations)
    first = np.sqrt(values[-1]) * vectors[:, -1:]
    start = (first, np.clip(1 - first[:, 0] ** 2, *UNIQUE))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            factor = Factor(corr=correlations, n_factor=1, method="ml")
            found = factor.fit(start=start).loadings[:, 0]
        except (np.linalg.LinAlgError, ValueError, RuntimeError):
            return None
    if not np.allclose(np.imag(found), 0) or not (np.abs(found) <= 1).all():
        return None
    if not np.allclose(np.abs(found) ** 2 + factor.uniqueness, 1, atol=1e-3):
        return None  # at the maximum the factor and the rest make up each item's variance
    found = np.real(found)
    return np.asarray(found * (1 if found.sum() >= 0 else -1))


def omega(correlations: np.ndarray, spreads: np.ndarray) -> float | None:
    """McDonald's omega of a sum of items, from the solution with one factor.

    With loadings l of the standardised items and their standard deviations s, the loadings of the
    items as they are summed are s l, and their unique variances s^2 (1 - l^2). Omega is the share
    of the sum's variance that the factor explains (McDonald 1999):

        omega = (sum s l)^2 / ((sum s l)^2 + sum s^2 (1 - l^2))

    Parameters
    ----------
    correlations : (item, item).
    spreads : (item,), standard deviations.

    Returns
    -------
    Between 0 and 1; ``None`` where :func:`loadings` finds no solution.
    """
    found = loadings(correlations)
    if found is None:
        return None
    common = float((spreads * found).sum() ** 2)
    return common / (common + float((spreads**2 * (1 - found**2)).sum()))


def cronbach_alpha(complete: pd.DataFrame) -> tuple[float, float, float]:
    """Cronbach's alpha of a sum of items, with its interval.

    With k items, their covariance matrix C and n people, alpha is k / (k - 1) (1 - tr C / sum C),
    and (1 - alpha) / (1 - estimate) has an F distribution with n - 1 and (n - 1) (k - 1) degrees of
    freedom, upside down (Feldt, Woodruff and Salih 1987).

    Parameters
    ----------
    complete : (person, item) answers, at least two items that vary, none missing.

    Returns
    -------
    The estimate and the ends of the interval with probability :data:`CONFIDENCE`.
    """
    from scipy import stats

    people, items = complete.shape
    covariance = complete.cov().to_numpy()
    alpha = items / (items - 1) * (1 - np.trace(covariance) / covariance.sum())
    law = stats.f(people - 1, (people - 1) * (items - 1))
    tail = (1 - CONFIDENCE) / 2
    low, high = (1 - (1 - alpha) * law.isf(p) for p in (tail, 1 - tail))
    return float(alpha), float(low), float(high)


def reliability(answers: pd.DataFrame) -> Reliability:
    """Reliability of a scale.

    Parameters
    ----------
    answers : (person, item) aligned answers; people who left an item out are left out.

    Returns
    -------
    Reliability
        Cronbach's alpha with its interval (:func:`cronbach_alpha`) from two items on, McDonald's
        omega (:func:`omega`) from three items on.
    """
    complete = _complete(answers)
    items, rows = answers.shape[1], len(complete)
    why = ""
    if items < ALPHA_ITEMS:
        why = "one item"
    elif rows < LEAST_ROWS:
        why = f"fewer than {LEAST_ROWS} people answered all items"
    elif (complete.nunique() < 2).any():
        why = "an item has the same answer everywhere"
    if why:
        return Reliability(items, rows, why_alpha=why, why_omega=why)
    alpha, low, high = cronbach_alpha(complete)
    found, reason = None, f"fewer than {OMEGA_ITEMS} items"
    if items >= OMEGA_ITEMS:
        found = omega(complete.corr().to_numpy(), complete.std().to_numpy())
        reason = "" if found is not None else "no proper solution with one factor"
    return Reliability(items, rows, alpha, low, high, found, why_omega=reason)


def item_rest(answers: pd.DataFrame) -> pd.Series:
    """Correlation of each item with the mean of the others.

    Parameters
    ----------
    answers : (person, item) aligned answers.

    Returns
    -------
    One value an item; missing where it is not defined. A negative one says that the item may be
    keyed the other way round.
    """
    complete = _complete(answers)
    found = pd.Series(np.nan, index=answers.columns)
    if answers.shape[1] < ALPHA_ITEMS or len(complete) < LEAST_ROWS:
        return found
    for item in answers.columns:
        rest = complete.drop(columns=item).mean(axis=1)
        if complete[item].nunique() > 1 and rest.nunique() > 1:
            found[item] = complete[item].corr(rest)
    return found

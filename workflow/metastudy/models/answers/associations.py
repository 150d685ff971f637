"""Measured exposures: how strong a confounder would have to be, and what reliability changes."""

from __future__ import annotations

from collections.abc import Mapping
from math import nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.interactions import INTERACTION
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.answers.design import observed
from metastudy.models.answers.estimates import Setting, described, within_sites

__all__ = ["INTERACTS", "LOW", "NONE", "associations", "corrected", "robustness_value"]

# The least share of an exposure's variance within sites, given the others, that may be left to
# true scores: below, the correction divides by little more than its own error.
LEAST = 0.05
NONE = "no reliability is declared"
INTERACTS = "an interaction is beside it, whose error is another"
LOW = "measurement errors would make up nearly all of the differences between people"


def robustness_value(t: float, df: float, tail: float = 0.0) -> float:
    r"""The robustness value of a coefficient (Cinelli and Hazlett 2020, sections 4.2 and 4.3).

    A confounder that explains this share of the variance that is left both of the exposure and of
    the outcome would bring the estimate to zero; or, with a ``tail``, an interval that leaves out
    this probability on either side would then reach zero.

    .. math:: \tfrac12 \left( \sqrt{f^4 + 4 f^2} - f^2 \right), \qquad
              f = \frac{|t|}{\sqrt{d}} - \frac{t^*}{\sqrt{d - 1}}

    Parameters
    ----------
    t, df : of the coefficient; d are its residual degrees of freedom, above one for a tail.
    tail : in the t distribution with d - 1 degrees of freedom that :math:`t^*` cuts off; zero takes
        no :math:`t^*` away.
    """
    from scipy import stats  # every command imports this module, and few need SciPy's statistics

    whole = abs(t) / sqrt(df)
    critical = stats.t.isf(tail, df - 1) / sqrt(df - 1) if tail else 0.0
    f = whole - critical
    if f <= 0:
        return 0.0
    if critical and whole > 1 / critical:  # what a confounder takes from the residual is at stake
        return float((whole**2 - critical**2) / (1 + whole**2))
    return float((sqrt(f**4 + 4 * f**2) - f**2) / 2)


def corrected(
    sxx: np.ndarray, people: float, exposures: np.ndarray, outcome: float
) -> np.ndarray | None:
    r"""What takes slopes of standardised scores to those of true scores.

    .. math:: \beta = R^{1/2} (S - E)^{-1} S\, b\, / \sqrt{r_y}, \qquad E = (n - g) (I - R)

    with the cross-products S of exposures within sites, of which E is that of their errors
    (Fuller 1987, Measurement error models, section 3.1). Of one exposure it is
    :math:`b / \sqrt{r_x r_y}` (Spearman 1904). Reliabilities are taken as known, and errors of
    exposures as independent of each other and of those of outcomes.

    Parameters
    ----------
    sxx : S, shape (exposure, exposure), of exposures in standard deviations.
    people : n - g, people less sites.
    exposures, outcome : reliabilities, the diagonal of R and r_y; one for what is assigned.

    Returns
    -------
    numpy.ndarray or None
        Shape (exposure, exposure); none where the errors would leave no true differences.
    """
    true = sxx - people * np.diag(1 - exposures)
    size = np.sqrt(np.diag(sxx))
    if np.linalg.eigvalsh(true / np.outer(size, size)).min() <= 0:
        return None
    if (1 / np.diag(np.linalg.inv(true)) < LEAST * np.diag(sxx)).any():
        return None
    return np.asarray(np.sqrt(exposures)[:, None] * np.linalg.solve(true, sxx) / sqrt(outcome))


def associations(
    cells: xr.Dataset,
    vocabulary: Vocabulary,
    reliabilities: Mapping[str, Mapping[str, float]],
    tail: float,
) -> pd.DataFrame:
    """Each measured association of each setting by itself, by regression within sites.

    Parameters
    ----------
    cells : of a module.
    reliabilities : by study and construct, above zero and at most one.
    tail : probability that an interval leaves out on either side.

    Returns
    -------
    pandas.DataFrame
        As :func:`metastudy.models.answers.estimates.blocks` describes estimates, with ``se``
        (without the error of standard deviations), ``df``, ``partial_r2`` of exposure and outcome,
        ``robustness`` and ``robustness_interval`` (:func:`robustness_value`), and with the
        reliabilities the ``corrected`` slope and its standard error ``corrected_se``; ``reason``
        says why there is none.
    """
    seen, parts = observed(cells), []
    for place in range(cells.sizes["setting"]):
        one = Setting.of(cells, place, seen[place])
        table = described(cells, vocabulary, one)
        own = reliabilities.get(str(cells.study.values[place]), {})
        measured = (cells.exposure_type.values == "measured")[one.exposure]
        more = [_row(cells, one, int(at), own, tail) for at in np.flatnonzero(measured)]
        parts.append(table[measured].join(pd.DataFrame(more, index=table.index[measured])))
    return pd.concat(parts, ignore_index=True)


def _row(
    cells: xr.Dataset, one: Setting, at: int, reliabilities: Mapping[str, float], tail: float
) -> dict[str, Any]:
    k = int(one.outcome[at])
    estimate, se = one.estimate[at], sqrt(one.covariance[at, at])
    df = float(one.df[k, k])
    t = estimate / se
    mine = np.flatnonzero(one.outcome == k)
    names = cells.exposure_name.values[one.exposure[mine]]
    traits = cells.exposure_type.values[one.exposure[mine]] == "measured"
    of = [reliabilities.get(str(n), 1.0) if m else 1.0 for n, m in zip(names, traits, strict=True)]
    outcome = reliabilities.get(str(cells.construct_of.values[k]), 1.0)
    exposure = reliabilities.get(str(cells.exposure_name.values[one.exposure[at]]), 1.0)
    found: dict[str, Any] = {
        "se": se,
        "df": df,
        "partial_r2": t**2 / (t**2 + df),
        "robustness": robustness_value(t, df),
        "robustness_interval": robustness_value(t, df, tail) if df > 1 else 0.0,
        "reliability_exposure": exposure,
        "reliability_outcome": outcome,
        "corrected": nan,
        "corrected_se": nan,
        "reason": "",
    }
    if min(*of, outcome) == 1.0:
        return found | {"reason": NONE}
    if INTERACTION in cells.exposure_type.values[one.exposure[mine]]:
        return found | {"reason": INTERACTS}
    matrix = _matrix(cells, one, k, mine, np.array(of), outcome)
    if matrix is None:
        return found | {"reason": LOW}
    row = matrix[mine.tolist().index(at)]
    variance = row @ one.covariance[np.ix_(mine, mine)] @ row
    return found | {
        "corrected": float(row @ one.estimate[mine]),
        "corrected_se": sqrt(float(variance)),
    }


def _matrix(
    cells: xr.Dataset, one: Setting, k: int, mine: np.ndarray, of: np.ndarray, outcome: float
) -> np.ndarray | None:
    site = cells.site_of_cell.values
    rows = (cells.setting_of_site.values[site] == one.place) & cells.observed.values[
        cells.pattern_of_cell.values
    ].astype(bool)[:, k]
    n, xx, xy, yy = (cells[name].values[rows] for name in ("n", "xx", "xy", "yy"))
    ps = 1 + one.exposure[mine]
    sxx, _, _, freedom = within_sites(n, xx, xy, yy, site[rows], ps)
    return corrected(sxx, freedom + len(ps), of, outcome)

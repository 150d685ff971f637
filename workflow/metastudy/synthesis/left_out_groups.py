"""How far groups are pooled, compared by what each way predicts of a group that is left out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import logsumexp

from metastudy.common import result_tables
from metastudy.common.tables import join_values
from metastudy.common.unsaid import UNSAID
from metastudy.models.priors import OF_METRIC, Prior
from metastudy.synthesis.pooling import ESTIMAND, average_vignettes, unit_of
from metastudy.synthesis.priors import prior_of

__all__ = ["GROUPED", "RESTS", "WAYS", "left_out_groups", "log_marginal"]

GROUPED = ("study", "country", "sector")
WAYS = ("pooled", "partial", "unpooled")
RESTS = "rests on one {}"
NO_SIZE = "is in a unit of its own, and no number of respondents says what a large one is"
SLICES = 200  # of the prior of the heterogeneity, each with the same mass
POINTS, WEIGHTS = np.polynomial.hermite.hermgauss(80)


def log_marginal(y: np.ndarray, se: np.ndarray, effect: Prior, tau: np.ndarray) -> float:
    r"""Logarithm of the density of estimates under random effects, mean and spread integrated out.

    .. math:: p(y) = \int\!\!\int \prod_g N(y_g; \mu, s_g^2 + \tau^2)\, p(\mu)\, p(\tau)\,
              d\mu\, d\tau

    Parameters
    ----------
    y, se : estimates and standard errors, shape (groups,).
    effect : prior of the mean, normal or Student-t.
    tau : points of the prior of the heterogeneity that stand for the same mass each; zero alone
        for none.
    """
    if not len(y):
        return 0.0
    w = 1 / (se**2 + tau[:, None] ** 2)
    a, b, c = w.sum(axis=1), w @ y, w @ y**2
    mean, sd = b / a, np.sqrt(1 / a)
    rest = 0.5 * (np.log(w).sum(axis=1) - len(y) * np.log(2 * np.pi) - (c - b**2 / a))
    rest += 0.5 * np.log(2 * np.pi / a)
    mu = mean[:, None] + np.sqrt(2) * sd[:, None] * POINTS
    prior = logsumexp(_log_density(effect, mu), axis=1, b=WEIGHTS / np.sqrt(np.pi))
    return float(logsumexp(rest + prior) - np.log(len(tau)))


def _log_density(prior: Prior, value: np.ndarray) -> np.ndarray:
    from scipy import stats

    n = prior.numbers
    if prior.family == "student_t":
        return np.asarray(stats.t.logpdf(value, n["df"], scale=n["scale"]))
    return np.asarray(stats.norm.logpdf(value, scale=n["scale"]))


def left_out_groups(
    table: pd.DataFrame, covariance: np.ndarray, priors: Mapping[str, Prior]
) -> pd.DataFrame:
    """Complete, partial and no pooling of studies, countries and sectors.

    Each group of an estimand has one estimate, the weighted mean of its own, and each way of
    pooling a density of it given the estimates of all other groups: with one mean for all, with
    means that vary by the prior of the heterogeneity, or with the prior of an effect alone. That is
    exact: the ratio of the marginal densities of all groups and of all but one. Estimates of one
    study in two groups are taken as independent; estimands are added up.

    Parameters
    ----------
    table, covariance : unpooled estimates
        (:func:`metastudy.synthesis.stages.gather`).
    priors : by the configuration's keys.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``left_out_groups``: by module and grouping a row for each way of
        pooling, with ``elpd``, the ``difference`` from the best and its standard error, missing for
        fewer than three groups; where no estimand has two groups, one row with the reason.
    """
    averaged, covariance = average_vignettes(table, covariance)
    rows: list[dict[str, Any]] = []
    for module, of_module in averaged.groupby("module", sort=False):
        for grouping in GROUPED:
            if of_module[grouping].astype(str).str.startswith(UNSAID).all():
                continue  # it would be the studies once more
            marks = join_values(of_module["provenance"])
            base = {"module": str(module), "grouping": grouping, "provenance": marks}
            scores = _scores(of_module, covariance, grouping, priors)
            several = of_module.groupby(ESTIMAND)[grouping].nunique().gt(1).any()
            for row in _summary(scores, NO_SIZE if several else RESTS.format(grouping)):
                name = "|".join(filter(None, (str(module), grouping, row["pooling"])))
                rows.append(base | row | {"id": name})
    columns = result_tables.columns("left_out_groups")
    return pd.DataFrame(rows)[columns] if rows else result_tables.none("left_out_groups")


def _scores(
    table: pd.DataFrame, covariance: np.ndarray, grouping: str, priors: Mapping[str, Prior]
) -> pd.DataFrame:
    """Log density of each group of each estimand that has several, a column a way of pooling."""
    found: list[dict[str, Any]] = []
    points: dict[str, np.ndarray] = {}  # of each prior of the heterogeneity
    for key, mine in table.groupby(ESTIMAND, sort=False):
        if mine[grouping].nunique() < 2:
            continue
        metric = str(mine["metric"].iloc[0])
        if metric not in OF_METRIC and not mine["n"].gt(0).any():
            continue  # nothing says what a large effect is
        given = (metric, unit_of(mine, metric))
        effect, between = (prior_of(priors, name, *given) for name in ("mu", "total_tau"))
        if between.label not in points:
            shares = (np.arange(SLICES) + 0.5) / SLICES
            points[between.label] = np.array([between.quantile(float(p)) for p in shares])
        spread = {"pooled": np.zeros(1), "partial": points[between.label]}
        names, y, se = _group_means(mine, covariance, grouping)
        whole = {way: log_marginal(y, se, effect, t) for way, t in spread.items()}
        for g, name in enumerate(names):
            rest = np.arange(len(names)) != g
            row = {
                way: whole[way] - log_marginal(y[rest], se[rest], effect, t)
                for way, t in spread.items()
            }
            row["unpooled"] = log_marginal(y[[g]], se[[g]], effect, np.zeros(1))
            found.append({"estimand": key, "group": name, **row})
    return pd.DataFrame(found, columns=["estimand", "group", *WAYS])


def _group_means(
    mine: pd.DataFrame, covariance: np.ndarray, grouping: str
) -> tuple[list[str], np.ndarray, np.ndarray]:
    """The weighted mean of each group's estimates of an estimand, and its standard error."""
    names, y, se = [], [], []
    for name, own in mine.groupby(grouping, sort=True):
        at = own.index.to_numpy()
        weight = np.linalg.solve(covariance[np.ix_(at, at)], np.ones(len(at)))
        names.append(str(name))
        y.append(weight @ own["estimate"].to_numpy() / weight.sum())
        se.append(1 / np.sqrt(weight.sum()))
    return names, np.array(y), np.array(se)


def _summary(scores: pd.DataFrame, reason: str) -> list[dict[str, Any]]:
    """Rows of a grouping; one with the reason where there is nothing to compare."""
    nothing = dict.fromkeys(("elpd", "difference", "se_difference"), np.nan)
    if scores.empty:
        counts = {"groups": 1, "estimands": 0}
        return [{"pooling": "", **counts, **nothing, "reason": reason}]
    by_group = scores.groupby("group")[[*WAYS]].sum()
    best = str(by_group.sum().idxmax())
    rows = []
    for way in WAYS:
        apart = by_group[way] - by_group[best]
        se = float(np.sqrt(len(apart) * apart.var())) if len(apart) > 2 else np.nan
        rows.append(
            {
                "pooling": way,
                "groups": len(by_group),
                "estimands": scores["estimand"].nunique(),
                "elpd": float(by_group[way].sum()),
                "difference": float(apart.sum()),
                "se_difference": se,
                "reason": "",
            }
        )
    return rows

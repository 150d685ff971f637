"""Heterogeneity with t tails: a sensitivity analysis of pooled effects, beside the normal one."""

from __future__ import annotations

from collections.abc import Mapping
from math import log, nan
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import gammaln, logsumexp

from metastudy.common import result_tables
from metastudy.models.priors import Prior
from metastudy.synthesis.grid import Grid, integrate
from metastudy.synthesis.pooling import ESTIMAND, SecondStage
from metastudy.synthesis.priors import prior_of
from metastudy.synthesis.selected_effects import one_each
from metastudy.synthesis.selection import axes, plain

__all__ = ["DF", "LEAST", "heavy", "tails"]

DF = 4.0  # degrees of freedom: tails much heavier than normal ones, and a variance
LEAST = 3  # studies: of two nothing says which one is far from the other
FEW = "of fewer than three studies nothing says which one is far from the others"
MODERATED = "the mean depends on moderators"
# Nodes of the logarithm of a study's precision, around that of the others, for the trapezoidal
# rule: the gamma density of it has vanished at both ends.
NODES = np.linspace(-14.0, 3.5, 71)
ENDS = ("mean", "sd", "lower", "upper")


def heavy(y: np.ndarray, se: np.ndarray, effect: Prior, between: Prior, df: float = DF) -> Grid:
    r"""Random effects whose deviations from the mean have a t distribution.

    .. math:: y_i \sim N(\mu + u_i, s_i^2), \qquad u_i / \tau \sim t_\nu \sqrt{(\nu - 2) / \nu}

    The deviation has the standard deviation :math:`\tau`, as in the normal model, so both have the
    same prior. A t is a normal distribution whose precision has a gamma distribution
    (Baker and Jackson 2008, A new approach to outliers in meta-analysis); the precision of each
    study is integrated out.

    Parameters
    ----------
    y, se : estimates and standard errors, shape (effects,).
    effect, between : priors of the mean and of the standard deviation of deviations.
    df : degrees of freedom, above 2.

    Returns
    -------
    The posterior of mean and heterogeneity, in this order.
    """
    shape = df / 2
    weight = shape * log(shape) - gammaln(shape) + shape * NODES - shape * np.exp(NODES)
    weight = weight + log(NODES[1] - NODES[0])
    spread = (df - 2) / df * np.exp(-NODES)  # variance of a study's deviation, over tau squared

    def log_likelihood(mu: np.ndarray, tau: np.ndarray) -> np.ndarray:
        found = np.zeros(())
        for one, s in zip(y, se, strict=True):
            v = s**2 + tau[..., None] ** 2 * spread
            each = -0.5 * (np.log(v) + (one - mu[..., None]) ** 2 / v)
            found = found + logsumexp(each + weight, axis=-1)
        return found

    return integrate(log_likelihood, axes(y, se, effect, between))


def tails(
    found: SecondStage,
    metric: str,
    priors: Mapping[str, Prior],
    interval: float,
    pooled: pd.DataFrame,
) -> pd.DataFrame:
    """Each pooled effect with normal and with t heterogeneity, both of one estimate a study.

    Parameters
    ----------
    found : a plan of the second stage, whose priors are those of ``metric``.
    priors : by the configuration's keys.
    interval : probability of the credible intervals.
    pooled : results of the second stage, for the main mean beside them, not shrunk to its family's.

    Returns
    -------
    pandas.DataFrame
        Columns of the table ``tails``: a row for each estimand, with the reason where it was not
        done.
    """
    effect, between = (prior_of(priors, name, metric, found.unit) for name in ("mu", "total_tau"))
    whole = (pooled["level"] == "population") & (pooled["metric"] == metric)
    main = pooled[whole].set_index("id")
    # A mean in a family as it is apart from it, as that of both is.
    main = main.assign(**{name: main[f"{name}_apart"].fillna(main[name]) for name in ENDS})
    rows: list[dict[str, Any]] = []
    for _, estimand in found.estimands.iterrows():
        own = found.table[ESTIMAND].eq(estimand[ESTIMAND]).all(axis=1).to_numpy()
        table = found.table[own].reset_index(drop=True)
        se = table["se"].to_numpy(dtype=float)
        single = one_each(table, found.covariance[np.ix_(own, own)], se)
        row: dict[str, Any] = {str(name): value for name, value in estimand.items()}
        row |= {name: float(main.loc[row["id"], name]) for name in ENDS}
        row |= {"studies": int(table["study"].nunique()), "df": DF, "reason": "", "farthest": ""}
        row |= {f"{n}_{kind}": nan for n in (*ENDS, "total") for kind in ("normal", "t")}
        row["provenance"] = main.loc[row["id"], "provenance"]
        moderation = found.moderation.get(str(estimand["id"]))
        if len(single) < LEAST:
            row["reason"] = FEW
        elif moderation and moderation.coefficients:
            row["reason"] = MODERATED
        else:
            given = (single["estimate"].to_numpy(), single["se"].to_numpy(), effect, between)
            grids = {"normal": plain(*given), "t": heavy(*given)}
            for kind, grid in grids.items():
                numbers = (*grid.moments(0), *grid.interval(0, interval), grid.moments(1)[0])
                names = (f"{name}_{kind}" for name in (*ENDS, "total"))
                row |= dict(zip(names, numbers, strict=True))
            apart = np.abs(given[0] - row["mean_t"]) / np.hypot(given[1], row["total_t"])
            row["farthest"] = str(single["study"].iloc[int(apart.argmax())])
        rows.append(row)
    return pd.DataFrame(rows)[result_tables.columns("tails")]

"""Arms with means in place of people: what their scores add up to is all that a model sees.

The log-density of scores depends on their number, sums and cross-products alone, and these follow
from n, mean, SD and correlations. So arms are the cells of their people, where each is of one site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.harmonized.study import Study
from metastudy.models.base import NO_VIGNETTE

__all__ = ["Within", "cross_products", "means_of", "within_of"]


@dataclass(frozen=True)
class Within:
    """How people of A arms differ around the means of their K outcomes.

    ``n`` (A,) is the number of people, less where they came in clusters, and ``covariance``
    (A, K, K) that of their scores, NaN between outcomes whose correlation nobody knows.
    """

    n: np.ndarray
    covariance: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Variances of the outcomes, shape (A, K)."""
        return np.diagonal(self.covariance, axis1=1, axis2=2)

    @property
    def apart(self) -> bool:
        """Whether correlations of outcomes are not known, so that each outcome is by itself."""
        return bool(np.isnan(self.covariance).any())

    def folded(self, weights: np.ndarray) -> Within:
        """The same of other outcomes, each a weighted mean of these; weights (new, K)."""
        if self.apart:  # then none is a part of another (codebook.checks.arms): the order is new
            one = weights.argmax(axis=1)
            return Within(self.n, self.covariance[:, one][:, :, one])
        return Within(self.n, weights @ self.covariance @ weights.T)


def means_of(study: Study) -> pd.DataFrame:
    """Mean score of each arm (rows) on each construct in no vignette (columns)."""
    wide = study.arms.pivot(index="respondent_id", columns="construct", values="mean")
    pairs = [(str(name), NO_VIGNETTE) for name in wide.columns]
    wide.columns = pd.MultiIndex.from_tuples(pairs, names=["construct", "vignette"])
    return wide


def within_of(study: Study, arms: pd.Index, names: Sequence[str]) -> Within:
    """Numbers and covariances of some arms, of some outcomes.

    Parameters
    ----------
    arms : their ids, in the order in which they are wanted.
    names : constructs, in the order in which they are wanted.
    """
    table = study.arms
    sd = table.pivot(index="respondent_id", columns="construct", values="sd").loc[arms, list(names)]
    n = table.drop_duplicates("respondent_id").set_index("respondent_id")["effective"].loc[arms]
    correlation = np.full((len(arms), len(names), len(names)), np.nan)
    correlation[:, range(len(names)), range(len(names))] = 1.0
    for (one, other), own in study["arm_correlations"].groupby(["construct", "other"]):
        if one in names and other in names:
            i, j = names.index(str(one)), names.index(str(other))
            value = own.set_index("respondent_id")["correlation"].loc[arms].to_numpy()
            correlation[:, i, j] = correlation[:, j, i] = value
    spread = sd.to_numpy(dtype=float)
    return Within(n.to_numpy(dtype=float), correlation * spread[:, :, None] * spread[:, None, :])


def cross_products(x: np.ndarray, y: np.ndarray, within: Within) -> tuple[np.ndarray, np.ndarray]:
    """What the people of each arm add to the cells.

    Parameters
    ----------
    x : coefficients of the arms, shape (A, P), the first one the intercept.
    y : means of the outcomes, shape (A, K); ``within`` is of the same outcomes and unit.

    Returns
    -------
    Which outcomes each part is of, shape (parts, K), and cross-products of coefficients and
    outcomes, shape (parts, A, P + K, P + K). Of outcomes whose correlations are not known each is a
    part of its own, as if other people had it.
    """
    size = y.shape[1]
    parts = np.eye(size, dtype=bool) if within.apart else np.ones((1, size), dtype=bool)
    found = []
    for mine in parts:
        z = np.column_stack([x, np.where(mine, y, 0.0)])
        zz = within.n[:, None, None] * z[:, :, None] * z[:, None, :]
        own = np.where(np.outer(mine, mine), within.covariance, 0.0)
        zz[:, x.shape[1] :, x.shape[1] :] += (within.n - 1)[:, None, None] * own
        found.append(zz)
    return parts, np.stack(found)

"""Arms with means in place of people: what their scores add up to is all that a model sees.

The log-density of scores depends on their number, sums and cross-products alone, and these follow
from n, mean, SD and correlations. So arms are the cells of their people, where each is of one site.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.base import NO_VIGNETTE

__all__ = ["ASSUMED", "Within", "assuming", "cross_products", "means_of", "within_of"]

ASSUMED = "correlation_of_arms"  # in the report of a study


@dataclass(frozen=True)
class Within:
    """How people of A arms differ around the means of their K outcomes.

    ``n`` (A,) is the number of people, less where they came in clusters, and ``covariance``
    (A, K, K) that of their scores, NaN between outcomes whose correlation nobody knows. ``assumed``
    (A, K, K) is what a correlation of one would make of it where it is assumed, else zero.
    """

    n: np.ndarray
    covariance: np.ndarray
    assumed: np.ndarray

    @property
    def variance(self) -> np.ndarray:
        """Variances of the outcomes, shape (A, K)."""
        return np.diagonal(self.covariance, axis1=1, axis2=2)

    @property
    def parts(self) -> np.ndarray:
        """Outcomes that are known together, shape (parts, K): all, some, or each by itself."""
        return np.unique(~np.isnan(self.covariance).any(axis=0), axis=0)[::-1]

    def folded(self, weights: np.ndarray) -> Within:
        """The same of other outcomes, each a weighted mean of these; weights (new, K)."""
        if len(self.parts) > 1:  # then none is a part of another (codebook.checks.arms)
            return self.of(weights.argmax(axis=1))
        return Within(self.n, *(weights @ c @ weights.T for c in (self.covariance, self.assumed)))

    def of(self, places: np.ndarray) -> Within:
        """The same of the outcomes at these places, in this order."""
        both = (c[:, places][:, :, places] for c in (self.covariance, self.assumed))
        return Within(self.n, *both)

    def scaled(self, unit: np.ndarray) -> Within:
        """The same in other units of the outcomes, shape (K,)."""
        square = np.outer(unit, unit)
        return Within(self.n, self.covariance / square, self.assumed / square)


def assuming(study: Study, correlation: float | None) -> Study:
    """The study with a correlation between outcomes of arms of which it says none.

    Parameters
    ----------
    correlation : of two outcomes of a family; ``None`` leaves the study as it is.
    """
    if correlation is None or study.arms.empty or len(study["arm_correlations"]):
        return study
    return replace(study, report={**study.report, ASSUMED: correlation})


def means_of(study: Study) -> pd.DataFrame:
    """Mean score of each arm (rows) on each construct in no vignette (columns)."""
    wide = study.arms.pivot(index="respondent_id", columns="construct", values="mean")
    pairs = [(str(name), NO_VIGNETTE) for name in wide.columns]
    wide.columns = pd.MultiIndex.from_tuples(pairs, names=["construct", "vignette"])
    return wide


def within_of(study: Study, arms: pd.Index, names: Sequence[str], vocabulary: Vocabulary) -> Within:
    """Numbers and covariances of some arms, of some outcomes.

    An assumed correlation (:func:`assuming`) is that of two outcomes of one family, with the other
    sign where the vocabulary says that they point two ways. Between families it would be a guess at
    the sign too, and no effects are compared, so these stay apart.

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
    assumed = np.zeros_like(correlation)
    if (everywhere := study.report.get(ASSUMED)) is not None:
        assumed[:] = _signs(names, vocabulary)
        correlation = np.where(assumed != 0, everywhere * assumed, correlation)
    spread = sd.to_numpy(dtype=float)
    unit = spread[:, :, None] * spread[:, None, :]
    return Within(n.to_numpy(dtype=float), correlation * unit, assumed * unit)


def _signs(names: Sequence[str], vocabulary: Vocabulary) -> np.ndarray:
    """Sign of the correlation of two outcomes of a family, else zero; shape (K, K)."""
    family = np.array([vocabulary.family(name) for name in names])
    sign = [int(vocabulary["constructs"][name].get("family_sign", 0)) or 1 for name in names]
    found = np.outer(sign, sign) * (family[:, None] == family)
    np.fill_diagonal(found, 0)
    return found


def cross_products(
    x: np.ndarray, y: np.ndarray, within: Within
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What the people of each arm add to the cells.

    Parameters
    ----------
    x : coefficients of the arms, shape (A, P), the first one the intercept.
    y : means of the outcomes, shape (A, K); ``within`` is of the same outcomes and unit.

    Returns
    -------
    Which outcomes each part is of, shape (parts, K), and cross-products of coefficients and
    outcomes, shape (parts, A, P + K, P + K). Outcomes whose correlations are not known are in
    different parts, as if other people had them. Last, what an assumed correlation of one would add
    to the cross-products of outcomes, shape (parts, A, K, K).
    """
    parts, found, assumed = within.parts, [], []
    for mine in parts:
        z = np.column_stack([x, np.where(mine, y, 0.0)])
        zz = within.n[:, None, None] * z[:, :, None] * z[:, None, :]
        own = np.where(np.outer(mine, mine), within.covariance, 0.0)
        zz[:, x.shape[1] :, x.shape[1] :] += (within.n - 1)[:, None, None] * own
        found.append(zz)
        own = np.where(np.outer(mine, mine), within.assumed, 0.0)
        assumed.append((within.n - 1)[:, None, None] * own)
    return parts, np.stack(found), np.stack(assumed)

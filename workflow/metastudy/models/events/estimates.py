"""Unpooled estimates of events: a logistic regression of each setting by itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr
from scipy.linalg import block_diag

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.answers.design import clustered, observed
from metastudy.models.answers.estimates import Setting, described
from metastudy.models.base import Block
from metastudy.models.events.design import over_unknown_sites, predictors, setting_of_group
from metastudy.models.events.priors import METRIC
from metastudy.models.events.regressions import firth, within_sites

__all__ = ["blocks"]

CONSTANT = 1e-9  # of a predictor's sum of squares: less than this around its mean is rounding
PROBIT = (16 * np.sqrt(3) / (15 * np.pi)) ** 2  # what makes a logistic curve a normal one, squared


def blocks(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
    r"""Log-odds ratios of each setting, an outcome at a time.

    Without sites they are bias-reduced, with several sites within a site
    (:mod:`metastudy.models.events.regressions`). So that all are of one kind, as the model's are,
    those of people whose site nobody knows are taken to be within a site too, where a study of the
    module has sites: the log-odds ratio over sites times

    .. math:: \sqrt{1 + c^2 \sigma^2}, \qquad c = \frac{16 \sqrt 3}{15 \pi}

    with sigma the mean of the standard deviations between the sites of the others (Zeger, Liang and
    Albert 1988, Models for longitudinal data, equation 3.2). Of two outcomes of the same people the
    estimates have the covariance of their own variances and of the correlation of what is left of
    the two within groups of the same exposures; where nobody answered both it is zero.

    Yields
    ------
    Rows of one study, and their covariance.
    """
    seen, of = observed(cells), setting_of_group(cells)
    every = {
        (int(j), int(k)): one
        for j, k in zip(*np.nonzero(seen), strict=True)
        if (one := _regression(cells, int(j), int(k))) is not None
    }
    unknown = set(of[over_unknown_sites(cells)])
    for k in range(cells.sizes["outcome"]):
        known = [one.sd for (_, m), one in every.items() if m == k and one.sd is not None]
        factor = float(np.sqrt(1 + PROBIT * np.mean(known) ** 2)) if known else 1.0
        for (j, m), one in every.items():
            if m == k and j in unknown:
                every[j, m] = one.times(factor)
    for study in dict.fromkeys(cells.study.values):
        places = map(int, np.flatnonzero(cells.study.values == study))
        found = [_setting(cells, place, every) for place in places]
        tables = [described(cells, vocabulary, one).assign(metric=METRIC) for one in found]
        table = pd.concat(tables, ignore_index=True)
        if len(table):
            yield table, block_diag(*(one.covariance for one in found))


@dataclass(frozen=True)
class _Regression:
    """Slopes of an outcome in a setting: of which exposures, with the covariance's root."""

    exposure: np.ndarray
    slope: np.ndarray
    root: np.ndarray
    n: float
    sd: float | None  # between sites, where there are several

    def times(self, factor: float) -> _Regression:
        return _Regression(self.exposure, factor * self.slope, factor * self.root, self.n, self.sd)


def _regression(cells: xr.Dataset, place: int, k: int) -> _Regression | None:
    """The regression of one outcome in one setting; none where no exposure varies in it."""
    mine = (setting_of_group(cells) == place) & (cells.n.values[:, k] > 0)
    n, events = cells.n.values[mine, k], cells.events.values[mine, k]
    x, site = predictors(cells)[mine], cells.site_of_group.values[mine]
    of = 1 + np.flatnonzero(cells.present.values[place])
    of = of[_identified(x[:, of], n)]
    if not len(of):
        return None
    design, sd = np.column_stack([np.ones(len(n)), x[:, of]]), None
    if len(set(clustered(cells)) & set(site)) > 1:
        b, covariance, sd = within_sites(n, events, design, site)
    else:
        b, covariance = firth(n, events, design)
    root = np.linalg.cholesky(covariance[1:, 1:])
    return _Regression(of - 1, b[1:], root, float(n.sum()), sd)


def _setting(
    cells: xr.Dataset, place: int, every: Mapping[tuple[int, int], _Regression]
) -> Setting:
    """The regressions of one setting side by side, with the covariance of all their slopes."""
    mine = {k: one for (j, k), one in every.items() if j == place}
    alike = _correlations(cells, setting_of_group(cells) == place)
    rows = [
        np.hstack([alike[k, m] * _product(one.root, other.root) for m, other in mine.items()])
        for k, one in mine.items()
    ]
    size = [len(one.slope) for one in mine.values()]

    def joined(values: list[np.ndarray], kind: type) -> np.ndarray:
        return np.concatenate([np.zeros(0, dtype=kind), *values])

    return Setting(
        place=place,
        outcome=np.repeat(np.array(list(mine), dtype=int), size),
        exposure=joined([one.exposure for one in mine.values()], int),
        estimate=joined([one.slope for one in mine.values()], float),
        covariance=np.vstack(rows) if rows else np.zeros((0, 0)),
        n=np.repeat(np.array([one.n for one in mine.values()], dtype=float), size),
        residual=alike,
        df=np.ones_like(alike),
    )


def _product(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Product of two roots of covariances; of exposures that one outcome lacks it is zero."""
    if one.shape == other.shape:
        return np.asarray(one @ other.T)
    return np.zeros((len(one), len(other)))


def _identified(x: np.ndarray, n: np.ndarray) -> np.ndarray:
    """Places of the predictors that vary, and are not made up of the others."""
    apart = x - np.average(x, axis=0, weights=n) if len(n) else x
    square = (apart * n[:, None]).T @ apart
    size = np.diag(square)
    varies = size > CONSTANT * np.maximum((x**2 * n[:, None]).sum(axis=0), CONSTANT)
    found = np.flatnonzero(varies)
    own = square[np.ix_(found, found)]
    projection = np.linalg.pinv(own, rcond=CONSTANT, hermitian=True) @ own
    return found[np.isclose(np.diag(projection), 1)]


def _correlations(cells: xr.Dataset, here: np.ndarray) -> np.ndarray:
    """Correlation of what is left of two outcomes within groups, shape (outcome, outcome)."""
    of = cells.group_of_pattern.values
    mine = here[of]
    count, answer = cells["count"].values[mine], cells.answer.values[mine].astype(float)
    group = np.unique(of[mine], return_inverse=True)[1]
    size = cells.sizes["outcome"]
    found = np.eye(size)
    for k in range(size):
        for m in range(k):
            both = (answer[:, k] >= 0) & (answer[:, m] >= 0)
            y = answer[both][:, [k, m]]
            number = np.bincount(group[both], count[both])
            sums = np.stack([np.bincount(group[both], count[both] * column) for column in y.T])
            cross = np.einsum("p,pa,pb->ab", count[both], y, y)
            left = cross - (sums / np.maximum(number, 1)) @ sums.T
            sd = np.sqrt(np.diag(left))
            if sd.all():
                found[k, m] = found[m, k] = left[0, 1] / (sd[0] * sd[1])
    return found

"""Log-likelihood and replicates of rows of answers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import combinations

import numpy as np
import xarray as xr

from metastudy.models.answers.observations import Answers, coefficients, residual_factors
from metastudy.models.base import (
    GROUPINGS,
    HIGHEST,
    LOWEST,
    ROUNDING,
    Check,
    Group,
    Label,
    Value,
    between,
)

__all__ = ["checks", "of_answers"]


def checks(rows: Answers, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator) -> Check:
    """The predictive checks of answers.

    Parameters
    ----------
    rows : N answers to K outcomes.
    cells : with centre and scale of each outcome in each setting.
    draws : S draws of the posterior.
    rng : for the noise of the replicates.

    Returns
    -------
    Observed answers and S replicates in raw units, shape (N, K), NaN where missing; statistics of
    both; study, country and sector of each row, shape (N,).
    """
    centre, scale = (cells[name].values[rows.setting] for name in ("centre", "scale"))
    names = [
        {"outcome": str(construct), "vignette": str(vignette)}
        for construct, vignette in zip(
            cells.construct_of.values, cells.vignette_of.values, strict=True
        )
    ]
    return Check(
        centre + scale * rows.y,
        (centre + scale * y for y in draw_answers(rows, cells, draws, rng)),
        partial(_of_answers, names=names, sites=rows.site),
        [cells[name].values[rows.setting] for name in GROUPINGS],
    )


def draw_answers(
    rows: Answers, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Replicates of everybody's answers in standard units, missing where theirs are."""
    b, chol = coefficients(cells, draws), residual_factors(draws)
    for at in range(len(b)):
        mean = np.einsum("np,npk->nk", rows.x, b[at][rows.site])
        noise = rng.standard_normal(rows.y.shape)
        for setting in np.unique(rows.setting):
            mine = rows.setting == setting
            noise[mine] = noise[mine] @ chol[at, setting].T
        yield np.where(np.isnan(rows.y), np.nan, mean + noise)


def _of_answers(
    y: np.ndarray, group: Group, names: Sequence[Label], sites: np.ndarray
) -> Iterator[Value]:
    y = y[group.rows]
    seen = ~np.isnan(y)
    known = np.where(seen, y, 0.0)
    n = seen.sum(axis=0)
    keep = [int(k) for k in np.flatnonzero(n > 1)]
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = known.sum(axis=0) / n
        apart = np.where(seen, y - mean, 0.0)
        second = (apart**2).sum(axis=0)
        found = {
            "mean": mean,
            "sd": np.sqrt(second / (n - 1)),
            "skewness": (apart**3).sum(axis=0) / n / (second / n) ** 1.5,
            "floor": (seen & (y <= LOWEST + ROUNDING)).sum(axis=0) / n,
            "ceiling": (seen & (y >= HIGHEST - ROUNDING)).sum(axis=0) / n,
        }
        if group.whole:
            found["site_sd"] = between(known, seen, sites[group.rows])
    for statistic, values in found.items():
        for k in keep:
            label = group.label | names[k] | {"statistic": statistic}
            yield label, float(values[k]), float(n[k])
    if not group.whole:
        return
    both, correlation = _correlations(known, seen.astype(float))
    for i, j in combinations(keep, 2):
        other = {"other": names[j]["outcome"], "other_vignette": names[j]["vignette"]}
        label = group.label | names[i] | other | {"statistic": "correlation"}
        yield label, float(correlation[i, j]), float(both[i, j])


def _correlations(known: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of each pair of outcomes over who has both, and how many have."""
    n, sums = seen.T @ seen, known.T @ seen
    squares, products = (known**2).T @ seen, known.T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products - sums * sums.T / n
        variance = squares - sums**2 / n
        return n, covariance / np.sqrt(variance * variance.T)


AT_ONCE = 2_000_000  # numbers that are held for one block of draws


def of_answers(rows: Answers, cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Multivariate normal log-density of each person's observed outcomes, shape (S, N)."""
    b, chol = coefficients(cells, draws), residual_factors(draws)
    found = np.empty((len(b), len(rows.y)))
    seen = ~np.isnan(rows.y)
    by = np.column_stack([rows.setting, seen])
    patterns, pattern = np.unique(by, axis=0, return_inverse=True)
    for at, (setting, *observed) in enumerate(patterns):
        mine, k = np.flatnonzero(pattern == at), np.flatnonzero(observed)
        y, x, site = rows.y[np.ix_(mine, k)], rows.x[mine], rows.site[mine]
        covariance = np.matmul(chol[:, setting], chol[:, setting].swapaxes(1, 2))[:, k[:, None], k]
        precision = np.linalg.inv(covariance)
        constant = len(k) * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1]
        for block in _blocks(len(b), len(mine) * x.shape[1] * len(k)):
            mean = np.einsum("np,snpk->snk", x, b[block][:, site][..., k])
            apart = y - mean
            square = (np.matmul(apart, precision[block]) * apart).sum(axis=-1)
            found[block, mine] = -0.5 * (square + constant[block, None])
    return found


def _blocks(draws: int, each: int) -> Iterator[slice]:
    """Slices of the draws that hold no more numbers than fit at once."""
    step = max(AT_ONCE // max(each, 1), 1)
    return (slice(at, at + step) for at in range(0, draws, step))

"""Log-likelihood of every row under every draw, for a fit that saw only cells."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import xarray as xr

from metastudy.rows import Answers, Interviews, applied, coefficients, residual_factors

__all__ = ["log_likelihood", "of_answers", "of_interviews"]

AT_ONCE = 2_000_000  # numbers that are held for one block of draws


def log_likelihood(
    rows: Answers | Interviews, cells: xr.Dataset, posterior: xr.Dataset
) -> xr.DataArray:
    """Pointwise log-likelihood of a module's rows.

    Parameters
    ----------
    rows : respondents or interviews in the order of the cells (:mod:`metastudy.rows`).
    posterior : its draws, dims ``chain`` and ``draw``.

    Returns
    -------
    xarray.DataArray
        Dims (chain, draw, row). A row is a person with all answers, or an interview with all codes
        and coders: what would be left out of a study together.
    """
    needed = posterior.stack(sample=("chain", "draw"), create_index=False)
    draws = needed.transpose("sample", ...)
    found = (
        of_answers(rows, cells, draws) if isinstance(rows, Answers) else of_interviews(rows, draws)
    )
    shape = (posterior.sizes["chain"], posterior.sizes["draw"], -1)
    return xr.DataArray(
        found.reshape(shape),
        dims=("chain", "draw", "row"),
        coords={name: posterior[name] for name in ("chain", "draw")},
    )


def of_answers(rows: Answers, cells: xr.Dataset, draws: xr.Dataset) -> np.ndarray:
    """Multivariate normal log-density of each person's observed outcomes, shape (S, N)."""
    b, chol = coefficients(cells, draws), residual_factors(draws)
    found = np.empty((len(b), len(rows.y)))
    seen = ~np.isnan(rows.y)
    patterns, pattern = np.unique(np.column_stack([rows.study, seen]), axis=0, return_inverse=True)
    for at, (study, *observed) in enumerate(patterns):
        mine, k = np.flatnonzero(pattern == at), np.flatnonzero(observed)
        y, x, site = rows.y[np.ix_(mine, k)], rows.x[mine], rows.site[mine]
        covariance = np.matmul(chol[:, study], chol[:, study].swapaxes(1, 2))[:, k[:, None], k]
        precision = np.linalg.inv(covariance)
        constant = len(k) * np.log(2 * np.pi) + np.linalg.slogdet(covariance)[1]
        for block in _blocks(len(b), len(mine) * x.shape[1] * len(k)):
            mean = np.einsum("np,snpk->snk", x, b[block][:, site][..., k])
            apart = y - mean
            square = (np.matmul(apart, precision[block]) * apart).sum(axis=-1)
            found[block, mine] = -0.5 * (square + constant[block, None])
    return found


def of_interviews(rows: Interviews, draws: xr.Dataset) -> np.ndarray:
    """Log-probability of what the coders of each interview applied, shape (S, N)."""
    twice = ~np.isnan(rows.second)
    once = ~np.isnan(rows.first) & ~twice
    first, second = rows.first == 1, rows.second == 1
    # How often each of these happened to a code in an interview: nought or once.
    happened = np.stack(
        [
            once & first,
            once & ~first,
            twice & first & second,
            twice & (first != second),
            twice & ~first & ~second,
        ],
        axis=-1,
    ).astype(float)
    p = applied(draws)
    logs = np.log(np.stack([p["one"], 1 - p["one"], p["both"], p["either"], p["none"]], axis=-1))
    found = np.empty((len(logs), len(rows.first)))
    for unit in np.unique(rows.unit):
        mine = rows.unit == unit
        of_unit = logs[:, unit].reshape(len(logs), -1)
        found[:, mine] = of_unit @ happened[mine].reshape(int(mine.sum()), -1).T
    return found


def _blocks(draws: int, each: int) -> Iterator[slice]:
    """Slices of the draws that hold no more numbers than fit at once."""
    step = max(AT_ONCE // max(each, 1), 1)
    return (slice(at, at + step) for at in range(0, draws, step))

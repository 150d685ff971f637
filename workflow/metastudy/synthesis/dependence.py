"""The covariance of published effects: given, by a correlation, or by an assumed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from metastudy.common import result_tables
from metastudy.common.problems import BadInput, Problem
from metastudy.models.base import AT
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.nesting import EFFECT
from metastudy.synthesis.pooling import ESTIMAND, SecondStage

__all__ = ["SOURCES", "assumed", "joint", "sensitivity", "sources"]

SOURCES = ("given", "declared", "assumed")
SAME = ["study", "country", "sector", *ESTIMAND]
ENDS = ("finding_id", "other_id")
LEAST = 1e-8  # smallest eigenvalue of a correlation matrix that counts as positive definite


def sources(table: pd.DataFrame, dependence: pd.DataFrame | None) -> np.ndarray:
    """Where the covariance of two effects is from: a place in :data:`SOURCES`, else -1.

    An assumed correlation is that of two effects of a publication on one estimand in one place:
    elsewhere nothing says so much as its sign, or that the people are the same.

    Parameters
    ----------
    table : published effects, shape (rows,), with ``id``, ``study``, place and estimand.
    dependence : of findings, with the study's folder.

    Returns
    -------
    numpy.ndarray
        Shape (rows, rows), symmetric, -1 on the diagonal.
    """
    alike = table.groupby(SAME, sort=False).ngroup().to_numpy()
    found = np.where(alike[:, None] == alike, SOURCES.index("assumed"), -1)
    at = {name: k for k, name in enumerate(table["id"])}
    for one, other, given, _ in _pairs(dependence):
        if one in at and other in at:
            i, j = at[one], at[other]
            found[i, j] = found[j, i] = int(np.isnan(given))
    np.fill_diagonal(found, -1)
    return found


def _pairs(dependence: pd.DataFrame | None) -> Iterator[tuple[str, str, float, float]]:
    """The ids of two effects among the estimates, their covariance and their correlation."""
    if dependence is not None:
        first, second = (dependence["study_id"] + "|" + dependence[c] for c in ENDS)
        numbers = (dependence[c].astype(float) for c in ("covariance", "correlation"))
        yield from zip(first, second, *numbers, strict=True)


def joint(
    table: pd.DataFrame, se: np.ndarray, dependence: pd.DataFrame | None, correlation: float
) -> np.ndarray:
    """The covariance of published effects.

    Parameters
    ----------
    table : published effects as they are pooled, with ``se``.
    se : standard errors as they were published; a covariance that was given is in their metric.
    dependence : covariances and correlations that are given.
    correlation : of two effects of which nothing is said (:func:`sources`).

    Returns
    -------
    numpy.ndarray
        Shape (rows, rows), positive definite.

    Raises
    ------
    BadInput
        ``dependence``, where the effects of a publication cannot hang together so.
    """
    now = table["se"].to_numpy(dtype=float)
    from_where = sources(table, dependence)
    covariance = np.where(from_where == SOURCES.index("assumed"), correlation, 0.0)
    covariance *= np.outer(now, now)
    at = {name: k for k, name in enumerate(table["id"])}
    for one, other, given, correlated in _pairs(dependence):
        if one not in at or other not in at:
            continue
        i, j = at[one], at[other]
        value = given * (now[i] / se[i]) * (now[j] / se[j])
        if np.isnan(given):
            value = correlated * now[i] * now[j]
        covariance[i, j] = covariance[j, i] = value
    np.fill_diagonal(covariance, now**2)
    block = connected_components(csr_matrix(covariance != 0), directed=False)[1]
    problems = []
    for one in np.unique(block[np.bincount(block)[block] > 1]):
        mine = np.flatnonzero(block == one)
        own = covariance[np.ix_(mine, mine)] / np.outer(now[mine], now[mine])
        if np.linalg.eigvalsh(own).min() < LEAST:
            problems.append(_unfit(table.iloc[mine]))
    if problems:
        raise BadInput(problems)
    return covariance


def _unfit(rows: pd.DataFrame) -> Problem:
    folder, _, first = str(rows["id"].iloc[0]).partition("|")
    names = ", ".join(str(name).partition("|")[2] for name in rows["id"])
    return Problem(
        file=f"data/raw/{folder}/codebook.yaml",
        found=f"a covariance of {names} that is not positive definite",
        expected="covariances and correlations that can be true together, those of the "
        "configuration's pooling.correlation among them",
        fix="correct them, or say under dependence what the other pairs have",
        study=folder,
        row=f"finding {first}",
        column="dependence",
        code="dependence",
    )


def _mask(found: SecondStage, dependence: pd.DataFrame) -> np.ndarray:
    """Places of :func:`sources` of the estimates of a plan; -1 for those of modules."""
    published = found.table[EFFECT].ne("").to_numpy()
    both = np.outer(published, published)
    return np.where(both, sources(found.table, dependence), -1)


def assumed(found: SecondStage, dependence: pd.DataFrame) -> dict[float, np.ndarray]:
    """The covariances of a plan with other correlations where they are assumed.

    Returns
    -------
    dict
        By the correlations of :data:`AT`; nothing where none is assumed, and none that cannot be
        beside what is given.
    """
    mask = _mask(found, dependence) == SOURCES.index("assumed")
    se = found.table["se"].to_numpy(dtype=float)
    each = {at: np.where(mask, at * np.outer(se, se), found.covariance) for at in AT if mask.any()}
    return {
        at: one
        for at, one in each.items()
        if np.linalg.eigvalsh(one / np.outer(se, se)).min() >= LEAST
    }


def sensitivity(
    table: pd.DataFrame,
    found: SecondStage,
    dependence: pd.DataFrame,
    correlation: float,
    refits: Mapping[float, xr.DataTree],
    interval: float,
) -> pd.DataFrame:
    """Pooled effects of dependent estimates, with other correlations beside them.

    Parameters
    ----------
    table : results of the plan (:func:`metastudy.synthesis.results.results`).
    correlation : the assumed one.
    refits : posteriors by the correlation that was assumed in them (:func:`assumed`).
    interval : probability of the credible intervals.

    Returns
    -------
    pandas.DataFrame
        One row for each estimand with estimates of one study that hang together.
    """
    mask = _mask(found, dependence)
    rows = []
    for _, whole in table[table["level"] == "population"].iterrows():
        at = np.flatnonzero(found.table[ESTIMAND].eq(whole[ESTIMAND]).all(axis=1))
        own = np.triu(mask[np.ix_(at, at)] + 1)  # pairs once; one more than their place
        pairs = {name: int((own == k + 1).sum()) for k, name in enumerate(SOURCES)}
        rest = np.setdiff1d(np.arange(len(mask)), at)
        for k in (0, 1):  # with estimates of other estimands
            pairs[SOURCES[k]] += int((mask[np.ix_(at, rest)] == k).sum())
        if not sum(pairs.values()):
            continue
        row = dict(whole) | {"effects": len(at), **pairs}
        row["correlation"] = correlation if pairs["assumed"] else np.nan
        for value in AT:
            ends = pd.Series(np.nan, index=["mean", "lower", "upper"])
            if value in refits and pairs["assumed"]:
                drawn = refits[value]["mu"].sel(mu_of=[whole["id"]])
                ends = summarize(drawn.transpose("chain", "draw", "mu_of"), interval).iloc[0]
            row |= {f"{name}_{100 * value:.0f}": ends[name] for name in ("mean", "lower", "upper")}
        rows.append(row)
    columns = result_tables.columns("dependence")
    return pd.DataFrame(rows)[columns] if rows else result_tables.none("dependence")

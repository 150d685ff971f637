"""The covariance of published effects: given, by a correlation, or by an assumed one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr
from scipy.sparse import csr_matrix
from scipy.sparse.csgraph import connected_components

from metastudy.common import result_tables
from metastudy.common.problems import BadInput, Problem
from metastudy.common.tables import records
from metastudy.inference.refit_gates import converged
from metastudy.models.base import AT
from metastudy.posterior.summarise import summarize
from metastudy.synthesis.influence import Fit, gated
from metastudy.synthesis.nesting import EFFECT
from metastudy.synthesis.pooling import ESTIMAND, PLACE, SecondStage

__all__ = ["SOURCES", "assumed", "joint", "refitted", "sensitivity", "sources"]

SOURCES = ("given", "declared", "assumed")
# Effects of one exposure on the same people, on one outcome or on several.
SAME = [*PLACE, *(name for name in ESTIMAND if name not in ("outcome", "family"))]
ENDS = ("finding_id", "other_id")
LEAST = 1e-8  # smallest eigenvalue of a correlation matrix that counts as positive definite


def sources(table: pd.DataFrame, dependence: pd.DataFrame | None) -> np.ndarray:
    """Where the covariance of two effects is from: a place in :data:`SOURCES`, else -1.

    An assumed correlation is that of two effects of a publication in one place that have the
    exposure in common, on one outcome or on two: elsewhere nothing says that people are the same.

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
    table: pd.DataFrame,
    se: np.ndarray,
    dependence: pd.DataFrame | None,
    correlation: float,
    signs: Mapping[str, int] | None = None,
) -> np.ndarray:
    """The covariance of published effects.

    Parameters
    ----------
    table : published effects as they are pooled, with ``se``.
    se : standard errors as they were published; a covariance that was given is in their metric.
    dependence : covariances and correlations that are given.
    correlation : of two effects of which nothing is said (:func:`sources`); it is negative
        between outcomes of one family that point in opposite directions.
    signs : of the outcomes that have one in their family.

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
    covariance *= np.outer(now, now) * _directions(table, signs or {})
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


def _directions(table: pd.DataFrame, signs: Mapping[str, int]) -> np.ndarray:
    """Sign of an assumed correlation of two effects, shape (rows, rows): 1, or -1 for opposites."""
    sign = table["outcome"].map(dict(signs)).fillna(0).to_numpy(dtype=int)
    family = table["family"].to_numpy()
    opposite = (family[:, None] == family) & (np.outer(sign, sign) < 0)
    return np.where(opposite, -1.0, 1.0)


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
    most = np.sign(found.covariance) * np.outer(se, se)
    each = {at: np.where(mask, at * most, found.covariance) for at in AT if mask.any()}
    return {
        at: one
        for at, one in each.items()
        if np.linalg.eigvalsh(one / np.outer(se, se)).min() >= LEAST
    }


def refitted(
    others: Mapping[float, np.ndarray],
    fit: Fit,
    sampling: Mapping[str, Any],
    thresholds: Mapping[str, float],
    interval: float,
) -> dict[float, pd.DataFrame]:
    """Pooled means with other correlations, each refit held to the gates of refits.

    Parameters
    ----------
    others : covariances by the correlation that is assumed in them (:func:`assumed`).
    fit : see :class:`metastudy.synthesis.influence.Fit`.
    sampling, thresholds : of the refits (:func:`metastudy.synthesis.influence.gated`).
    interval : probability of the credible intervals.

    Returns
    -------
    dict
        By correlation ``mean``, ``lower``, ``upper`` and ``missed``; index: the estimands' ids.
    """

    def read(draws: xr.Dataset) -> list[dict[str, Any]]:
        means = draws["mu"].transpose("chain", "draw", "mu_of")
        numbers = pd.concat(
            [summarize(means, interval), pd.DataFrame(converged(means), means["mu_of"].values)],
            axis=1,
        )
        return records(numbers.rename_axis("id").reset_index())

    return {
        at: pd.DataFrame(gated(partial(fit, one), read, sampling, thresholds)).set_index("id")
        for at, one in others.items()
    }


def sensitivity(
    table: pd.DataFrame,
    found: SecondStage,
    dependence: pd.DataFrame,
    correlation: float,
    refits: Mapping[float, pd.DataFrame],
) -> pd.DataFrame:
    """Pooled effects of dependent estimates, with other correlations beside them.

    Parameters
    ----------
    table : results of the plan (:func:`metastudy.synthesis.results.results`).
    correlation : the assumed one.
    refits : means by the correlation that was assumed for them (:func:`refitted`).

    Returns
    -------
    pandas.DataFrame
        One row for each estimand with estimates of one study that hang together. Means of a refit
        that misses a gate are left out, and ``missed`` says so.
    """
    mask = _mask(found, dependence)
    rows = []
    for _, whole in table[table["level"] == "population"].iterrows():
        at = np.flatnonzero(found.table[ESTIMAND].eq(whole[ESTIMAND]).all(axis=1))
        own = np.triu(mask[np.ix_(at, at)] + 1)  # pairs once; one more than their place
        pairs = {name: int((own == k + 1).sum()) for k, name in enumerate(SOURCES)}
        rest = np.setdiff1d(np.arange(len(mask)), at)
        for k, name in enumerate(SOURCES):  # with estimates of other estimands
            pairs[name] += int((mask[np.ix_(at, rest)] == k).sum())
        if not sum(pairs.values()):
            continue
        row = dict(whole) | {"effects": len(at), **pairs}
        row["correlation"] = correlation if pairs["assumed"] else np.nan
        row["missed"] = ""
        for value in AT:
            ends = pd.Series(np.nan, index=["mean", "lower", "upper"])
            if value in refits and pairs["assumed"]:
                made = refits[value].loc[whole["id"]]
                ends = ends if made["missed"] else made
                row["missed"] += f"at {value:g}: {made['missed']}" if made["missed"] else ""
            row |= {f"{name}_{100 * value:.0f}": ends[name] for name in ("mean", "lower", "upper")}
        rows.append(row)
    columns = result_tables.columns("dependence")
    return pd.DataFrame(rows)[columns] if rows else result_tables.none("dependence")

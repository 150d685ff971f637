"""Predictive checks: replicates of the rows from prior or posterior, beside the rows themselves.

The models are fitted on cells, so means, variances and counts agree by construction. What cells do
not hold can disagree: skewness, the ends of a scale, codes that come together. A Gaussian replicate
may lie off the scale; it counts as being at the end that it has passed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.cells import GROUPINGS
from metastudy.rows import Answers, Interviews, coefficients, residual_factors
from metastudy.wording import JOINT

__all__ = ["COLUMNS", "SHARES", "checks"]

COLUMNS = [
    "module",
    "kind",  # prior or posterior
    "study",  # joined where a country or sector has several
    "country",  # empty: all of the study
    "sector",
    "outcome",  # empty: all of them
    "vignette",
    "other",  # the second outcome of a correlation
    "other_vignette",
    "statistic",
    "observed",  # missing where it would tell of few people
    "mean",  # of the replicates
    "lower",
    "upper",
    "lower50",
    "upper50",
    "tail",  # share of the replicates above the observed value, ties by half
    "provenance",
]
LABELS = COLUMNS[2 : COLUMNS.index("observed")]
INTERVALS = {"lower": 0.025, "upper": 0.975, "lower50": 0.25, "upper50": 0.75}
SHARES = ("floor", "ceiling", "prevalence", "agreement")
LOWEST, HIGHEST = 0.0, 100.0  # of a score in per cent of the scale
ROUNDING = 1e-9
Label = dict[str, str]
Value = tuple[Label, float, float]  # what it is, the statistic, how many people it speaks of


@dataclass(frozen=True)
class _Check:
    """Rows as they are, as draws would have them, and what is asked of both."""

    observed: Any
    replicates: Iterator[Any]
    statistics: Callable[[Any, _Group], Iterator[Value]]
    places: Sequence[np.ndarray]  # study, country and sector of each row


@dataclass(frozen=True)
class _Group:
    """Rows of a study, or those of a country or sector."""

    label: Label
    rows: np.ndarray
    whole: bool


def checks(
    rows: Answers | Interviews,
    cells: xr.Dataset,
    draws: xr.Dataset,
    rng: np.random.Generator,
    smallest: int = 1,
) -> pd.DataFrame:
    """Statistics of the rows beside the same statistics of replicates, one for each draw.

    Parameters
    ----------
    rows : respondents or interviews in the order of the cells (:mod:`metastudy.rows`).
    draws : :data:`metastudy.rows.PARAMETERS` from prior or posterior, dimension ``sample`` first.
    smallest : statistics of fewer people are left out, and shares that rest on fewer are not told.

    Returns
    -------
    pandas.DataFrame
        :data:`COLUMNS` without module, kind and provenance. Answers, in per cent of the scale:
        ``mean``, ``sd``, ``skewness``, ``floor`` and ``ceiling`` (share of the scores at or beyond
        an end) per study, country and sector; ``site_sd`` (between means of sites) and
        ``correlation`` per study. Codings: ``prevalence``, ``codes_mean`` and ``codes_sd`` (number
        of codes per interview) per study, country and sector; ``site_sd`` (between prevalences of
        organisations) and ``agreement`` (share of interviews in which two coders agree) per study.

    References
    ----------
    Gelman, Meng and Stern (1996), Posterior predictive assessment of model fitness via realized
    discrepancies; Gabry et al. (2019), Visualization in Bayesian workflow.
    """
    check = (
        _check_answers(rows, cells, draws, rng)
        if isinstance(rows, Answers)
        else _check_interviews(rows, cells, draws, rng)
    )
    groups = [group for group in _groups(*check.places) if len(group.rows) >= smallest]

    def values(of: Any) -> list[Value]:
        return [value for group in groups for value in check.statistics(of, group)]

    observed = values(check.observed)
    replicates = np.array([[v for _, v, _ in values(new)] for new in check.replicates])
    labels = pd.DataFrame(
        [dict.fromkeys(LABELS, "") | label for label, _, _ in observed], columns=LABELS
    )
    found = np.array([v for _, v, _ in observed])
    people = np.array([n for _, _, n in observed])
    share = labels["statistic"].isin(SHARES).to_numpy()
    few = share & (_few(found * people, smallest) | _few((1 - found) * people, smallest))
    above = (replicates > found).mean(axis=0) + 0.5 * (replicates == found).mean(axis=0)
    table = labels.assign(
        observed=np.where(few, np.nan, found),
        mean=replicates.mean(axis=0),
        **{name: np.quantile(replicates, q, axis=0) for name, q in INTERVALS.items()},
        tail=np.where(few, np.nan, above),
    )
    return table[(people >= smallest) & np.isfinite(found)].reset_index(drop=True)


def _few(count: np.ndarray, smallest: int) -> np.ndarray:
    """Whether a count is small, and not nought, which is nobody."""
    return (np.round(count) > 0) & (np.round(count) < smallest)


def _groups(study: np.ndarray, country: np.ndarray, sector: np.ndarray) -> Iterator[_Group]:
    """Each study; each country and sector, where there are several, that is not one study alone."""
    wholes = {str(name): np.flatnonzero(study == name) for name in np.unique(study)}
    for name, rows in wholes.items():
        yield _Group({"study": name}, rows, True)
    for grouping, place in (("country", country), ("sector", sector)):
        levels = np.unique(place)
        for level in levels if len(levels) > 1 else ():
            rows = np.flatnonzero(place == level)
            if not any(np.array_equal(rows, whole) for whole in wholes.values()):
                studies = JOINT.join(map(str, np.unique(study[rows])))
                yield _Group({"study": studies, grouping: str(level)}, rows, False)


# --- answers --------------------------------------------------------------------------------------


def _check_answers(
    rows: Answers, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> _Check:
    centre, scale = (cells[name].values[rows.setting] for name in ("centre", "scale"))
    names = [
        {"outcome": str(construct), "vignette": str(vignette)}
        for construct, vignette in zip(
            cells.construct_of.values, cells.vignette_of.values, strict=True
        )
    ]
    return _Check(
        centre + scale * rows.y,
        (centre + scale * y for y in _answers(rows, cells, draws, rng)),
        partial(_of_answers, names=names, sites=rows.site),
        [cells[name].values[rows.setting] for name in GROUPINGS],
    )


def _answers(
    rows: Answers, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> Iterator[np.ndarray]:
    """Replicates of everybody's answers in standard units, missing where theirs are."""
    b, chol = coefficients(cells, draws), residual_factors(draws)
    for at in range(len(b)):
        mean = np.einsum("np,npk->nk", rows.x, b[at][rows.site])
        noise = rng.standard_normal(rows.y.shape)
        for study in np.unique(rows.study):
            mine = rows.study == study
            noise[mine] = noise[mine] @ chol[at, study].T
        yield np.where(np.isnan(rows.y), np.nan, mean + noise)


def _of_answers(
    y: np.ndarray, group: _Group, names: Sequence[Label], sites: np.ndarray
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
            found["site_sd"] = _between(known, seen, sites[group.rows])
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


def _between(known: np.ndarray, seen: np.ndarray, sites: np.ndarray) -> np.ndarray:
    """Standard deviation between the means of sites, per outcome."""
    at, places = np.unique(sites, return_inverse=True)
    total, count = (np.zeros((len(at), known.shape[1])) for _ in range(2))
    np.add.at(total, places, known)
    np.add.at(count, places, seen)
    means = np.where(count > 0, total / count, np.nan)
    there = count > 0
    number = there.sum(axis=0)
    centre = np.where(there, means, 0.0).sum(axis=0) / number
    square = (np.where(there, means - centre, 0.0) ** 2).sum(axis=0)
    return np.where(number > 2, np.sqrt(square / (number - 1)), np.nan)


def _correlations(known: np.ndarray, seen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Correlation of each pair of outcomes over who has both, and how many have."""
    n, sums = seen.T @ seen, known.T @ seen
    squares, products = (known**2).T @ seen, known.T @ known
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products - sums * sums.T / n
        variance = squares - sums**2 / n
        return n, covariance / np.sqrt(variance * variance.T)


# --- codings --------------------------------------------------------------------------------------


def _check_interviews(
    rows: Interviews, cells: xr.Dataset, draws: xr.Dataset, rng: np.random.Generator
) -> _Check:
    names = [{"outcome": str(code)} for code in cells.code.values]
    site = np.unique(cells.site.values, return_inverse=True)[1][rows.unit]
    return _Check(
        (rows.first, rows.second),
        _interviews(rows, draws, rng),
        partial(_of_interviews, names=names, sites=site),
        [cells[name].values[rows.unit] for name in GROUPINGS],
    )


def _interviews(
    rows: Interviews, draws: xr.Dataset, rng: np.random.Generator
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Replicates of what first and second coders applied, missing where theirs is."""
    presence = draws["presence"].values
    asked, twice = ~np.isnan(rows.first), ~np.isnan(rows.second)
    sensitivity, specificity = draws["sensitivity"].values, draws["specificity"].values
    for at in range(len(presence)):
        truth = rng.random(asked.shape) < presence[at, rows.unit]
        chance = np.where(truth, sensitivity[at], 1 - specificity[at])  # of being applied
        first, second = (rng.random(asked.shape) < chance for _ in range(2))
        yield np.where(asked, first, np.nan), np.where(twice, second, np.nan)


def _of_interviews(
    read: tuple[np.ndarray, np.ndarray],
    group: _Group,
    names: Sequence[Label],
    sites: np.ndarray,
) -> Iterator[Value]:
    first, second = (coder[group.rows] for coder in read)
    seen, twice = ~np.isnan(first), ~np.isnan(second)
    applied = np.where(seen, first, 0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        found = {"prevalence": (applied.sum(axis=0) / seen.sum(axis=0), seen.sum(axis=0))}
        if group.whole:
            found["site_sd"] = (_between(applied, seen, sites[group.rows]), seen.sum(axis=0))
            agreed = (twice & (first == second)).sum(axis=0)
            found["agreement"] = (agreed / twice.sum(axis=0), twice.sum(axis=0))
    for statistic, (values, people) in found.items():
        for c in map(int, np.flatnonzero(seen.any(axis=0))):
            label = group.label | names[c] | {"statistic": statistic}
            yield label, float(values[c]), float(people[c])
    number, people = applied.sum(axis=1), len(applied)
    yield group.label | {"statistic": "codes_mean"}, float(number.mean()), people
    spread = float(number.std(ddof=1)) if people > 1 else np.nan
    yield group.label | {"statistic": "codes_sd"}, spread, people

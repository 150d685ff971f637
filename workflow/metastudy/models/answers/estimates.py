"""Unpooled estimates of answers: regressions within sites, study by study."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import xarray as xr
from scipy.linalg import block_diag

from metastudy.codebook.interactions import INTERACTION, parts_of
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.answers.design import observed
from metastudy.models.answers.join import people_once
from metastudy.models.base import COLUMNS, Block

__all__ = ["Setting", "blocks", "described", "within_sites"]

NO_SPREAD = 1e-9  # of an exposure's sum of squares: less than this within sites is rounding


def blocks(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
    r"""Regression within sites: sites are fixed effects, so no assumption links them.

    With missing outcomes each outcome is regressed on the rows that have it; the covariance of two
    outcomes' estimates is their residual covariance times the cross-product of the shared rows.

    Yields
    ------
    Rows of one study, and their covariance, in which the error of the standardisers is
    (:func:`_of_standardisers`).
    """
    seen = observed(cells)
    for study in dict.fromkeys(cells.study.values):
        settings = np.flatnonzero(cells.study.values == study)
        found = [Setting.of(cells, int(j), seen[j]) for j in settings]
        tables = [described(cells, vocabulary, one) for one in found]
        table = pd.concat(tables, ignore_index=True)
        if table.empty:
            continue
        sampling = block_diag(*(one.covariance for one in found))
        yield table, sampling + _of_standardisers(cells, found, _traits(cells, vocabulary))


@dataclass(frozen=True)
class Setting:
    """The regressions of one setting; a row is an outcome and an exposure that it identifies.

    ``residual`` and ``df`` (outcome, outcome) are the residual cross-products and their degrees of
    freedom, zero where nobody answered both.
    """

    place: int
    outcome: np.ndarray
    exposure: np.ndarray
    estimate: np.ndarray
    covariance: np.ndarray
    n: np.ndarray
    residual: np.ndarray
    df: np.ndarray

    @classmethod
    def of(cls, cells: xr.Dataset, place: int, seen: np.ndarray) -> Setting:
        """Regress every outcome that was seen on the exposures of the setting's study."""
        site = cells.site_of_cell.values
        here = cells.setting_of_site.values[site] == place
        n, xx, xy, yy = (cells[name].values for name in ("n", "xx", "xy", "yy"))
        has_outcome = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
        ps = 1 + np.flatnonzero(cells.present.values[place])
        ks = np.flatnonzero(seen)
        residual, df = (np.zeros((cells.sizes["outcome"],) * 2) for _ in range(2))
        within = {}
        for k, m in combinations_with_replacement(ks, 2):
            mine = here & has_outcome[:, k] & has_outcome[:, m]
            within[k, m] = within_sites(n[mine], xx[mine], xy[mine], yy[mine], site[mine], ps)
        slopes, bread, identified = {}, {}, {}
        for k in ks:
            sxx, sxy, _, freedom = within[k, k]
            bread[k] = np.linalg.pinv(sxx, rcond=NO_SPREAD, hermitian=True)
            slopes[k] = bread[k] @ sxy[:, k]
            # Without people to spare, nothing says how much they differ.
            identified[k] = np.isclose(np.diag(bread[k] @ sxx), 1) & (freedom > 0)
        size = len(ps)
        covariance = np.zeros((len(ks) * size, len(ks) * size))
        for a, k in enumerate(ks):
            for b, m in enumerate(ks):
                sxx, sxy, syy, freedom = within[min(k, m), max(k, m)]
                residual[k, m] = (
                    syy[k, m]
                    - slopes[k] @ sxy[:, m]
                    - sxy[:, k] @ slopes[m]
                    + slopes[k] @ sxx @ slopes[m]
                )
                df[k, m] = max(freedom, 1)
                block = residual[k, m] / df[k, m] * bread[k] @ sxx @ bread[m]
                covariance[a * size : (a + 1) * size, b * size : (b + 1) * size] = block
        keep = np.concatenate([np.zeros(0, dtype=bool), *(identified[k] for k in ks)])
        people = [n[here & has_outcome[:, k]].sum() for k in ks]
        return cls(
            place,
            np.repeat(ks, size)[keep],
            np.tile(ps - 1, len(ks))[keep],
            np.concatenate([np.zeros(0), *(slopes[k] for k in ks)])[keep],
            covariance[np.ix_(keep, keep)],
            np.repeat(people, size)[keep],
            residual,
            df,
        )


def _traits(cells: xr.Dataset, vocabulary: Vocabulary) -> np.ndarray:
    """The trait whose standard deviation an exposure is in: itself, or the one in an interaction.

    Returns
    -------
    Its place among the exposures, -1 where there is none; shape (exposure,).
    """
    measured = cells.exposure_type.values == "measured"
    measured &= np.isin(cells.exposure_name.values, list(vocabulary["constructs"]))
    ids = cells.exposure.values
    of = {str(key): at for at, key in enumerate(ids) if measured[at]}
    found = [[of[part] for part in parts_of(str(key)) if part in of] for key in ids]
    return np.array([mine[0] if mine else -1 for mine in found], dtype=np.int64)


def _assigned(cells: xr.Dataset) -> np.ndarray:
    """Which exposures are randomised, or interactions of such; shape (exposure,)."""
    kinds = dict(zip(cells.exposure.values, cells.exposure_type.values, strict=True))
    return np.array(
        [
            all(kinds[part] == "randomised" for part in parts_of(key))
            if kind == INTERACTION
            else kind == "randomised"
            for key, kind in kinds.items()
        ],
        dtype=bool,
    )


def _of_standardisers(
    cells: xr.Dataset, found: Sequence[Setting], traits: np.ndarray
) -> np.ndarray:
    r"""What the errors of the standard deviations add to the covariance of a study's estimates.

    All settings of a study share them. To the first order two estimates d of exposures p and q and
    outcomes k and m have the covariance

    .. math:: d_{pk} d_{qm} \left( \frac{r_{km}^2}{2 \sqrt{f_k f_m}} + \frac{\rho_{pq}^2
              - c_{pm}^2 - c_{qk}^2}{2 f} \right)
              - \frac{\sigma_{km}}{N} (d_{pm} d_{qm} + d_{qk} d_{pk})

    more (for one randomised exposure and outcome Hedges and Olkin 1985, chapter 5, equation 15).
    The first term is of the outcomes' standard deviations, with the correlation r of residuals and
    the degrees of freedom f. The second has only measured traits, whose standard deviations err as
    well: rho are their correlations with each other, c those with outcomes. The third has only
    exposures that nobody assigned: what one of them explains is in the standard deviation of the
    outcome, so that errors make up for each other; sigma is the residual covariance and N the
    number of people. Together they make of one trait and outcome (1 - d^2)^2 / N, as of a
    correlation. An interaction with a trait errs as the trait does; what the error of its outcome's
    standard deviation shares with that of its parts is left out.

    Parameters
    ----------
    found : the settings of one study.
    traits : the trait whose standard deviation an exposure is in, -1 for none, shape (exposure,).
    """
    place = np.repeat(np.arange(len(found)), [len(one.outcome) for one in found])
    k, p, d = (
        np.concatenate([getattr(one, name) for one in found])
        for name in ("outcome", "exposure", "estimate")
    )
    sigma, correlation = _residuals(found)
    relative = d / np.sqrt(2 * cells.scale_df.values[[one.place for one in found], :][place, k])
    more = np.outer(relative, relative) * correlation[np.ix_(k, k)] ** 2

    site = cells.setting_of_site.values[cells.site_of_cell.values]
    here = np.isin(site, [one.place for one in found])
    people = people_once(cells)[here].sum()
    xx = cells.xx.values[here, 1:, 1:].sum(axis=0)
    size = np.sqrt(np.outer(np.diag(xx), np.diag(xx)))
    rho = np.divide(xx, size, out=np.zeros_like(xx), where=size > 0)
    by = np.zeros((len(found), len(xx), len(sigma)))  # estimates by setting, exposure and outcome
    by[place, p, k] = d
    sd = np.sqrt(np.diag(xx) / people)
    trait = traits[p]
    with_outcome = np.einsum("pq,q,jqk->jpk", rho, sd, by)[place, trait][:, k]
    both = (trait >= 0)[:, None] * (trait >= 0) * rho[np.ix_(trait, trait)] ** 2
    cross = (trait >= 0)[:, None] * with_outcome**2
    more += np.outer(d, d) * (both - cross - cross.T) / (2 * max(people - len(found), 1))

    chosen = ~_assigned(cells)[p]
    explained = chosen[:, None] * by[place, p][:, k] * sigma[np.ix_(k, k)] * d / people
    return np.asarray(more - explained - explained.T)


def _residuals(settings: Sequence[Setting]) -> tuple[np.ndarray, np.ndarray]:
    """Residual covariances and correlations of the outcomes of a study, over its settings."""
    cross = np.sum([one.residual for one in settings], axis=0)
    covariance = cross / np.maximum(np.sum([one.df for one in settings], axis=0), 1)
    sd = np.sqrt(np.diag(covariance))
    product = np.outer(sd, sd)
    found = np.divide(covariance, product, out=np.zeros_like(cross), where=product > 0)
    np.fill_diagonal(found, 1.0)
    return covariance, np.clip(found, -1, 1)


def described(cells: xr.Dataset, vocabulary: Vocabulary, one: Setting) -> pd.DataFrame:
    """What is said of each estimate of a setting."""
    studies = json.loads(cells.attrs["studies"])
    place = {c: str(cells[c].values[one.place]) for c in ("study", "country", "sector", "role")}
    about = studies[place["study"]]
    construct = [str(c) for c in cells.construct_of.values[one.outcome]]
    rows = {
        "module": cells.attrs["module"],
        **place,
        "exposure": cells.exposure.values[one.exposure].astype(str),
        "exposure_name": cells.exposure_name.values[one.exposure].astype(str),
        "exposure_type": cells.exposure_type.values[one.exposure].astype(str),
        "outcome": construct,
        "family": [vocabulary.family(c) for c in construct],
        "vignette": cells.vignette_of.values[one.outcome].astype(str),
        "response_mode": about["response_mode"],
        "metric": "sd",
        "estimate": one.estimate,
        "n": one.n.astype(int),
        "provenance": about["provenance"],
    }
    return pd.DataFrame(rows, index=range(len(construct)))[COLUMNS]


def within_sites(
    n: np.ndarray, xx: np.ndarray, xy: np.ndarray, yy: np.ndarray, site: np.ndarray, ps: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, float]:
    """Cross-products around the site means, and the residual degrees of freedom."""
    groups, at = np.unique(site, return_inverse=True)

    def total(a: np.ndarray) -> np.ndarray:
        out = np.zeros((len(groups), *a.shape[1:]))
        np.add.at(out, at, a)
        return out

    counts, xx, xy, yy = total(n), total(xx), total(xy), total(yy)
    x, y = xx[:, 0, :], xy[:, 0, :]  # sums, by the intercept's row
    sxx = (xx - x[:, :, None] * x[:, None, :] / counts[:, None, None]).sum(axis=0)[np.ix_(ps, ps)]
    sxy = (xy - x[:, :, None] * y[:, None, :] / counts[:, None, None]).sum(axis=0)[ps]
    syy = (yy - y[:, :, None] * y[:, None, :] / counts[:, None, None]).sum(axis=0)
    constant = np.diag(sxx) <= NO_SPREAD * np.diag(xx.sum(axis=0))[ps]
    sxx[constant, :], sxx[:, constant], sxy[constant] = 0, 0, 0
    return sxx, sxy, syy, counts.sum() - len(groups) - len(ps)

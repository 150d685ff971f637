"""Unpooled estimates of answers: regressions within sites, study by study."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations_with_replacement

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.answers.design import observed
from metastudy.models.base import COLUMNS, Block

__all__ = ["blocks"]

NO_SPREAD = 1e-9  # of an exposure's sum of squares: less than this within sites is rounding


def blocks(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
    """Regression within sites: sites are fixed effects, so no assumption links them.

    With missing outcomes each outcome is regressed on the rows that have it; the covariance of two
    outcomes' estimates is their residual covariance times the cross-product of the shared rows.
    """
    studies = json.loads(cells.attrs["studies"])
    seen = observed(cells)
    site = cells.site_of_cell.values
    setting = cells.setting_of_site.values[site]
    n, xx, xy, yy = (cells[name].values for name in ("n", "xx", "xy", "yy"))
    has_outcome = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    for j in range(cells.sizes["setting"]):
        ps = 1 + np.flatnonzero(cells.present.values[j])
        ks = np.flatnonzero(seen[j])
        here = setting == j
        within = {}
        for k, m in combinations_with_replacement(ks, 2):
            mine = here & has_outcome[:, k] & has_outcome[:, m]
            within[k, m] = _within(n[mine], xx[mine], xy[mine], yy[mine], site[mine], ps)
        slopes, bread, identified = {}, {}, {}
        for k in ks:
            sxx, sxy, _, _ = within[k, k]
            bread[k] = np.linalg.pinv(sxx, rcond=NO_SPREAD, hermitian=True)
            slopes[k] = bread[k] @ sxy[:, k]
            identified[k] = np.isclose(np.diag(bread[k] @ sxx), 1)
        size = len(ps)
        covariance = np.zeros((len(ks) * size, len(ks) * size))
        for a, k in enumerate(ks):
            for b, m in enumerate(ks):
                sxx, sxy, syy, df = within[min(k, m), max(k, m)]
                residual = (
                    syy[k, m]
                    - slopes[k] @ sxy[:, m]
                    - sxy[:, k] @ slopes[m]
                    + slopes[k] @ sxx @ slopes[m]
                ) / max(df, 1)
                block = residual * bread[k] @ sxx @ bread[m]
                covariance[a * size : (a + 1) * size, b * size : (b + 1) * size] = block
        study = str(cells.study.values[j])
        rows = [
            {
                "module": cells.attrs["module"],
                **{c: str(cells[c].values[j]) for c in ("study", "country", "sector", "role")},
                "exposure": str(cells.exposure.values[p - 1]),
                "exposure_name": str(cells.exposure_name.values[p - 1]),
                "exposure_type": str(cells.exposure_type.values[p - 1]),
                "outcome": str(cells.construct_of.values[k]),
                "family": vocabulary.family(str(cells.construct_of.values[k])),
                "vignette": str(cells.vignette_of.values[k]),
                "response_mode": studies[study]["response_mode"],
                "metric": "sd",
                "estimate": slopes[k][i],
                "n": int(n[here & has_outcome[:, k]].sum()),
                "provenance": studies[study]["provenance"],
            }
            for k in ks
            for i, p in enumerate(ps)
            if identified[k][i]
        ]
        if rows:
            keep = np.concatenate([identified[k] for k in ks])
            yield pd.DataFrame(rows, columns=COLUMNS), covariance[np.ix_(keep, keep)]


def _within(
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

"""Unpooled study estimates: what each study says on its own, with the covariance of its likelihood.

The second stage never sees a shrunken contrast of a hierarchical fit: these are maximum-likelihood
estimates of each setting alone, computed from the same cells.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import combinations_with_replacement
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.cells import observed
from metastudy.vocabulary import Vocabulary

__all__ = ["Block", "estimates"]

Block = tuple[pd.DataFrame, np.ndarray]  # rows of one study, and their covariance
COLUMNS = [
    *("module", "study", "country", "sector", "role", "exposure", "exposure_name"),
    *("exposure_type", "outcome", "family", "vignette", "response_mode", "metric", "estimate"),
    *("n", "provenance"),
]
NO_SPREAD = 1e-9  # of an exposure's sum of squares: less than this within sites is rounding


def estimates(
    cells: xr.Dataset, model: str, vocabulary: Vocabulary
) -> tuple[pd.DataFrame, np.ndarray]:
    """Estimates of every study of a module.

    Parameters
    ----------
    cells : what the model sees.
    model : kind of model, ``answers`` or ``codings``.

    Returns
    -------
    table, covariance
        One row per setting, exposure and outcome (for codings per family: the mean log-odds ratio
        of its codes), and the covariance of all rows, zero between studies. What the setting alone
        cannot tell has no row: an exposure that does not vary within sites or is another's alias,
        codings of one organisation only.
    """
    blocks = list({"answers": _answers, "codings": _codings}[model](cells, vocabulary))
    none = pd.DataFrame(columns=COLUMNS).astype({"estimate": float, "n": int})
    table = pd.concat([rows for rows, _ in blocks], ignore_index=True) if blocks else none
    keys = ["study", "country", "sector", "exposure", "outcome", "vignette"]
    table.insert(0, "id", ["|".join(key) for key in table[keys].to_numpy()])
    covariance = np.zeros((len(table), len(table)))
    start = 0
    for rows, block in blocks:
        covariance[start : start + len(rows), start : start + len(rows)] = block
        start += len(rows)
    return table.assign(se=np.sqrt(np.diag(covariance))), covariance


def _answers(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
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


def _codings(cells: xr.Dataset, vocabulary: Vocabulary) -> Iterator[Block]:
    """Mean log-odds ratio over a family's codes, first coder as truth, clustered by organisation.

    Shares of each side of the exposure with half a count added; the covariance is that of the
    organisations' influences on the estimate (a sandwich), so unequal organisations count.
    """
    studies = json.loads(cells.attrs["studies"])
    single, double = cells.single.values, cells.double.values
    applied = single[..., 0] + double[..., :2].sum(-1)  # (organisation, code)
    total = single.sum(-1) + double.sum(-1)
    family = cells.family_of.values
    site = np.unique(cells.site.values, return_inverse=True)[1]
    for study in dict.fromkeys(cells.study.values):
        mine = cells.study.values == study
        rows, influence = [], []
        for e, exposure in enumerate(cells.exposure.values):
            x = cells.x.values[:, e]
            if min(len(set(site[mine & (x > 0)])), len(set(site[mine & (x < 0)]))) < 2:
                continue  # one organisation does not tell how organisations differ
            log_odds, parts = np.zeros(cells.sizes["code"]), np.zeros(applied.shape)
            for sign, side in ((1, mine & (x > 0)), (-1, mine & (x < 0))):
                share = (applied[side].sum(0) + 0.5) / (total[side].sum(0) + 1)
                log_odds += sign * np.log(share / (1 - share))
                weight = total[side].sum(0) * share * (1 - share)
                organisations = len(set(site[side]))
                scale = np.sqrt(organisations / (organisations - 1))
                with np.errstate(invalid="ignore"):  # a code that the study did not look for
                    parts[side] += sign * scale * (applied[side] - total[side] * share) / weight
            looked_for = total[mine].sum(0) > 0
            for name in dict.fromkeys(family[looked_for]):
                codes = looked_for & (family == name)
                of_unit = parts[:, codes].mean(axis=1)
                influence.append(
                    np.bincount(site[mine], of_unit[mine], site.max() + 1)
                )  # both roles of a site
                rows.append(
                    {
                        "module": cells.attrs["module"],
                        "study": str(study),
                        **{
                            c: _joined(cells[c].values[mine]) for c in ("country", "sector", "role")
                        },
                        "exposure": str(exposure),
                        "exposure_name": str(cells.exposure_name.values[e]),
                        "exposure_type": str(cells.exposure_type.values[e]),
                        "outcome": str(name),
                        "family": str(name),
                        "vignette": "",
                        "response_mode": studies[str(study)]["response_mode"],
                        "metric": "log_odds",
                        "estimate": log_odds[codes].mean(),
                        "n": int(total[mine].sum(0).max()),
                        "provenance": studies[str(study)]["provenance"],
                    }
                )
        if rows:
            stacked = np.array(influence)
            yield pd.DataFrame(rows, columns=COLUMNS), stacked @ stacked.T


def _joined(values: Any) -> str:
    return " + ".join(dict.fromkeys(sorted(map(str, values))))

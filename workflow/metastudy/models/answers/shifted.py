"""Missing outcomes that are shifted: effects where those who did not answer are lower or higher."""

from __future__ import annotations

from math import inf, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.models.answers.assumed import studies_in_parts
from metastudy.models.answers.design import observed
from metastudy.models.answers.estimates import NO_SPREAD, Setting, described, within_sites

__all__ = ["MOSTLY", "shifted"]

MOSTLY = "fewer than half answered, so it was not asked of all or cannot be guessed for the others"


def shifted(cells: xr.Dataset, vocabulary: Vocabulary, delta: float) -> pd.DataFrame:
    r"""Each effect of each setting by itself, with its missing outcomes shifted.

    Who did not answer is taken to be, given exposures and site, :math:`\delta` standard deviations
    above who did (pattern-mixture model; Carpenter and Kenward 2013, Multiple imputation and its
    application, chapter 10). A regression within sites on everybody, with the missing outcomes
    imputed so, then has the slopes

    .. math:: b + \delta c

    with b of those who answered, and c of the regression of being missing on the exposures among
    everybody. Both are in the cross-products, so nothing is imputed. The variance is that of b plus
    :math:`\delta^2` times that of c, to which multiple imputation comes as the number of
    imputations grows.

    Parameters
    ----------
    cells : of a module; people without any outcome are not in them, and those without any of a
        vignette were not asked about it.
    delta : in standard deviations of the outcome; the shift is taken both up and down.

    Returns
    -------
    pandas.DataFrame
        As :func:`metastudy.models.answers.estimates.blocks` describes estimates, with ``se``,
        ``asked`` (people), ``missing`` of them, ``estimate_down``, ``se_down``, ``estimate_up``,
        ``se_up``, and ``tipping``, the shift at which the estimate is zero, infinite where none is;
        ``reason`` says why something was not done. Outcomes that all answered have no row.
    """
    seen, parts = observed(cells), []
    site = cells.site_of_cell.values
    for place in range(cells.sizes["setting"]):
        one = Setting.of(cells, place, seen[place])
        # Its cells are of the same people, each with one of their outcomes: none is missing.
        apart = str(cells.study.values[place]) in studies_in_parts(cells)
        here = cells.setting_of_site.values[site] == place
        answered = cells.observed.values[cells.pattern_of_cell.values].astype(bool)
        table = described(cells, vocabulary, one)
        kept = np.zeros(len(table), dtype=bool)
        changes: dict[int, tuple[float, float, float]] = {}
        for k in dict.fromkeys(one.outcome):
            mine = np.flatnonzero(one.outcome == k)
            alike = cells.vignette_of.values == cells.vignette_of.values[k]
            of = here & answered[:, alike].any(axis=1)
            asked = float(cells.n.values[of].sum())
            kept[mine] = (table["n"].to_numpy()[mine] < round(asked)) & (not apart)
            slopes, variances = _moved(cells, of, of & ~answered[:, k], 1 + one.exposure[mine])
            for at, slope, variance in zip(mine, slopes, variances, strict=True):
                changes[int(at)] = (asked, float(slope), float(variance))
        more = [_row(one, at, *changes[at], delta) for at in map(int, np.flatnonzero(kept))]
        parts.append(table[kept].join(pd.DataFrame(more, index=table.index[kept])))
    found = pd.concat(parts, ignore_index=True)
    # A setting where nothing is missing has no such column, and makes floats of those of others.
    return found.astype({c: "int64" for c in ("asked", "missing") if c in found})


def _moved(
    cells: xr.Dataset, here: np.ndarray, missing: np.ndarray, ps: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Slopes of being missing on the exposures within sites, among all, and their variances."""
    site, n, xx = cells.site_of_cell.values, cells.n.values, cells.xx.values
    is_missing = missing.astype(float)
    # Being missing is an outcome that everybody has, whose cross-products are sums over cells.
    xy = xx[:, 0, :, None] * is_missing[:, None, None]
    yy = (n * is_missing)[:, None, None]
    sxx, sxy, syy, freedom = within_sites(n[here], xx[here], xy[here], yy[here], site[here], ps)
    bread = np.linalg.pinv(sxx, rcond=NO_SPREAD, hermitian=True)
    slope = bread @ sxy[:, 0]
    left = float(syy[0, 0] - slope @ sxy[:, 0]) / max(freedom, 1.0)
    return slope, np.diag(bread) * max(left, 0.0)


def _row(
    one: Setting, at: int, asked: float, slope: float, variance: float, delta: float
) -> dict[str, Any]:
    missing = round(asked) - round(float(one.n[at]))
    estimate, own = one.estimate[at], one.covariance[at, at]
    found: dict[str, Any] = {"se": sqrt(own), "asked": round(asked), "missing": missing}
    if 2 * missing > asked:
        names = ("estimate_down", "se_down", "estimate_up", "se_up", "tipping")
        return found | dict.fromkeys(names, nan) | {"reason": MOSTLY}
    se = sqrt(own + delta**2 * variance)
    return found | {
        "estimate_down": estimate - delta * slope,
        "se_down": se,
        "estimate_up": estimate + delta * slope,
        "se_up": se,
        "tipping": -estimate / slope if abs(slope) > NO_SPREAD else inf,
        "reason": "",
    }

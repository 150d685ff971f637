"""The design of answers: exposures, traits, sites, vignettes and what each varies by."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.design.identification import Structure, structure
from metastudy.design.matrix import Effects, effects
from metastudy.models.base import GROUPINGS

__all__ = [
    "answer_effects",
    "between_settings",
    "between_vignettes",
    "observed",
    "site_information",
    "structures",
]


def structures(cells: xr.Dataset) -> list[tuple[str, Structure]]:
    """What the design identifies around each exposure: between settings, between vignettes."""
    return [
        (str(exposure), around(cells, str(exposure))[0])
        for exposure in cells.exposure.values
        for around in (between_settings, between_vignettes)
    ]


def between_settings(cells: xr.Dataset, exposure: str) -> tuple[Structure, np.ndarray]:
    """What the settings in which an exposure was studied identify around its population mean.

    Returns
    -------
    Structure over those settings, and their places among all settings.
    """
    places = np.flatnonzero(cells.present.sel(exposure=exposure).values)
    units = pd.DataFrame({name: cells[name].values[places] for name in GROUPINGS})
    return structure(units, GROUPINGS), places


def between_vignettes(cells: xr.Dataset, exposure: str) -> tuple[Structure, np.ndarray]:
    """The same for the vignettes in which outcomes of an exposure were observed."""
    has = cells.present.sel(exposure=exposure).values.astype(bool)
    seen = np.isin(
        cells.vignette.values, cells.vignette_of.values[observed(cells)[has].any(axis=0)]
    )
    places = np.flatnonzero(seen)
    units = pd.DataFrame({"vignette": cells.vignette.values[places]})
    return structure(units, ["vignette"]), places


def answer_effects(cells: xr.Dataset) -> Effects:
    """Design matrix of the effects; a row is a setting, an exposure and a vignette.

    Rows of a setting without the exposure, or of a vignette without outcomes, are empty: their
    effect is zero and no data are about it.
    """
    sizes = tuple(cells.sizes[name] for name in ("setting", "exposure", "vignette"))
    at = np.arange(np.prod(sizes)).reshape(sizes)
    parts = []
    for p, exposure in enumerate(cells.exposure.values):
        settings, j = between_settings(cells, str(exposure))
        vignettes, v = between_vignettes(cells, str(exposure))
        unit = np.indices((len(j), len(v)))
        around = [(settings, unit[0].ravel()), (vignettes, unit[1].ravel())]
        parts.append((str(exposure), at[:, p][np.ix_(j, v)].ravel(), around))
    return effects(at.size, parts)


def observed(cells: xr.Dataset) -> np.ndarray:
    """Which outcomes a setting observed at all, shape (setting, outcome)."""
    return cells.asked.values.astype(bool)


def site_information(cells: xr.Dataset) -> np.ndarray:
    """Sum of squares of each coefficient's predictor per site, shape (site, coefficient)."""
    squares = np.diagonal(cells.xx.values, axis1=1, axis2=2)
    total = np.zeros((cells.sizes["site"], squares.shape[1]))
    np.add.at(total, cells.site_of_cell.values, squares)
    return total

"""The design of answers: exposures, traits, sites, vignettes and what each varies by."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
import pymc as pm
import xarray as xr
from pytensor.tensor import TensorVariable

from metastudy.design.identification import Structure, structure
from metastudy.design.matrix import Effects, effects
from metastudy.models.base import GROUPINGS
from metastudy.models.terms import linear

__all__ = [
    "answer_effects",
    "between_settings",
    "between_vignettes",
    "observed",
    "outcome_effects",
    "site_information",
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
    seen = np.zeros((cells.sizes["setting"], cells.sizes["outcome"]), dtype=bool)
    if "item" in cells.dims:
        seen[cells.setting_of_item.values, cells.outcome_of_item.values] = True
        return seen
    setting = cells.setting_of_site.values[cells.site_of_cell.values]
    np.logical_or.at(
        seen, setting, cells.observed.values[cells.pattern_of_cell.values].astype(bool)
    )
    return seen


def site_information(cells: xr.Dataset) -> np.ndarray:
    """Sum of squares of each coefficient's predictor per site, shape (site, coefficient)."""
    squares = np.diagonal(cells.xx.values, axis1=1, axis2=2)
    total = np.zeros((cells.sizes["site"], squares.shape[1]))
    np.add.at(total, cells.site_of_cell.values, squares)
    return total


def outcome_effects(cells: xr.Dataset, scale: Mapping[str, TensorVariable]) -> TensorVariable:
    """Effect of every exposure on every outcome in every setting, as far as the design goes.

    Parameters
    ----------
    cells : of answers, with ``setting``, ``exposure``, ``construct`` and ``vignette``; their
        outcomes are all pairs of the last two.
    scale : prior scales ``effect``, ``tau`` and ``fixed_tau`` (:func:`linear`).

    Returns
    -------
    TensorVariable
        ``beta`` (setting, exposure, outcome), which the model has then as well.
    """
    setting, exposure, vignette, construct = (
        cells.sizes[name] for name in ("setting", "exposure", "vignette", "construct")
    )
    rows = answer_effects(cells)  # of (setting, exposure, vignette)
    theta = linear(rows, "construct", scale["effect"], scale["tau"], scale["fixed_tau"])
    theta = theta.reshape((setting, exposure, vignette, construct)).swapaxes(2, 3)
    beta = theta.reshape((setting, exposure, construct * vignette))
    return pm.Deterministic("beta", beta, dims=("setting", "exposure", "outcome"))

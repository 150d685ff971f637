"""The design of codings: organisations, and what varies between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.design.identification import Structure, structure
from metastudy.design.matrix import Effects, effects
from metastudy.models.base import GROUPINGS

__all__ = ["between_organisations", "organisation_effects", "structures"]


def structures(cells: xr.Dataset) -> list[tuple[str, Structure]]:
    """What the design identifies around each exposure: the same for all of them."""
    found = between_organisations(cells)
    return [(str(exposure), found) for exposure in cells.exposure.values]


def between_organisations(cells: xr.Dataset) -> Structure:
    """What the organisations identify beside the exposures."""
    units = pd.DataFrame({name: cells[name].values for name in GROUPINGS})
    fixed = [str(name) for name in cells.exposure_name.values]
    for column, name in enumerate(fixed):
        units[name] = cells.x.values[:, column]
    return structure(units, GROUPINGS, fixed, residual="organisation")


def organisation_effects(cells: xr.Dataset) -> Effects:
    """Design matrix of what varies between organisations beside the exposures."""
    found = between_organisations(cells)
    everyone = np.arange(found.units)
    return effects(found.units, [(None, everyone, [(found, everyone)])])

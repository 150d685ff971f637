"""The design of codings: organisations, and what varies between them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.design.effects import EffectDesign, Part, effect_design
from metastudy.design.identification import Identification, identify
from metastudy.models.base import GROUPINGS
from metastudy.models.codings.readings import interviews
from metastudy.models.codings.roles import role_terms, slopes

__all__ = [
    "between_organisations",
    "levels_of_codes",
    "organisation_design",
    "sides",
    "structures",
]


def structures(cells: xr.Dataset) -> list[tuple[str, str, Identification]]:
    """What the design identifies around each exposure: the same for all of them."""
    found = between_organisations(cells)
    return [(str(exposure), "", found) for exposure in cells.exposure.values]


def between_organisations(cells: xr.Dataset) -> Identification:
    """What the organisations identify beside the exposures and the roles' own means."""
    units = pd.DataFrame({name: cells[name].values for name in GROUPINGS})
    of, (names, own) = slopes(cells), role_terms(cells)
    fixed = [*of.label, *(f"role {name}" for name in names)]
    for name, column in zip(fixed, np.hstack([of.x, own]).T, strict=True):
        units[name] = column
    return identify(units, GROUPINGS, fixed, residual="organisation")


def organisation_design(cells: xr.Dataset) -> EffectDesign:
    """The design of what varies between organisations, a row each, beside the exposures."""
    found = between_organisations(cells)
    everyone = np.arange(found.units)
    return effect_design(found.units, [Part("", "", everyone, None, found, everyone)])


def sides(cells: xr.Dataset) -> pd.DataFrame:
    """Kinds of organisations on the sides of each contrast, one row each.

    Returns
    -------
    pandas.DataFrame
        Study, country, sector, role, ``exposure`` (its id) and ``side`` (-1/2 or +1/2).
    """
    place = {name: cells[name].values.astype(str) for name in (*GROUPINGS, "role")}
    found = [
        pd.DataFrame(place).assign(exposure=str(exposure), side=x)[x != 0]
        for exposure, x in zip(cells.exposure.values, cells.x.values.T, strict=True)
    ]
    columns = [*place, "exposure", "side"]
    every = pd.concat([pd.DataFrame(columns=columns).astype({"side": float}), *found])
    return every[columns].drop_duplicates(ignore_index=True)


def levels_of_codes(cells: xr.Dataset) -> tuple[np.ndarray, np.ndarray]:
    """Levels in which a code is a part of its own: those of what it was looked for in twice.

    A code that was looked for in one study says nothing of how studies differ in it.

    Returns
    -------
    Places among the levels of :func:`organisation_design`, and among the codes.
    """
    design, read = organisation_design(cells), interviews(cells).values > 0
    member = np.zeros((len(design.levels), len(read)), dtype=bool)
    for column in design.level_of.T:
        member[column[column >= 0], np.flatnonzero(column >= 0)] = True
    asked = member.astype(float) @ read > 0  # (level, code)
    of = design.component_of[:, None] == np.arange(len(design.components))
    several = of.T.astype(float) @ asked > 1  # (component, code)
    level, code = np.nonzero(asked & several[design.component_of])
    return level, code

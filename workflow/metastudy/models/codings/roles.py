"""Roles in codings: fixed terms, so that no prevalence and no contrast is of several roles.

Each role has its own contrasts, and its own mean where no exposure compares it with another. The
standard deviations between codes are shared by the roles.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import xarray as xr

from metastudy.common.tables import join_values

__all__ = ["ROLE", "Slopes", "role_terms", "slopes"]

ROLE = "role"  # the attribute that is one, as an exposure is called after it


@dataclass(frozen=True)
class Slopes:
    """The contrasts of a model of codings, one for each exposure and role of the compared."""

    label: tuple[str, ...]  # the exposure; with the role where several have a contrast of it
    exposure: np.ndarray  # place among the exposures, shape (slope,)
    role: tuple[str, ...]  # of the people who are compared; all of them where role is the exposure
    x: np.ndarray  # -1/2 and +1/2, zero for others, shape (organisation, slope)

    @property
    def split(self) -> bool:
        """Whether an exposure has contrasts of several roles."""
        return len(set(self.exposure)) < len(self.exposure)


def slopes(cells: xr.Dataset) -> Slopes:
    """Each exposure's contrast, one for each role that was compared by it."""
    role, label, place, who, columns = cells.role.values, [], [], [], []
    for e, exposure in enumerate(cells.exposure.values):
        x = cells.x.values[:, e]
        groups = [(join_values(role[x != 0]), np.ones(len(role), dtype=bool))]
        if cells.exposure_name.values[e] != ROLE and len(found := np.unique(role[x != 0])) > 1:
            groups = [(str(name), role == name) for name in found]
        for name, mine in groups:
            label.append(f"{exposure}, {name}" if len(groups) > 1 else str(exposure))
            place.append(e)
            who.append(name)
            columns.append(x * mine)
    x = np.array(columns).reshape(len(label), len(role)).T
    return Slopes(tuple(label), np.array(place, dtype=int), tuple(who), x)


def role_terms(cells: xr.Dataset) -> tuple[list[str], np.ndarray]:
    """Roles with a mean of their own beside that of the others, and who has which.

    They are those that no exposure compares; where none is compared, all but the role of most
    units. With one role there are none.

    Returns
    -------
    Names, and zero or one of shape (organisation, role).
    """
    role = cells.role.values
    told = cells.x.values[:, cells.exposure_name.values == ROLE] != 0
    compared = set(role[told.any(axis=1)])
    names, number = np.unique(role, return_counts=True)
    others = [str(name) for name in names if name not in compared]
    if not compared:
        others.remove(str(names[number.argmax()]))
    return others, (role[:, None] == np.array(others, dtype=str)).astype(float)

"""The design of answers: exposures, traits, sites, vignettes and what each varies by."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.design.effects import EffectDesign, Part, effect_design
from metastudy.design.identification import SETTING, Identification, identify
from metastudy.design.moderators import NO_SLOPES, Coefficient, Slopes
from metastudy.models.answers.moderators import by_role
from metastudy.models.base import GROUPINGS

__all__ = [
    "SETTINGS",
    "VIGNETTE",
    "Around",
    "answer_design",
    "around",
    "clustered",
    "coefficient_name",
    "estimands",
    "families",
    "informed_effects",
    "observed",
    "site_information",
    "slopes",
    "structures",
]

SETTINGS = (*GROUPINGS, SETTING)  # what shares the total heterogeneity between settings
VIGNETTE = "vignette"


class Around:
    """What the design identifies around the means of one exposure and construct.

    A unit is a setting and a vignette in which the construct was asked: ``setting`` and ``outcome``
    (units,) are its places among the cells'. ``moderated`` has for each role the places of its
    units, and what they identify of the moderators; nothing without moderators.
    """

    def __init__(self, cells: xr.Dataset, exposure: int, construct: str) -> None:
        asked = informed_effects(cells)[:, exposure] & (cells.construct_of.values == construct)
        self.setting, self.outcome = np.nonzero(asked)
        units = {name: cells[name].values.astype(str)[self.setting] for name in (*SETTINGS, "role")}
        units[VIGNETTE] = cells.vignette_of.values.astype(str)[self.outcome]
        self.role = units["role"]
        self.moderated = by_role(cells, self.setting, self.role)
        fixed, tables = ["role"], []
        for role, (mine, moderation) in self.moderated.items():
            for name, column in moderation.fixed.items():
                fixed.append(f"{name} of {role}")
                units[fixed[-1]] = np.zeros(len(self.setting))
                units[fixed[-1]][mine] = column
            tables.append(moderation.table)
        found = identify(pd.DataFrame(units), SETTINGS, fixed=fixed, apart=[VIGNETTE])
        tables = [table for table in (found.table, *tables) if len(table)]
        if len(tables) > 1:
            found = replace(found, table=pd.concat(tables, ignore_index=True))
        self.found: Identification = found

    @property
    def settings(self) -> np.ndarray:
        """Places of its settings, each once, shape (its settings,)."""
        return np.unique(self.setting)


def around(cells: xr.Dataset) -> dict[tuple[str, str], Around]:
    """What the design identifies by exposure and construct, as far as data speak of the two."""
    found = {}
    asked = informed_effects(cells)
    for p, exposure in enumerate(cells.exposure.values):
        for construct in cells.construct.values:
            if asked[:, p][:, cells.construct_of.values == construct].any():
                found[str(exposure), str(construct)] = Around(cells, p, str(construct))
    return found


def estimands(cells: xr.Dataset) -> pd.DataFrame:
    """The population effects: an exposure's on a construct among people of one role.

    Returns
    -------
    pandas.DataFrame
        Index ``estimand``; columns ``exposure``, ``outcome`` (the construct), ``role``, and
        ``family`` and ``sign`` of the construct.
    """
    family = dict(zip(cells.construct.values, cells.family_of.values, strict=True))
    sign = dict(zip(cells.construct.values, cells.family_sign.values, strict=True))
    rows = [
        (_estimand(exposure, construct, role), exposure, construct, role)
        for (exposure, construct), one in around(cells).items()
        for role in dict.fromkeys(one.role)
    ]
    table = pd.DataFrame(rows, columns=["estimand", "exposure", "outcome", "role"])
    table["family"], table["sign"] = table["outcome"].map(family), table["outcome"].map(sign)
    return table.set_index("estimand")


def families(table: pd.DataFrame) -> pd.Series:
    """The family that each estimand is pooled in, over outcomes of one exposure and role.

    Returns
    -------
    pandas.Series
        ``"<exposure>, <family>, <role>"`` by estimand; empty for the only outcome of a family.
    """
    name = table["exposure"] + ", " + table["family"] + ", " + table["role"]
    return name.where(name.groupby(name).transform("size") > 1, "")


def _estimand(exposure: str, construct: str, role: str) -> str:
    return f"{exposure}, {construct}, {role}"


def structures(cells: xr.Dataset) -> list[tuple[str, str, Identification]]:
    """What the design identifies around each exposure: (exposure, outcome, identification).

    The outcome is empty where it is the same for all outcomes of the exposure.
    """
    rows: list[tuple[str, str, Identification]] = []
    found = around(cells)
    for exposure in map(str, cells.exposure.values):
        mine = {c: one.found for (e, c), one in found.items() if e == exposure}
        tables = [one.table for one in mine.values()]
        if all(table.equals(tables[0]) for table in tables):
            rows += [(exposure, "", one) for one in list(mine.values())[:1]]
        else:
            rows += [(exposure, construct, one) for construct, one in mine.items()]
    return rows


def answer_design(cells: xr.Dataset) -> EffectDesign:
    """The design of the effects; a row is a setting, an exposure and an outcome.

    Rows without data, a setting without the exposure or the outcome, are empty: their effect is
    zero.
    """
    sizes = tuple(cells.sizes[name] for name in ("setting", "exposure", "outcome"))
    at = np.arange(np.prod(sizes)).reshape(sizes)
    places = {str(exposure): p for p, exposure in enumerate(cells.exposure.values)}
    parts = [
        Part(
            head=exposure,
            tail=construct,
            rows=at[one.setting, places[exposure], one.outcome],
            means=[_estimand(exposure, construct, role) for role in one.role],
            found=one.found,
            unit=np.arange(len(one.setting)),
        )
        for (exposure, construct), one in around(cells).items()
    ]
    return effect_design(at.size, parts)


def slopes(cells: xr.Dataset) -> Slopes:
    """The coefficients of moderators of all estimands, and their columns.

    Returns
    -------
    Slopes
        Names ``"<estimand>: <moderator>"``, with the level of a category; a row is one of
        :func:`answer_design`.
    """
    if "moderator_value" not in cells:
        return NO_SLOPES
    sizes = tuple(cells.sizes[name] for name in ("setting", "exposure", "outcome"))
    places = {str(exposure): p for p, exposure in enumerate(cells.exposure.values)}
    names: list[str] = []
    columns: list[np.ndarray] = []
    for (exposure, construct), one in around(cells).items():
        for role, (mine, moderation) in one.moderated.items():
            for of, values in zip(moderation.coefficients, moderation.columns.T, strict=True):
                names.append(coefficient_name(_estimand(exposure, construct, role), of))
                column = np.zeros(sizes)
                column[one.setting[mine], places[exposure], one.outcome[mine]] = values
                columns.append(column.ravel())
    return Slopes(tuple(names), np.array(columns).reshape(len(names), np.prod(sizes, dtype=int)).T)


def coefficient_name(estimand: str, of: Coefficient) -> str:
    """The name of one coefficient of an estimand."""
    return f"{estimand}: {' '.join(filter(None, (of.moderator, of.level)))}"


def observed(cells: xr.Dataset) -> np.ndarray:
    """Which outcomes a setting observed at all, shape (setting, outcome)."""
    return cells.asked.values.astype(bool)


def informed_effects(cells: xr.Dataset) -> np.ndarray:
    """Which effects data speak of, shape (setting, exposure, outcome)."""
    return cells.present.values.astype(bool)[:, :, None] & observed(cells)[:, None, :]


def clustered(cells: xr.Dataset) -> np.ndarray:
    """Places of the sites that vary, those of every setting that has sites.

    Where no setting has two of them, a site is its setting, whose residual it is part of.
    """
    setting = cells.setting_of_site.values
    sited = cells.sited.values.astype(bool)[setting]
    several = np.bincount(setting[sited], minlength=1).max() > 1
    return np.flatnonzero(sited) if several else np.zeros(0, dtype=np.int64)


def site_information(cells: xr.Dataset) -> np.ndarray:
    """Sum of squares of each coefficient's predictor per site, shape (site, coefficient)."""
    squares = np.diagonal(cells.xx.values, axis1=1, axis2=2)
    total = np.zeros((cells.sizes["site"], squares.shape[1]))
    np.add.at(total, cells.site_of_cell.values, squares)
    return total

"""Differences between effects: outcome against family, vignettes, roles, kinds of exposure.

Two verdicts side by side are no evidence of a difference, so each difference that could be claimed
is an estimand of its own, with its draws.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np
import xarray as xr

from metastudy.design.moderators import places_of
from metastudy.models.answers.design import VIGNETTE, around, estimands, families
from metastudy.models.base import OTHER_STUDIES, Row

__all__ = ["OTHER_STUDIES", "differences"]

FAMILY = "family"  # the others of an outcome's family


def differences(
    cells: xr.Dataset,
    draws: xr.Dataset,
    base: dict[str, Any],
    at: Callable[[np.ndarray], dict[str, str]],
) -> Iterator[Row]:
    """All differences between effects of a module of answers.

    Parameters
    ----------
    base : what all rows have: module, variant and metric.
    at : places of settings to the columns that say where they are.

    Yields
    ------
    row, draws
        ``level`` says between what the difference is: ``outcome`` (against the mean of the others
        of its family), ``vignette``, ``role`` or ``exposure_type``; ``against`` what is taken away.
    """
    base = base | {"estimand": "difference"}
    found = around(cells)
    types = dict(zip(cells.exposure.values, cells.exposure_type.values, strict=True))
    names = dict(zip(cells.exposure.values, cells.exposure_name.values, strict=True))
    table = estimands(cells)
    table["type"], table["name"] = table["exposure"].map(types), table["exposure"].map(names)
    where = {
        key: found[row["exposure"], row["outcome"]].setting[
            found[row["exposure"], row["outcome"]].role == row["role"]
        ]
        for key, row in table.iterrows()
    }

    def mu(key: Any) -> xr.DataArray:
        return draws["mu"].sel(estimand=key, drop=True)

    def said(key: Any) -> dict[str, Any]:
        row = table.loc[key]
        return {
            "exposure": row["exposure"],
            "exposure_type": row["type"],
            "outcome": row["outcome"],
            "role": row["role"],
        }

    def studies(key: Any) -> set[str]:
        return set(cells.study.values[where[key]])

    def place(key: Any) -> tuple[str, ...]:
        """Where the mean of an effect is among the moderators."""
        row = table.loc[key]
        moderated = found[row["exposure"], row["outcome"]].moderated
        return tuple(places_of(moderated[row["role"]][1])) if moderated else ()

    def apart(one: Any, other: Any) -> dict[str, str]:
        same = studies(one) & studies(other) and place(one) == place(other)
        return {"note": "" if same else OTHER_STUDIES}

    family = families(table)
    for name in dict.fromkeys(family[family != ""]):
        mine = list(table.index[family == name])
        for key in mine:
            others = [mu(other) for other in mine if other != key]
            row = base | at(where[key]) | said(key) | {"level": "outcome", "against": FAMILY}
            if any(place(other) != place(key) for other in mine):
                row["note"] = OTHER_STUDIES  # at another place of the moderators
            yield row, mu(key) - sum(others[1:], start=others[0]) / len(others)
    for (exposure, construct), one in found.items():
        component = one.found.component(VIGNETTE)
        if component is None or component.shared:
            continue
        label = f"{exposure} {component.name}, {construct}"
        for vignette, other_one in combinations(component.levels, 2):
            levels = [
                draws["level"].sel(level_of=f"{label}: {name}", drop=True)
                for name in (vignette, other_one)
            ]
            row = base | {
                "exposure": exposure,
                "exposure_type": str(types[exposure]),
                "outcome": construct,
                "vignette": vignette,
                "against": other_one,
                "level": "vignette",
            }
            yield row | at(one.setting), levels[0] - levels[1]
    for _, same in table.groupby(["exposure", "outcome"], sort=False):
        for first, second in combinations(same.index, 2):
            row = base | at(np.concatenate([where[first], where[second]])) | said(first)
            row |= {"level": "role", "against": same.loc[second, "role"]} | apart(first, second)
            yield row, mu(first) - mu(second)
    for _, same in table.groupby(["name", "outcome", "role"], sort=False):
        for first, second in combinations(same.index, 2):
            if same.loc[first, "type"] == same.loc[second, "type"]:
                continue  # levels of one factor
            row = base | at(np.concatenate([where[first], where[second]])) | said(first)
            row |= {"level": "exposure_type", "against": same.loc[second, "type"]}
            yield row | apart(first, second), mu(first) - mu(second)

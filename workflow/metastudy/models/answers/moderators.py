"""Moderators of the effects of a module: what studies declare, as terms of the effects' design."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.design.moderators import MODERATED, Moderation, Moderator, moderate, moderators_of
from metastudy.harmonized.study import Study

__all__ = ["by_role", "with_moderators"]


def with_moderators(
    cells: xr.Dataset, studies: Sequence[Study], vocabulary: Vocabulary
) -> xr.Dataset:
    """The cells with what their studies declare of moderators.

    Parameters
    ----------
    studies : with the table ``attributes``; those of parcels have it too.

    Returns
    -------
    Cells as they were where no study declares any. Else with ``moderator_value`` (setting,
    moderator), texts, empty where the study says nothing, and with the attribute ``moderators``,
    what the vocabulary says of each, so that the model needs no vocabulary.
    """
    said: dict[tuple[str, str], str] = {}
    for study in studies:
        table = study["attributes"]
        own = table[table["kind"].eq("moderator") & table["finding_id"].isna()]
        said |= {
            (study.id, str(name)): str(value)
            for name, value in zip(own["name"], own["value"], strict=True)
        }
    here = set(map(str, cells.study.values))
    names = {name for study, name in said if study in here}
    declared = [one for one in moderators_of(vocabulary) if one.name in names]
    if not declared:
        return cells
    values = [[said.get((str(s), one.name), "") for one in declared] for s in cells.study.values]
    return cells.assign(
        moderator_value=(("setting", "moderator"), np.array(values, dtype=str))
    ).assign_attrs(moderators=json.dumps([asdict(one) for one in declared]))


def _declared(cells: xr.Dataset) -> list[Moderator]:
    return [
        Moderator(one["name"], tuple(one["levels"]), one["unit"])
        for one in json.loads(cells.attrs.get("moderators", "[]"))
    ]


def _known(cells: xr.Dataset, declared: Sequence[Moderator]) -> pd.DataFrame:
    """The value of each moderator in each setting; numbers as such, missing where not known."""
    columns: dict[str, pd.Series] = {}
    for at, one in enumerate(declared):
        texts = pd.Series(cells.moderator_value.values[:, at].astype(str), dtype=object)
        known = texts.where(texts != "", np.nan)
        columns[f"{MODERATED}{one.name}"] = known if one.levels else known.astype(float)
    return pd.DataFrame(columns)


def by_role(
    cells: xr.Dataset, setting: np.ndarray, role: np.ndarray
) -> dict[str, tuple[np.ndarray, Moderation]]:
    """What the units of an effect identify of the moderators, role by role.

    Numbers are centred at the mean over all studies of the module that have them, and are in the
    standard deviation of these, so that all effects of a module are compared at one place.

    Parameters
    ----------
    setting, role : of each unit, place among the cells' settings and key.

    Returns
    -------
    For each role the places of its units, and their moderation; empty without moderators.
    """
    declared = _declared(cells)
    if not declared:
        return {}
    known = _known(cells, declared)
    study = pd.Series(cells.study.values.astype(str))
    places = _places(known, declared, study)
    found = {}
    for one in dict.fromkeys(role):
        mine = np.flatnonzero(role == one)
        at = setting[mine]
        rows = known.iloc[at].reset_index(drop=True)
        own = study.iloc[at].reset_index(drop=True)
        found[str(one)] = (mine, moderate(rows, declared, own, places))
    return found


def _places(
    known: pd.DataFrame, declared: Sequence[Moderator], study: pd.Series
) -> Mapping[str, tuple[float, float]]:
    """Mean and standard deviation of each number over the studies that have it."""
    found = {}
    for one in declared:
        if not one.levels:
            each = known[f"{MODERATED}{one.name}"].groupby(study).first().dropna()
            if each.nunique() > 1:
                found[one.name] = (float(each.mean()), float(each.std()))
    return found

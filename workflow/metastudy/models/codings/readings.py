"""Readings: which coder applied which code to which interview."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.base import NOT_STATED, own_place

__all__ = [
    "Readings",
    "at_units",
    "codes_of",
    "first_readings",
    "interviews",
    "readings_of",
    "shares_of_families",
    "studies_of_codes",
]


@dataclass(frozen=True)
class Readings:
    """One study's interviews: which codes the coders applied, a row per interview."""

    first: pd.DataFrame  # by its first coder
    second: pd.DataFrame  # by its second coder, where it has one
    unit: pd.Series  # the organisation, or one role in it


def readings_of(study: Study, codes: list[str]) -> Readings:
    """Bring one study's codings to whether each coder applied each of these codes."""
    by_coder = _presence(study, codes).groupby(level="source_id")
    first, second = (pd.DataFrame(by_coder.nth(at).droplevel("coder_id")) for at in (0, 1))
    unit = at_units(study).set_index("respondent_id")["unit"]
    return Readings(first, second, unit.reindex(first.index))


def codes_of(study: Study, module: str, vocabulary: Vocabulary) -> list[str]:
    """The codes of a module that are among a study's outcomes, in their order there."""
    outcomes = study.report["outcomes"]
    return [c for c in outcomes if c in vocabulary["codes"] and vocabulary.module(c) == module]


def at_units(study: Study) -> pd.DataFrame:
    """The respondents with their unit: an organisation, or one role in it where it has several.

    Who has no organisation is at that of the study.
    """
    site = study.respondents["org_id"].fillna(study.id).astype(str)
    role = study.respondents["role"].fillna(NOT_STATED).astype(str)
    places = {n: own_place(study.respondents[n], study.id) for n in ("country", "sector")}
    arrangement = study.respondents["arrangement"].astype("str").fillna(NOT_STATED)
    said = places | {"arrangement": arrangement.astype(str)}
    people = study.respondents.assign(study=study.id, site=site, role=role, **said)
    several = people.groupby("site")["role"].transform("nunique").gt(1)
    return people.assign(unit=site.where(~several, site + ":" + role))


def _presence(study: Study, codes: list[str]) -> pd.DataFrame:
    """Whether a coder applied a code anywhere in a source, the unit on which coders agree."""
    read = study.readings.sort_values(["source_id", "coder_id"])
    index = pd.MultiIndex.from_frame(read[["source_id", "coder_id"]])
    applied = study.codings.assign(one=True).pivot_table(
        index=["source_id", "coder_id"], columns="code_id", values="one", aggfunc="any"
    )
    return applied.reindex(index=index, columns=codes).notna()


def interviews(cells: xr.Dataset) -> xr.DataArray:
    """Interviews in which a code was looked for, shape (organisation, code)."""
    return cells.single.sum("reading") + cells.double.sum("agreement")


def shares_of_families(cells: xr.Dataset) -> np.ndarray:
    """Of all readings for a family, the share in each unit, shape (family, organisation)."""
    of_family = cells.family_of.values == cells.family.values[:, None]
    read = of_family.astype(float) @ interviews(cells).values.T
    return read / read.sum(axis=1, keepdims=True)


def studies_of_codes(cells: xr.Dataset) -> xr.DataArray:
    """Whether a study looked for a code, shape (study_name, code)."""
    return (interviews(cells).groupby(cells.study.rename("study_name")).sum() > 0).astype(bool)


def first_readings(cells: xr.Dataset) -> xr.Dataset:
    """The same cells as if each interview had been read once, by its first coder."""
    single, double = cells["single"], cells["double"].values
    first = np.stack([double[..., :2].sum(-1), double[..., 2:].sum(-1)], axis=-1)
    return cells.assign(single=single + first, double=cells["double"] * 0)

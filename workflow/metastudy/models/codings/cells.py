"""Cells of codings: counts of patterns of double coding by code and unit."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.harmonized.study import Study
from metastudy.models.base import GROUPINGS, attributes_of, in_order
from metastudy.models.codings.readings import at_units, codes_of, readings_of

__all__ = ["DATA", "OF_UNITS", "assembled", "code_cells"]

DATA = ("single", "double")
OF_UNITS = (*GROUPINGS, "role", "arrangement", "site")


def code_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Counts of a module's codings.

    Parameters
    ----------
    studies : the studies that have outcomes in the module's families.
    folded : whether a code is present where it or a part of it is, the parts being no codes of
        their own then (:meth:`metastudy.codebook.vocabulary.Vocabulary.folding`).

    Returns
    -------
    xarray.Dataset
        ``single`` (organisation, code, reading): interviews of one coder with and without the code;
        ``double`` (organisation, code, agreement): interviews of two coders in which both, only the
        first, only the second or none applied it; ``x`` (organisation, exposure): the contrast of
        an exposure, -1/2 and +1/2, zero where a study does not have it; ``site`` (organisation):
        the organisation itself, which has a row for each role where people of several roles spoke.

    Raises
    ------
    BadInput
        Where an organisation has several values of what should be its own property.
    """
    if folded:
        studies = [_folded(study, module, vocabulary) for study in studies]
    applied = {s.id: codes_of(s, module, vocabulary) for s in studies}
    codes = in_order({c for mine in applied.values() for c in mine}, vocabulary["codes"])
    units = pd.concat([_units(s) for s in studies], ignore_index=True)
    names = list(units["unit"])
    single = np.zeros((len(names), len(codes), 2))
    double = np.zeros((len(names), len(codes), 4))
    for study in studies:
        coded = [c for c in codes if c in applied[study.id]]
        at = [codes.index(c) for c in coded]
        read = readings_of(study, coded)
        for source, a in zip(read.first.index, read.first.to_numpy(), strict=True):
            row = names.index(read.unit[source])
            if source not in read.second.index:
                single[row, at, np.where(a, 0, 1)] += 1
            else:
                b = read.second.loc[source].to_numpy()
                double[row, at, 3 - (2 * a.astype(int) + b.astype(int))] += 1

    exposures = [
        {"id": f"{e['attribute']}_{e['type']}", "name": e["attribute"], "type": e["type"]}
        for e in _unique(e for s in studies for e in s.report["exposures"] if "attribute" in e)
    ]
    x = np.zeros((len(names), len(exposures)))
    for column, exposure in enumerate(exposures):
        reference, other = list(vocabulary.levels(exposure["name"]))[:2]
        has = [s.id for s in studies if _declares(s, exposure["name"])]
        value = units[exposure["name"]].where(units["study"].isin(has))
        x[:, column] = 0.5 * (value == other).to_numpy() - 0.5 * (value == reference).to_numpy()
    about = units.assign(organisation=names)
    attributes = attributes_of("codings", DATA, studies, module, folded, [])
    return assembled(single, double, x, about, codes, exposures, vocabulary, attributes)


def assembled(
    single: np.ndarray,
    double: np.ndarray,
    x: np.ndarray,
    units: pd.DataFrame,
    codes: Sequence[str],
    exposures: Sequence[Mapping[str, str]],
    vocabulary: Vocabulary,
    attributes: Mapping[str, str],
) -> xr.Dataset:
    """Put cells of codings together from their arrays, as :func:`code_cells` describes them.

    Parameters
    ----------
    units : a row a unit: its name as ``organisation``, and the columns :data:`OF_UNITS`.
    codes : in the order of the vocabulary.
    exposures : ``id``, ``name`` and ``type`` of each.
    """
    return xr.Dataset(
        {
            "single": (("organisation", "code", "reading"), single),
            "double": (("organisation", "code", "agreement"), double),
            "x": (("organisation", "exposure"), x),
            **{c: ("organisation", units[c].to_numpy(dtype=str)) for c in OF_UNITS},
            "family_of": ("code", np.array([vocabulary.family(c) for c in codes], dtype=str)),
            "exposure_name": ("exposure", np.array([e["name"] for e in exposures], dtype=str)),
            "exposure_type": ("exposure", np.array([e["type"] for e in exposures], dtype=str)),
        },
        coords={
            "organisation": units["organisation"].to_numpy(dtype=str),
            "code": np.array(codes, dtype=str),
            "family": list(dict.fromkeys(vocabulary.family(c) for c in codes)),
            "reading": ["applied", "not_applied"],
            "agreement": ["both", "only_first", "only_second", "none"],
            "exposure": np.array([e["id"] for e in exposures], dtype=str),
        },
        attrs=dict(attributes),
    )


def _folded(study: Study, module: str, vocabulary: Vocabulary) -> Study:
    """The study as if its coders had applied a code wherever they applied a part of it."""
    whole = vocabulary.folding(codes_of(study, module, vocabulary))
    outcomes = [*dict.fromkeys(whole.get(name, name) for name in study.report["outcomes"])]
    codings = study.codings.replace({"code_id": whole})
    report = {**study.report, "outcomes": outcomes}
    return replace(study.with_tables(codings=codings), report=report)


def _declares(study: Study, attribute: str) -> bool:
    """Whether a study compares by an attribute: only contrasts within studies travel."""
    return any(e.get("attribute") == attribute for e in study.report["exposures"])


def _units(study: Study) -> pd.DataFrame:
    own = ["country", "sector", "role", "arrangement", "site"]
    people = at_units(study)
    if (several := people.groupby("unit")[own].nunique(dropna=False).gt(1)).to_numpy().any():
        problems = [
            Problem(
                study=study.id,
                file=f"results/harmonized/{study.id}/respondents.parquet",
                row=str(unit),
                column=column,
                found="several values within one organisation",
                expected="one value per organisation",
                fix="correct the variable in the study's data file",
                code="varying-organisation",
            )
            for unit, column in several.stack()[lambda found: found].index
        ]
        raise BadInput(problems)
    columns = ["study", "unit", *own]
    return people[columns].drop_duplicates().sort_values("unit", ignore_index=True)


def _unique(items: Any) -> list[dict[str, str]]:
    return list({json.dumps(item, sort_keys=True): item for item in items}.values())

"""Codings and ratings of a study of interviews or cases."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from metastudy.codebook.checks.terms import IGNORE
from metastudy.common.text import canonical, did_you_mean, quoted, shown
from metastudy.harmonize import decoders, pseudonyms
from metastudy.harmonize.segments import unknown_codes
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import schema
from metastudy.readers.raw import RawProject

__all__ = ["CODED", "case_ratings", "codings"]

CODED = ("qdpx", "matrix", "segments")


def case_ratings(study: Study, ids: pd.Series, sites: pd.Series) -> pd.DataFrame:
    """One row per case and rated dimension, sorted by case and dimension.

    Parameters
    ----------
    study : with the rows that are kept.
    ids, sites : pseudonyms, shape (rows,).

    Returns
    -------
    The table ``case_ratings`` of :mod:`metastudy.harmonized.schema`; empty without ratings.
    """
    parts = []
    for variable in study.codebook.having("rating"):
        found = study.decode(variable.name, decoders.rating(variable))
        rated = [pair or (np.nan, "system") for pair in found]
        shared = {"study_id": study.codebook.study.id, "dimension": variable.dimension}
        part = pd.DataFrame(rated, columns=["rating", "missing_reason"], index=ids.index)
        part = part.assign(respondent_id=ids, org_id=sites, **shared)
        if variable.evidence:
            part["evidence"] = study.decode(variable.evidence, decoders.evidence)
        parts.append(part)
    if not parts:
        return schema.empty("case_ratings")
    table = schema.shape("case_ratings", pd.concat(parts, ignore_index=True))
    return table.sort_values(["respondent_id", "dimension"], ignore_index=True)


def _readings(
    study: Study, project: RawProject, codings: pd.DataFrame, ids: pd.Series
) -> pd.DataFrame:
    """List who read which source: the coders listed with it, and all who coded it."""
    parts = [pd.DataFrame({"source_id": ids[codings["case"]].array, "coder": codings["coder"]})]
    if project.readings is not None:
        case = study.places()[project.readings["case"].to_numpy(int)]
        known = project.readings.assign(case=case)
        known = known[known["case"] >= 0]
        coder = known["coder"].map(project.coders).array
        parts.append(pd.DataFrame({"source_id": ids[known["case"]].array, "coder": coder}))
    variable = study.codebook.only("coders")
    if variable:
        names = {**project.coders, **{name: name for name in project.coders.values()}}
        fix = f"correct the names, or 'separator' in {shown(study.codebook.path)}"
        users, found = "users of the project", "a coder who is none of the project's users"
        if study.codebook.only("code"):
            users, found = "those who coded segments", "a coder who has no segment in the list"
            fix += "; or give the coder a row with a code that is mapped to ignore"

        def meaning(text: str) -> list[str]:
            listed = [canonical(one) for one in text.split(variable.separator)]
            for one in filter(None, listed):
                if one not in names:
                    raise decoders.InvalidValue(
                        "unknown-label",
                        f"names of {users}",  # which are nobody's business here
                        fix,
                        found,
                    )
            return [names[one] for one in listed if one]

        listed = study.decode(variable.name, meaning).explode()
        parts.append(pd.DataFrame({"source_id": ids[listed.index].array, "coder": listed.array}))
    return pd.concat(parts).dropna().drop_duplicates(ignore_index=True)


def codings(
    study: Study, project: RawProject, ids: pd.Series, sites: pd.Series, secret: bytes
) -> tuple[pd.DataFrame, pd.DataFrame, list[str]]:
    """Make the tables of codings and readings, and the list of codes that nobody mapped."""
    codebook = study.codebook
    mapping = {canonical(name): code for name, code in codebook.codes.items()}
    spelt = _code_names(project.codes, mapping)
    for name in dict.fromkeys(spelt.values()):
        paths = sorted("/".join(project.codes[one]) for one in spelt if spelt[one] == name)
        if len(paths) > 1 and mapping.get(name, IGNORE) != IGNORE:
            study.problems.append(
                codebook.document.problem(
                    ("codes", name),
                    f"'{name}', which stands for {len(paths)} codes: {', '.join(paths)}",
                    "one code for each name",
                    f"list the codes by their whole paths in {shown(codebook.path)}",
                    study=codebook.study.id,
                    code="unknown-label",
                )
            )
    codings = project.codings.assign(
        case=study.places()[project.codings["case"].to_numpy(int)],
        name=project.codings["code"].map(spelt),
        coder=project.codings["coder"].map(project.coders),
    )
    codings = codings[codings["case"] >= 0].reset_index(drop=True)
    for name in codings["name"][~codings["name"].isin(list(mapping))].unique():
        if "row" in codings:
            study.problems += unknown_codes(codebook, codings)
            break
        hits = np.isin(np.arange(len(study.kept)), codings["case"][codings["name"] == name])
        study.report(
            hits,
            "code",
            f"the code {quoted(name)}.{did_you_mean(name, mapping)}",
            "a code that the codebook lists under 'codes'",
            f"map the code to one of the vocabulary, or to {IGNORE}, in {shown(codebook.path)}",
            "unknown-label",
        )
    for name in mapping:
        if name not in spelt.values():
            place = ("codes", next(key for key in codebook.codes if canonical(key) == name))
            study.problems.append(
                codebook.document.problem(
                    place,
                    f"the code '{name}'.{did_you_mean(name, spelt.values())}",
                    f"a code of {shown(codebook.data_path)}",
                    study=codebook.study.id,
                    code="unknown-label",
                )
            )
    readings = _readings(study, project, codings, ids)
    if study.problems:
        return schema.empty("codings"), schema.empty("readings"), []

    coders = pseudonyms.coders(codebook.study.id, readings["coder"], secret)
    readings = readings.assign(
        study_id=codebook.study.id, coder_id=readings["coder"].map(coders)
    ).sort_values(["source_id", "coder_id"], ignore_index=True)
    double = readings.groupby("source_id")["coder_id"].nunique().gt(1)

    codings = codings.assign(code_id=codings["name"].map(mapping))
    codings = codings[codings["code_id"] != IGNORE].reset_index(drop=True)
    codings = codings.assign(
        study_id=codebook.study.id,
        source_id=ids[codings["case"]].array,
        org_id=sites[codings["case"]].array,
        coder_id=codings["coder"].map(coders),
    ).sort_values(["source_id", "start", "end", "coder_id", "code_id"], ignore_index=True)
    segment = codings.groupby(["source_id", "start", "end"], sort=False).ngroup()
    first = segment.groupby(codings["source_id"]).transform("min")
    number = (segment - first + 1).astype("str").str.zfill(4)
    codings = codings.assign(
        segment_id=codings["source_id"].astype("str") + "-s" + number,
        is_double_coded=codings["source_id"].map(double),
    ).drop_duplicates(list(schema.TABLES["codings"].key), ignore_index=True)
    branches = {path[:-1] for path in project.codes.values()}
    unmapped = [
        name
        for one, name in spelt.items()
        if name not in mapping and project.codes[one] not in branches and "row" not in codings
    ]
    return schema.shape("codings", codings), schema.shape("readings", readings), unmapped


def _code_names(codes: Mapping[str, tuple[str, ...]], mapping: Mapping[str, str]) -> dict[str, str]:
    """Name each code as the codebook does: by its whole path if that is listed, else by its end."""
    whole = {guid: "/".join(path) for guid, path in codes.items()}
    return {guid: whole[guid] if whole[guid] in mapping else codes[guid][-1] for guid in codes}

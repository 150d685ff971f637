"""Respondents, assignments and measurements of a study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from metastudy.harmonize import copies, decoders, pseudonyms
from metastudy.harmonize.study_state import Study
from metastudy.harmonized import crossed, schema

__all__ = ["assignments", "check_attributes", "measurements", "places", "respondents"]

_PLACES = (
    ("country", "countries"),
    ("sector", "sectors"),
    ("arrangement", "arrangements"),
    ("role", "roles"),
)


def respondents(
    study: Study, ids: pd.Series, sites: pd.Series, clusters: pd.Series
) -> pd.DataFrame:
    """One row per respondent: who, where, with traits and weight as the codebook declares them.

    Parameters
    ----------
    study : with the rows that are kept.
    ids, sites, clusters : pseudonyms, shape (rows,).

    Returns
    -------
    The table ``respondents`` of :mod:`metastudy.harmonized.schema`.
    """
    codebook = study.codebook
    data: dict[str, Any] = {
        "study_id": codebook.study.id,
        "respondent_id": ids,
        "org_id": sites,
        "cluster_id": clusters,
        "lang": codebook.study.language,
        "weight": np.nan,
        "provenance": codebook.study.provenance,
    }
    weight = codebook.only("weight")
    if weight:
        data["weight"] = study.decode(weight.name, decoders.weight(weight))
    for role, section in _PLACES:
        variable = codebook.only(role)
        options = codebook.vocabulary[section]
        data[role] = (
            study.decode(variable.name, decoders.entry(variable, options))
            if variable
            else getattr(codebook.study, role)
        )
    for variable in codebook.having("trait"):
        reader = decoders.years if variable.trait == "tenure_yrs" else decoders.label
        data[str(variable.trait)] = study.decode(variable.name, reader(variable))
    data.setdefault("tenure_yrs", np.nan)
    return schema.shape("respondents", data)


def check_attributes(study: Study, respondents: pd.DataFrame) -> None:
    """Report values of an organisational attribute that are no level of its factor."""
    for exposure in study.codebook.exposures:
        if exposure.attribute:
            levels = study.codebook.vocabulary.levels(exposure.attribute)
            values = respondents[exposure.attribute]
            for value in values[~values.isin(list(levels)) & values.notna()].unique():
                variable = study.codebook.only(exposure.attribute)
                study.report(
                    values.eq(value).to_numpy(),
                    variable.name if variable else exposure.attribute,
                    f"the {exposure.attribute} is {study.spelt(str(value))}",
                    f"a level of the factor '{exposure.attribute}': {', '.join(levels)}",
                    "correct the value, or take the exposure out of the codebook",
                    "unknown-label",
                )


def assignments(study: Study, ids: pd.Series) -> crossed.Crossed:
    """Say which level of each factor each respondent was assigned to; some to none."""
    found = []
    for variable in study.codebook.having("factor"):
        positions, raw = study.translate(variable.name, decoders.levels(variable))
        for factor, levels in variable.factors.items():
            known = [text for text in raw if text in levels]
            kinds = pd.DataFrame(
                {
                    "study_id": study.codebook.study.id,
                    "vignette": variable.vignette,
                    "factor": factor,
                    "level": [levels[text] for text in known],
                    "randomised": variable.randomised,
                }
            )
            code = [known.index(text) if text in levels else -1 for text in raw]
            codes = np.array(code, dtype=int)[positions]
            found.append(((variable.vignette is None, variable.vignette, factor), kinds, codes))
    found.sort(key=lambda one: one[0])
    return crossed.crossed(
        "assignments", ids, [kinds for _, kinds, _ in found], [codes for _, _, codes in found]
    )


def measurements(study: Study, ids: pd.Series) -> crossed.Crossed:
    """Say which of its different answers to each item each respondent gave."""
    items = sorted(
        study.codebook.having("item"),
        key=lambda item: (item.vignette or "", item.construct or "", item.name),
    )
    kinds, codes = [], []
    for item in items:
        positions, found = study.translate(item.name, decoders.number(item))
        pairs = [pair or (np.nan, "system") for pair in found]
        raw = np.array([number for number, _ in pairs], dtype=float)
        low, high = float(item.min or 0), float(item.max or 0)
        aligned = low + high - raw if item.keying == "reverse" else raw
        kinds.append(
            pd.DataFrame(
                {
                    "study_id": study.codebook.study.id,
                    "vignette": item.vignette,
                    "construct": item.construct,
                    "item_id": item.item or item.name,
                    "value_raw": raw,
                    "missing_reason": [reason for _, reason in pairs],
                    "scale_min": item.min,
                    "scale_max": item.max,
                    "reverse_keyed": item.keying == "reverse",
                    "value_aligned": aligned,
                    "value_pomp": 100 * (aligned - low) / (high - low),
                }
            )
        )
        codes.append(positions)
    kinds, codes = copies.joined(study, items, kinds, codes)
    return crossed.crossed("measurements", ids, kinds, codes)


def places(study: Study, role: str, secret: bytes, kind: str) -> pd.Series:
    """Give each kept row the pseudonym of its site or cluster."""
    variable = study.codebook.only(role)
    if variable is None:
        return pd.Series(pd.NA, index=range(len(study.kept)), dtype="str")
    positions, names = study.translate(variable.name, decoders.label(variable))
    known = pseudonyms.organisations(study.codebook.study.id, filter(None, names), secret, kind)
    return schema.coded(positions, [known.get(name) for name in names])

"""All studies beside each other: what is crossed with what, what is aliased, what compares.

Made from what :mod:`metastudy.data_report.inspection.study` says of each study, and from nothing
else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
import pandas as pd

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.tables import JOINT
from metastudy.common.unsaid import UNSAID
from metastudy.data_report.inspection.values import Inspection, Scale
from metastudy.design.identification import identify

__all__ = [
    "ALIASES",
    "GROUPINGS",
    "Comparison",
    "aliases",
    "comparability",
    "congruence",
    "settings",
]

GROUPINGS = ("study", "country", "sector", "role", "arrangement")
ALIASES = ["module", "grouping", "levels", "used_as", "aliased_with", "reason"]
LEAST_ITEMS = 3  # shared ones: with two, loadings always agree


@dataclass(frozen=True)
class Comparison:
    """Whether the items of a construct compare between two studies."""

    construct: str
    studies: tuple[str, str]
    languages: tuple[str | None, str | None]
    shared: int  # items
    congruence: float | None
    verdict: str


def settings(studies: Sequence[Inspection]) -> pd.DataFrame:
    """List the settings: one row a study, country, sector, role and arrangement.

    Returns
    -------
    Columns :data:`GROUPINGS`, ``n`` (a number or a text such as ``<5``), ``exposure_types`` and
    ``published`` (whether ``n`` counts published findings).
    """
    rows = [
        {"study": study.study}
        | {name: getattr(place, name) for name in GROUPINGS[1:]}
        | {
            "n": place.n,
            "exposure_types": tuple(study.exposure_types),
            "published": study.published is not None,
        }
        for study in studies
        for place in study.places
    ]
    return pd.DataFrame(rows, columns=[*GROUPINGS, "n", "exposure_types", "published"])


def aliases(studies: Sequence[Inspection], vocabulary: Vocabulary) -> pd.DataFrame:
    """Tell for each module, and for all together, which groupings the settings can tell apart.

    The groupings are :data:`GROUPINGS` and the kinds of exposure.

    Published findings are left out: they are not modelled.

    Returns
    -------
    Columns :data:`ALIASES`; an empty module means all studies.
    """
    own = [study for study in studies if study.published is None]
    parts = []
    for module in ("", *vocabulary["modules"]):
        inside = [
            study
            for study in own
            if not module or module in {vocabulary.module(name) for name in study.outcomes}
        ]
        units = settings(inside)
        if len(units):
            units["exposures"] = units["exposure_types"].map(JOINT.join)
            groupings = (*GROUPINGS, "exposures")
            for name in GROUPINGS[1:]:
                units[name] = units[name].fillna(UNSAID + units["study"])
            found = identify(units.astype(dict.fromkeys(groupings, str)), groupings)
            parts.append(found.table.assign(module=module))
    if not parts:
        return pd.DataFrame(columns=ALIASES)
    return pd.concat(parts, ignore_index=True)[ALIASES]


def congruence(first: Mapping[str, float], second: Mapping[str, float]) -> float | None:
    """Tucker's coefficient of congruence of two sets of loadings on the items that they share.

    The sum of products over the root of the product of the sums of squares; from 0.95 on, factors
    count as equal (Lorenzo-Seva and ten Berge 2006). Missing below three shared items.
    """
    shared = sorted(set(first) & set(second))
    if len(shared) < LEAST_ITEMS:
        return None
    a, b = (np.array([loading[item] for item in shared]) for loading in (first, second))
    return float((a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum()))


def comparability(studies: Sequence[Inspection]) -> list[Comparison]:
    """Tell for each construct that several studies measured whether its items compare.

    Items are the same where their construct and their name are. Two studies in different
    languages are compared by the :func:`congruence` of their items' loadings.

    Returns
    -------
    One for each construct and pair of studies.
    """
    scales: dict[str, dict[str, Scale]] = {}
    for study in studies:
        for scale in study.answers.scales if study.answers else ():
            # a construct in several situations has the same items' worth in the first of them
            scales.setdefault(scale.construct, {}).setdefault(study.study, scale)
    spoken = {study.study: study.about.get("language") for study in studies}
    rows: list[Comparison] = []
    for construct, by_study in scales.items():
        for a, b in combinations(by_study, 2):
            names = [set(by_study[study].names) for study in (a, b)]
            weights = [by_study[study].loadings or {} for study in (a, b)]
            shared, value = len(names[0] & names[1]), congruence(*weights)
            if None in (spoken[a], spoken[b]):
                verdict, value = "not testable: a language is not recorded", None
            elif spoken[a] == spoken[b]:
                verdict, value = "one language: nothing to test", None
            elif not shared:
                verdict = "not testable: no item in common"
            elif value is None:
                verdict = f"not testable: fewer than {LEAST_ITEMS} items in common"
            else:
                verdict = "comparable" if value >= 0.95 else "not comparable"
            rows.append(
                Comparison(
                    construct=construct,
                    studies=(a, b),
                    languages=(spoken[a], spoken[b]),
                    shared=shared,
                    congruence=value,
                    verdict=verdict,
                )
            )
    return rows

"""Concordance: what the models say of each published finding, in the terms of the finding.

A direction asks how much posterior mass lies on its side of zero; a null, or what was expected and
not supported, asks how much lies inside the region of practical equivalence. Where the contrast
rests on simulated data the generator has decided that, and no probability is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.directions import findings
from metastudy.evidence import Evidence, drawn, records

__all__ = ["CONCORDANCE", "concordance"]

CONCORDANCE = [
    "finding_id",
    "citation",
    "finding",  # what was contrasted, in the words of the publication
    "direction",  # positive, negative, null_result or not_supported
    "module",
    "contrast",  # id of the contrast here
    *("exposure", "exposure_type", "outcome", "level", "group", "vignette", "metric"),
    *("mean", "lower", "upper", "mcse"),
    "asked",  # what the finding lets one ask: its direction, or the region of equivalence
    "mass",  # posterior probability of that; missing where it is so by construction
    "provenance",
]
METRICS = ("sd", "log_odds")
SIGNS = {"positive": 1.0, "negative": -1.0}


def concordance(evidence: Evidence) -> pd.DataFrame:
    """Every published finding that has a contrast here beside that contrast.

    A contrast matches in exposure, exposure type and outcome; in the vignette, where the finding is
    about one alone. A finding about a family's outcomes as a whole stands beside each of them.
    Interactions have no contrast here.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`CONCORDANCE`, one row per finding and contrast. ``mass`` comes from the
        draws, and is missing where the contrast rests on simulated data or its draws are not given.
    """
    rows = [
        row
        for finding in records(findings(evidence))
        for module in evidence.contrasts
        for row in _beside(evidence, finding, module)
    ]
    return pd.DataFrame(rows, columns=CONCORDANCE)


def _beside(evidence: Evidence, finding: Mapping[str, Any], module: str) -> Iterator[dict]:
    found = records(_matching(evidence, finding, module))
    observed = [str(row["id"]) for row in found if "simulated" not in row["provenance"]]
    draws = drawn(evidence, module, observed)
    for row in found:
        sign = SIGNS.get(finding["direction"])
        rope = evidence.rope(row["metric"])
        values = draws.get(row["id"])
        mass = np.nan
        if values is not None:
            inside = values * sign > 0 if sign else np.abs(values) <= rope
            mass = float(inside.mean())
        yield {name: row[name] for name in CONCORDANCE if name in row} | {
            "finding_id": finding["finding_id"],
            "citation": finding["citation"],
            "finding": finding["contrast"],
            "direction": finding["direction"],
            "contrast": row["id"],
            "asked": "direction" if sign else "equivalence",
            "mass": mass,
        }


def _matching(evidence: Evidence, finding: Mapping[str, Any], module: str) -> pd.DataFrame:
    """The contrasts of a module that a finding is about."""
    table = evidence.contrasts[module]
    effects = table[table["variant"].eq("main") & table["estimand"].eq("effect")]
    effects = effects[effects["metric"].isin(METRICS)]
    if pd.isna(finding["exposure"]) or finding["term"] == "interaction":
        return effects.head(0)
    effects = effects[effects["exposure_type"].eq(finding["exposure_type"])]
    name = effects["exposure"].map(
        lambda key: evidence.labels.exposure(key, finding["exposure_type"]).name
    )
    effects = effects[name.eq(finding["exposure"]) & _about(evidence, finding, effects["outcome"])]
    if isinstance(vignette := finding.get("vignette"), str) and vignette:
        return effects[effects["level"].eq("study") & effects["vignette"].eq(vignette)]
    return effects[effects["level"].isin(["population", "code"])]


def _about(evidence: Evidence, finding: Mapping[str, Any], outcomes: pd.Series) -> pd.Series:
    """Whether an outcome is that of a finding, or of the family that it speaks of as a whole."""
    vocabulary = evidence.vocabulary
    if any(finding["outcome"] in vocabulary[s] for s in ("constructs", "codes", "families")):
        return outcomes.eq(finding["outcome"])
    mean = outcomes.isin(list(vocabulary["families"]))  # of a family's codes: no outcome of its own
    return ~mean & outcomes.where(~mean).map(vocabulary.family, na_action="ignore").eq(
        finding["family"]
    )

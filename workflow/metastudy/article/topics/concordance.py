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

from metastudy.article import figure_rows
from metastudy.article.results import Results, drawn
from metastudy.article.table_rows import METRICS, columns_of, rope_label
from metastudy.article.topics import published
from metastudy.article.topics.published import SAID, findings
from metastudy.article.variable_tree import Tree
from metastudy.common.tables import records, split_values
from metastudy.display.formatting import count, inline, interval, number, probability, share
from metastudy.display.pipe_table import Table

__all__ = ["CONCORDANCE", "beside", "concordance", "table", "variables"]

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
MATCHED_METRICS = ("sd", "log_odds")
SIGNS = {"positive": 1.0, "negative": -1.0}


def concordance(evidence: Results) -> pd.DataFrame:
    """Every published finding that has a contrast here beside that contrast, with its mass.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`CONCORDANCE`, those of :func:`beside` and ``mass``, which comes from the
        draws, and is missing where the contrast rests on simulated data or its draws are not given.
    """
    found = beside(evidence)
    draws: dict[str, np.ndarray] = {}
    observed = found[~found["provenance"].astype(str).str.contains("simulated")]
    for module, mine in observed.groupby("module", sort=False):
        draws |= drawn(evidence, str(module), map(str, mine["contrast"]))
    mass = [_inside(evidence, row, draws.get(str(row["contrast"]))) for row in records(found)]
    return found.assign(mass=np.array(mass, dtype=float))[CONCORDANCE]


def _inside(evidence: Results, row: Mapping[str, Any], draws: np.ndarray | None) -> float:
    """The share of draws on the side of a finding, or inside the region of equivalence."""
    if draws is None:
        return float("nan")
    sign = SIGNS.get(row["direction"])
    inside = draws * sign > 0 if sign else np.abs(draws) <= evidence.rope(row["metric"])
    return float(inside.mean())


def beside(evidence: Results) -> pd.DataFrame:
    """Every published finding that has a contrast here beside that contrast.

    A contrast matches in exposure, exposure type, outcome and role; in the vignette, where the
    finding is about one alone. A finding about a family's outcomes as a whole is beside each of
    them. Interactions have no contrast here.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`CONCORDANCE` but ``mass``, one row per finding and contrast.
    """
    rows = [
        row
        for finding in records(findings(evidence))
        for module in evidence.contrasts
        for row in _beside(evidence, finding, module)
    ]
    return pd.DataFrame(rows, columns=[name for name in CONCORDANCE if name != "mass"])


def _beside(evidence: Results, finding: Mapping[str, Any], module: str) -> Iterator[dict]:
    for row in records(_matching(evidence, finding, module)):
        yield {name: row[name] for name in CONCORDANCE if name in row} | {
            "finding_id": finding["finding_id"],
            "citation": finding["citation"],
            "finding": finding["contrast"],
            "direction": finding["direction"],
            "contrast": row["id"],
            "asked": "direction" if finding["direction"] in SIGNS else "equivalence",
        }


def _matching(evidence: Results, finding: Mapping[str, Any], module: str) -> pd.DataFrame:
    """The contrasts of a module that a finding is about."""
    table = evidence.contrasts[module]
    effects = table[table["variant"].eq("main") & table["estimand"].eq("effect")]
    effects = effects[effects["metric"].isin(MATCHED_METRICS)]
    if pd.isna(finding["exposure"]) or finding["term"] == "interaction":
        return effects.head(0)
    effects = effects[_of_role(finding, effects["role"])]
    effects = effects[effects["exposure_type"].eq(finding["exposure_type"])]
    name = effects["exposure"].map(
        lambda key: evidence.labels.exposure(key, finding["exposure_type"]).name
    )
    effects = effects[name.eq(finding["exposure"]) & _about(evidence, finding, effects["outcome"])]
    if isinstance(vignette := finding.get("vignette"), str) and vignette:
        return effects[effects["level"].eq("study") & effects["vignette"].eq(vignette)]
    return effects[effects["level"].isin(["population", "code"])]


def _of_role(finding: Mapping[str, Any], roles: pd.Series) -> pd.Series:
    """Whether a contrast is of the people that a finding is about; who is not stated may be."""
    role = finding["role"]
    if pd.isna(role) or not role:
        return roles.eq(roles)
    return roles.map(lambda name: not name or str(role) in split_values(name)).astype(bool)


def _about(evidence: Results, finding: Mapping[str, Any], outcomes: pd.Series) -> pd.Series:
    """Whether an outcome is that of a finding, or of the family that it speaks of as a whole."""
    vocabulary = evidence.vocabulary
    if any(finding["outcome"] in vocabulary[s] for s in ("constructs", "codes", "families")):
        return outcomes.eq(finding["outcome"])
    mean = outcomes.isin(list(vocabulary["families"]))  # of a family's codes: no outcome of its own
    return ~mean & outcomes.where(~mean).map(vocabulary.family, na_action="ignore").eq(
        finding["family"]
    )


def table(evidence: Results) -> Table:
    """Each published finding that has a contrast here, and what the posterior says of it."""
    labels, found, rows = evidence.labels, concordance(evidence), []
    for row in records(found):
        outcome = labels.outcome(row["outcome"])
        if row["vignette"]:
            outcome += f", {inline(figure_rows.vignette_label(evidence, row['vignette']))}"
        same = found[["finding_id", "outcome", "vignette"]].eq(
            [row[k] for k in ("finding_id", "outcome", "vignette")]
        )
        if same.all(axis=1).sum() > 1 and row["group"]:
            outcome += f" ({inline(labels.setting(row['group']))})"
        rows.append(
            {
                "Finding": row["finding"],
                "Published": SAID[row["direction"]],
                "Source": f"@{row['citation']}",
                "Outcome here": outcome,
                "Estimate": f"{number(row['mean'])} {METRICS[row['metric']]}",
                f"{share(evidence.interval)} interval": interval(row["lower"], row["upper"]),
                "Posterior mass": _mass(row),
            }
        )
    shown = pd.DataFrame(rows, columns=columns_of(rows))
    if rows:  # a finding about several outcomes is listed once
        again = found["finding_id"].eq(found["finding_id"].shift())
        for column in ("Finding", "Published", "Source"):
            shown[column] = shown[column].mask(again, "")
    caption = (
        "Concordance: published findings beside the contrast here that is about the same exposure "
        "and outcome. The posterior mass is that in the direction of the finding; for what was not "
        "significant or not supported, that inside the region of practical equivalence "
        f"({rope_label(evidence)}, log-odds ±{evidence.rope('log_odds'):g}). By construction: the "
        "contrast rests on simulated data, and is no evidence."
    )
    return Table(shown, found, caption, tuple(found["provenance"]))


def _mass(row: Mapping[str, Any]) -> str:
    if "simulated" in row["provenance"]:
        return "by construction"
    where = "direction" if row["asked"] == "direction" else "equivalence"
    return "–" if pd.isna(row["mass"]) else f"{probability(row['mass'])} ({where})"


def variables(evidence: Results) -> Tree:
    """How many findings are known, what they say by outcome, and how many have a contrast here.

    Directions are never counted over unlike outcomes.
    """
    found = published.findings(evidence)
    if not len(found):
        return {}
    by_outcome = published.outcomes(evidence)
    return {
        "count": str(len(found)),
        "studies": count(found["citation"].nunique()),
        "with_error_sentence": _with_error(
            int((found["estimate"].notna() & found["se"].notna()).sum())
        ),
        "bounds": count(len(published.bounds(evidence))),
        "oriented": count(len(by_outcome)),
        "tested": count(int(by_outcome["share"].notna().sum())),
        "sign_test_sentence": published.sign_test_sentence(by_outcome),
        "concordance": _concordance_variables(concordance(evidence), len(found)),
    }


def _concordance_variables(beside: pd.DataFrame, findings: int) -> Tree:
    """How many findings have a contrast here, and which of them are no evidence for it."""
    matched = beside["finding_id"].nunique()
    built = beside.loc[beside["provenance"].str.contains("simulated"), "finding_id"].nunique()
    if not built:
        said = ""
    elif built == matched:
        said = (
            "All of these contrasts rest on simulated data: they agree or disagree by "
            "construction, and no probability is shown."
        )
    else:
        said = (
            f"Of these, {count(built)} {'rests' if built == 1 else 'rest'} on simulated data: "
            "there agreement is by construction, and no probability is shown."
        )
    return {
        "matched": count(matched),
        "unmatched": count(findings - matched),
        "contrasts": count(len(beside)),
        "by_construction": count(built),
        "sentence": said,
    }


def _with_error(known: int) -> str:
    if not known:
        return "None comes with a standard error, so none is pooled."
    return (
        f"{count(known, capital=True)} {'comes' if known == 1 else 'come'} with a standard error."
    )

"""Directions of effect: where everything meets that has a sign, and nothing is added up.

The published findings, what the models say, and the ratings of single cases stand beside each other
as signs (an effect direction plot, after Thomson and Thomas 2013). Bounds that a published null
implies are derived here from its sample size alone, and kept apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from metastudy.design import FULL_FROM
from metastudy.evidence import Evidence, StudyEvidence, records
from metastudy.wording import inline, words

__all__ = [
    "BOUNDS",
    "DIRECTIONS",
    "PUBLISHED",
    "aliases",
    "bounds",
    "directions",
    "findings",
    "outcome_label",
]

DIRECTIONS = [
    "section",  # published, a module, or cases
    "heading",
    "row",
    "column",
    "direction",  # positive, negative, equivalent, unclear, null_result or not_supported
    "n",
    "study",
    "exposure",
    "exposure_type",
    "outcome",
    "provenance",
]
BOUNDS = ["finding_id", "citation", "row", "outcome", "n", "se", "bound", "verification"]
PLACES = ("study", "country", "sector")
PUBLISHED = ("positive", "negative", "null_result", "not_supported")
_OF_VERDICT = {
    "higher": "positive",
    "lower": "negative",
    "equivalent": "equivalent",
    "imprecise": "unclear",
}
_OF_RATING = {1.0: "positive", 0.0: "neutral", -1.0: "negative"}


def directions(evidence: Evidence) -> pd.DataFrame:
    """Every sign of the evidence, one row each.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`DIRECTIONS`: published findings about the modules' outcomes, the population
        contrasts of the models (by verdict), and ratings of cases, each case by itself.
    """
    rows = [*_published(evidence), *_modelled(evidence), *_rated(evidence)]
    return pd.DataFrame(rows, columns=DIRECTIONS)


def aliases(evidence: Evidence) -> pd.DataFrame:
    """What the design of each module identifies, grouping by grouping, as signs.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`DIRECTIONS`; ``direction`` is ``full``, ``dominated``, ``contrast``,
        ``alias`` or ``single``.
    """
    structure = evidence.synthesis["structure"].fillna("")
    rows = []
    for module, table in evidence.contrasts.items():
        mine = structure[(structure["module_or_family"] == module) & (structure["outcome"] == "")]
        found = {(r["exposure"], r["grouping"]): r for r in records(mine)}
        effects = table[table["estimand"] == "effect"]
        types = dict(zip(effects["exposure"], effects["exposure_type"], strict=True))
        marks = dict(zip(effects["exposure"], effects["provenance"], strict=True))
        columns = [*PLACES, *(g for g in dict.fromkeys(mine["grouping"]) if g not in PLACES)]
        for exposure, kind in types.items():
            said = evidence.labels.exposure(exposure, kind)
            row = f"{said.label} ({inline(evidence.labels.of(kind, 'exposure_types'))})"
            for grouping in columns:
                rows.append(
                    {
                        "section": module,
                        "heading": evidence.vocabulary.label("modules", module),
                        "row": row,
                        "column": words(grouping),
                        "direction": _used(found.get((exposure, grouping))),
                        "n": "",
                        "study": "",
                        "exposure": exposure,
                        "exposure_type": kind,
                        "outcome": grouping,
                        "provenance": marks[exposure],
                    }
                )
    return pd.DataFrame(rows, columns=DIRECTIONS)


def _used(row: Mapping[str, Any] | None) -> str:
    if row is None or row["levels"] == 1:
        return "single"
    if row["used_as"] == "varying":
        return "full" if row["levels"] >= FULL_FROM else "dominated"
    return "contrast" if row["used_as"] == "contrast" else "alias"


def findings(evidence: Evidence) -> pd.DataFrame:
    """The published findings of all studies, in the order of their files' ids."""
    tables = [study.findings for study in evidence.published if len(study.findings)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def bounds(evidence: Evidence) -> pd.DataFrame:
    """What a published null main effect of known sample size bounds, if it was balanced.

    A two-level contrast with half of n independent respondents on each side has a standard error
    of about 2 / sqrt(n) standard deviations; not significant at 5% then means an estimate within
    1.96 of those of nought. None of this was published.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`BOUNDS`; ``se`` and ``bound`` in standard deviations.
    """
    found = findings(evidence)
    if not len(found):
        return pd.DataFrame(columns=BOUNDS)
    main = found["direction"].eq("null_result") & found["term"].ne("interaction")
    nulls = found[main & found["n"].notna()]
    se = 2 / np.sqrt(nulls["n"])
    labels = [outcome_label(evidence, name) for name in nulls["outcome"]]
    table = nulls.assign(
        row=nulls["contrast"], outcome=labels, se=se, bound=1.96 * se, verification="derived_bound"
    )
    return table[BOUNDS].reset_index(drop=True)


def outcome_label(evidence: Evidence, name: str) -> str:
    """The label of a published outcome: that of the vocabulary, or its own name as words."""
    known = any(name in evidence.vocabulary[s] for s in ("constructs", "codes", "families"))
    return evidence.labels.outcome(name) if known else words(name)


def _published(evidence: Evidence) -> list[dict[str, Any]]:
    """The findings about what the modules are about; the table of findings has the others too."""
    families = evidence.vocabulary["families"]
    place = {name: at for at, name in enumerate(families)}
    ours = [r for r in records(findings(evidence)) if families.get(r["family"], {}).get("module")]
    return [
        {
            "section": "published",
            "heading": "Published findings",
            "row": row["contrast"],
            "column": outcome_label(evidence, row["outcome"]),
            "direction": row["direction"],
            "n": "" if pd.isna(row["n"]) else str(round(row["n"])),
            "study": row["citation"],
            "exposure": row["exposure"],
            "exposure_type": row["exposure_type"],
            "outcome": row["outcome"],
            "provenance": row["provenance"],
        }
        for row in sorted(ours, key=lambda row: place[row["family"]])
    ]


def _modelled(evidence: Evidence) -> list[dict[str, Any]]:
    rows = []
    for module, table in evidence.contrasts.items():
        main = table[table["variant"].eq("main") & table["estimand"].eq("effect")]
        main = main[main["level"].eq("population") & main["metric"].isin(["sd", "log_odds"])]
        for row in records(main):
            exposure = evidence.labels.exposure(row["exposure"], row["exposure_type"])
            kind = inline(evidence.labels.of(row["exposure_type"], "exposure_types"))
            rows.append(
                {
                    "section": module,
                    "heading": evidence.vocabulary.label("modules", module),
                    "row": f"{exposure.label} ({kind})",
                    "column": evidence.labels.outcome(row["outcome"]),
                    "direction": _OF_VERDICT[evidence.verdict(row)],
                    "n": "",
                    "study": row["study"],
                    **{c: row[c] for c in ("exposure", "exposure_type", "outcome", "provenance")},
                }
            )
    return rows


def _rated(evidence: Evidence) -> list[dict[str, Any]]:
    return [row for study in evidence.studies for row in _cases(evidence, study)]


def _cases(evidence: Evidence, study: StudyEvidence) -> list[dict[str, Any]]:
    if not len(study.ratings):
        return []
    cases = {case: at + 1 for at, case in enumerate(sorted(set(study.ratings["respondent_id"])))}
    return [
        {
            "section": "cases",
            "heading": "Single cases",
            "row": f"{study.label}, case {cases[row['respondent_id']]}",
            "column": evidence.labels.of(row["dimension"], "dimensions"),
            "direction": _OF_RATING[row["rating"]],
            "n": "",
            "study": study.id,
            "exposure": "",
            "exposure_type": "",
            "outcome": row["dimension"],
            "provenance": study.provenance,
        }
        for row in records(study.ratings)
        if row["rating"] == row["rating"]
    ]

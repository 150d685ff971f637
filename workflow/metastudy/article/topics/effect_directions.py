"""Directions of effect: what the models say and what single cases were rated, as signs.

Nothing is added up. The published findings are in
:mod:`metastudy.article.topics.published_directions`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from metastudy.article.figure_rows import DIRECTIONS
from metastudy.article.results import Results
from metastudy.common.tables import records
from metastudy.display.formatting import inline
from metastudy.harmonized.study import Study
from metastudy.posterior.verdicts import Kind

__all__ = ["PLACES", "figure"]

PLACES = ("study", "country", "sector")
_OF_VERDICT: Mapping[Kind, str] = {
    "clear_higher": "positive",
    "clear_lower": "negative",
    "too_small": "equivalent",
    "higher": "higher",
    "lower": "lower",
    "undecided": "unclear",
}
_OF_RATING = {1.0: "positive", 0.0: "neutral", -1.0: "negative"}


def figure(evidence: Results) -> pd.DataFrame:
    """Every sign of models and cases, one row each.

    Returns
    -------
    pandas.DataFrame
        Columns :data:`DIRECTIONS`: the population contrasts of the models (by verdict), and
        ratings of cases, each case by itself.
    """
    rows = [*_modelled(evidence), *_rated(evidence)]
    return pd.DataFrame(rows, columns=DIRECTIONS)


def _modelled(evidence: Results) -> list[dict[str, Any]]:
    rows = []
    for module, table in evidence.contrasts.items():
        main = table[table["variant"].eq("main") & table["estimand"].eq("effect")]
        main = main[main["level"].eq("population") & main["metric"].isin(["sd", "log_odds"])]
        for row in records(main):
            label = evidence.labels.exposure_with_type(row["exposure"], row["exposure_type"])
            if evidence.several_roles(module):  # no sign is one of several roles together
                label += f": {inline(evidence.labels.of(row['role'], 'roles'))}"
            rows.append(
                {
                    "section": module,
                    "heading": evidence.vocabulary.label("modules", module),
                    "row": label,
                    "column": evidence.labels.outcome(row["outcome"]),
                    "direction": _OF_VERDICT[evidence.verdict(row)],
                    "n": "",
                    "study": row["study"],
                    **{c: row[c] for c in ("exposure", "exposure_type", "outcome", "provenance")},
                }
            )
    return rows


def _rated(evidence: Results) -> list[dict[str, Any]]:
    return [row for study in evidence.studies for row in _cases(evidence, study)]


def _cases(evidence: Results, study: Study) -> list[dict[str, Any]]:
    # A person who can be recognised is not shown with a rating that was invented.
    if not len(study.case_ratings) or study.provenance == "simulated":
        return []
    cases = {
        case: at + 1 for at, case in enumerate(sorted(set(study.case_ratings["respondent_id"])))
    }
    return [
        {
            "section": "cases",
            "heading": "Single cases",
            "row": f"{evidence.labels.study(study.id)}, case {cases[row['respondent_id']]}",
            "column": evidence.labels.of(row["dimension"], "dimensions"),
            "direction": _OF_RATING[row["rating"]],
            "n": "",
            "study": study.id,
            "exposure": "",
            "exposure_type": "",
            "outcome": row["dimension"],
            "provenance": study.provenance,
        }
        for row in records(study.case_ratings)
        if row["rating"] == row["rating"]
    ]

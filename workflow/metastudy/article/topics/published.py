"""Published findings: their directions, bounds and appraisal, as tables and variables."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metastudy.article.results import Evidence
from metastudy.article.table_rows import columns_of
from metastudy.common.tables import records
from metastudy.display.formatting import inline, number, words
from metastudy.display.pipe_table import Table

__all__ = [
    "BOUNDS",
    "PUBLISHED",
    "SAID",
    "appraisal_table",
    "bounds",
    "bounds_table",
    "findings",
    "findings_table",
    "outcome_label",
]

SAID = {
    "positive": "more",
    "negative": "less",
    "null_result": "not significant",
    "not_supported": "not among the supported",
}


def findings_table(evidence: Evidence) -> Table:
    """Published findings with direction, sample size and how far they were seen."""
    found = findings(evidence)
    # The first study of a publication is its own; others are replications.
    own = {study.report["codebook"]["citation"]: study for study in reversed(evidence.studies)}
    rows = [
        {
            "Contrast": words(row["contrast"]),
            "Outcome": outcome_label(evidence, row["outcome"]),
            "Exposure": inline(evidence.labels.of(row["exposure_type"], "exposure_types")),
            "Direction": SAID[row["direction"]],
            "n": "–" if pd.isna(row["n"]) else str(round(row["n"])),
            "Seen": words(row["verification"].removeprefix("published_")).lower(),
            "Also here": inline(evidence.labels.study(own[row["citation"]].id))
            if row["citation"] in own
            else "–",
            "Source": f"@{row['citation']}",
        }
        for row in records(found)
    ]
    caption = (
        "Published findings, as far as their abstracts were seen: real evidence, none of it "
        "simulated. Those of a study whose data are here as well never enter a pool beside them."
    )
    return Table(pd.DataFrame(rows, columns=columns_of(rows)), found, caption, ("observed",))


def bounds_table(evidence: Evidence) -> Table:
    """What published results that are not significant bound, in SD."""
    found = bounds(evidence)
    rows = [
        {
            "Contrast": words(row["row"]),
            "Outcome": row["outcome"],
            "n": str(round(row["n"])),
            "Standard error": number(row["se"], 3),
            "Bound": number(row["bound"]),
            "Source of n": f"@{row['citation']}",
        }
        for row in records(found)
    ]
    caption = (
        "Derived here and published nowhere: what a result that is not significant bounds, in "
        "standard deviations, if its contrast was balanced and its respondents independent."
    )
    return Table(pd.DataFrame(rows, columns=columns_of(rows)), found, caption, ("observed",))


def appraisal_table(evidence: Evidence) -> Table:
    """Risk of bias of each published study by domain, and its certainty."""
    found = evidence.appraisal
    wide = found.pivot(index="study", columns="domain", values="judgement")
    order = list(dict.fromkeys(found["study"]))
    wide = wide.loc[order, list(dict.fromkeys(found["domain"]))]
    certainty = found.drop_duplicates("study").set_index("study")["certainty"]
    shown = wide.apply(lambda column: column.map(words).str.lower())
    shown.columns = [words(str(name)) for name in shown.columns]
    shown.insert(0, "Study", [f"@{name}" for name in order])
    shown["Certainty"] = [words(str(certainty[name])).lower() for name in order]
    caption = (
        "Risk of bias and certainty of the published studies, judged from what could be seen of "
        "them; most of it is not assessed, because only abstracts were seen."
    )
    return Table(shown.reset_index(drop=True), found, caption, ("observed",))


BOUNDS = ["finding_id", "citation", "row", "outcome", "n", "se", "bound", "verification"]
PUBLISHED = ("positive", "negative", "null_result", "not_supported")


def findings(evidence: Evidence) -> pd.DataFrame:
    """The published findings of all studies, in the order of their files' ids."""
    tables = [study.effects for study in evidence.published if len(study.effects)]
    return pd.concat(tables, ignore_index=True) if tables else pd.DataFrame()


def bounds(evidence: Evidence) -> pd.DataFrame:
    """What a published null main effect of known sample size bounds, if it was balanced.

    A two-level contrast with half of n independent respondents on each side has a standard error
    of about 2 / sqrt(n) standard deviations; not significant at 5% then means an estimate within
    1.96 of those of zero. None of this was published.

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

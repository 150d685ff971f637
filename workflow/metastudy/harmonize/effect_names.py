"""Names in a table of findings: whether the vocabulary has them, and what it says of them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

import pandas as pd

from metastudy.codebook.codebook import Variable
from metastudy.harmonize.study_state import Study

__all__ = ["families", "report_misspelt"]

SECTIONS = {
    "outcome": ("constructs", "codes", "families"),
    "exposure": ("factors", "constructs"),
}
NEAR = 0.85  # likeness (Ratcliff and Obershelp) from which a name is taken for a misspelt one
NUMBER = re.compile(r"\d+")


def report_misspelt(study: Study, fields: Mapping[str, Variable], entered: pd.DataFrame) -> None:
    """Report outcomes and exposures that are no names of the vocabulary, but nearly one.

    A finding may be about something that the vocabulary does not have; a misspelt name would be
    taken for that, and pool with nothing. Names that differ in a number, or in their first letter
    as opposites do (``fairness`` and ``unfairness``), are different ones.

    Parameters
    ----------
    study : its problems are added to.
    fields : the variable of each field.
    entered : a row a finding, a column a field that was entered.
    """
    for field, sections in SECTIONS.items():
        if field not in entered:
            continue
        known = {name for section in sections for name in study.codebook.vocabulary[section]}
        column = fields.get(field, study.codebook.having("id")[0]).name
        said = entered[field].astype("str")
        for name in said[entered[field].notna() & ~said.isin(list(known))].unique():
            alike = [
                one
                for one in known
                if NUMBER.findall(one) == NUMBER.findall(name) and one[:1] == name[:1]
            ]
            for right in get_close_matches(name, alike, n=1, cutoff=NEAR):
                study.report(
                    said.eq(name).to_numpy(),
                    column,
                    f"the {field} '{name}', which the vocabulary does not have. "
                    f"Did you mean '{right}'?",
                    f"a name of the vocabulary, or one that is unlike all of its {field}s",
                    f"write {right}; if it is another {field}, declare it in a section "
                    "`vocabulary:` of the codebook",
                    "unknown-label",
                )


def families(study: Study, fields: Mapping[str, Variable], entered: pd.DataFrame) -> pd.Series:
    """The family of each finding: what its row says, else that of its outcome in the vocabulary.

    A study's own estimates have the family of the vocabulary, and effects pool within one family
    only. So a row that says another one is reported, ``contradiction``.

    Parameters
    ----------
    study : its problems are added to.
    fields : the variable of each field.
    entered : a row a finding, a column a field that was entered.

    Returns
    -------
    Shape (findings,); missing where neither says one.
    """
    outcome = entered["outcome"] if "outcome" in entered else pd.Series(None, entered.index)
    known = outcome.map(study.codebook.vocabulary.family_of, na_action="ignore").astype("str")
    if "family" not in entered:
        return known
    said = entered["family"].astype("str")
    other = said.notna() & known.notna() & said.ne(known)
    column = fields.get("family", study.codebook.having("id")[0]).name
    kinds = zip(outcome[other], said[other], known[other], strict=True)
    for name, wrong, right in dict.fromkeys(kinds):
        study.report(
            (other & outcome.eq(name) & said.eq(wrong)).to_numpy(),
            column,
            f"the family {wrong} for {name}",
            f"{right}, its family in the vocabulary",
            "leave the family out, or give the outcome another name: effects on one outcome in two "
            "families do not pool",
            "contradiction",
        )
    return said.fillna(known)

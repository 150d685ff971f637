"""Names in a table of findings: whether the vocabulary has them, and what it says of them."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from metastudy.codebook.codebook import Variable
from metastudy.harmonize.study_state import Study

__all__ = ["families"]


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

"""What stands at the edge of a table and is no row of it: sums, and notes below it."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metastudy.common.problems import place_of_rows
from metastudy.harmonize.study_state import Study

__all__ = ["check_sums", "notes_on"]

# What stands in the first column of a row that sums up the others, in languages of the studies.
_SUMS = frozenset(
    (
        *("total", "totals", "grand total", "sum", "mean", "average", "gesamt", "summe", "count"),
        *("mittelwert", "totaal", "gemiddelde", "i alt", "yhteensä", "summa", "moyenne"),
    )
)


def check_sums(study: Study, identity: str) -> None:
    """Report rows that sum up the others: they would count as a respondent.

    Parameters
    ----------
    study : with the rows that are kept.
    identity : the variable that is the id.
    """
    texts = study.texts(identity).astype("str")
    hits = texts.str.casefold().str.rstrip(":. ").isin(_SUMS).to_numpy()
    if hits.any():
        study.report(
            hits,
            identity,
            "a row that sums up others, by its id",
            "a respondent or a case in every row",
            "take the row out of the file, or let it leave by a rule under 'exclude' in the "
            "codebook",
            "wrong-format",
        )


def notes_on(study: Study, identity: str) -> Iterator[str]:
    """Say which of the last rows have an id and nothing else: notes below the table, perhaps.

    Parameters
    ----------
    study : with the rows that are kept.
    identity : the variable that is the id.
    """
    names = [name for name in study.table.data if name != identity]
    if not names:
        return
    data, rows = study.table.data, study.table.rows
    last = len(data)
    while last and all(data[name].iloc[last - 1] == "" for name in names):
        last -= 1
    kept = np.sort(study.kept[study.kept >= last])
    if len(kept):
        place = place_of_rows([int(row) for row in rows[kept]])
        yield (
            f"row {place} at the end has an id and nothing else that is used: it counts as a "
            "respondent without answers; take it out if it is a note below the table"
        )

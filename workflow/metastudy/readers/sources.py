"""What readers of tables of coded sources share: columns as texts, problems of several rows."""

from __future__ import annotations

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem, place_of_rows
from metastudy.common.text import of_a_person
from metastudy.readers.raw import RawTable
from metastudy.readers.refusals import problem

__all__ = ["disagreements", "row_problem", "texts_of"]


def texts_of(raw: RawTable, name: str) -> pd.Series:
    """Give a column as plain texts; one that is not there is reported elsewhere."""
    if name in raw.data:
        return raw.data[name].astype("str")
    return pd.Series([str(row) for row in raw.rows], dtype="str")


def row_problem(
    codebook: Codebook,
    rows: pd.Series,
    found: str,
    expected: str,
    fix: str,
    code: str,
    column: str | None,
) -> Problem:
    """Make one problem of several rows of a data file."""
    where = place_of_rows([int(row) for row in rows])
    return problem(codebook, found, expected, fix, code=code, row=where, column=column)


def disagreements(
    codebook: Codebook,
    rows: pd.Series,
    ids: pd.Series,
    column: pd.Series,
    case: np.ndarray,
    first: np.ndarray,
) -> list[Problem]:
    """Find sources whose rows say different things of what belongs to the source.

    Parameters
    ----------
    rows, ids, column : numbers, ids and texts of the rows, shape (rows,).
    case : the source of each row, shape (rows,).
    first : the first row of each source, shape (sources,).
    """
    texts = column.astype("str").to_numpy(dtype=object)
    differs = texts != texts[first][case]
    found = []
    for one in dict.fromkeys(case[differs & ids.ne("").to_numpy()]):
        spelt = list(dict.fromkeys(texts[case == one]))
        found.append(
            row_problem(
                codebook,
                rows[case == one],
                f"{' and '.join(map(of_a_person, spelt[:5]))} for one source",
                "the same in all rows of a source",
                "correct the rows: what belongs to the source is the same for all its coders",
                "contradiction",
                str(column.name),
            )
        )
    return found

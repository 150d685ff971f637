"""One reader for each native format; all give the same plain objects.

What a reader refuses has one of the codes of :data:`metastudy.readers.refusals.CODES`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.codebook.parts import ROW_NUMBER
from metastudy.common.problems import BadInput, Problem, place_of_rows
from metastudy.readers import (
    csv,
    dta,
    markdown,
    matrix,
    parquet,
    qualtrics,
    refi_qda,
    sav,
    segments,
    xlsx,
)
from metastudy.readers.detect import form
from metastudy.readers.raw import RawProject, RawTable
from metastudy.readers.refusals import endless_cells, problem, unknown_columns

__all__ = ["READERS", "attempt", "read"]

READERS: dict[str, Callable[[Codebook], RawTable | RawProject]] = {
    "sav": sav.read,
    "dta": dta.read,
    "qualtrics": qualtrics.read,
    "csv": csv.read,
    "xlsx": xlsx.read,
    "markdown": markdown.read,
    "parquet": parquet.read,
    "qdpx": refi_qda.read,
    "matrix": matrix.read,
    "segments": segments.read,
}


def read(codebook: Codebook) -> RawTable | RawProject:
    """Read a study's data file by the reader of its format.

    Parameters
    ----------
    codebook : names the file and the raw variables, and the format unless the bytes tell it.

    Returns
    -------
    RawTable, or RawProject for coded sources.

    Raises
    ------
    BadInput
        With a code of :data:`metastudy.readers.refusals.CODES`: among them ``wrong-format`` if the
        bytes contradict the declared format, if there is no row or the header is among the
        rows, and ``unknown-column`` for every raw name of the codebook that is not in the file.
    """
    raw, problems = attempt(codebook)
    if problems:
        raise BadInput(problems)
    return raw


def attempt(codebook: Codebook) -> tuple[RawTable | RawProject, list[Problem]]:
    """Read as :func:`read` does, and give what was read beside what is wrong with it.

    Raises
    ------
    BadInput
        Only where nothing could be read.
    """
    raw = READERS[form(codebook)](codebook)
    table = raw.cases if isinstance(raw, RawProject) else raw
    names = (*table.names, ROW_NUMBER) if codebook.file.ids else table.names
    problems = unknown_columns(codebook, names, table.titles)
    problems += endless_cells(codebook.of_cases, table)
    problems += _no_rows(codebook.of_cases, raw)
    problems += _header_again(codebook.of_cases, table)
    problems += raw.problems if isinstance(raw, RawProject) else ()
    return _numbered(raw) if codebook.file.ids else raw, problems


def _numbered(raw: RawTable | RawProject) -> RawTable | RawProject:
    """Add the numbers of the rows as a variable of the file, :data:`ROW_NUMBER`."""
    table = raw.cases if isinstance(raw, RawProject) else raw
    numbers = pd.Series(map(str, table.rows), index=table.data.index, dtype="str")
    data, names = table.data.assign(**{ROW_NUMBER: numbers}), (*table.names, ROW_NUMBER)
    table = replace(table, data=data, names=names)
    return replace(raw, cases=table) if isinstance(raw, RawProject) else table


def _no_rows(codebook: Codebook, raw: RawTable | RawProject) -> Iterator[Problem]:
    """Report a file without data: whoever puts it in does not mean a study of nobody."""
    project = isinstance(raw, RawProject)
    if not len(raw.cases.data if isinstance(raw, RawProject) else raw.data):
        yield problem(
            codebook,
            "a project without sources" if project else "a header and no rows",
            "at least one source" if project else "at least one row of data",
            "put the whole file in again",
        )


def _header_again(codebook: Codebook, table: RawTable) -> Iterator[Problem]:
    """Report rows that repeat the header: as rows they would leave unseen, by consent say."""
    again = np.full(len(table.data), table.data.shape[1] > 1)
    for name, column in table.data.items():
        if not again.any():
            return
        again &= column.isin([str(name), table.titles.get(str(name), str(name))]).to_numpy()
    rows = [int(row) for row in table.rows[again]]
    if rows:
        yield problem(
            codebook,
            "the header again",
            "the header once, above all rows",
            "take the row out; two files may have been put together",
            row=place_of_rows(rows),
        )

"""One reader for each native format; all give the same plain objects."""

from __future__ import annotations

from collections.abc import Callable

from metastudy.codebook import Codebook
from metastudy.errors import BadInput
from metastudy.readers import csv, qualtrics, refi_qda, sav
from metastudy.readers.raw import RawProject, RawTable, unknown_columns

__all__ = ["READERS", "RawProject", "RawTable", "read"]

READERS: dict[str, Callable[[Codebook], RawTable | RawProject]] = {
    "sav": sav.read,
    "qualtrics": qualtrics.read,
    "csv": csv.read,
    "qdpx": refi_qda.read,
}


def read(codebook: Codebook) -> RawTable | RawProject:
    """Read a study's data file by the reader of its format.

    Parameters
    ----------
    codebook : names the file, its format and the raw variables.

    Returns
    -------
    RawTable, or RawProject for a project of coded texts.

    Raises
    ------
    BadInput
        ``missing-file``, ``wrong-format``, ``encoding``, or ``unknown-column`` for every raw
        name of the codebook that is not in the file.
    """
    raw = READERS[codebook.file.format](codebook)
    table = raw.cases if isinstance(raw, RawProject) else raw
    problems = unknown_columns(codebook, table.names, table.titles)
    if problems:
        raise BadInput(problems)
    return raw

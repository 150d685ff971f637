"""Plain delimited text: one header row, every cell kept as the text that it is."""

from __future__ import annotations

from collections.abc import Sequence

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.text import numeral
from metastudy.readers import delimited
from metastudy.readers.headers import names_of_columns
from metastudy.readers.raw import RawTable

__all__ = ["read"]

LOOKED_AT = 1000  # records in which a column without a name is looked for
_WHOLE = ("Response", "Open-Ended Response")  # what SurveyMonkey writes below a single question


def read(codebook: Codebook) -> RawTable:
    """Read a delimited text file with one header row.

    Parameters
    ----------
    codebook : names the file, its encoding, delimiter and decimal mark.

    Returns
    -------
    RawTable whose rows are numbered as a spreadsheet numbers them: the header is row 1. A column
    with cells and without a name is called by its place, ``(column 3)``.

    Raises
    ------
    BadInput
        ``encoding`` if the bytes are not in the declared encoding; ``wrong-format`` if the file
        is no such table: binary, other delimiter, rows of unequal length, an open quotation mark.
    """
    records = delimited.head(codebook, LOOKED_AT)
    header = [name_of(name) for name in records[0]]
    headers = 1
    if len(records) > 1 and _second(header, records[1]):
        headers, header = 2, _joined(header, records[1])
    filled = {place for one in records[1:] for place, cell in enumerate(one) if cell.strip()}
    names = names_of_columns(codebook, header, filled, lambda place: str(place + 1))
    return delimited.table(codebook, headers, names, {})


def _second(header: Sequence[str], row: Sequence[str]) -> bool:
    """Tell a second header row, as SurveyMonkey writes one below the questions of a matrix."""
    if len(row) != len(header) or not header[0] or row[0].strip():
        return False
    unnamed = [cell.strip() for name, cell in zip(header, row, strict=True) if not name]
    texts = [cell.strip() for cell in row if cell.strip()]
    return bool(unnamed) and all(unnamed) and all(numeral(text) is None for text in texts)


def _joined(header: Sequence[str], row: Sequence[str]) -> list[str]:
    """Name each column by its question, and by what of it the column is about."""
    names, question = [], ""
    for name, cell in zip(header, row, strict=True):
        question, part = name or question, name_of(cell)
        names.append(f"{question} [{part}]" if part and part not in _WHOLE else question)
    return names

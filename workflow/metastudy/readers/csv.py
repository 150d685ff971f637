"""Plain delimited text: one header row, every cell kept as the text that it is."""

from __future__ import annotations

from metastudy.codebook.codebook import Codebook
from metastudy.common.text import name_of
from metastudy.readers import delimited
from metastudy.readers.raw import RawTable

__all__ = ["read"]


def read(codebook: Codebook) -> RawTable:
    """Read a delimited text file with one header row.

    Parameters
    ----------
    codebook : names the file, its encoding, delimiter and decimal mark.

    Returns
    -------
    RawTable whose rows are numbered as a spreadsheet numbers them: the header is row 1.

    Raises
    ------
    BadInput
        ``encoding`` if the bytes are not in the declared encoding; ``wrong-format`` if the file
        is no such table: binary, other delimiter, rows of unequal length, an open quotation mark.
    """
    (header,) = delimited.head(codebook, 1)
    return delimited.table(codebook, 1, [name_of(name) for name in header], {})

"""Qualtrics CSV exports with three header rows; columns are known by their ImportId.

The three rows are the export tag, the question's text, and a JSON object with the ImportId
(Qualtrics support, "Understanding your dataset"). Tags can be edited by anyone in the survey's
team, ImportIds cannot.
"""

from __future__ import annotations

import json

from metastudy.codebook import Codebook
from metastudy.readers.csv import records, table
from metastudy.readers.raw import RawTable, refuse

__all__ = ["read"]

HEADERS = 3


def read(codebook: Codebook) -> RawTable:
    """Read a Qualtrics export.

    Parameters
    ----------
    codebook : names the file, its encoding and delimiter.

    Returns
    -------
    RawTable whose names are ImportIds and whose titles are the export tags; rows are numbered
    as a spreadsheet numbers them, so the first response is row 4.

    Raises
    ------
    BadInput
        ``wrong-format`` if the three header rows are not there, and as
        :func:`metastudy.readers.csv.read`.
    """
    cells = records(codebook)
    ids = [_import_id(cell) for cell in cells.iloc[HEADERS - 1]] if len(cells) >= HEADERS else []
    if not any(ids):
        row = str(cells.iloc[min(HEADERS, len(cells)) - 1, 0])
        raise refuse(
            codebook,
            f"'{row[:60]}' in the first cell of the third row"
            if len(cells) >= HEADERS
            else f"{len(cells)} rows in all",
            'three header rows, the third of cells like {"ImportId":"QID1"}',
            "export the data again as CSV, or set file.format to csv in the codebook",
            row=HEADERS,
        )
    tags = cells.iloc[0]
    # A trailing comma gives a last column without any header.
    names = [name or tag.strip() for name, tag in zip(ids, tags, strict=True)]
    titles = {name: tag.strip() for name, tag in zip(names, tags, strict=True) if name}
    return table(codebook, cells.iloc[HEADERS:], names, titles)


def _import_id(cell: str) -> str | None:
    try:
        value = json.loads(cell)
    except ValueError:
        return None
    name = value.get("ImportId") if isinstance(value, dict) else None
    return name.strip() if isinstance(name, str) else None

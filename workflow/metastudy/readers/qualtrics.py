"""Qualtrics exports, CSV or TSV; columns are known by their ImportId.

Three header rows are the export tag, the question's text, and a JSON object with the ImportId
(Qualtrics support, "Understanding your dataset"). Tags can be edited by anyone in the survey's
team, ImportIds cannot. Legacy exports have the first two rows only: their columns are known by the
tag, and the export is recognised by the labels that Qualtrics puts under its own tags.
"""

from __future__ import annotations

import json
import re
from collections import Counter

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.text import of_a_person
from metastudy.readers import delimited
from metastudy.readers.raw import RawTable
from metastudy.readers.refusals import refuse

__all__ = ["HEADERS", "IMPORT_ID", "is_legacy", "read"]

HEADERS = 3
LEGACY_HEADERS = 2
IMPORT_ID = re.compile(r"\{[\s\"']*ImportId[\s\"']*:")
# The second header row of a legacy export, above which stand V1, V2 ... or the same labels.
_LEGACY_LABELS = {"ResponseID", "ResponseSet", "StartDate", "EndDate", "Finished", "IPAddress"}
_LEGACY_TAG = re.compile(r"V\d+")


def read(codebook: Codebook) -> RawTable:
    """Read a Qualtrics export.

    Parameters
    ----------
    codebook : names the file, its encoding and delimiter.

    Returns
    -------
    RawTable whose names are ImportIds and whose titles are the export tags; rows are numbered
    as a spreadsheet numbers them, so the first response is row 4. Where several columns share an
    ImportId, they are told apart by their choice: ``QID5_2``. In a legacy export the names are the
    tags, and the first response is row 3.

    Raises
    ------
    BadInput
        ``wrong-format`` if the header rows are not there, and as
        :func:`metastudy.readers.csv.read`.
    """
    records = delimited.head(codebook, HEADERS)
    tags = [name_of(tag) for tag in records[0]]
    ids = [_import_id(cell) for cell in records[-1]] if len(records) == HEADERS else []
    if any(ids):
        headers = HEADERS
        _same_width(codebook, records)
        names = _names(tags, ids)
    elif is_legacy(records):
        headers = LEGACY_HEADERS
        _same_width(codebook, records[:headers])
        names = tags
    else:
        row = (records[-1] or [""])[0]
        raise refuse(
            codebook,
            f"{of_a_person(row)} in the first cell of the third row"
            if len(records) == HEADERS
            else f"{len(records)} rows in all",
            'three header rows, the third of cells like {"ImportId":"QID1"}; or a legacy export',
            "export the data again as CSV, or set file.format to csv in the codebook",
            row=HEADERS,
        )
    titles = {name: tag for name, tag in zip(names, tags, strict=True) if name}
    return delimited.table(codebook, headers, names, titles)


def is_legacy(records: list[list[str]]) -> bool:
    """Tell a legacy export by its first two records."""
    if len(records) < LEGACY_HEADERS:
        return False
    pairs = zip(records[0], records[1], strict=False)
    own = {
        label.strip()
        for tag, label in pairs
        if label.strip() == tag.strip() or _LEGACY_TAG.fullmatch(tag.strip())
    }
    return len(own & _LEGACY_LABELS) >= 3


def _same_width(codebook: Codebook, records: list[list[str]]) -> None:
    sizes = [len(record) for record in records]
    for row, size in enumerate(sizes, start=1):
        if size != sizes[0]:
            raise refuse(
                codebook,
                f"{size} cells in row {row}",
                f"{sizes[0]} cells in every row",
                "export the data again: the header rows have been edited",
                row=row,
            )


def _names(tags: list[str], ids: list[tuple[str, str] | None]) -> list[str]:
    """Give each column its ImportId, with its choice where the ImportId is not its alone."""
    counts = Counter(one[0] for one in ids if one)

    def name(tag: str, one: tuple[str, str] | None) -> str:
        if one is None:  # a trailing comma gives a last column without any header
            return tag
        shared = one[1] and counts[one[0]] > 1
        return "_".join(one) if shared else one[0]

    return [name(tag, one) for tag, one in zip(tags, ids, strict=True)]


def _import_id(cell: str) -> tuple[str, str] | None:
    """Read the ImportId and the choice out of a header cell."""
    for text in (cell, cell.replace("'", '"')):  # some exports write the object as Python does
        try:
            value = json.loads(text)
        except (ValueError, RecursionError):
            continue
        if isinstance(value, dict) and isinstance(value.get("ImportId"), str):
            return value["ImportId"].strip(), str(value.get("choiceId", "")).strip()
    return None

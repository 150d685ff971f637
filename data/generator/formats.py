"""The native formats, written so that the same content is the same bytes."""

from __future__ import annotations

import csv
import json
import uuid
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat

__all__ = ["Question", "guid", "write_delimited", "write_qdpx", "write_qualtrics", "write_sav"]

QDA = "urn:QDA-XML:project:1.0"
NAMESPACE = uuid.UUID(
    "5f6d1d5e-0c1b-5d2e-9a54-2f3c6f1f7a10"
)  # any fixed one: makes guids repeatable
SAV_CREATED = slice(92, 109)  # date (9 bytes) and time (8 bytes) in the header of an SPSS file

Question = tuple[str, str, str]  # export tag, question text, ImportId: one column of Qualtrics


def write_sav(path: Path, data: pd.DataFrame, **labels: Any) -> None:
    """Write an SPSS file; `labels` are those of `pyreadstat.write_sav`. Its date is fixed."""
    pyreadstat.write_sav(data, str(path), row_compress=True, **labels)
    raw = bytearray(path.read_bytes())
    raw[SAV_CREATED] = b"12 Apr 1812:00:00"
    path.write_bytes(raw)


def write_qualtrics(
    path: Path, questions: Sequence[Question], rows: Sequence[dict], encoding: str = "utf-8"
) -> None:
    """Write a Qualtrics CSV with its three header rows; `rows` are keyed by ImportId."""
    tags, texts, ids = zip(*questions, strict=True)
    with path.open("w", encoding=encoding, newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerows([tags, texts])
        out.writerow(json.dumps({"ImportId": name}, separators=(",", ":")) for name in ids)
        out.writerows([row.get(name, "") for name in ids] for row in rows)


def guid(*parts: object) -> str:
    """A GUID that depends on nothing but what it names."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


def write_delimited(
    path: Path,
    rows: Sequence[dict[str, object]],
    delimiter: str,
    encoding: str,
    line_end: str = "\n",
) -> None:
    """Write rows with the same columns as delimited text, under one row of column names."""
    with path.open("w", encoding=encoding, newline="") as stream:
        out = csv.DictWriter(stream, list(rows[0]), delimiter=delimiter, lineterminator=line_end)
        out.writeheader()
        out.writerows(rows)


def write_qdpx(
    path: Path, project: ET.Element, texts: dict[str, bytes], folder: str = "Sources"
) -> None:
    """Write a REFI-QDA project: `project.qde` and one plain text a source, by its file name.

    `folder` holds the texts; programs spell it with a capital or without.
    """
    ET.indent(project, " ")
    qde = b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(project, encoding="utf-8")
    members = {"project.qde": qde} | {f"{folder}/{name}": text for name, text in texts.items()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, content in members.items():
            entry = zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system = 3
            archive.writestr(entry, content)

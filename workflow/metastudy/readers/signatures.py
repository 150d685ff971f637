"""What a file is, from its first bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable

__all__ = ["PORTABLE", "cure_of", "inside", "is_encoding", "what_it_is"]

PORTABLE = "an SPSS portable file (.por)"
_PORTABLE_MARK = b"SPSSPORT"  # after a title and a table of characters, in lines of 80

_KINDS = (
    (b"$FL2", "an SPSS file"),
    (b"$FL3", "a compressed SPSS file (.zsav)"),
    (b"PK\x03\x04", "a ZIP archive, such as .xlsx or .qdpx"),
    (b"\xd0\xcf\x11\xe0", "an old Office file, such as .xls"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"<stata_dta>", "a Stata file"),
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"ARROW1", "a Feather file"),
    (b"{\\rtf", "a text in RTF"),
    (b"HEADER RECORD*******", "a SAS transport file (.xpt)"),
    (b"\0" * 12 + b"\xc2\xea\x81\x60\xb3\x14\x11\xcf", "a SAS file (.sas7bdat)"),
)
# By what is near the beginning of a document.
_XML = (
    (b"urn:QDA-XML:codebook", "a codebook of a REFI-QDA project (.qdc), without texts and codings"),
    (b"urn:QDA-XML:project", "the project of a REFI-QDA archive outside of it (.qde)"),
    (b"LimeSurveyDocType", "the structure of a LimeSurvey survey, without its answers"),
    (b"cdisc.org/ns/odm", "an ODM document, as of REDCap"),
)
_HTML = (b"<html", b"<!doctype html", b"<table")
_JSON = re.compile(rb'[{\[]\s*["{\[]')
# By the names of what is in an archive.
_INSIDE = (
    (re.compile(r"word/document\.xml"), "a Word document"),
    (re.compile(r"ppt/presentation\.xml"), "a presentation"),
    (re.compile(r"content\.xml"), "an OpenDocument file, such as .ods"),
    (
        re.compile(r".*\.(csv|tsv|sav|zsav|dta|por|xlsx|parquet|txt)"),
        "an archive with a data file in it",
    ),
)
# How a person gets the data out of what is read by no reader.
_CURES = {
    "a gzip archive": "unpack it; from R, write the data with arrow::write_parquet, or with "
    "write.csv and row.names = FALSE",
    "a Feather file": "write the data as Parquet",
    "a text in RTF": "save the table as CSV or .xlsx",
    "a PDF": "enter the numbers in a table",
    "a SAS transport file (.xpt)": "save the data as .sav, .dta or CSV",
    "a SAS file (.sas7bdat)": "save the data as .sav, .dta or CSV",
    "an old Office file, such as .xls": "save the data from Excel as .xlsx",
    "an SQLite database": "export the answers as CSV, or the project as REFI-QDA (.qdpx)",
    "an HTML page": "open it in Excel or LibreOffice and save it as .xlsx or CSV",
    "a JSON document": "export the data as CSV",
    _XML[0][1]: "export the whole project as .qdpx",
    _XML[1][1]: "export the project again as .qdpx, or pack the folder that it is in as a ZIP "
    "archive of that name",
    _XML[2][1]: "export the answers of the survey, as CSV with codes of questions and answers",
    _XML[3][1]: "export the records as CSV, with raw values",
    "a Word document": "save its table as CSV or .xlsx",
    "an OpenDocument file, such as .ods": "save it as .xlsx or CSV",
    "an archive with a data file in it": "unpack it, and take that file",
}


def is_encoding(name: str) -> bool:
    """Tell whether an encoding of that name is known."""
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def what_it_is(start: bytes) -> str:
    """Say what a file seems to be, from its first bytes."""
    if not start:
        return "an empty file"
    for magic, kind in _KINDS:
        if start.removeprefix(b"\xef\xbb\xbf").startswith(magic):
            return kind
    if len(start) > 3 and start[0] in range(102, 116) and start[1] in (1, 2) and start[2] == 1:
        return "a Stata file"  # until version 12: number of the version, order of bytes, 1
    if _PORTABLE_MARK in start[:1000].replace(b"\r", b"").replace(b"\n", b""):
        return PORTABLE
    if b"\0" in start[:4096]:
        return "a binary file"
    return _document(start.removeprefix(b"\xef\xbb\xbf").lstrip()[:4096]) or "a text file"


def _document(start: bytes) -> str:
    """Name a document of XML, HTML or JSON; empty for any other text."""
    if start.startswith(b"<?xml"):
        return next((kind for mark, kind in _XML if mark in start), "an XML document")
    if start.lower().startswith(_HTML):
        return "an HTML page"
    return "a JSON document" if _JSON.match(start) else ""


def inside(names: Iterable[str]) -> str:
    """Say what an archive seems to be, from the names of its members; empty if nothing tells."""
    listed = [name.rpartition("/")[2] if name.endswith("content.xml") else name for name in names]
    for pattern, kind in _INSIDE:
        if any(pattern.fullmatch(name.lower()) for name in listed):
            return kind
    return ""


def cure_of(kind: str) -> str:
    """Say how the data get out of a file that has no reader; empty where that is not known."""
    return _CURES.get(kind, "")

"""What a file is, from its first bytes."""

from __future__ import annotations

import codecs

__all__ = ["PORTABLE", "is_encoding", "what_it_is"]

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
    (b"<?xml", "an XML document"),
)


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
    return "a binary file" if b"\0" in start[:4096] else "a text file"

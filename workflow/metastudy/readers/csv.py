"""Plain delimited text: one header row, every cell kept as the text that it is."""

from __future__ import annotations

import codecs
import io
import re
from csv import Error, reader

import numpy as np
import pandas as pd

from metastudy.codebook import Codebook
from metastudy.readers.raw import RawTable, column_texts, read_bytes, refuse, what_it_is
from metastudy.texts import shown

__all__ = ["read", "records", "table"]

_UNICODE = {"utf-8", "utf-16", "utf-32"}


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
    cells = records(codebook)
    header = cells.iloc[0].str.strip()
    return table(codebook, cells.iloc[1:], list(header), {})


def table(
    codebook: Codebook, body: pd.DataFrame, names: list[str], titles: dict[str, str]
) -> RawTable:
    """Make a raw table from text cells whose index is the row number, and one name a column."""
    for name in codebook.named:
        if names.count(name) > 1:
            raise refuse(
                codebook,
                f"{names.count(name)} columns called '{name}'",
                "one column for each variable that is used",
                "give the columns different names",
                column=name,
            )
    body = body[(body != "").any(axis=1)]  # a blank line is no row, but it counts in the numbering
    texts = {
        name: column_texts(
            body.iloc[:, names.index(name)].reset_index(drop=True), codebook.file.decimal
        )
        for name in codebook.used_names
        if name in names
    }
    return RawTable(
        data=pd.DataFrame(texts, index=range(len(body))),
        rows=body.index.to_numpy(dtype=np.int64),
        names=tuple(name for name in names if name),
        titles=titles,
    )


def records(codebook: Codebook) -> pd.DataFrame:
    """Read all records of a delimited text file, headers included, as texts.

    Parameters
    ----------
    codebook : names the file, its encoding and delimiter.

    Returns
    -------
    Text cells without missing values; the index is the record's number in the file, from 1.
    A quoted cell may hold line breaks: a record is what a spreadsheet shows as a row.

    Raises
    ------
    BadInput
        ``encoding`` or ``wrong-format``, as :func:`read` says.
    """
    text = _decode(codebook, read_bytes(codebook))
    delimiter = codebook.file.delimiter
    try:
        cells = pd.read_csv(
            io.StringIO(text, newline=""),
            header=None,
            dtype="str",
            keep_default_na=False,
            skip_blank_lines=False,
            sep=delimiter,
            quoting=0,
        )
    except pd.errors.EmptyDataError:
        raise refuse(
            codebook, "an empty file", "a header row and data", "put the data file in again"
        ) from None
    except pd.errors.ParserError as error:
        raise _not_a_table(codebook, str(error)) from None
    cells.index = pd.RangeIndex(1, len(cells) + 1)
    first = text.partition("\n")[0]
    marks = [mark for mark in ",;\t|" if mark != delimiter and mark in first]
    if cells.shape[1] == 1 and marks:
        raise refuse(
            codebook,
            f"one column only, and {marks[0]!r} in the header row",
            f"columns separated by {delimiter!r}",
            f"set file.delimiter to {marks[0]!r} in {shown(codebook.path)}",
            row=1,
        )
    # pandas fills a short row up without a word; a blank line has no cells at all.
    try:
        lines = reader(io.StringIO(text, newline=""), delimiter=delimiter)
        sizes = np.fromiter(map(len, lines), int)
    except Error as error:
        raise _not_a_table(codebook, str(error)) from None
    short = (sizes > 0) & (sizes < cells.shape[1])
    if short.any():
        row, others = int(np.flatnonzero(short)[0]) + 1, int(short.sum()) - 1
        raise refuse(
            codebook,
            f"{sizes[row - 1]} cells in row {row}"
            + (f", and {others} more rows that are too short" if others else ""),
            f"{cells.shape[1]} cells in every row",
            "put the whole file in again: it may have been cut off",
            row=row,
        )
    return cells.fillna("")


def _not_a_table(codebook: Codebook, message: str) -> Exception:
    sizes = re.search(r"Expected (\d+) fields in line (\d+), saw (\d+)", message)
    quote = re.search(r"EOF inside string starting at row (\d+)", message)
    if sizes:
        wanted, row, seen = map(int, sizes.groups())
        found, expected = f"{seen} cells in row {row}", f"{wanted} cells in every row"
    elif quote:
        row = int(quote[1]) + 1
        found, expected = "a quotation mark that is never closed", "quotation marks in pairs"
    else:
        row, found, expected = None, " ".join(message.split()), "delimited text"
    mend = "correct the row, or file.delimiter in the codebook; the file may have been cut off"
    return refuse(codebook, found, expected, mend, row=row)


def _decode(codebook: Codebook, content: bytes) -> str:
    declared = codebook.file.encoding or "utf-8"
    try:
        name = codecs.lookup(declared).name.removesuffix("-sig")
    except LookupError:
        raise refuse(
            codebook,
            f"the encoding '{declared}', which is not known",
            "an encoding such as utf-8, cp1252 or utf-16",
            f"correct file.encoding in {shown(codebook.path)}",
            code="encoding",
        ) from None
    if not content:
        return ""
    wide = name.startswith(("utf-16", "utf-32"))
    kind = what_it_is(content[:4096])
    if kind not in ("a text file", "an XML document") and not (kind == "a binary file" and wide):
        marked = content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
        raise refuse(
            codebook,
            "text in UTF-16" if marked else kind,
            f"delimited text in {declared}",
            "set file.encoding to utf-16 in the codebook"
            if marked
            else "save the data as delimited text, or correct file.format in the codebook",
            code="encoding" if marked else "wrong-format",
        )
    try:
        text = content.decode("utf-8-sig" if name == "utf-8" else name)
    except UnicodeDecodeError as error:
        row = content[: error.start].count(b"\n") + 1
        raise refuse(
            codebook,
            f"bytes that are not {declared} ({content[error.start : error.start + 1]!r} "
            f"on line {row})",
            f"text in {declared}",
            f"save the file as {declared}, or name its true encoding under file.encoding in "
            f"{shown(codebook.path)}",
            code="encoding",
            row=f"{row} (line)",
        ) from None
    if name not in _UNICODE and not wide and not content.isascii():
        try:
            content.decode("utf-8")
        except UnicodeDecodeError:
            pass
        else:  # only by a rare accident is text in a one-byte encoding valid UTF-8 too
            raise refuse(
                codebook,
                "text in UTF-8",
                f"text in {declared}, as the codebook says",
                f"set file.encoding to utf-8 in {shown(codebook.path)}",
                code="encoding",
            )
    return text.lstrip("\ufeff")

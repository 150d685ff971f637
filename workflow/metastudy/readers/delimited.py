"""Delimited text as a stream: blocks of bytes are decoded, checked, parsed and forgotten.

Arrow's reader does the parsing. It reads the columns that are used and no others, knows the number
of every record and tells of each that has too few or too many cells; a quoted cell may hold line
breaks, and a record is what a spreadsheet shows as a row. What it would let pass is caught here:
bytes of another encoding, NUL characters, and a quotation mark that is never closed.
"""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping, Sequence
from csv import Error, reader
from itertools import islice

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow

from metastudy.codebook.checks.terms import ARM_ROLES
from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import MAX_ROWS_NAMED, BadInput, Problem, place_of_rows
from metastudy.common.text import shown, some_of
from metastudy.readers.columns import MAX_CATEGORIES, coded_texts
from metastudy.readers.headers import twice
from metastudy.readers.raw import RawTable
from metastudy.readers.refusals import problem, refuse
from metastudy.readers.text_stream import BLOCK, Text

__all__ = ["head", "table", "thousands"]

MAX_BAD_ROWS = 1000  # so many rows out of shape, and the rest is not looked at
_END = "\0"  # a cell of the record that is put after the last one; no text may hold it


def head(codebook: Codebook, count: int) -> list[list[str]]:
    """Read the first records of a delimited text file.

    Parameters
    ----------
    codebook : names the file, its encoding and delimiter.
    count : so many records, fewer if the file has no more or one cannot be read; reading the table
        then says why.

    Returns
    -------
    Their cells, as they stand there.

    Raises
    ------
    BadInput
        ``encoding`` or ``wrong-format``, for what is wrong in the first :data:`BLOCK` bytes; and
        where the header row has one column and other marks that may be the delimiter.
    """
    delimiter = codebook.file.delimiter
    if len(delimiter.encode()) != 1 or delimiter in '"\r\n\0':
        raise refuse(
            codebook,
            f"the delimiter {delimiter!r}",
            "a mark such as , or ; or a tab",
            f"correct file.delimiter in {shown(codebook.path)}",
        )
    with Text(codebook) as stream:
        text = stream.read(BLOCK).decode("utf-8", "ignore")
        said = stream.separator
    if said is not None and said != delimiter:
        raise refuse(
            codebook,
            f"the delimiter {delimiter!r}, and a first line that says sep={said}",
            "the delimiter that the file names for Excel",
            f"set file.delimiter to {said!r} in {shown(codebook.path)}",
            row=1,
        )
    found: list[list[str]] = []
    try:
        for record in islice(reader(io.StringIO(text, newline=""), delimiter=delimiter), count):
            found.append(record)
    except Error as error:
        if not found:
            raise refuse(
                codebook,
                f"a header that cannot be read: {error}",
                "delimited text",
                "look for a quotation mark that is never closed in the first rows",
            ) from None
    first = text.partition("\n")[0]
    marks = [mark for mark in ",;\t|" if mark != delimiter and mark in first]
    if found and len(found[0]) < 2 and marks:
        raise refuse(
            codebook,
            f"one column only, and {marks[0]!r} in the header row",
            f"columns separated by {delimiter!r}",
            f"set file.delimiter to {marks[0]!r} in {shown(codebook.path)}",
            row=1,
        )
    if not found or not any(cell.strip() for cell in found[0]):
        raise refuse(
            codebook,
            "no header in the first row" if text else "an empty file",
            "a header row and data",
            "put the data file in again",
            row=1 if text else None,
        )
    return found


def table(
    codebook: Codebook,
    headers: int,
    names: Sequence[str],
    titles: dict[str, str],
    used: Sequence[str] | None = None,
) -> RawTable:
    """Read the rows below the headers, the used columns only.

    Parameters
    ----------
    codebook : names the file, its encoding, delimiter and decimal mark.
    headers : so many records stand above the first row.
    names : one name a column, ``""`` for a column without one.
    titles : what is above a column, where that is not its name.
    used : the names that are read; those of the codebook's variables if not given.

    Returns
    -------
    RawTable whose index is the record's number in the file, from 1. A blank row is no row, but it
    counts in the numbering.

    Raises
    ------
    BadInput
        ``encoding`` or ``wrong-format``; with every row that is too short or too long.
    """
    names = list(names)
    used = [name for name in (codebook.used_names if used is None else used) if name in names]
    if problems := twice(codebook, names, used):
        raise BadInput(problems)
    positions = [names.index(name) for name in used] or [0]
    own = [variable.name for variable in codebook.having("id")]
    apart = [place for place in positions if names[place] in own]
    columns = _columns(codebook, headers, len(names), positions, apart)
    count = len(columns[0][1])
    blank = np.ones(count, dtype=bool)
    for texts, codes in columns:
        blank &= np.isin(codes, np.flatnonzero(pc.equal(texts, "").to_numpy(zero_copy_only=False)))
        if not blank.any():
            break
    others = [position for position in range(len(names)) if position not in positions]
    if blank.any() and others:
        blank &= ~_filled(codebook, headers, len(names), others, blank)
    rows = np.arange(count, dtype=np.int64) + headers + 1
    decimal = codebook.file.decimal
    if decimal == ",":
        problems = list(thousands(codebook, dict(zip(used, columns, strict=False)), rows))
        if problems:
            raise BadInput(problems)
    data: dict[str, pd.Series] = {}
    for name in used:
        texts, codes = columns.pop(0)
        data[name] = coded_texts(texts, codes[~blank] if blank.any() else codes, decimal)
    rows = rows[~blank]
    return RawTable(
        data=pd.DataFrame(data, index=pd.RangeIndex(len(rows))),
        rows=rows,
        names=tuple(name for name in names if name),
        titles=titles,
    )


NUMBERS = ("item", "weight", *ARM_ROLES)  # kinds of variables that are numbers


def thousands(
    codebook: Codebook, columns: dict[str, tuple[pa.Array, np.ndarray]], rows: np.ndarray
) -> Iterator[Problem]:
    """Report numbers such as 1.500 beside decimal commas: one and a half, or 1500, nobody knows."""
    for variable in codebook.variables:
        number = variable.role in NUMBERS or variable.trait == "tenure_yrs"
        if variable.name not in columns or not number or variable.values:
            continue
        texts, codes = columns[variable.name]
        doubtful = pc.match_substring_regex(texts, r"^\s*[-+]?[0-9]{1,3}(\.[0-9]{3})+\s*$")
        for code in np.flatnonzero(doubtful.to_numpy(zero_copy_only=False)):
            named = [int(row) for row in rows[codes == code]]
            yield problem(
                codebook,
                f"'{texts[code]}' in a file with decimal commas",
                "numbers without points between the thousands, so that 1.500 has one meaning",
                "write the number without its point, or with a decimal comma",
                code="off-scale",
                row=place_of_rows(named),
                column=variable.name,
            )


def _columns(
    codebook: Codebook, headers: int, width: int, positions: Sequence[int], apart: Sequence[int]
) -> list[tuple[pa.Array, np.ndarray]]:
    """Read columns, each as its different texts and a code for every record below the headers.

    Where nearly every text is another, as in the columns ``apart``, a text may be there twice.
    """
    coded = pa.dictionary(pa.int32(), pa.string())
    kinds = {place: pa.large_string() if place in apart else coded for place in positions}
    parts: list[list[tuple[pa.Array, np.ndarray | None]]] = [[] for _ in positions]
    for batch in _batches(codebook, headers, width, kinds):
        for part, place, column in zip(parts, positions, batch.columns, strict=True):
            if place in apart:
                part.append((column, None))
            else:  # small codes at once, so that what was read can be forgotten
                texts, codes = column.dictionary, column.indices.to_numpy()
                part.append((texts, codes.astype(np.min_scalar_type(len(texts)))))
    return [_joined(parts.pop(0)) for _ in positions]  # and what a column was made of goes


def _joined(part: Sequence[tuple[pa.Array, np.ndarray | None]]) -> tuple[pa.Array, np.ndarray]:
    """Make one column of blocks of texts and codes; without codes each record has its own text."""
    count = sum(len(texts if codes is None else codes) for texts, codes in part)
    different = sum(len(texts) for texts, _ in part)
    if different > max(MAX_CATEGORIES, 0.9 * count) or any(codes is None for _, codes in part):
        # Nearly every text is another: to look for equal ones is vain.
        spelt = [texts if codes is None else texts.take(pa.array(codes)) for texts, codes in part]
        long = pa.chunked_array(spelt).cast(pa.large_string())
        return long.combine_chunks(), np.arange(count, dtype=np.int32)
    kind = pa.dictionary(pa.int32(), pa.string())
    own = [
        pa.DictionaryArray.from_arrays(np.arange(len(texts), dtype=np.int32), texts)
        for texts, _ in part
    ]
    whole = pa.chunked_array(own, kind).unify_dictionaries()
    texts = whole.chunk(0).dictionary if part else pa.array([], pa.string())
    small = np.min_scalar_type(len(texts))
    places = [chunk.indices.to_numpy().astype(small) for chunk in whole.chunks]
    found = [place[codes] for place, (_, codes) in zip(places, part, strict=True)]
    return texts, np.concatenate([np.zeros(0, small), *found])


def _filled(
    codebook: Codebook, headers: int, width: int, positions: Sequence[int], among: np.ndarray
) -> np.ndarray:
    """Tell which of some records have a text in any of some columns."""
    filled, start = np.zeros(len(among), dtype=bool), 0
    for batch in _batches(codebook, headers, width, dict.fromkeys(positions, pa.string())):
        stop = start + batch.num_rows
        marked = np.flatnonzero(among[start:stop])
        for column in batch.columns if len(marked) else ():
            some = pc.not_equal(column.take(pa.array(marked)), "").to_numpy(zero_copy_only=False)
            filled[start + marked] |= some
        start = stop
    return filled


def _batches(
    codebook: Codebook, headers: int, width: int, kinds: Mapping[int, pa.DataType]
) -> Iterator[pa.RecordBatch]:
    """Give the records below the headers, block by block; what is out of shape is refused.

    Parameters
    ----------
    kinds : by position the type of each column that is given.
    """
    labels = [f"f{position}" for position in range(width)]
    delimiter = codebook.file.delimiter
    bad: list[arrow.InvalidRow] = []

    def note(row: arrow.InvalidRow) -> str:
        bad.append(row)
        return "skip" if len(bad) < MAX_BAD_ROWS else "error"

    count, held = 0, None
    with Text(codebook, end=delimiter.join([_END] * width) + "\n") as stream:
        try:
            batches = arrow.open_csv(
                pa.PythonFile(stream, mode="r"),
                arrow.ReadOptions(
                    use_threads=False,
                    block_size=BLOCK,
                    column_names=labels,
                    skip_rows_after_names=headers,
                ),
                arrow.ParseOptions(
                    delimiter=delimiter,
                    newlines_in_values=True,
                    ignore_empty_lines=False,
                    invalid_row_handler=note,
                ),
                arrow.ConvertOptions(
                    column_types={labels[place]: kind for place, kind in kinds.items()},
                    include_columns=[labels[place] for place in kinds],
                    strings_can_be_null=False,
                ),
            )
            for batch in batches:
                if not batch.num_rows:
                    continue
                if held is not None:
                    yield held
                count, held = count + batch.num_rows, batch
        except (pa.ArrowException, BadInput, OSError, ValueError) as error:
            if stream.failure:
                raise stream.failure from None
            if not bad:
                raise _unreadable(codebook, str(error), headers + count) from None
    open_end = held is None or str(held.column(0)[-1]) != _END
    if bad or open_end:
        raise BadInput(_out_of_shape(codebook, bad, width, headers, headers + count))
    if held is not None and held.num_rows > 1:
        yield held.slice(0, held.num_rows - 1)


def _unreadable(codebook: Codebook, message: str, row: int) -> BadInput:
    if "straddling" in message:
        return refuse(
            codebook,
            f"a record of more than {BLOCK} bytes after row {row}",
            "records of a sensible size",
            "look for a quotation mark that is never closed, or take the long text out",
            row=f"after {row}",
        )
    return refuse(
        codebook, " ".join(message.split())[:200], "delimited text", "put the whole file in again"
    )


def _out_of_shape(
    codebook: Codebook, bad: Sequence[arrow.InvalidRow], width: int, headers: int, last: int
) -> Iterator[Problem]:
    """Make the problems of a table whose rows are not all equally long, or that does not end."""
    by_size: dict[int, list[int]] = {}
    for row in bad:
        if row.number is not None and _END not in row.text:
            by_size.setdefault(row.actual_columns, []).append(int(row.number))
    whole = len(by_size) == 1 and len(bad) < MAX_BAD_ROWS and last <= headers + 1
    fix = (
        "correct the row, or file.delimiter in the codebook; put the whole file in again if it has "
        "been cut off"
    )
    if whole and min(by_size) == width + 1:
        fix = (
            "put a name before or behind the others in the header: R writes row names without one "
            "(write.table), and other programs a mark at the end of each row"
        )
    elif width == 1 and by_size and min(by_size) > 1:
        fix = "take out what is above the header row, such as a title; or correct file.delimiter"
    for size, rows in sorted(by_size.items()):
        named = some_of(rows, MAX_ROWS_NAMED, uncounted=len(bad) >= MAX_BAD_ROWS)
        yield problem(
            codebook,
            f"{size} cells in row {named}",
            f"{width} cells in every row",
            fix,
            row=rows[0] if len(rows) == 1 else named,
        )
    opened = next((row for row in bad if _END in row.text), None)
    if opened is not None or not bad:
        row = last if opened is None else opened.number
        yield problem(
            codebook,
            f"a quotation mark in row {row} that is never closed",
            "quotation marks in pairs",
            "close it, or put the whole file in again: it may have been cut off",
            row=row,
        )

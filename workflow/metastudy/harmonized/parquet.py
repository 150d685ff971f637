"""Parquet in and out: rows in a fixed order, the same bytes from run to run."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet

from metastudy.common.made_files import reading
from metastudy.common.table_schema import Column
from metastudy.harmonized.crossed import Crossed, Part
from metastudy.harmonized.schema import PERSON, TABLES, shape

__all__ = ["blocks", "read", "read_some", "whole", "write"]

ROWS = 2**18  # rows of a row group: what is spelt out in memory at a time


def blocks(table: Part) -> Iterator[pyarrow.Table]:
    """Spell a table out, a row group at a time.

    Parameters
    ----------
    table : rows, or persons, in their final order.

    Yields
    ------
    About :data:`ROWS` rows; one block without rows if there are none.
    """
    if isinstance(table, pd.DataFrame):
        for start in range(0, max(len(table), 1), ROWS):
            yield _arrow(table.iloc[start : start + ROWS])
        return
    persons, questions = table.codes.shape
    step = max(ROWS // max(questions, 1), 1)
    arrow = _arrow(table.kinds)
    kinds = {label: _Kinds.of(arrow[label], step * questions) for label in table.kinds}
    for start in range(0, max(persons, 1), step):
        codes = table.codes[start : start + step]
        has = codes >= 0
        count = questions if has.all() else has.sum(axis=1)
        person = np.repeat(np.arange(len(codes), dtype=np.int32), count)
        ids = _arrow(table.persons.iloc[start : start + step].to_frame(PERSON))[PERSON]
        at = codes[has].astype(np.intp)
        marks: dict[bytes, pyarrow.Buffer] = {}
        columns = {label: column.at(at, marks) for label, column in kinds.items()}
        columns[PERSON] = pyarrow.DictionaryArray.from_arrays(person, ids.combine_chunks())
        yield pyarrow.table({label: columns[label] for label in TABLES[table.name].columns})


@dataclass(frozen=True)
class _Kinds:
    """A column of the kinds to be looked up by NumPy, which is faster at it than Arrow.

    Parameters
    ----------
    values : numbers, or positions in ``texts``; shape (kinds,).
    known : which of them are not null.
    alike : the column at many positions where all kinds have the same in it, else ``None``.
    """

    values: np.ndarray
    known: np.ndarray
    texts: pyarrow.Array | None
    alike: pyarrow.Array | None = None

    @classmethod
    def of(cls, column: pyarrow.ChunkedArray, longest: int) -> _Kinds:
        """Prepare a column for up to ``longest`` positions at a time."""
        values, texts = column.combine_chunks(), None
        if pyarrow.types.is_large_string(values.type):
            spelt = values.dictionary_encode()
            values, texts = spelt.indices, spelt.dictionary
        known = values.is_valid().to_numpy(zero_copy_only=False)
        filled = values.fill_null(0) if values.null_count else values
        of = cls(filled.to_numpy(zero_copy_only=False), known, texts)
        if len(column.unique()) > 1:
            return of
        at = np.zeros(longest if len(column) else 0, dtype=np.intp)
        return replace(of, alike=of.at(at, {}))

    def at(self, at: np.ndarray, marks: dict[bytes, pyarrow.Buffer]) -> pyarrow.Array:
        """Give the values at positions; ``marks`` keeps the marks of nulls for other columns."""
        if self.alike is not None:
            return self.alike.slice(0, len(at))
        bits, name = None, self.known.tobytes()
        if not self.known.all():
            bits = marks.get(name) or _bits(self.known[at])
            marks[name] = bits
        found = self.values[at]
        own = _bits(found) if found.dtype == bool else pyarrow.py_buffer(found)
        kind = pyarrow.from_numpy_dtype(found.dtype)
        values = pyarrow.Array.from_buffers(kind, len(at), [bits, own])
        if self.texts is None:
            return values
        return pyarrow.DictionaryArray.from_arrays(values, self.texts)


def _bits(marks: np.ndarray) -> pyarrow.Buffer:
    return pyarrow.py_buffer(np.packbits(marks, bitorder="little"))


def _arrow(rows: pd.DataFrame) -> pyarrow.Table:
    return pyarrow.Table.from_pandas(rows, preserve_index=False).replace_schema_metadata(None)


def write(table: Part, path: Path) -> None:
    """Write a table so that the same rows are the same bytes.

    Parameters
    ----------
    table : rows, or persons, in their final order.
    path : the Parquet file; no version of pandas and no time is written into it. That a text is
        a code in memory is not written either (``store_schema``): it is read as a text.
    """
    rows = blocks(table)
    first = next(rows)
    columns = TABLES[path.stem].columns if path.stem in TABLES else {}
    # Of a column that the file says is never null no marks of nulls are written, which saves time.
    types = pyarrow.schema(
        field.with_nullable(
            columns.get(field.name, Column(null=True)).null or pyarrow.types.is_null(field.type)
        )
        for field in first.schema
    )
    # A dictionary only costs time where each value is another, and where a number is always one.
    plain = {PERSON} if isinstance(table, pd.DataFrame) or table.codes.shape[1] == 1 else set()
    if isinstance(table, Crossed):
        numbers = table.kinds.select_dtypes("number")
        plain |= {str(label) for label in numbers if numbers[label].nunique(dropna=False) == 1}
    with pyarrow.parquet.ParquetWriter(
        path,
        types,
        compression="lz4",
        use_dictionary=[name for name in first.column_names if name not in plain],
        dictionary_pagesize_limit=2**24,  # bytes; a block's ids stay codes
        write_statistics=False,  # nobody asks for a part of the rows
        store_schema=False,
    ) as file:
        for block in chain([first], rows):
            file.write_table(pyarrow.Table.from_arrays(block.columns, schema=types))


def whole(name: str, table: Part) -> pd.DataFrame:
    """Spell a table out as one frame, as :func:`read` gives what :func:`write` wrote."""
    arrow = pyarrow.concat_tables(blocks(table))
    plain = [
        field.with_type(field.type.value_type) if pyarrow.types.is_dictionary(field.type) else field
        for field in arrow.schema
    ]
    return shape(name, arrow.cast(pyarrow.schema(plain)).to_pandas())


def read(path: Path) -> pd.DataFrame:
    """Read a table that :func:`write` wrote; the types come back as they were."""
    with reading(Path(path)):
        frame: pd.DataFrame = pyarrow.parquet.read_table(Path(path)).to_pandas()
    return shape(Path(path).stem, frame) if Path(path).stem in TABLES else frame


def read_some(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a long table, texts as categoricals: a small part of the memory."""
    of = TABLES[Path(path).stem].columns
    texts = [label for label in columns if of[label].dtype == "str"]
    with reading(Path(path)):
        return pyarrow.parquet.read_table(
            Path(path), columns=list(columns), read_dictionary=texts
        ).to_pandas()

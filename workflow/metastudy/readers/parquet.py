"""Parquet files: one row a raw row, plain columns."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput
from metastudy.common.text import canonical
from metastudy.readers.columns import coded_texts, moment
from metastudy.readers.raw import RawTable
from metastudy.readers.refusals import problem, read_bytes, refuse
from metastudy.readers.sandbox import survives
from metastudy.readers.signatures import what_it_is

__all__ = ["MAX_ROWS", "read"]

MAX_ROWS = 50_000_000  # what a damaged or hostile footer may claim is not believed beyond this
_TRIAL = """
import json, sys, pyarrow.parquet
pyarrow.parquet.ParquetFile(sys.argv[1]).read(columns=json.loads(sys.argv[2]))
"""


def read(codebook: Codebook) -> RawTable:
    """Read a Parquet file, the used columns only.

    Parameters
    ----------
    codebook : names the file.

    Returns
    -------
    RawTable whose rows are numbered from 1. Dates are ISO 8601; a number has the digits of its own
    width, so that 0.1 stays 0.1.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no Parquet file, if it is damaged, cut off or encrypted, or if a
        used column holds lists, structures or bytes.
    """
    kind = what_it_is(read_bytes(codebook)[:4096])
    if kind != "a Parquet file":
        raise refuse(
            codebook,
            kind,
            "a Parquet file without a password",
            "save the data as Parquet, or correct file.format in the codebook",
        )
    path = str(codebook.data_path)
    if not survives("import sys, pyarrow.parquet as p; p.ParquetFile(sys.argv[1])", path):
        raise _unreadable(codebook, "its bytes are damaged")
    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            spelt = {name_of(name): name for name in file.schema_arrow.names}
            names = tuple(name_of(name) for name in file.schema_arrow.names)
            if file.metadata.num_rows > MAX_ROWS:
                raise _unreadable(codebook, f"it claims {file.metadata.num_rows} rows")
            used = [name for name in codebook.used_names if name in names]
            _check_columns(codebook, file.schema_arrow, used)
            if not survives(_TRIAL, path, json.dumps([spelt[name] for name in used])):
                raise _unreadable(codebook, "its bytes are damaged")
            data = {name: _texts(file.read(columns=[spelt[name]]).column(0)) for name in used}
            count = file.metadata.num_rows
    except (pa.ArrowException, OSError, ValueError, OverflowError, MemoryError) as error:
        raise _unreadable(codebook, " ".join(str(error).split())[:200]) from None
    return RawTable(
        data=pd.DataFrame(data, index=range(count)),
        rows=np.arange(1, count + 1),
        names=names,
    )


def _check_columns(codebook: Codebook, schema: pa.Schema, used: list[str]) -> None:
    problems = []
    for name in used:
        fields = [field for field in schema if name_of(field.name) == name]
        kind = fields[0].type
        if pa.types.is_dictionary(kind):
            kind = kind.value_type
        if len(fields) > 1:
            found = f"{len(fields)} columns called '{name}'"
        elif pa.types.is_nested(kind) or pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
            found = f"a column of {kind}"
        else:
            continue
        expected = "one column of numbers, texts, dates or truth values"
        fix = "write the file again with plain columns"
        problems.append(problem(codebook, found, expected, fix, column=name))
    if problems:
        raise BadInput(problems)


def _texts(column: pa.ChunkedArray) -> pd.Series:
    """Bring a column to canonical texts; each different value is looked at once."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if pa.types.is_null(column.type):
        column = column.cast(pa.string())
    spelt = column.combine_chunks().dictionary_encode()
    if isinstance(spelt, pa.ChunkedArray):
        spelt = spelt.combine_chunks()
    texts = [_text(value, column.type) for value in spelt.dictionary]
    codes = spelt.indices.fill_null(len(texts)).to_numpy(zero_copy_only=False)
    return coded_texts(pa.array([*texts, ""], type=pa.string()), codes)


def _text(scalar: pa.Scalar, kind: pa.DataType) -> str:
    if pa.types.is_timestamp(kind) and kind.unit == "ns":
        scalar = scalar.cast(pa.timestamp("us", kind.tz), safe=False)
    value: Any = scalar.as_py()
    if pa.types.is_floating(kind) and kind.bit_width < 64 and value is not None:
        value = float(str(kind.to_pandas_dtype()(value)))
    if isinstance(value, datetime.datetime):
        value = moment(value)
    return canonical(value)


def _unreadable(codebook: Codebook, why: str) -> BadInput:
    return refuse(
        codebook,
        f"a Parquet file that cannot be read: {why}",
        "a whole Parquet file",
        "copy the file again, or write it again",
    )

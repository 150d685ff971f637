"""The harmonized tables: their columns, what may stand in them, and how they are stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.parquet

from metastudy.errors import BadInput, Problem
from metastudy.vocabulary import Vocabulary

__all__ = ["TABLES", "Column", "Table", "check", "empty", "read", "schema", "shape", "write"]


@dataclass(frozen=True)
class Column:
    """A column: its type, whether it may be empty, and what its values are.

    Parameters
    ----------
    dtype : ``str``, ``float64``, ``int64`` or ``bool``.
    null : whether a value may be missing.
    section : the vocabulary's section that the values come from.
    among : the only values.
    low, high : bounds.
    """

    dtype: str = "str"
    null: bool = False
    section: str | None = None
    among: tuple[str, ...] | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Table:
    """A table: its columns in order, and the columns that tell its rows apart."""

    columns: Mapping[str, Column]
    key: tuple[str, ...] = field(default=())


_ID = Column()
_OPTIONAL = Column(null=True)
_NUMBER = Column("float64")
_MEASURE = Column("float64", null=True)
_POSITION = Column("int64", low=0)

TABLES: Mapping[str, Table] = {
    "respondents": Table(
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "role": Column(section="roles"),
            "country": Column(section="countries"),
            "region": _OPTIONAL,
            "sector": Column(section="sectors"),
            "org_id": _OPTIONAL,
            "arrangement": Column(section="arrangements"),
            "occupation": _OPTIONAL,
            "age_band": _OPTIONAL,
            "gender": _OPTIONAL,
            "tenure_yrs": Column("float64", null=True, low=0),
            "lang": _OPTIONAL,
            "weight": Column("float64", null=True, low=0),
            "qc_status": Column(among=("ok",)),
            "provenance": Column(among=("simulated", "observed")),
        },
        ("study_id", "respondent_id"),
    ),
    "assignments": Table(
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "vignette": Column(null=True, section="vignettes"),
            "factor": Column(section="factors"),
            "level": _ID,
            "randomised": Column("bool"),
        },
        ("respondent_id", "vignette", "factor"),
    ),
    "measurements": Table(
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "vignette": Column(null=True, section="vignettes"),
            "construct": Column(section="constructs"),
            "item_id": _ID,
            "value_raw": _MEASURE,
            "missing_reason": Column(null=True, section="missing_reasons"),
            "scale_min": _NUMBER,
            "scale_max": _NUMBER,
            "reverse_keyed": Column("bool"),
            "value_aligned": _MEASURE,
            "value_pomp": Column("float64", null=True, low=0, high=100),
        },
        ("respondent_id", "item_id"),
    ),
    "codings": Table(
        {
            "study_id": _ID,
            "source_id": _ID,
            "org_id": _OPTIONAL,
            "segment_id": _ID,
            "coder_id": _ID,
            "code_id": Column(section="codes"),
            "start": _POSITION,
            "end": _POSITION,
            "is_double_coded": Column("bool"),
        },
        ("source_id", "segment_id", "coder_id", "code_id"),
    ),
    "readings": Table(
        {"study_id": _ID, "source_id": _ID, "coder_id": _ID}, ("source_id", "coder_id")
    ),
    "exclusions": Table(
        {
            "study_id": _ID,
            "respondent_id": _OPTIONAL,
            "row": Column("int64", low=1),
            "rule": _ID,
            "stage": _ID,
        },
        ("row",),
    ),
}


def schema(name: str, vocabulary: Vocabulary) -> pa.DataFrameSchema:
    """Give the Pandera schema of a harmonized table.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    vocabulary : for the columns whose values are closed.

    Returns
    -------
    A strict schema: these columns in this order, of these types, keys unique.
    """
    table = TABLES[name]

    def checks(column: Column) -> list[pa.Check]:
        options = vocabulary[column.section] if column.section else column.among
        found = [pa.Check.isin(list(options))] if options is not None else []
        found += [pa.Check.ge(column.low)] if column.low is not None else []
        return found + ([pa.Check.le(column.high)] if column.high is not None else [])

    columns: dict[Any, Any] = {
        label: pa.Column(column.dtype, checks(column), nullable=column.null)
        for label, column in table.columns.items()
    }
    return pa.DataFrameSchema(
        columns, unique=list(table.key) or None, strict=True, ordered=True, name=name
    )


def shape(name: str, data: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
    """Bring columns into a table's order and types; a column that is not given is empty."""
    frame = pd.DataFrame(dict(data))
    columns = TABLES[name].columns
    for label, column in columns.items():
        if label not in frame:
            frame[label] = pd.Series(pd.NA, index=frame.index, dtype="str")
        if column.dtype == "float64" and frame[label].dtype != "float64":
            frame[label] = pd.to_numeric(frame[label])
    return frame[list(columns)].astype({label: of.dtype for label, of in columns.items()})


def empty(name: str) -> pd.DataFrame:
    """Give a table without rows, of the right columns and types."""
    return shape(name, {label: [] for label in TABLES[name].columns})


def check(name: str, data: pd.DataFrame, vocabulary: Vocabulary) -> pd.DataFrame:
    """Check a table against its schema.

    Returns
    -------
    The table.

    Raises
    ------
    BadInput
        ``table``, with what stands where it may not.
    """
    try:
        return schema(name, vocabulary).validate(data, lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.drop_duplicates(["column", "check"]).head(20)
        study = str(data["study_id"].iloc[0]) if len(data) else None
        raise BadInput(
            Problem(
                f"{name}.parquet",
                f"{case.failure_case}",
                f"{case.check}",
                "this should have been found in the raw data: please report it with the codebook",
                study,
                None,
                str(case.column),
                "table",
            )
            for case in cases.itertuples()
        ) from None


def write(table: pd.DataFrame, path: Path) -> None:
    """Write a table so that the same rows are the same bytes.

    Parameters
    ----------
    table : rows in their final order.
    path : the Parquet file; no version of pandas and no time is written into it.
    """
    arrow = pyarrow.Table.from_pandas(table, preserve_index=False).replace_schema_metadata(None)
    pyarrow.parquet.write_table(arrow, path, compression="zstd", compression_level=3)


def read(path: Path) -> pd.DataFrame:
    """Read a table that :func:`write` wrote; the types come back as they were."""
    frame: pd.DataFrame = pyarrow.parquet.read_table(Path(path)).to_pandas()
    return shape(Path(path).stem, frame) if Path(path).stem in TABLES else frame

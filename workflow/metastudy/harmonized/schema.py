"""The schema of the harmonized tables: what a row is, which columns it has, and their types."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa

from metastudy.codebook.vocabulary import (
    DIRECTIONS,
    METRICS,
    PRIORITIES,
    SD_ERRORS,
    SMALL_SAMPLES,
    STANDARDISERS,
    TERMS,
    VERIFICATIONS,
    Vocabulary,
)
from metastudy.common.table_schema import Column, pandera_schema

__all__ = [
    "PARCEL",
    "PERSON",
    "REPORT",
    "TABLES",
    "Table",
    "coded",
    "empty",
    "is_text",
    "schema",
    "shape",
]

PERSON = "respondent_id"


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
REPORT = "report.json"  # beside the tables of a study
PARCEL = "study.parcel"  # beside the report of a study that came without rows
PROVENANCES = ("simulated", "observed")
TABLES: Mapping[str, Table] = {
    "respondents": Table(
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "role": Column(null=True, section="roles"),
            "country": Column(null=True, section="countries"),
            "region": _OPTIONAL,
            "sector": Column(null=True, section="sectors"),
            "org_id": _OPTIONAL,
            "arrangement": Column(null=True, section="arrangements"),
            "occupation": _OPTIONAL,
            "age_band": _OPTIONAL,
            "gender": _OPTIONAL,
            "tenure_yrs": Column("float64", null=True, low=0),
            "lang": _OPTIONAL,
            "cluster_id": _OPTIONAL,
            "weight": Column("float64", null=True, low=0),
            "qc_status": _ID,
            "provenance": Column(among=PROVENANCES),
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
    "case_ratings": Table(
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "org_id": _OPTIONAL,
            "dimension": Column(section="dimensions"),
            "rating": Column("float64", null=True, low=-1, high=1),
            "missing_reason": Column(null=True, section="missing_reasons"),
            "evidence": _OPTIONAL,
        },
        ("respondent_id", "dimension"),
    ),
    "effects": Table(
        {
            "study_id": _ID,
            "finding_id": _ID,
            "citation": _ID,
            "contrast": _ID,
            "exposure": _OPTIONAL,
            "exposure_type": Column(section="exposure_types"),
            "response_mode": Column(null=True, section="response_modes"),
            "outcome": _ID,
            "vignette": Column(null=True, section="vignettes"),
            "family": Column(null=True, section="families"),
            "direction": Column(among=DIRECTIONS),
            "term": Column(null=True, among=TERMS),
            "priority": Column(null=True, among=PRIORITIES),
            "estimate": _MEASURE,
            "se": Column("float64", null=True, low=0),
            "metric": Column(null=True, among=METRICS),
            "standardiser": Column(null=True, among=STANDARDISERS),
            "small_sample": Column(null=True, among=SMALL_SAMPLES),
            "sd_error": Column(null=True, among=SD_ERRORS),
            "sd_control": Column("float64", null=True, low=0),
            "sd_treatment": Column("float64", null=True, low=0),
            "n": Column("float64", null=True, low=1),
            "n_control": Column("float64", null=True, low=2),
            "n_treatment": Column("float64", null=True, low=2),
            # Of two measurements of the same people; n, n_control and n_treatment are their number.
            "paired_correlation": Column("float64", null=True, low=-1, high=1),
            "role": Column(null=True, section="roles"),
            "country": Column(null=True, section="countries"),
            "sector": Column(null=True, section="sectors"),
            "source": _OPTIONAL,
            "verification": Column(among=VERIFICATIONS),
            "provenance": Column(among=PROVENANCES),
            # How estimate and se were computed, with source; nothing where both were published.
            "method": _OPTIONAL,
            # What an inequality of p says of the size of an estimate that is not known.
            "size_above": Column("float64", null=True, low=0),
            "size_below": Column("float64", null=True, low=0),
        },
        ("finding_id",),
    ),
    "attributes": Table(  # moderators and nestings, of a finding or of the study as a whole
        {
            "study_id": _ID,
            "finding_id": _OPTIONAL,
            "kind": Column(among=("moderator", "nesting")),
            "name": _ID,
            "value": _ID,
        },
        ("finding_id", "kind", "name"),
    ),
    "dependence": Table(  # of two findings, whichever comes first
        {
            "study_id": _ID,
            "finding_id": _ID,
            "other_id": _ID,
            "covariance": _MEASURE,
            "correlation": Column("float64", null=True, low=-1, high=1),
        },
        ("finding_id", "other_id"),
    ),
    "arms": Table(  # of respondents that are arms: what their people scored, in per cent
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "construct": Column(section="constructs"),
            "people": Column("int64", low=2),
            # Divided by the design effect of clusters.
            "effective": Column("float64", low=0),
            "mean": Column("float64", low=0, high=100),
            "sd": Column("float64", low=0),
            # How far rounding may have moved them.
            "mean_within": Column("float64", low=0),
            "sd_within": Column("float64", low=0),
        },
        ("respondent_id", "construct"),
    ),
    "arm_correlations": Table(
        {
            "study_id": _ID,
            "respondent_id": _ID,
            "construct": Column(section="constructs"),
            "other": Column(section="constructs"),
            "correlation": Column("float64", low=-1, high=1),
        },
        ("respondent_id", "construct", "other"),
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
    A strict schema: these columns in this order, of these types and values. It speaks of each
    value alone; that no key comes twice is seen by :func:`check`.
    """

    def options(column: Column) -> Collection[str] | None:
        return vocabulary[column.section] if column.section else column.among

    return pandera_schema(name, TABLES[name].columns, options)


def coded(positions: np.ndarray, values: Sequence[Any]) -> pd.Series:
    """Make a column from its different values and a position for each row.

    Parameters
    ----------
    positions : positions in ``values``, shape (rows,); -1 where there is none.
    values : texts or numbers, ``None`` for a missing one, or what else one may tell.

    Returns
    -------
    Series of shape (rows,): a categorical, in the order of the alphabet, if the values are texts.
    """
    column = pd.Series([*values, None])
    if column.dtype != "str":
        return column.take(positions).reset_index(drop=True)
    few = column.astype("category").array
    return pd.Series(pd.Categorical.from_codes(few.codes[positions], dtype=few.dtype))


def shape(name: str, data: Mapping[str, Any] | pd.DataFrame) -> pd.DataFrame:
    """Bring columns into a table's order and types.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    data : by name a column, or a text that is the same in all rows; a column that is not given is
        empty.

    Returns
    -------
    The table; a text column that came as a categorical stays one.
    """
    frame = pd.DataFrame({label: of for label, of in data.items() if not _alike(of)})
    columns = TABLES[name].columns
    for label, column in columns.items():
        if label not in frame and column.dtype == "str":
            value = data.get(label)
            frame[label] = coded(np.full(len(frame), 0 if value else -1), [value or ""]).array
        elif label not in frame:
            frame[label] = pd.Series(pd.NA, index=frame.index, dtype="str")
        if column.dtype == "float64" and frame[label].dtype != "float64":
            frame[label] = pd.to_numeric(frame[label])
    types = {
        label: of.dtype
        for label, of in columns.items()
        if of.dtype != "str" or not is_text(frame[label].dtype)
    }
    return frame[list(columns)].astype(types)


def _alike(column: Any) -> bool:
    return column is None or isinstance(column, str)


def empty(name: str) -> pd.DataFrame:
    """Give a table without rows, of the right columns and types."""
    return shape(name, {label: [] for label in TABLES[name].columns})


def is_text(dtype: Any) -> bool:
    """Whether a column of this type holds text, as it is or as categories."""
    of = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    return bool(of == "str")

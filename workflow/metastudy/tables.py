"""The harmonized tables: their columns, what may stand in them, and how they are stored.

In memory a text is a code for one of few different texts, and a table of one row a person and
question is :class:`Crossed`; :func:`blocks` spells them out, a row group at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pandera.pandas as pa
import pyarrow
import pyarrow.parquet

from metastudy.errors import BadInput, Problem
from metastudy.vocabulary import DIRECTIONS, METRICS, TERMS, VERIFICATIONS, Vocabulary

__all__ = [
    "TABLES",
    "Column",
    "Crossed",
    "Part",
    "Table",
    "blocks",
    "check",
    "coded",
    "crossed",
    "empty",
    "read",
    "read_some",
    "schema",
    "shape",
    "whole",
    "write",
]

ROWS = 2**18  # rows of a row group: what is spelt out in memory at a time
PERSON = "respondent_id"


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


@dataclass(frozen=True)
class Crossed:
    """A long table in short: which of a few different rows each person has on each question.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    persons : ``respondent_id``, shape (persons,).
    kinds : the different rows, without ``respondent_id``.
    codes : positions in ``kinds``, shape (persons, questions); -1 where a person has no row.
    """

    name: str
    persons: pd.Series
    kinds: pd.DataFrame
    codes: np.ndarray

    def take(self, order: np.ndarray) -> Crossed:
        """Give the persons in another order."""
        return Crossed(self.name, self.persons.take(order), self.kinds, self.codes[order])

    def counts(self) -> np.ndarray:
        """Count how many rows there are of each kind."""
        total = np.zeros(len(self.kinds), dtype=np.int64)
        for codes in self.codes.T:
            total += np.bincount(codes[codes >= 0], minlength=len(total))
        return total


Part = pd.DataFrame | Crossed


_ID = Column()
_OPTIONAL = Column(null=True)
_NUMBER = Column("float64")
_MEASURE = Column("float64", null=True)
_POSITION = Column("int64", low=0)

PROVENANCES = ("simulated", "observed")

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
            "estimate": _MEASURE,
            "se": Column("float64", null=True, low=0),
            "metric": Column(null=True, among=METRICS),
            "n": Column("float64", null=True, low=1),
            "role": Column(null=True, section="roles"),
            "country": Column(null=True, section="countries"),
            "sector": Column(null=True, section="sectors"),
            "source": _OPTIONAL,
            "verification": Column(among=VERIFICATIONS),
            "provenance": Column(among=PROVENANCES),
        },
        ("finding_id",),
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

    def checks(column: Column) -> list[pa.Check]:
        options = vocabulary[column.section] if column.section else column.among
        found = [pa.Check.isin(list(options))] if options is not None else []
        found += [pa.Check.ge(column.low)] if column.low is not None else []
        return found + ([pa.Check.le(column.high)] if column.high is not None else [])

    columns: dict[Any, Any] = {
        label: pa.Column(column.dtype, checks(column), nullable=column.null)
        for label, column in TABLES[name].columns.items()
    }
    return pa.DataFrameSchema(columns, strict=True, ordered=True, name=name)


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
        if of.dtype != "str" or not _text(frame[label].dtype)
    }
    return frame[list(columns)].astype(types)


def _alike(column: Any) -> bool:
    return column is None or isinstance(column, str)


def empty(name: str) -> pd.DataFrame:
    """Give a table without rows, of the right columns and types."""
    return shape(name, {label: [] for label in TABLES[name].columns})


def crossed(
    name: str, persons: pd.Series, kinds: Sequence[pd.DataFrame], codes: Sequence[np.ndarray]
) -> Crossed:
    """Make a long table of persons and questions.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    persons : ``respondent_id``, shape (persons,).
    kinds : for each question the different rows, without ``respondent_id``.
    codes : for each question positions in its rows, shape (persons,); -1 for no row.
    """
    rows = pd.concat(kinds, ignore_index=True) if kinds else empty(name)
    rows = shape(name, rows).drop(columns=PERSON)
    small = np.int16 if len(rows) < 2**15 else np.int32
    matrix = np.full((len(persons), len(codes)), -1, dtype=small, order="F")
    start = 0
    for question, (own, position) in enumerate(zip(kinds, codes, strict=True)):
        matrix[:, question] = np.where(position < 0, -1, position.astype(small) + start)
        start += len(own)
    return Crossed(name, persons, rows, matrix)


def check(name: str, table: Part, vocabulary: Vocabulary) -> Part:
    """Check a table against its schema, and that its key tells its rows apart.

    Returns
    -------
    The table.

    Raises
    ------
    BadInput
        ``table``, with what stands where it may not.
    """
    wrong: list[tuple[str, str, str]] = []
    try:
        schema(name, vocabulary).validate(_different(name, table), lazy=True)
    except pa.errors.SchemaErrors as error:
        cases = error.failure_cases.drop_duplicates(["column", "check"]).head(20)
        wrong = [(f"{c.failure_case}", f"{c.check}", f"{c.column}") for c in cases.itertuples()]
    key = list(TABLES[name].key)
    if not wrong and _repeats(table, key):
        wrong = [("rows that nothing tells apart", "each row once", ", ".join(key))]
    studies = (table.kinds if isinstance(table, Crossed) else table)["study_id"]
    if wrong:
        raise BadInput(
            Problem(
                f"{name}.parquet",
                found,
                expected,
                "this should have been found in the raw data: please report it with the codebook",
                str(studies.iloc[0]) if len(studies) else None,
                None,
                column,
                "table",
            )
            for found, expected, column in wrong
        )
    return table


def _different(name: str, table: Part) -> pd.DataFrame:
    """Give a small table that keeps a schema if and only if a large one does.

    A schema looks at each value alone, and at no row as a whole. So each column may be replaced by
    its different values, repeated to one length; where it has bounds only, by its ends; where any
    text may stand, by one text; and by one missing value, if there is any.
    """
    columns = TABLES[name].columns
    if isinstance(table, Crossed):  # each of its rows is a person and one of its kinds
        persons = table.persons if len(table.kinds) else table.persons.head(0)
        pairs = [(label, table.kinds.get(label, persons)) for label in columns]
    else:
        pairs = [(str(label), table[label]) for label in table]
    few = {}
    for label, column in pairs:
        of = columns.get(label, Column())
        if isinstance(column.dtype, pd.CategoricalDtype):
            column = pd.Series(column.unique())
        missing = column.isna().to_numpy()
        known, lost = column[~missing] if missing.any() else column, column[missing].head(1)
        if of.dtype in ("float64", "int64") and column.dtype == of.dtype and len(known):
            known = known.iloc[[int(known.argmin()), int(known.argmax())]]
        elif of.dtype == "str" and not (of.section or of.among) and _text(column.dtype):
            known = known.head(1)
        own = pd.concat([known.drop_duplicates(), lost])
        few[label] = own.astype("str") if _text(column.dtype) else own
    longest = np.arange(max(map(len, few.values())))
    return pd.DataFrame(
        {label: own.take(longest % max(len(own), 1)).array for label, own in few.items()}
    )


def _text(dtype: Any) -> bool:
    of = dtype.categories.dtype if isinstance(dtype, pd.CategoricalDtype) else dtype
    return bool(of == "str")


def _repeats(table: Part, key: list[str]) -> bool:
    """Tell whether two rows of a table have the same key."""
    if isinstance(table, pd.DataFrame):
        if any(_rises(table[label]) for label in key):  # one column alone tells the rows apart
            return False
        return bool(table.duplicated(key).any())
    if not _rises(table.persons) and table.persons.duplicated().any():
        return True
    own = [label for label in key if label != PERSON]
    number = table.kinds.groupby(own, dropna=False, observed=True).ngroup().to_numpy()
    # A person has one row on each question: a key may come twice only if two questions have it.
    occur = [np.bincount(codes[codes >= 0]) > 0 for codes in table.codes.T]
    used = [np.unique(number[: len(some)][some]) for some in occur]
    keys, questions = np.unique(np.concatenate([number[:0], *used]), return_counts=True)
    return any(
        ((number[table.codes] == one) & (table.codes >= 0)).sum(axis=1).max() > 1
        for one in keys[questions > 1]
    )


def _rises(column: pd.Series) -> bool:
    """Tell whether each value is greater than the one before it; then none comes twice."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        return False
    values = column.array
    return bool(np.all(values[:-1] < values[1:]))


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
    frame: pd.DataFrame = pyarrow.parquet.read_table(Path(path)).to_pandas()
    return shape(Path(path).stem, frame) if Path(path).stem in TABLES else frame


def read_some(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Read some columns of a long table, texts as categoricals: a small part of the memory."""
    of = TABLES[Path(path).stem].columns
    texts = [label for label in columns if of[label].dtype == "str"]
    table = pyarrow.parquet.read_table(Path(path), columns=list(columns), read_dictionary=texts)
    return table.to_pandas()

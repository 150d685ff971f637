"""Checks of harmonized tables as they are written: keys, ranges, order."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandera.pandas as pa

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput, Problem
from metastudy.common.table_schema import Column
from metastudy.harmonized.crossed import Crossed, Part
from metastudy.harmonized.schema import PERSON, TABLES, is_text, schema

__all__ = ["check"]


def check(name: str, table: Part, vocabulary: Vocabulary) -> Part:
    """Check a table against its schema, and that its key tells its rows apart.

    Returns
    -------
    The table.

    Raises
    ------
    BadInput
        ``table``, with what is where it may not be.
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
                file=f"{name}.parquet",
                found=found,
                expected=expected,
                fix="this should have been found in the raw data: please report it with the "
                "codebook",
                study=str(studies.iloc[0]) if len(studies) else None,
                column=column,
                code="table",
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
        elif of.dtype == "str" and not (of.section or of.among) and is_text(column.dtype):
            known = known.head(1)
        own = pd.concat([known.drop_duplicates(), lost])
        few[label] = own.astype("str") if is_text(column.dtype) else own
    longest = np.arange(max(map(len, few.values())))
    return pd.DataFrame(
        {label: own.take(longest % max(len(own), 1)).array for label, own in few.items()}
    )


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

"""Schemas of tables: what a column holds, and the Pandera schema that follows from it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any

import pandera.pandas as pa

__all__ = ["Column", "pandera_schema"]


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


def pandera_schema(
    name: str,
    columns: Mapping[str, Column],
    options: Callable[[Column], Collection[str] | None] = lambda column: column.among,
) -> pa.DataFrameSchema:
    """Make the Pandera schema of a table.

    Parameters
    ----------
    name : of the table.
    columns : its columns in order.
    options : gives the only values of a column, or ``None`` where any may be.

    Returns
    -------
    A strict schema: these columns in this order, of these types and values. It speaks of each
    value alone.
    """

    def checks(column: Column) -> list[pa.Check]:
        only = options(column)
        found = [pa.Check.isin(list(only))] if only is not None else []
        found += [pa.Check.ge(column.low)] if column.low is not None else []
        return found + ([pa.Check.le(column.high)] if column.high is not None else [])

    of: dict[Any, Any] = {
        label: pa.Column(column.dtype, checks(column), nullable=column.null)
        for label, column in columns.items()
    }
    return pa.DataFrameSchema(of, strict=True, ordered=True, name=name)

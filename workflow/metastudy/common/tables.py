"""Small helpers for data frames."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

__all__ = ["JOINT", "join_values", "records", "split_values"]

JOINT = " + "  # joins several values in one cell of a table of contrasts


def join_values(values: Iterable[Any]) -> str:
    """Values in one cell: as texts, each once, sorted, with :data:`JOINT` between them."""
    return JOINT.join(sorted({str(value) for value in values}))


def split_values(cell: Any) -> list[str]:
    """The values that :func:`join_values` joined; none of an empty cell."""
    return [value for value in str(cell).split(JOINT) if value]


def records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows of a table by name of column."""
    return [{str(k): v for k, v in row.items()} for row in table.to_dict("records")]

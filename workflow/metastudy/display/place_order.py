"""The order of places on an axis of labels, which comes with the table that is drawn.

A drawing has labels alone, and each of its rows a few of them: the order in which they first come
is that of the rows. So the table of a figure says the order of its places in its attribute
``order``, from :meth:`metastudy.display.labels.Labels.position`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import pandas as pd

__all__ = ["ORDER", "in_order_of", "with_order"]

ORDER = "order"  # of pandas.DataFrame.attrs


def with_order(table: pd.DataFrame, order: Mapping[str, Sequence[str]]) -> pd.DataFrame:
    """Give the table with the values of some columns in the order in which they are shown."""
    found = table.copy(deep=False)
    found.attrs = {**table.attrs, ORDER: {name: list(values) for name, values in order.items()}}
    return found


def in_order_of(table: pd.DataFrame, column: str, values: Iterable[str]) -> list[str]:
    """Values of a column, each once, as the table says that they are shown.

    Values of a column without an order are as they come, and so are those beyond it, after it.
    """
    known = {value: at for at, value in enumerate(table.attrs.get(ORDER, {}).get(column, ()))}
    return sorted(dict.fromkeys(values), key=lambda value: known.get(value, len(known)))

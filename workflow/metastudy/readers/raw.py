"""What every reader gives: the raw data as canonical texts, with the places the user knows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd

from metastudy.common.problems import Problem

__all__ = ["UNKNOWN_CODER", "RawProject", "RawTable"]

UNKNOWN_CODER = "unknown"  # the coder where a project or a matrix names none at all


@dataclass(frozen=True)
class RawTable:
    """A data file as a table of texts.

    Parameters
    ----------
    data : one row a raw row, one column of texts for each raw name that is used
        (:func:`coded_texts`: ``str`` or a categorical of it); a cell is canonical text
        (:func:`metastudy.common.text.canonical`), ``""`` if empty, never missing.
    rows : integers, shape (rows,): the number by which the user finds each row in the file.
    names : every raw name of the file, in its order, used or not.
    titles : what is above a column, where that is not its name.
    labels : value labels by raw name and code, where the format has them.
    declared_missing : codes that the file itself declares as missing, by raw name.
    origins : for a column that was made of others, rows and columns of the file that its cells
        come from, as the user finds them, each of shape (rows,).
    """

    data: pd.DataFrame
    rows: np.ndarray
    names: tuple[str, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    declared_missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    origins: Mapping[str, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Name a column as the user finds it."""
        title = self.titles.get(name, name)
        return name if title == name else f"{name} ({title})"

    def where(self, name: str, at: np.ndarray) -> list[tuple[str, list[int]]]:
        """Columns and rows of the file that hold cells of a column.

        Parameters
        ----------
        at : positions of the cells.
        """
        if name not in self.origins:
            return [(self.place(name), sorted({int(row) for row in self.rows[at]}))]
        rows, columns = (of[at] for of in self.origins[name])
        return [
            (column, sorted({int(row) for row in rows[columns == column]}))
            for column in dict.fromkeys(columns)
        ]


@dataclass(frozen=True)
class RawProject:
    """A project of coded texts.

    Parameters
    ----------
    cases : one row a source, with the variables of its case and the names ``guid`` and ``name``.
    codings : one row a coding, with the columns ``case`` (position in ``cases``), ``start`` and
        ``end`` (characters), ``coder`` (id in ``coders``) and ``code`` (id in ``codes``); of a list
        of segments also ``row``, the number of the segment's row in the file.
    coders : names by id.
    codes : by id, the names on the way from the root of the code tree to the code.
    readings : who read which source, where the file tells it beside the codings (who read a source
        and applied no code): one row a reading, with the columns ``case`` and ``coder``.
    notes : what of the file is not among the rows, or not in full, a line for each.
    problems : what is wrong with single rows, which are not among the codings.
    """

    cases: RawTable
    codings: pd.DataFrame
    coders: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]]
    readings: pd.DataFrame | None = None
    notes: tuple[str, ...] = ()
    problems: tuple[Problem, ...] = ()

"""Stata files; extended missing codes stay in the data as ``.a`` to ``.z``."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.text import canonical
from metastudy.readers.columns import column_texts
from metastudy.readers.raw import RawTable
from metastudy.readers.statistical import Program, moments, open_file

__all__ = ["read"]

_STATA = Program(
    "Stata",
    ("a Stata file",),
    "a Stata file (.dta)",
    ".dta",
    {"a Stata file": "read_dta"},
    " (often cp1252 before Stata 14)",
)


def read(codebook: Codebook) -> RawTable:
    """Read a Stata file.

    Stata has 27 missing values for numbers: the system's, read as an empty cell, and ``.a`` to
    ``.z``, which say why an answer is missing and so stay codes of their own.

    Parameters
    ----------
    codebook : names the file; its encoding is used if given, else the file's own.

    Returns
    -------
    RawTable whose rows are numbered as Stata numbers observations, from 1; the extended missing
    codes that occur are ``declared_missing``.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no Stata file or ends too early; ``encoding`` if its texts are
        not in the encoding it declares.
    """
    data, meta = open_file(codebook, _STATA)
    names = tuple(map(str, meta.column_names))
    extended = {
        name: {str(code): f".{code}" for code in codes}
        for name, codes in meta.missing_user_values.items()
    }
    texts = {
        name: column_texts(
            _cells(data[name], extended.get(name, {}), str(meta.original_variable_types.get(name)))
        )
        for name in codebook.used_names
        if name in data
    }
    numbers = {
        name for name, kind in meta.readstat_variable_types.items() if not kind.startswith("string")
    }
    return RawTable(
        data=pd.DataFrame(texts, index=range(len(data))),
        rows=np.arange(1, len(data) + 1),
        names=names,
        labels={
            name: {
                f".{code}" if name in numbers and isinstance(code, str) else canonical(code): str(
                    label
                ).strip()
                for code, label in of.items()
            }
            for name, of in meta.variable_value_labels.items()
        },
        declared_missing={
            name: tuple(codes.values()) for name, codes in extended.items() if name in texts
        },
    )


# Days, or thousandths of a second, since this; Stata's other dates are numbers of weeks, months ...
_ORIGIN = datetime.datetime(1960, 1, 1)  # noqa: DTZ001
_DAY = re.compile(r"%-?t?d")
_MOMENT = re.compile(r"%-?t[cC]")


def _cells(column: pd.Series, extended: dict[str, str], form: str) -> pd.Series:
    """Spell extended missing codes and moments; only a column of numbers has such codes."""
    if extended:
        column = column.map(lambda value: extended.get(value, value), na_action="ignore")
    if _DAY.match(form):
        return moments(column, _ORIGIN, datetime.timedelta(days=1), day=True)
    if _MOMENT.match(form):
        return moments(column, _ORIGIN, datetime.timedelta(milliseconds=1), day=False)
    return column

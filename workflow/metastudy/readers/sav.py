"""SPSS files, read with the codes that SPSS declares as missing still in them."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.text import canonical
from metastudy.readers.columns import column_texts
from metastudy.readers.raw import RawTable
from metastudy.readers.signatures import PORTABLE
from metastudy.readers.statistical import Program, moments, open_file

__all__ = ["read"]

_SPSS = Program(
    "SPSS",
    ("an SPSS file", "a compressed SPSS file (.zsav)", PORTABLE),
    "an SPSS file (.sav, .zsav or .por)",
    ".sav",
    {
        "an SPSS file": "read_sav",
        "a compressed SPSS file (.zsav)": "read_sav",
        PORTABLE: "read_por",
    },
)
# SPSS counts seconds; times of the day and durations are numbers of seconds, and stay so.
_ORIGIN = datetime.datetime(1582, 10, 14)  # noqa: DTZ001
_SECOND = datetime.timedelta(seconds=1)
_DAY = re.compile(r"(DATE|ADATE|EDATE|JDATE|SDATE|QYR|MOYR|WKYR)\d")
_MOMENT = re.compile(r"(DATETIME|YMDHMS)\d")


def read(codebook: Codebook) -> RawTable:
    """Read an SPSS file.

    User-missing codes stay in the data, because by default they are turned to blanks and the
    reason why an answer is missing is lost. Codes are read, not labels: where only the end
    points of a scale have labels, a mixture of both would come out.

    Parameters
    ----------
    codebook : names the file; its encoding is used if given, else the file's own.

    Returns
    -------
    RawTable whose rows are numbered as SPSS numbers cases, from 1.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no SPSS file or ends too early; ``encoding`` if its texts are
        not in the encoding it declares.
    """
    data, meta = open_file(codebook, _SPSS)
    names = tuple(map(str, meta.column_names))
    texts = {
        name: column_texts(
            _cells(data[name], str(meta.original_variable_types.get(name, ""))),
            codebook.file.decimal,
        )
        for name in codebook.used_names
        if name in data
    }
    labels = {
        name: {canonical(code): str(label).strip() for code, label in of.items()}
        for name, of in meta.variable_value_labels.items()
    }
    declared = {
        name: _declared(ranges, texts[name], labels.get(name, {}))
        for name, ranges in (meta.missing_ranges or {}).items()
        if name in texts
    }
    return RawTable(
        data=pd.DataFrame(texts, index=range(len(data))),
        rows=np.arange(1, len(data) + 1),
        names=names,
        labels=labels,
        declared_missing=declared,
    )


def _cells(column: pd.Series, form: str) -> pd.Series:
    day, both = _DAY.match(form), _MOMENT.match(form)
    return moments(column, _ORIGIN, _SECOND, bool(day)) if day or both else column


def _declared(
    ranges: list[dict[str, float | str]], column: pd.Series, labels: dict[str, str]
) -> tuple[str, ...]:
    """List declared missing codes: single ones, and those of a range that occur or are labelled."""
    codes = dict.fromkeys(canonical(one["lo"]) for one in ranges if one["lo"] == one["hi"])
    known = pd.Series(list(dict.fromkeys([*labels, *column.unique()])), dtype="str")
    numbers = pd.to_numeric(known, errors="coerce")
    for one in ranges:
        if one["lo"] != one["hi"]:
            inside = numbers.between(float(one["lo"]), float(one["hi"]))
            codes |= dict.fromkeys(known[inside])
    return tuple(codes)

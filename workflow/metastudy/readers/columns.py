"""Columns of raw tables as texts, whatever their type."""

from __future__ import annotations

import datetime
import re

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from metastudy.common.text import canonical

__all__ = ["MAX_CATEGORIES", "coded_texts", "column_texts", "moment"]

MAX_CATEGORIES = 2**15  # so many different texts at most make a categorical
# Texts that canonical() may change: not plain ASCII, blanks around, 1.0, truth values.
_SUSPECT = r"[^\x20-\x7e]|^ | $|^[-+]?[0-9]+\.0+$|^(?i:true|false)$"


def column_texts(column: pd.Series, decimal: str = ".") -> pd.Series:
    """Bring a column to canonical texts; each different value is looked at once.

    Parameters
    ----------
    column : any dtype, shape (rows,).
    decimal : decimal mark of numbers written as text.

    Returns
    -------
    Texts as :func:`coded_texts` gives them, ``""`` where the value is missing.
    """
    codes, values = pd.factorize(column, use_na_sentinel=True)
    texts = [canonical(value) for value in values]
    return coded_texts(pa.array([*texts, ""], type=pa.string()), codes % (len(texts) + 1), decimal)


def coded_texts(texts: pa.Array, codes: np.ndarray, decimal: str = ".") -> pd.Series:
    """Make a column of canonical texts from its different texts and a code for each row.

    Parameters
    ----------
    texts : Arrow strings, without nulls.
    codes : positions in ``texts``, shape (rows,).
    decimal : decimal mark of numbers.

    Returns
    -------
    Series of shape (rows,): a categorical of texts where few are different, else plain ``str``;
    both compare, factorize and print alike, and a million rows of a scale take a megabyte.
    """
    texts = _canonical(texts)
    if decimal != ".":
        pattern = rf"^([-+]?\d+){re.escape(decimal)}(\d+)$"
        texts = _canonical(pc.replace_substring_regex(texts, pattern, r"\1.\2"))
    if len(texts) > MAX_CATEGORIES:
        if len(codes) < len(texts) or (codes[:-1] >= codes[1:]).any():
            texts = texts.take(pa.array(codes))
        return pd.Series(texts.to_pandas(), dtype="str")
    occur = np.bincount(codes, minlength=len(texts)) > 0
    spelt = texts.filter(pa.array(occur)).dictionary_encode()
    if not occur.all() or len(spelt.dictionary) < len(texts):
        place = np.zeros(len(texts), dtype=np.int32)
        place[occur] = spelt.indices.to_numpy()
        codes = place[codes]
    different = spelt.dictionary
    categories = pd.Index(different.to_pylist(), dtype="str")
    return pd.Series(pd.Categorical.from_codes(codes, categories=categories))


def _canonical(texts: pa.Array) -> pa.Array:
    """Apply :func:`metastudy.common.text.canonical`, and only where it may change something."""
    suspect = pc.match_substring_regex(texts, _SUSPECT).to_numpy(zero_copy_only=False)
    if not suspect.any():
        return texts
    changed = [canonical(text) for text in texts.filter(pa.array(suspect)).to_pylist()]
    return pc.replace_with_mask(texts, pa.array(suspect), pa.array(changed, type=texts.type))


def moment(value: object) -> object:
    """Give a date with a time as text: ISO 8601 with a blank, and midnight as the day alone.

    >>> moment(datetime.datetime(2020, 3, 2)), moment(datetime.datetime(2020, 3, 2, 8, 28))
    ('2020-03-02', '2020-03-02 08:28:00')
    """
    if isinstance(value, datetime.datetime) and value == value:
        return value.isoformat(sep=" ").removesuffix(" 00:00:00")
    return value

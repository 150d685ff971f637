"""What every reader gives: the raw data as canonical texts, with the places the user knows."""

from __future__ import annotations

import codecs
import datetime
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from metastudy.codebook import Codebook
from metastudy.errors import BadInput, Problem
from metastudy.texts import canonical, did_you_mean, private, shown

__all__ = [
    "CODES",
    "UNKNOWN_CODER",
    "RawProject",
    "RawTable",
    "coded_texts",
    "column_texts",
    "is_encoding",
    "moment",
    "problem",
    "read_bytes",
    "refuse",
    "unknown_columns",
    "what_it_is",
]

# What can be wrong with a data file before its codebook gives the cells a meaning.
CODES: Mapping[str, str] = {
    "missing-file": "there is no file where the codebook says",
    "wrong-format": "the file is not of its format, or is damaged, cut off or out of shape",
    "encoding": "texts are not in the encoding that is declared",
    "unknown-column": "a raw name of the codebook is not in the file",
    "hostile-archive": "sizes, paths or entities that no honest program writes",
    "off-scale": "a cell that has no one meaning in its column: a mark of a matrix, a thousand",
    "missing-id": "a row of a matrix without its source or its coder",
    "duplicate-id": "two rows of a matrix for one source and coder",
    "contradiction": "two rows of a matrix that say different things of one source",
}

UNKNOWN_CODER = "unknown"  # the coder where a project or a matrix names none at all
FEW = 2**15  # so many different texts at most make a categorical

# Texts that canonical() may change: not plain ASCII, blanks around, 1.0, truth values.
_SUSPECT = r"[^\x20-\x7e]|^ | $|^[-+]?[0-9]+\.0+$|^(?i:true|false)$"

_KINDS = (
    (b"$FL2", "an SPSS file"),
    (b"$FL3", "a compressed SPSS file (.zsav)"),
    (b"PK\x03\x04", "a ZIP archive, such as .xlsx or .qdpx"),
    (b"\xd0\xcf\x11\xe0", "an old Office file, such as .xls"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"<stata_dta>", "a Stata file"),
    (b"PAR1", "a Parquet file"),
    (b"PARE", "an encrypted Parquet file"),
    (b"<?xml", "an XML document"),
)


@dataclass(frozen=True)
class RawTable:
    """A data file as a table of texts.

    Parameters
    ----------
    data : one row a raw row, one column of texts for each raw name that is used
        (:func:`coded_texts`: ``str`` or a categorical of it); a cell is canonical text
        (:func:`metastudy.texts.canonical`), ``""`` if empty, never missing.
    rows : integers, shape (rows,): the number by which the user finds each row in the file.
    names : every raw name of the file, in its order, used or not.
    titles : what stands above a column, where that is not its name.
    labels : value labels by raw name and code, where the format has them.
    declared_missing : codes that the file itself declares as missing, by raw name.
    """

    data: pd.DataFrame
    rows: np.ndarray
    names: tuple[str, ...]
    titles: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    declared_missing: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def place(self, name: str) -> str:
        """Name a column as the user finds it."""
        title = self.titles.get(name, name)
        return name if title == name else f"{name} ({title})"


@dataclass(frozen=True)
class RawProject:
    """A project of coded texts.

    Parameters
    ----------
    cases : one row a source, with the variables of its case and the names ``guid`` and ``name``.
    codings : one row a coding, with the columns ``case`` (position in ``cases``), ``start`` and
        ``end`` (characters), ``coder`` (id in ``coders``) and ``code`` (id in ``codes``).
    coders : names by id.
    codes : by id, the names on the way from the root of the code tree to the code.
    readings : who read which source, where the file tells it beside the codings (who read a source
        and applied no code): one row a reading, with the columns ``case`` and ``coder``.
    """

    cases: RawTable
    codings: pd.DataFrame
    coders: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]]
    readings: pd.DataFrame | None = None


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
    if len(texts) > FEW:
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
    """Apply :func:`metastudy.texts.canonical`, one by one only where it may change something."""
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


def is_encoding(name: str) -> bool:
    """Tell whether an encoding of that name is known."""
    try:
        codecs.lookup(name)
    except LookupError:
        return False
    return True


def what_it_is(start: bytes) -> str:
    """Say what a file seems to be, from its first bytes."""
    if not start:
        return "an empty file"
    for magic, kind in _KINDS:
        if start.removeprefix(b"\xef\xbb\xbf").startswith(magic):
            return kind
    if len(start) > 3 and start[0] in range(102, 116) and start[1] in (1, 2) and start[2] == 1:
        return "a Stata file"  # until version 12: number of the version, order of bytes, 1
    return "a binary file" if b"\0" in start[:4096] else "a text file"


def problem(
    codebook: Codebook,
    found: str,
    expected: str,
    mend: str,
    *,
    code: str = "wrong-format",
    row: int | str | None = None,
    column: str | None = None,
) -> Problem:
    """Make one problem of a data file; ``code`` is one of :data:`CODES`."""
    assert code in CODES, code
    path = shown(codebook.data_path)
    return Problem(path, found, expected, mend, codebook.study.id, row, column, code)


def refuse(
    codebook: Codebook,
    found: str,
    expected: str,
    mend: str,
    *,
    code: str = "wrong-format",
    row: int | str | None = None,
    column: str | None = None,
) -> BadInput:
    """Make the error with which a reader gives a data file back: :func:`problem`, alone."""
    return BadInput(problem(codebook, found, expected, mend, code=code, row=row, column=column))


def read_bytes(codebook: Codebook) -> bytes:
    """Read the data file whole; a missing one is a problem."""
    path: Path = codebook.data_path
    try:
        return path.read_bytes()
    except OSError:
        raise refuse(
            codebook,
            "no such file",
            "the data file that the codebook names",
            f"put the file there, or correct file.name in {shown(codebook.path)}",
            code="missing-file",
        ) from None


def unknown_columns(
    codebook: Codebook, names: Iterable[str], titles: Mapping[str, str]
) -> list[Problem]:
    """Find the raw names that the codebook mentions and the file does not have."""
    names = [name for name in names if not private(name)]  # a row of answers may stand as header
    by_title = {title: name for name, title in titles.items()}
    problems = []
    for name in codebook.named:
        if name not in names:
            if name in by_title:
                hint = f" '{name}' is a title; the column's name is '{by_title[name]}'."
            else:
                hint = did_you_mean(name, names)
            line = codebook.document.line(codebook.place(name))
            problems.append(
                Problem(
                    shown(codebook.data_path),
                    f"no variable '{name}'.{hint}",
                    f"a variable of the file: {', '.join(names[:12])}"
                    + (f" and {len(names) - 12} more" if len(names) > 12 else ""),
                    f"correct line {line} of {shown(codebook.path)}, or put the variable back",
                    codebook.study.id,
                    None,
                    name,
                    "unknown-column",
                )
            )
    return problems

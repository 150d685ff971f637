"""What every reader gives: the raw data as canonical texts, with the places the user knows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd

from metastudy.codebook import Codebook
from metastudy.errors import BadInput, Problem
from metastudy.texts import canonical, did_you_mean, shown

__all__ = ["RawProject", "RawTable", "column_texts", "refuse", "unknown_columns", "what_it_is"]

_KINDS = (
    (b"$FL2", "an SPSS file"),
    (b"$FL3", "a compressed SPSS file (.zsav)"),
    (b"PK\x03\x04", "a ZIP archive, such as .xlsx or .qdpx"),
    (b"\xd0\xcf\x11\xe0", "an old Office file, such as .xls"),
    (b"%PDF", "a PDF"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"SQLite format 3", "an SQLite database"),
    (b"<?xml", "an XML document"),
)


@dataclass(frozen=True)
class RawTable:
    """A data file as a table of texts.

    Parameters
    ----------
    data : one row a raw row, one ``str`` column for each raw name that is used; a cell is
        canonical text (:func:`metastudy.texts.canonical`), ``""`` if empty.
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
    """

    cases: RawTable
    codings: pd.DataFrame
    coders: Mapping[str, str]
    codes: Mapping[str, tuple[str, ...]]


def column_texts(column: pd.Series, decimal: str = ".") -> pd.Series:
    """Bring a column to canonical texts; each different value is looked at once.

    Parameters
    ----------
    column : any dtype, shape (rows,).
    decimal : decimal mark of numbers written as text.

    Returns
    -------
    ``str`` series of the same length, ``""`` where the value is missing.
    """
    codes, values = pd.factorize(column, use_na_sentinel=True)
    texts = pd.Series([canonical(value) for value in values], dtype="str")
    if decimal != ".":
        pattern = rf"^([-+]?\d+){decimal}(\d+)$"
        texts = texts.str.replace(pattern, r"\1.\2", regex=True).map(canonical).astype("str")
    table = np.append(texts.to_numpy(dtype=object), "")
    return pd.Series(table[codes], dtype="str", name=column.name)


def what_it_is(start: bytes) -> str:
    """Say what a file seems to be, from its first bytes."""
    if not start:
        return "an empty file"
    for magic, kind in _KINDS:
        if start.removeprefix(b"\xef\xbb\xbf").startswith(magic):
            return kind
    return "a binary file" if b"\0" in start[:4096] else "a text file"


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
    """Make the error with which a reader gives a data file back."""
    path = shown(codebook.data_path)
    return BadInput(Problem(path, found, expected, mend, codebook.study.id, row, column, code))


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
    names = list(names)
    by_title = {title: name for name, title in titles.items()}
    places = {
        variable.name: ("variables", index, "name")
        for index, variable in enumerate(codebook.variables)
    }
    for index, rule in enumerate(codebook.exclude):
        places.setdefault(str(rule.variable), ("exclude", index, "variable"))
    problems = []
    for name in codebook.named:
        if name not in names:
            if name in by_title:
                hint = f" '{name}' is a title; the column's name is '{by_title[name]}'."
            else:
                hint = did_you_mean(name, names)
            line = codebook.document.line(places[name])
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

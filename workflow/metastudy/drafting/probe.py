"""Probe a data file: its format, encoding, delimiter and decimal mark."""

from __future__ import annotations

import codecs
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd

from metastudy.codebook.codebook import Codebook, DataFile, Study, Variable
from metastudy.codebook.vocabulary import Vocabulary
from metastudy.common.problems import BadInput
from metastudy.common.text import numeral
from metastudy.common.yaml_document import Document
from metastudy.drafting.roles import TODO
from metastudy.readers import READERS, markdown
from metastudy.readers.detect import form, recognise
from metastudy.readers.raw import RawProject, RawTable
from metastudy.readers.signatures import what_it_is
from metastudy.readers.text_stream import separator
from metastudy.readers.xlsx import sizes

__all__ = ["TEXTS", "opened", "read"]

BY_COLUMN = ("sav", "dta", "parquet", "xlsx")  # of which one column may be unreadable
TEXTS = ("csv", "qualtrics", "markdown")
_COMMA = re.compile(r"[-+]?\d+,\d+")
_WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def opened(study: str, path: Path, vocabulary: Vocabulary) -> Codebook:
    """Make a codebook that says nothing of a data file but how it is written."""
    return Codebook(
        path=path.with_name("codebook.yaml"),
        study=Study(study, "", "", "", ""),
        file=_written(path),
        variables=(),
        codes={},
        exclude=(),
        quality=(),
        sensitivity=(),
        outcomes=(),
        exposures=(),
        moderators={},
        nestings={},
        dependence=(),
        constants={},
        vocabulary=vocabulary,
        document=Document(path, {}, {}),
    )


def _written(path: Path) -> DataFile:
    """Find the encoding and the delimiter of a text file."""
    with path.open("rb") as file:
        start = file.read(2**20)
    encoding = None
    if what_it_is(start) != "a text file" and not start.startswith(_WIDE):
        return DataFile(path.name)
    if start.startswith(_WIDE):
        encoding = "utf-16"
    else:
        try:
            codecs.getincrementaldecoder("utf-8")().decode(start)
        except UnicodeDecodeError:
            encoding = "cp1252"
    text = start.decode(encoding or "utf-8", "ignore")
    if said := separator(text):
        return DataFile(path.name, None, encoding, said)
    first = text.lstrip("\ufeff").partition("\n")[0]
    marks = sorted(",;\t|", key=first.count, reverse=True)
    return DataFile(path.name, None, encoding, marks[0] if first.count(marks[0]) else ",")


def read(codebook: Codebook) -> tuple[Codebook, RawTable | RawProject]:
    """Read every column that can be.

    A name that several columns have is left out, for it cannot be used, and so is a column that
    no variable can hold; both are among the names of the table and not among its data.
    """
    codebook = _chosen(codebook)
    reader = READERS[form(codebook)]
    empty = reader(codebook)
    names = (empty.cases if isinstance(empty, RawProject) else empty).names
    once = [name for name in dict.fromkeys(names) if names.count(name) == 1]
    try:
        raw = reader(_with(codebook, once))
    except BadInput:
        once = _readable(codebook, once) if form(codebook) in BY_COLUMN else []
        if not once:
            raise  # then it is not the columns
        raw = reader(_with(codebook, once))
    codebook = _with(codebook, once)
    table = raw.cases if isinstance(raw, RawProject) else raw
    if form(codebook) in TEXTS:
        decimal = _mark(codebook, [table.data[name] for name in once])
        codebook = replace(codebook, file=replace(codebook.file, decimal=decimal))
        raw = reader(codebook) if decimal == "," else raw
    return codebook, raw


def _with(codebook: Codebook, names: list[str]) -> Codebook:
    return replace(codebook, variables=tuple(Variable(name, "trait") for name in names))


def _readable(codebook: Codebook, names: list[str]) -> list[str]:
    """Find the columns that can be read, where not all can: one says nothing of the others."""
    try:
        READERS[form(codebook)](_with(codebook, names))
    except BadInput:
        middle = len(names) // 2
        halves = (names[:middle], names[middle:]) if middle else ()
        return [name for half in halves for name in _readable(codebook, half)]
    return names


def _chosen(codebook: Codebook) -> Codebook:
    """Choose where a codebook would have to say: a legacy export, the longest sheet or table."""
    kinds = recognise(codebook)
    file = codebook.file
    if len(kinds) > 1 and "qualtrics" in kinds:
        file = replace(file, format="qualtrics")
    elif kinds == ("xlsx",) and len(sheets := sizes(codebook)) > 1:
        file = replace(file, sheet=max(sheets, key=lambda name: sheets[name]))
    elif kinds == ("markdown",) and len(tables := markdown.sizes(codebook)) > 1:
        file = replace(file, heading=max(tables, key=lambda name: tables[name]))
    return replace(codebook, file=file)


def _mark(codebook: Codebook, columns: list[pd.Series]) -> str:
    """Find the decimal mark of a file: a comma not beside decimal points; open where it may be.

    1,3 may be a number or two answers in one cell. Where commas separate the columns too, it is
    no number; elsewhere a person has to say.
    """
    if any(column.astype("str").str.fullmatch(r"[-+]?\d+\.\d+").any() for column in columns):
        return "."
    found = [column for column in columns if _comma(column)]
    certain = [column for column in found if not _codes(column)]
    if certain or not found:
        return "," if certain else "."
    return "." if codebook.file.delimiter == "," else TODO


def _codes(texts: pd.Series) -> bool:
    """Tell whether all numbers with a comma may be two codes, the lower one first: 1,3 or 2,12."""
    given = [one for one in texts[texts != ""].astype("str").unique() if "," in one]
    pairs = [text.split(",") for text in given]
    return all(
        len(low) < 3 and len(high) < 3 and high[0] != "0" and 0 < int(low) < int(high)
        for low, high in pairs
    )


def _comma(texts: pd.Series) -> bool:
    """Tell whether a column holds numbers, some of them with a decimal comma."""
    given = texts[texts != ""].astype("str").unique()
    commas = [text for text in given if _COMMA.fullmatch(text)]
    return bool(commas) and len(commas) + sum(numeral(one) is not None for one in given) == len(
        given
    )

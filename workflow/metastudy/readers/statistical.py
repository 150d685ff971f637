"""What the files of SPSS and Stata share: the library that reads them, and how it may fail."""

from __future__ import annotations

import datetime
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyreadstat
from pyreadstat import PyreadstatError, ReadstatError

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput
from metastudy.readers.columns import moment
from metastudy.readers.portable import Ranges, with_codes
from metastudy.readers.refusals import read_bytes, refuse
from metastudy.readers.sandbox import survives
from metastudy.readers.signatures import PORTABLE, is_encoding, what_it_is

__all__ = ["Program", "moments", "open_file"]

_KEYWORDS: Mapping[str, Mapping[str, Any]] = {
    "read_sav": {"user_missing": True},
    "read_dta": {"user_missing": True},
}
# What pyreadstat keeps by the names of variables.
_BY_NAME = (
    *("variable_value_labels", "missing_ranges", "missing_user_values"),
    *("readstat_variable_types", "original_variable_types", "column_names_to_labels"),
)


@dataclass(frozen=True)
class Program:
    """A statistics program, in the words of the errors.

    Parameters
    ----------
    name : such as ``Stata``.
    kinds : what :func:`metastudy.readers.signatures.what_it_is` calls its files.
    file : the file as it is asked for.
    suffix : of the file that it saves.
    functions : of pyreadstat, by kind; what of keywords each knows is in :data:`_KEYWORDS`.
    hint : what else helps with a wrong encoding.
    """

    name: str
    kinds: tuple[str, ...]
    file: str
    suffix: str
    functions: Mapping[str, str]
    hint: str = ""


def open_file(codebook: Codebook, program: Program) -> tuple[pd.DataFrame, Any]:
    """Read a file whole, user-missing codes and all.

    Parameters
    ----------
    codebook : names the file; its encoding is used if given, else the file's own.
    program : whose file it shall be.

    Returns
    -------
    The data, and what pyreadstat says of them.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no such file or ends too early; ``encoding`` if its texts are not
        in the encoding it declares.
    """
    kind = what_it_is(read_bytes(codebook)[:4096])
    if kind not in program.kinds:
        raise refuse(
            codebook,
            kind,
            program.file,
            f"save the data as {program.suffix}, or correct file.format in the codebook",
        )
    with _prepared(codebook, kind) as (path, ranges):
        data, meta = _opened(codebook, program, kind, path)
    data = data.rename(columns=name_of)
    for key in _BY_NAME:
        if of := getattr(meta, key, None):
            setattr(meta, key, {name_of(name): value for name, value in of.items()})
    meta.column_names = list(map(name_of, meta.column_names))
    if ranges:
        meta.missing_ranges = ranges
    return data, meta


@contextmanager
def _prepared(codebook: Codebook, kind: str) -> Iterator[tuple[str, Ranges]]:
    """Give the file to be read, and the missing codes that had to be taken out of it."""
    content, ranges = read_bytes(codebook), Ranges()
    if kind == PORTABLE:
        content, ranges = with_codes(content)
    if not ranges:
        yield str(codebook.data_path), ranges
        return
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "data.por"
        path.write_bytes(content)
        yield str(path), ranges


def _opened(codebook: Codebook, program: Program, kind: str, path: str) -> tuple[pd.DataFrame, Any]:
    """Let the library read the file, or say what kept it from that."""
    named = codebook.file.encoding
    function = program.functions[kind]
    keywords = {"disable_datetime_conversion": True, **_KEYWORDS.get(function, {})}
    trial = f"import sys, pyreadstat; pyreadstat.{function}(sys.argv[1], **{keywords})"
    if not survives(trial, path):
        raise _unreadable(codebook, program, "its bytes are damaged")
    if function in _KEYWORDS:  # a portable file has characters of its own
        keywords["encoding"] = named
    reader = getattr(pyreadstat, function)
    try:
        return _used_alone(codebook, reader, path, keywords)
    except UnicodeDecodeError:
        raise _encoding(codebook, program) from None
    except (ReadstatError, PyreadstatError, ValueError, OverflowError, MemoryError) as error:
        if _of_texts(error) or (named and not is_encoding(named)):
            raise _encoding(codebook, program) from None
        raise _unreadable(codebook, program, str(error)) from None


def _used_alone(
    codebook: Codebook, reader: Callable[..., Any], path: str, keywords: Mapping[str, Any]
) -> tuple[pd.DataFrame, Any]:
    """Read all columns, or those that are used where a text of another one is in no encoding."""
    try:
        data, meta = reader(path, **keywords)
    except (UnicodeDecodeError, ReadstatError, PyreadstatError, ValueError) as error:
        if not isinstance(error, UnicodeDecodeError) and not _of_texts(error):
            raise
        names = list(reader(path, metadataonly=True, **keywords)[1].column_names)
        used = [name for name in names if name_of(name) in codebook.used_names]
        data, meta = reader(path, usecols=used or names[:1], **keywords)
        meta.column_names = names
    return data, meta


def _of_texts(error: Exception) -> bool:
    return "convert string" in str(error) or "encoding" in str(error).lower()


def moments(
    column: pd.Series, origin: datetime.datetime, unit: datetime.timedelta, day: bool
) -> pd.Series:
    """Spell numbers that are moments as ISO 8601, cell by cell.

    What lies outside the calendar stays the number that it is: one cell that was mistyped says
    nothing of the others, nor of the rest of the file.

    Parameters
    ----------
    column : numbers, or codes of missing values as texts; shape (rows,).
    origin, unit : what 0 and 1 stand for.
    day : whether the hour does not count.
    """

    def spelt(value: object) -> object:
        if not isinstance(value, int | float):
            return value
        try:
            found = origin + value * unit
        except (OverflowError, ValueError):
            return value
        return found.date().isoformat() if day else moment(found)

    return column.astype(object).map(spelt, na_action="ignore")


def _unreadable(codebook: Codebook, program: Program, why: str) -> BadInput:
    return refuse(
        codebook,
        f"{program.kinds[0]} that cannot be read: {why}",
        f"a whole {program.name} file",
        f"copy the file again, or save it again from {program.name}",
    )


def _encoding(codebook: Codebook, program: Program) -> BadInput:
    return refuse(
        codebook,
        f"texts that are not in {codebook.file.encoding or 'the encoding that the file declares'}",
        "texts in the declared encoding",
        f"name the true encoding under file.encoding in the codebook{program.hint}; if there is "
        "none, the file is damaged: copy it again",
        code="encoding",
    )

"""Stata files; extended missing codes stay in the data as ``.a`` to ``.z``."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pyreadstat
from pyreadstat import PyreadstatError, ReadstatError

from metastudy.codebook import Codebook
from metastudy.readers.raw import (
    RawTable,
    column_texts,
    is_encoding,
    moment,
    read_bytes,
    refuse,
    what_it_is,
)
from metastudy.readers.trial import survives
from metastudy.texts import canonical

__all__ = ["read"]

_TRIAL = "import sys, pyreadstat; pyreadstat.read_dta(sys.argv[1], user_missing=True)"


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
    kind = what_it_is(read_bytes(codebook)[:4096])
    if kind != "a Stata file":
        raise refuse(
            codebook,
            kind,
            "a Stata file (.dta)",
            "save the data as .dta, or correct file.format in the codebook",
        )
    if not survives(_TRIAL, str(codebook.data_path)):
        raise _unreadable(codebook, "its bytes are damaged")
    try:
        data, meta = pyreadstat.read_dta(
            str(codebook.data_path), user_missing=True, encoding=codebook.file.encoding
        )
    except UnicodeDecodeError:
        raise _encoding(codebook) from None
    except (ReadstatError, PyreadstatError, ValueError, OverflowError, MemoryError) as error:
        named = codebook.file.encoding
        if (
            "convert string" in str(error)
            or "encoding" in str(error).lower()
            or (named and not is_encoding(named))
        ):
            raise _encoding(codebook) from None
        raise _unreadable(codebook, str(error)) from None

    names = tuple(map(str, data.columns))
    extended = {
        name: {str(code): f".{code}" for code in codes}
        for name, codes in meta.missing_user_values.items()
    }
    texts = {
        name: column_texts(_cells(data[name], extended.get(name, {})))
        for name in codebook.used_names
        if name in names
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


def _cells(column: pd.Series, extended: dict[str, str]) -> pd.Series:
    """Spell extended missing codes and moments; only a column of numbers has such codes."""
    if extended:
        return column.map(lambda value: extended.get(value, value), na_action="ignore")
    return column.map(moment) if column.dtype.kind in "OM" else column


def _unreadable(codebook: Codebook, why: str) -> Exception:
    return refuse(
        codebook,
        f"a Stata file that cannot be read: {why}",
        "a whole Stata file",
        "copy the file again, or save it again from Stata",
    )


def _encoding(codebook: Codebook) -> Exception:
    return refuse(
        codebook,
        f"texts that are not in {codebook.file.encoding or 'the encoding that the file declares'}",
        "texts in the declared encoding",
        "name the true encoding under file.encoding in the codebook (often cp1252 before Stata "
        "14); if there is none, the file is damaged: copy it again",
        code="encoding",
    )

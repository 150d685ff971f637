"""SPSS files, read with the codes that SPSS declares as missing still in them."""

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
    read_bytes,
    refuse,
    what_it_is,
)
from metastudy.readers.trial import survives
from metastudy.texts import canonical

__all__ = ["read"]

_TRIAL = "import sys, pyreadstat; pyreadstat.read_sav(sys.argv[1], user_missing=True)"


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
    start = read_bytes(codebook)[:4096]
    if start[:4] not in (b"$FL2", b"$FL3"):
        raise refuse(
            codebook,
            what_it_is(start),
            "an SPSS file (.sav or .zsav)",
            "save the data as .sav, or correct file.format in the codebook",
        )
    if not survives(_TRIAL, str(codebook.data_path)):
        raise _unreadable(codebook, "its bytes are damaged")
    try:
        data, meta = pyreadstat.read_sav(
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
    texts = {
        name: column_texts(data[name], codebook.file.decimal)
        for name in codebook.used_names
        if name in names
    }
    labels = {
        name: {canonical(code): str(label).strip() for code, label in of.items()}
        for name, of in meta.variable_value_labels.items()
    }
    declared = {
        name: _declared(ranges, texts[name], labels.get(name, {}))
        for name, ranges in meta.missing_ranges.items()
        if name in texts
    }
    return RawTable(
        data=pd.DataFrame(texts, index=range(len(data))),
        rows=np.arange(1, len(data) + 1),
        names=names,
        labels=labels,
        declared_missing=declared,
    )


def _unreadable(codebook: Codebook, why: str) -> Exception:
    return refuse(
        codebook,
        f"an SPSS file that cannot be read: {why}",
        "a whole SPSS file",
        "copy the file again, or save it again from SPSS",
    )


def _encoding(codebook: Codebook) -> Exception:
    return refuse(
        codebook,
        f"texts that are not in {codebook.file.encoding or 'the encoding that the file declares'}",
        "texts in the declared encoding",
        "name the true encoding under file.encoding in the codebook; if there is none, the file "
        "is damaged: copy it again",
        code="encoding",
    )


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

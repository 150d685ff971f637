"""What the files of SPSS and Stata share: the library that reads them, and how it may fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd
import pyreadstat
from pyreadstat import PyreadstatError, ReadstatError

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import BadInput
from metastudy.readers.refusals import read_bytes, refuse
from metastudy.readers.sandbox import survives
from metastudy.readers.signatures import is_encoding, what_it_is

__all__ = ["Program", "open_file"]


@dataclass(frozen=True)
class Program:
    """A statistics program, in the words of the errors.

    Parameters
    ----------
    name : such as ``Stata``.
    kinds : what :func:`metastudy.readers.signatures.what_it_is` calls its files.
    file : the file as it is asked for.
    suffix : of the file that it saves.
    function : of pyreadstat.
    hint : what else helps with a wrong encoding.
    """

    name: str
    kinds: tuple[str, ...]
    file: str
    suffix: str
    function: str
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
    path, named = str(codebook.data_path), codebook.file.encoding
    trial = f"import sys, pyreadstat; pyreadstat.{program.function}(sys.argv[1], user_missing=True)"
    if not survives(trial, path):
        raise _unreadable(codebook, program, "its bytes are damaged")
    try:
        read = getattr(pyreadstat, program.function)
        data, meta = read(path, user_missing=True, encoding=named)
    except UnicodeDecodeError:
        raise _encoding(codebook, program) from None
    except (ReadstatError, PyreadstatError, ValueError, OverflowError, MemoryError) as error:
        text = str(error)
        spelt = "convert string" in text or "encoding" in text.lower()
        if spelt or (named and not is_encoding(named)):
            raise _encoding(codebook, program) from None
        raise _unreadable(codebook, program, text) from None
    return data, meta


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

"""What a data file is, by its bytes: a declaration is checked, a missing one is found out.

A file is never read as what it only might be. Where two readings are plausible, the codebook has to
say which; where the bytes contradict the codebook, that is an error which names what they are.
"""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from csv import Error, reader
from io import StringIO
from itertools import islice

from metastudy.codebook.codebook import Codebook, no_data_file
from metastudy.common.problems import BadInput
from metastudy.common.text import shown
from metastudy.readers.archives import names_in
from metastudy.readers.markdown import has_table
from metastudy.readers.qualtrics import HEADERS, IMPORT_ID, is_legacy
from metastudy.readers.refi_selections import project_files
from metastudy.readers.refusals import refuse
from metastudy.readers.signatures import PORTABLE, cure_of, inside, what_it_is
from metastudy.readers.text_stream import without_preamble

__all__ = ["FORMATS", "TEXTS", "form", "recognise"]

# The formats of a codebook, and how they are called where a file is none of them.
FORMATS: Mapping[str, str] = {
    "sav": "an SPSS file (.sav, .zsav or .por)",
    "dta": "a Stata file (.dta)",
    "qualtrics": "a Qualtrics export, delimited text with its header rows",
    "csv": "delimited text",
    "markdown": "a Markdown text with a table",
    "xlsx": "an Excel workbook (.xlsx)",
    "parquet": "a Parquet file",
    "qdpx": "a REFI-QDA project (.qdpx)",
    "matrix": "a source x code matrix, delimited text or Excel",
    "segments": "a list of coded segments, delimited text or Excel",
}
TEXTS = ("csv", "qualtrics", "markdown", "matrix", "segments")
START = 2**20  # so many bytes are looked at; the header rows of a survey are long
_KINDS = {
    "an SPSS file": "sav",
    "a compressed SPSS file (.zsav)": "sav",
    PORTABLE: "sav",
    "a Stata file": "dta",
    "a Parquet file": "parquet",
}
_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF16_LE: "utf-16-le",
    codecs.BOM_UTF16_BE: "utf-16-be",
}


def form(codebook: Codebook) -> str:
    """Give the format of a study's data file.

    Parameters
    ----------
    codebook : names the file; its format, if it declares one, must agree with the bytes.

    Returns
    -------
    One of :data:`FORMATS`.

    Raises
    ------
    BadInput
        ``missing-file``; ``wrong-format`` where the bytes are another format than the declared
        one, none that is known, or several that are plausible.
    """
    declared, plausible = codebook.file.format, recognise(codebook)
    place = f"file.format in {shown(codebook.path)}"
    if declared is None:
        if len(plausible) == 1:
            return plausible[0]
        if plausible:
            raise refuse(
                codebook,
                "a file that may be " + " or ".join(FORMATS[one] for one in plausible),
                f"a declared format where several are plausible: {', '.join(plausible)}",
                f"set {place}",
            )
        with codebook.data_path.open("rb") as file:
            found = what_it_is(file.read(4096))
            found = (inside(names_in(file)) if found.startswith("a ZIP archive") else "") or found
        cure = cure_of(found) or "save the data in one of them"
        raise refuse(
            codebook,
            found,
            "a file of a known format: " + ", ".join(FORMATS),
            f"{cure}, or declare {place}" if codebook.path.is_file() else cure,
        )
    # Where nothing was recognised, the declared reader says best what is wrong.
    if plausible and declared not in plausible:
        seems = " or ".join(FORMATS[one] for one in plausible)
        raise refuse(
            codebook,
            f"a text file that seems to be {seems}"
            if plausible[0] in TEXTS
            else f"what seems to be {seems}",
            FORMATS[declared],
            f"set {place} to {plausible[0]}, or put the right file in",
        )
    return declared


def recognise(codebook: Codebook) -> tuple[str, ...]:
    """List the formats that a data file may be of, by its bytes.

    Parameters
    ----------
    codebook : names the file, its encoding and delimiter, and what is coded.

    Returns
    -------
    Names of :data:`FORMATS`, none if the bytes are of no known format. Nothing in the bytes of
    delimited text tells a matrix from other columns, so it stays plausible where a text is
    declared as one or where the codebook lists codes; and a text or a workbook is a list of
    segments where it is declared as one, or has a variable with the code of the row.
    """
    try:
        with codebook.data_path.open("rb") as file:
            start = file.read(START)
            if start.startswith(b"PK\x03\x04"):
                inside = names_in(file)
                found = _as_list(codebook, "xlsx") if "xl/workbook.xml" in inside else ()
                found = _or_matrix(codebook, found)
                return (*found, "qdpx") if project_files(inside) else found
    except OSError:
        raise BadInput(no_data_file(codebook)) from None
    kind = what_it_is(start)
    if kind in _KINDS:
        return (_KINDS[kind],)
    if kind == "an XML document" and codebook.file.format is None:
        return ()
    text = _text(codebook, start)
    return _of_text(codebook, text) if text is not None else ()


def _as_list(codebook: Codebook, plain: str) -> tuple[str, ...]:
    """Give the format of a table, or that of a list of segments where the codebook says so."""
    if codebook.file.format == "segments":
        return (plain, "segments")
    return ("segments",) if codebook.file.format is None and codebook.only("code") else (plain,)


def _or_matrix(codebook: Codebook, plain: tuple[str, ...]) -> tuple[str, ...]:
    """Add a matrix where a table is declared as one, or codes are listed and nothing is said."""
    declared = codebook.file.format
    if plain and (declared == "matrix" or (plain[1:] == () and not declared and codebook.codes)):
        return plain if plain == ("segments",) else (plain[0], "matrix")
    return plain


def _text(codebook: Codebook, start: bytes) -> str | None:
    """Decode the start of a text file, as far as that goes; ``None`` if it is none."""
    encoding = codebook.file.encoding or "utf-8"
    for mark, name in _MARKS.items():
        if start.startswith(mark):
            start, encoding = start.removeprefix(mark), name
            break
    else:
        wide = encoding.lower().replace("_", "-").startswith(("utf-16", "utf-32", "utf16", "utf32"))
        if not wide and what_it_is(start) not in ("a text file", "an XML document"):
            return None
    try:
        text = start.decode(encoding, "ignore")
    except LookupError:
        text = start.decode("utf-8", "ignore")
    return without_preamble(text.encode("utf-8", "ignore")).decode()


def _of_text(codebook: Codebook, text: str) -> tuple[str, ...]:
    declared = codebook.file.format
    if IMPORT_ID.search(text):
        return ("qualtrics",)
    try:
        lines = reader(StringIO(text, newline=""), delimiter=codebook.file.delimiter)
        records = list(islice(lines, HEADERS))
    except (Error, TypeError, ValueError):  # a delimiter that cannot be one is refused later
        records = []
    if declared in (None, "markdown") and has_table(text):
        return ("markdown",)
    plain = _as_list(codebook, "csv")
    if declared == "markdown":
        return (*plain, "markdown")  # its reader says best that there is no table
    plain = _or_matrix(codebook, plain)
    if is_legacy(records):
        return ("qualtrics", *plain) if declared in (None, "qualtrics") else ("qualtrics",)
    return (*plain, "qualtrics") if declared == "qualtrics" else plain

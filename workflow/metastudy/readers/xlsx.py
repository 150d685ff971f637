"""Excel workbooks (.xlsx): the values of one sheet, its first row the header."""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import openpyxl
import pandas as pd
from openpyxl.utils import get_column_letter, range_boundaries

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput, Problem, place_of_rows
from metastudy.common.text import canonical, did_you_mean, shown
from metastudy.readers import archives
from metastudy.readers.columns import column_texts, moment
from metastudy.readers.headers import names_of_columns, twice
from metastudy.readers.qualtrics import HEADERS, IMPORT_ID, is_legacy
from metastudy.readers.raw import RawTable
from metastudy.readers.refusals import problem, read_bytes, refuse

__all__ = ["MAX_CELLS", "OLD_OFFICE", "read", "sizes"]

OLD_OFFICE = b"\xd0\xcf\x11\xe0"
MAX_CELLS = 100_000_000  # a sheet that claims more is not believed
_MERGED = re.compile(rb"<(?:\w+:)?mergeCell\s[^>]*?ref=[\"']([A-Z]+[0-9]+:[A-Z]+[0-9]+)[\"']")
_FORMULA = re.compile(rb"<(?:\w+:)?f[\s>/]")


def read(codebook: Codebook) -> RawTable:
    """Read one sheet of an Excel workbook.

    Parameters
    ----------
    codebook : names the file and, if several sheets have cells, the sheet.

    Returns
    -------
    RawTable whose rows are numbered as Excel numbers them: the header is row 1. Cells are values,
    not formulas; dates are ISO 8601. A blank row is no row, but it counts in the numbering.

    Raises
    ------
    BadInput
        ``wrong-format`` if it is no such workbook: damaged, with a password, of the old kind
        (.xls), several sheets and none named, merged cells in the header or in used columns,
        formulas that were never computed; ``hostile-archive`` for sizes, paths or XML entities
        that no honest program writes; ``unknown-column`` for a sheet that is not there.
    """
    content = read_bytes(codebook)
    if content.startswith(OLD_OFFICE):
        locked = "EncryptedPackage".encode("utf-16-le") in content
        raise refuse(
            codebook,
            "an Excel file with a password" if locked else "an old Office file, such as .xls",
            "an Excel workbook (.xlsx) without a password",
            "save the data from Excel as .xlsx, without a password",
        )
    archive = archives.unpack(
        codebook,
        content,
        "an Excel workbook (.xlsx), which is a ZIP archive",
        "save the data as .xlsx, or correct file.format in the codebook",
    )
    with archive.file:
        if "xl/workbook.xml" not in archive.members:
            inside = ", ".join(list(archive.members)[:5]) or "nothing"
            raise refuse(
                codebook,
                f"an archive without xl/workbook.xml (it holds {inside})",
                "an Excel workbook (.xlsx)",
                "save the data from Excel as .xlsx",
            )
        _check_members(archive)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of styles and extensions that do not matter
                return _sheet(archive, content)
        except BadInput:
            raise
        except Exception as error:  # openpyxl raises whatever its XML happens to lead to
            raise refuse(
                codebook,
                f"an Excel workbook that cannot be read: {' '.join(str(error).split())[:200]}",
                "a whole Excel workbook",
                "copy the file again, or save it again from Excel",
            ) from None


def sizes(codebook: Codebook) -> dict[str, int]:
    """Give the sheets that have cells, and how many rows; none where :func:`read` would refuse."""
    try:
        book = openpyxl.load_workbook(codebook.data_path, read_only=True, data_only=True)
        counts = {
            sheet.title: sum(any(map(_given, row)) for _, row in _rows(codebook, sheet))
            for sheet in book.worksheets
        }
        book.close()
    except Exception:  # what is wrong with the file, its reader says
        return {}
    return {title: count for title, count in counts.items() if count}


def _check_members(archive: archives.Archive) -> None:
    """Look at all sizes, and refuse XML that defines entities or document types."""
    for name in archive.members:
        archives.check_size(archive.codebook, archive.members[name])
        if name.endswith((".xml", ".rels", ".vml")):
            # An XML text may be UTF-16, whose ASCII has a NUL beside each character.
            text = archive.bytes(name).replace(b"\0", b"").upper()
            if b"<!DOCTYPE" in text or b"<!ENTITY" in text:
                raise refuse(
                    archive.codebook,
                    f"{name} defines entities or document types",
                    "XML without entities of its own",
                    "take the file from its source again; this one may be hostile",
                    code="hostile-archive",
                )


def _sheet(archive: archives.Archive, content: bytes) -> RawTable:
    codebook = archive.codebook
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        sheet = _choose(codebook, book)
        rows = [(number, row) for number, row in _rows(codebook, sheet) if any(map(_given, row))]
        path = str(sheet._worksheet_path).lstrip("/").lower()
        title = sheet.title
    finally:
        book.close()
    if not rows or rows[0][0] != 1:
        raise refuse(
            codebook,
            f"no header in the first row of the sheet '{title}'" if rows else "an empty sheet",
            "a header row and data",
            "put the header into row 1",
            row=1,
        )
    width = max(len(row) for _, row in rows)
    header = [name_of(canonical(moment(value))) for value in rows[0][1]]
    header += [""] * (width - len(header))
    filled = {place for _, row in rows[1:] for place, value in enumerate(row) if _given(value)}
    header = names_of_columns(codebook, header, filled, lambda place: get_column_letter(place + 1))
    used = [name for name in codebook.used_names if name in header]
    positions = {name: header.index(name) for name in used}
    xml = archive.bytes(path) if path in archive.members else b""
    problems = [
        *twice(codebook, header, row=1),
        *_merged(codebook, xml, set(positions.values())),
    ]
    if _FORMULA.search(xml):
        problems += _uncomputed(codebook, content, title, rows, positions)
    if problems:
        raise BadInput(problems)
    body = rows[1 + _more_headers(rows) :]
    data = {
        name: column_texts(
            pd.Series([moment(_at(row, place)) for _, row in body], dtype=object),
            codebook.file.decimal,
        )
        for name, place in positions.items()
    }
    return RawTable(
        data=pd.DataFrame(data, index=range(len(body))),
        rows=np.array([number for number, _ in body], dtype=np.int64),
        names=tuple(name for name in header if name),
    )


def _more_headers(rows: Sequence[tuple[int, Sequence[Any]]]) -> int:
    """Count the header rows of a Qualtrics export below the first: they are no respondents."""
    first = [[canonical(moment(value)) for value in row] for _, row in rows[:HEADERS]]
    if len(first) == HEADERS and any(map(IMPORT_ID.match, first[-1])):
        return HEADERS - 1
    return 1 if is_legacy(first) else 0


def _given(value: object) -> bool:
    return value is not None and value != ""


def _at(row: Sequence[Any], place: int) -> Any:
    return row[place] if place < len(row) else None


def _rows(codebook: Codebook, sheet: Any) -> Iterator[tuple[int, tuple[Any, ...]]]:
    """Give the rows of a sheet with their numbers in Excel, whatever extent the file claims."""
    sheet.reset_dimensions()
    cells = 0
    for number, row in enumerate(sheet.iter_rows(values_only=True), start=1):
        cells += len(row)
        if cells > MAX_CELLS:
            raise refuse(
                codebook,
                f"more than {MAX_CELLS} cells in the sheet '{sheet.title}'",
                "a sheet of a sensible size",
                "save the data as delimited text or Parquet",
            )
        yield number, row


def _choose(codebook: Codebook, book: Any) -> Any:
    """Give the sheet that the codebook names, or the only one with cells."""
    named = codebook.file.sheet
    if named is not None:
        for sheet in book.worksheets:
            if sheet.title == named:
                return sheet
        titles = [sheet.title for sheet in book.worksheets]
        raise refuse(
            codebook,
            f"no sheet '{named}'.{did_you_mean(named, titles)}",
            f"one of the sheets: {', '.join(titles)}",
            f"correct file.sheet in {shown(codebook.path)}",
            code="unknown-column",
        )
    filled = [
        sheet
        for sheet in book.worksheets
        if any(any(map(_given, row)) for _, row in _rows(codebook, sheet))
    ]
    if len(filled) > 1:
        raise refuse(
            codebook,
            f"{len(filled)} sheets with cells: {', '.join(sheet.title for sheet in filled)}",
            "one sheet, or the name of one",
            f"name the sheet under file.sheet in {shown(codebook.path)}",
        )
    if not filled:
        raise refuse(
            codebook, "an empty workbook", "a header row and data", "put the data file in again"
        )
    return filled[0]


def _merged(codebook: Codebook, xml: bytes, used: set[int]) -> Iterator[Problem]:
    """Report merged cells: only the first of them has a value."""
    for reference in _MERGED.findall(xml):
        left, top, right, bottom = range_boundaries(reference.decode())
        places = set(range(left - 1, right))
        if (top == 1 and left != right) or (bottom > top and places & used):
            yield problem(
                codebook,
                f"merged cells {reference.decode()}",
                "a value in every cell, as merged cells have one in the first only",
                "take the cells apart in Excel and fill each of them",
                row=top,
                column=get_column_letter(left),
            )


def _uncomputed(
    codebook: Codebook,
    content: bytes,
    title: str,
    rows: Sequence[tuple[int, Sequence[Any]]],
    positions: dict[str, int],
) -> Iterator[Problem]:
    """Report formulas without a stored value: they would be read as empty cells."""
    values = dict(rows)
    lost: dict[str, list[int]] = {}
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=False)
    try:
        for number, row in _rows(codebook, book[title]):
            for name, place in positions.items():
                formula = _at(row, place)
                empty = not _given(_at(values.get(number, ()), place))
                if empty and _given(formula):
                    lost.setdefault(name, []).append(number)
    finally:
        book.close()
    for name, numbers in lost.items():
        yield problem(
            codebook,
            "a formula without its value",
            "values: the workbook was written by a program that does not compute",
            "open the workbook in Excel or LibreOffice and save it again",
            row=place_of_rows(numbers),
            column=name,
        )

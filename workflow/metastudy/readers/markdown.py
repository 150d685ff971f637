"""A pipe table in a Markdown file, such as the README of a study's folder."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa

from metastudy.codebook.codebook import Codebook
from metastudy.common.names import name_of
from metastudy.common.problems import BadInput, Problem, place_of_rows
from metastudy.common.text import did_you_mean, shown
from metastudy.readers.columns import column_texts
from metastudy.readers.delimited import thousands
from metastudy.readers.headers import twice
from metastudy.readers.raw import RawTable
from metastudy.readers.refusals import problem, refuse
from metastudy.readers.text_stream import Text

__all__ = ["has_table", "read", "sizes"]

_BELOW_HEADER = re.compile(r"\s*\|?\s*:?-+:?\s*(\|\s*:?-+:?\s*)*\|?\s*")
_HEADING = re.compile(r" {0,3}#{1,6}\s+(?P<said>.*?)\s*#*\s*")
_FENCE = re.compile(r" {0,3}(?P<mark>```+|~~~+)")
_PIPE = re.compile(r"(?<!\\)\|")


@dataclass(frozen=True)
class Table:
    """A table as it stands in a file: the heading above it, and each row with its line."""

    heading: str
    header: list[str]
    line: int
    rows: list[tuple[int, list[str]]] = field(default_factory=list)


def read(codebook: Codebook) -> RawTable:
    """Read one pipe table of a Markdown file; what else the file says is not looked at.

    Parameters
    ----------
    codebook : names the file, its encoding and decimal mark, and, where several tables have the
        columns that it names, the heading above the one that is meant.

    Returns
    -------
    RawTable whose rows are numbered as the lines of the file.

    Raises
    ------
    BadInput
        ``wrong-format`` if there is no table, none under the heading or several that may be meant;
        if a row has more or fewer cells than the header; if a name is used that two columns have,
        or a column with cells has none. ``encoding`` as of other texts, and ``off-scale`` for a
        number with thousands beside decimal commas.

    References
    ----------
    GitHub Flavored Markdown Spec, version 0.29, section 4.10 (tables).
    """
    table = _chosen(codebook, list(_tables(_lines(codebook))))
    names = [name_of(cell) for cell in table.header]
    problems = [*_out_of_shape(codebook, table), *_names(codebook, names, table)]
    if problems:
        raise BadInput(problems)
    lines = np.array([line for line, _ in table.rows], dtype=np.int64)
    used = [name for name in codebook.used_names if name in names]
    cells = {name: [row[names.index(name)] for _, row in table.rows] for name in used}
    if codebook.file.decimal == ",":
        columns = {
            name: (pa.array(texts, pa.string()), np.arange(len(texts)))
            for name, texts in cells.items()
        }
        if found := list(thousands(codebook, columns, lines)):
            raise BadInput(found)
    data = {
        name: column_texts(pd.Series(texts, dtype=object), codebook.file.decimal)
        for name, texts in cells.items()
    }
    return RawTable(
        data=pd.DataFrame(data, index=range(len(lines))),
        rows=lines,
        names=tuple(name for name in names if name),
    )


def has_table(text: str) -> bool:
    """Whether a text has a pipe table, outside of code; single dashes are cells of other texts."""
    lines = text.splitlines()
    return any(re.search("--|:-|-:", lines[table.line]) for table in _tables(lines))


def sizes(codebook: Codebook) -> dict[str, int]:
    """How many rows the tables have, by the heading above them; the first one under a heading."""
    found: dict[str, int] = {}
    for table in _tables(_lines(codebook)):
        found.setdefault(table.heading, len(table.rows))
    return found


def _lines(codebook: Codebook) -> list[str]:
    with Text(codebook) as stream:
        return stream.read().decode().splitlines()


def _cells(line: str) -> list[str]:
    """The cells of a row; a pipe that belongs to a cell has a backslash before it."""
    inside = line.strip().removeprefix("|")
    inside = inside[:-1] if inside.endswith("|") and not inside.endswith("\\|") else inside
    return [cell.replace("\\|", "|").strip() for cell in _PIPE.split(inside)]


def _tables(lines: Sequence[str]) -> Iterator[Table]:
    heading, fence, table, dashed = "", "", None, -1
    for at, line in enumerate(lines):
        opened = _FENCE.match(line)
        if fence or opened:
            mark = opened["mark"] if opened else ""
            fence = mark if not fence else "" if mark.startswith(fence) else fence
        elif found := _HEADING.fullmatch(line):
            heading = found["said"]
        elif at == dashed:
            continue
        elif table is not None and line.strip():
            table.rows.append((at + 1, _cells(line)))
            continue
        if table is not None:
            yield table
            table = None
        below = lines[at + 1] if at + 1 < len(lines) else ""
        dashes = "|" in below and _BELOW_HEADER.fullmatch(below)
        if not fence and "|" in line and dashes and len(_cells(line)) == len(_cells(below)):
            table = Table(heading, _cells(line), at + 1)
            dashed = at + 1
    if table is not None:
        yield table


def _chosen(codebook: Codebook, tables: list[Table]) -> Table:
    """The table under the heading that is named, else the one with most of the named columns."""
    place = f"file.heading in {shown(codebook.path)}"
    if not tables:
        raise refuse(
            codebook,
            "no table in the text",
            "a table of Markdown: a header with | between the names, and a row of dashes below it",
            "put the table into the file, or correct file.format in the codebook",
        )
    headings = list(dict.fromkeys(table.heading for table in tables))
    wanted = codebook.file.heading
    if wanted is not None:
        tables = [table for table in tables if table.heading == wanted]
        if not tables:
            raise refuse(
                codebook,
                f"no table under a heading '{wanted}'.{did_you_mean(wanted, headings)}",
                "a table under one of the headings: " + "; ".join(filter(None, headings)),
                f"correct {place}",
            )
    known = [len({name_of(cell) for cell in t.header} & set(codebook.named)) for t in tables]
    best = [table for table, count in zip(tables, known, strict=True) if count == max(known)]
    if len(best) > 1:
        listed = ", ".join(f"{t.line} (under '{t.heading}')" for t in best)
        raise refuse(
            codebook,
            f"{len(best)} tables that may be meant, on lines {listed}",
            "one table with the columns that the codebook names",
            f"name the heading above the table in {place}; a table has a heading of its own then",
            row=best[0].line,
        )
    return best[0]


def _out_of_shape(codebook: Codebook, table: Table) -> Iterator[Problem]:
    by_size: dict[int, list[int]] = {}
    for line, cells in table.rows:
        if len(cells) != len(table.header):
            by_size.setdefault(len(cells), []).append(line)
    for size, lines in sorted(by_size.items()):
        yield problem(
            codebook,
            f"{size} cells in a row of the table",
            f"{len(table.header)} cells in every row, as in the header on line {table.line}",
            "correct the row; a | that belongs to a cell is written \\|, and an empty line ends a "
            "table",
            row=place_of_rows(lines),
        )


def _names(codebook: Codebook, names: list[str], table: Table) -> Iterator[Problem]:
    yield from twice(codebook, names, row=table.line)
    for place, name in enumerate(names):
        filled = [line for line, row in table.rows if place < len(row) and row[place]]
        if not name and filled:
            yield problem(
                codebook,
                f"cells in column {place + 1}, which has no header",
                "a name above every column with cells",
                "give the column a name, or empty it",
                row=filled[0],
                column=f"(column {place + 1})",
            )

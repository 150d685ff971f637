"""How a draft spells values, remarks and what it says of the file."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from typing import Any

import yaml

from metastudy.codebook.codebook import Codebook
from metastudy.drafting import probe
from metastudy.drafting.roles import TODO
from metastudy.readers.detect import form

__all__ = ["SEVERAL", "file_lines", "flow", "opening", "raw_code", "remark"]

_WIDTH = 100
# The entry of a name that several columns have, below the name.
SEVERAL = "    as: ignore # guess: several columns are called so: rename them, and draft again"


def flow(value: Any) -> str:
    """Spell a value as YAML on one line."""
    text: str = yaml.safe_dump([value], allow_unicode=True, width=100_000, default_flow_style=True)
    return text.strip()[1:-1]


def raw_code(text: str) -> Any:
    """Give a raw code as people write it: a whole number as a number."""
    return int(text) if re.fullmatch(r"-?(0|[1-9]\d*)", text) else text


def remark(text: str) -> str:
    """Make a comment of one line."""
    short = " ".join(text.split())
    return "# " + (short if len(short) <= _WIDTH else short[: _WIDTH - 3] + "...")


def opening(what: str, page: str) -> Iterator[str]:
    """The comment at the top of a draft: what was read, and how far to believe it.

    Parameters
    ----------
    what : the file, what it seems to be, and its size.
    page : of the documentation, and what it has.
    """
    yield "# yaml-language-server: $schema=../../../workflow/schemas/codebook.schema.yaml"
    said = (
        f"Drafted from {what}. Decide each TODO, and check each guess: nothing here was "
        f"understood. {page}."
    )
    yield from textwrap.wrap(said, _WIDTH, initial_indent="# ", subsequent_indent="# ")


def file_lines(codebook: Codebook, seems: str | None = None) -> Iterator[str]:
    """What was found out of the file: its name, format, sheet, encoding, delimiter and decimals.

    Parameters
    ----------
    codebook : as :func:`metastudy.drafting.probe.read` gives it.
    seems : the format, where the columns tell more of it than the bytes.
    """
    kind = form(codebook)
    yield "file:"
    yield f"  name: {flow(codebook.file.name)}"
    other = (
        " # a column a code, of 1, counts or marks, is a 'matrix'; a row a coded segment 'segments'"
    )
    yield f"  format: {seems or kind}" + (
        " # guess: the columns" if seems else other if kind == "csv" else ""
    )
    if codebook.file.sheet:
        yield f"  sheet: {flow(codebook.file.sheet)} # guess: the sheet with the most rows"
    if codebook.file.heading:
        heading = flow(codebook.file.heading)
        yield f"  heading: {heading} # guess: the table with the most rows"
    if kind in probe.TEXTS:
        if codebook.file.encoding:
            yield f"  encoding: {codebook.file.encoding} # guess: the bytes are not UTF-8"
        if kind != "markdown":
            yield f"  delimiter: {flow(codebook.file.delimiter)}"
        if codebook.file.decimal == TODO:
            yield f"  decimal: {TODO} # ',' if 1,3 is a number; take the line out if it is two "
            yield "  # answers in one cell"
        elif codebook.file.decimal != ".":
            yield f"  decimal: {flow(codebook.file.decimal)} # guess: numbers like 1,5"

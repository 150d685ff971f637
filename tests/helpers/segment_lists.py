"""The interviews of the good study as a list of coded segments, and the table of their cases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

LIST = ["nr", "code", "reader", "start", "end", "passage"]
CASES = ["nr", "place", "land", "readers", "memo"]
CASES_NAME = "cases.csv"
FILE = f", cases: {CASES_NAME}"
BOOK = """\
  - {name: code, as: code}
  - {name: reader, as: coder}
  - {name: start, as: start}
  - {name: end, as: end}
  - {name: readers, as: coders}
  - {name: passage, as: ignore, note: Words of a person.}
"""


def segments(names: Sequence[str], codes: Sequence[str], rows: Sequence[list[Any]]) -> list[Any]:
    """A row a coded segment, from the rows of a matrix; the places are those of the project."""
    at = {name: names.index(name) for name in names}
    return [
        [row[at["nr"]], code, row[at["reader"]], 10 * place, 10 * place + 15, f"wørds {number}"]
        for number, row in enumerate(rows)
        for place, code in enumerate(codes)
        if row[at[code]]
    ]


def cases(names: Sequence[str], rows: Sequence[list[Any]]) -> list[list[Any]]:
    """A row a case, from the rows of a matrix."""
    at = {name: names.index(name) for name in names}
    found: dict[Any, list[Any]] = {}
    for row in rows:
        number, place, land, memo = (row[at[one]] for one in ("nr", "place", "land", "memo"))
        mine = found.setdefault(number, [number, place, land, "", memo])
        mine[3] += (";" if mine[3] else "") + row[at["reader"]]
    return list(found.values())

"""Where a section registers its makers: one maker a class, for the formats to which it applies."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from helpers.good_studies import TABLES, Variant

__all__ = [
    "ANSWERED",
    "BOOK",
    "CELLS",
    "GRIDS",
    "MAKERS",
    "ZIPPED",
    "Maker",
    "book",
    "broken",
    "cell",
]

Maker = Callable[[Variant], Any]
MAKERS: dict[tuple[str, str], Maker] = {}

GRIDS = (*TABLES, "matrix")
# What is in a cell does not depend on the mark between cells or on the header rows above.
CELLS = tuple(one for one in TABLES if one not in ("tsv", "qualtrics_tsv", "legacy"))
ZIPPED = ("xlsx", "qdpx")
BOOK = ("codebook",)  # tried on plain text; what is wrong has nothing to do with the format
ANSWERED = 5  # a row that stays and has answers to all items


def broken(name: str, formats: Iterable[str]) -> Callable[[Maker], Maker]:
    """Register the maker of a class."""

    def register(maker: Maker) -> Maker:
        for form in formats:
            assert (name, form) not in MAKERS, (name, form)
            MAKERS[name, form] = maker
        return maker

    return register


def cell(name: str, column: str, value: Any, formats: Iterable[str] = CELLS) -> None:
    """Register a class in which one cell of one column has another value."""
    broken(name, formats)(lambda v: v.grid.put(ANSWERED, column, value))


def book(name: str, old: str, new: str) -> None:
    """Register a class in which one passage of the codebook is another."""
    broken(name, BOOK)(lambda v: v.say(old, new))

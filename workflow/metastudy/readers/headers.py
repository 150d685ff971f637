"""Names of columns: two of one name, none above cells, a title in their place."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from metastudy.codebook.codebook import Codebook
from metastudy.common.problems import Problem
from metastudy.readers.refusals import problem, refuse

__all__ = ["names_of_columns", "twice"]


def twice(
    codebook: Codebook, names: Sequence[str], used: Iterable[str] = (), **place: Any
) -> list[Problem]:
    """Names that the codebook has and several columns share.

    Parameters
    ----------
    names : of all columns.
    used : further names that are looked at.
    place : where the header is, such as ``row``.
    """
    return [
        problem(
            codebook,
            f"{names.count(name)} columns called '{name}'",
            "one column for each variable that is used",
            "give the columns different names",
            column=name,
            **place,
        )
        for name in dict.fromkeys([*codebook.named, *used])
        if names.count(name) > 1
    ]


def names_of_columns(
    codebook: Codebook, header: Sequence[str], filled: Collection[int], called: Callable[[int], str]
) -> list[str]:
    """Names of all columns; one with cells and without a name gets one: it is reported, not lost.

    Parameters
    ----------
    header : row 1 as it is, empty where a column has no name.
    filled : places of columns with cells below the header.
    called : what a column without a name is called, by its place from 0 on.

    Raises
    ------
    BadInput
        ``wrong-format`` if row 1 is a title and no header.
    """
    if len(header) > 2 and sum(map(bool, header)) == 1 and len(filled) > 2:
        raise refuse(
            codebook,
            f"one cell in row 1, and {len(filled)} in rows below",
            "the names of the columns in row 1",
            "take out what is above the header row, such as a title",
            row=1,
        )
    return [
        name or (f"(column {called(place)})" if place in filled else "")
        for place, name in enumerate(header)
    ]

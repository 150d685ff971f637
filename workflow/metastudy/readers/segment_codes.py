"""The codes of a list of segments: several in a cell, paths, codes without a segment."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pandas as pd

from metastudy.codebook.codebook import Codebook
from metastudy.common.text import canonical, some_of

__all__ = ["notes", "parts", "paths", "unseen"]

MOST_NAMED = 12  # codes in a note
_BETWEEN = re.compile(r"\s*\\+\s*|\s+>\s+")  # the levels of a code, as programs spell its path
_ROOTS = ("Codes", "Nodes")  # what some programs put before every path


def parts(codebook: Codebook, texts: pd.Series) -> pd.Series:
    """Give the codes of each cell: several only where the codebook says what is between them.

    Parameters
    ----------
    texts : cells of the column of codes, ``""`` where there is none.

    Returns
    -------
    Lists of texts, shape (rows,).
    """
    variable = codebook.only("code")
    mark = variable.separator if variable else ""
    if not mark:
        return texts.map(lambda text: [text] if text else [])
    mark = _lines(mark)

    def divided(text: str) -> list[str]:
        return [one for one in map(canonical, _lines(text).split(mark)) if one]

    return texts.map(divided)


def _lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("_x000D_\n", "\n")


def paths(codebook: Codebook, texts: Iterable[str]) -> dict[str, tuple[str, ...]]:
    r"""Give the names on the way to each code; one that the codebook lists as it is spelt is whole.

    >>> _path(r"Strain\Not sure"), _path("Strain > Not sure"), _path(r"Nodes\\Not sure")
    (('Strain', 'Not sure'), ('Strain', 'Not sure'), ('Not sure',))
    """
    listed = {canonical(name) for name in codebook.codes}
    return {text: (text,) if text in listed else _path(text) for text in texts}


def _path(text: str) -> tuple[str, ...]:
    found = tuple(one for one in map(canonical, _BETWEEN.split(text)) if one)
    return (found[1:] if len(found) > 1 and found[0] in _ROOTS else found) or (text,)


def unseen(codebook: Codebook, found: Iterable[tuple[str, ...]]) -> list[str]:
    """List the codes of the codebook that no segment has: a list does not tell of them."""
    known = {name for path in found for name in (path[-1], "/".join(path))}
    return [name for name in map(canonical, codebook.codes) if name not in known]


def notes(unseen: list[str]) -> list[str]:
    """Say which codes have no segment, which the list cannot tell from codes that it misses."""
    if not unseen:
        return []
    return [f"no segment has the code {some_of(unseen, MOST_NAMED)}: they count as never applied"]

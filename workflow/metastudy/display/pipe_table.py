"""A table of the article: as the reader sees it, in Markdown, and as what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from metastudy.display import plain_markdown
from metastudy.display.formatting import mark

__all__ = ["Table", "markdown"]


@dataclass(frozen=True)
class Table:
    """A table twice: as the reader sees it, and with full precision.

    ``shown`` holds texts only; ``full`` is what they were made from.
    """

    shown: pd.DataFrame
    full: pd.DataFrame
    caption: str
    provenance: tuple[str, ...]


HEADING = "**"  # begins a cell that names a group of rows
SAID = ": "  # between a number and words about it
CITED = 22  # letters of a citation, which is a key until it is rendered
WIDEST = 34  # letters: longer texts wrap
BETWEEN = 2  # letters that the space between two columns takes
# Letters beside each other on a page, by the most columns: more columns have smaller type, as the
# article's template has it.
ROOM = {5: 108, 7: 118, 9: 128}
SMALLEST_TYPE = 140


def markdown(name: str, found: Table) -> str:
    """Write a table as a pipe table with its caption, mark and id.

    Parameters
    ----------
    name : name of the table; its id is ``tbl-<name>`` with hyphens.
    found : the table; columns of numbers are aligned to the right.

    Returns
    -------
    Markdown text, in which no cell is taken for markup but headings and citations. A caption ends
    with the mark of simulated data where there are any.
    """
    shown = found.shown.astype(str)
    if shown.empty:
        shown = pd.DataFrame([["–"] * shown.shape[1]], columns=shown.columns)

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(map(plain_markdown.cell, cells)) + " |"

    rules = [":--" if _wordy(shown[c]) else "--:" for c in shown.columns]
    lines = [line(map(str, shown.columns)), "|" + "|".join(rules) + "|"]
    lines += [line(row) for row in shown.itertuples(index=False)]
    said = mark(found.provenance)
    caption = plain_markdown.escaped(f"{found.caption} {said}." if said else found.caption)
    longest = [shown[c].str.len().max() + BETWEEN for c in shown.columns]
    room = next((room for most, room in ROOM.items() if len(longest) <= most), SMALLEST_TYPE)
    widths = ""
    if sum(longest) > room:
        shares = _shares([_asked(shown[c]) for c in shown.columns], room)
        widths = f' tbl-colwidths="{shares}"'
    return "\n".join(lines) + f"\n\n: {caption} {{#tbl-{name.replace('_', '-')}{widths}}}\n"


def _asked(column: pd.Series) -> tuple[int, int, int]:
    """Letters that a column needs for its longest word, for unbroken numbers, and asks for."""
    texts = [str(column.name), *column]
    word = max(2, *(len(word) for text in texts for word in (text.split() or [""])))
    plain = [text for text in texts if not text.startswith(HEADING)]  # a heading may well wrap
    if not _wordy(column):
        plain = [text.partition(SAID)[0] for text in plain]  # as may words after a number
    longest = max(CITED if text.startswith("@") else len(text) for text in plain)
    most = max(word, min(longest, WIDEST))
    unbroken = column.str.partition(SAID)[0].str.len().max()
    digits = min(unbroken + 1, WIDEST)  # they are wider than letters
    numbers = word if _wordy(column) else max(word, digits)
    return word, numbers, max(numbers, most)


def _shares(asked: list[tuple[int, int, int]], page: int) -> list[int]:
    """Widths of columns, in letters: sentences wrap first, then numbers, and no word is cut.

    Parameters
    ----------
    asked : for each column the letters of its longest word, those with which no number wraps, and
        those that it asks for.
    page : letters that the page has room for.
    """
    words, *steps = zip(*asked, strict=True)
    widths = [float(word) for word in words]
    for step in steps:
        wanted = sum(step) - sum(widths)
        room = page - sum(widths) - BETWEEN * len(asked)
        part = min(1.0, max(0.0, room / wanted)) if wanted else 0.0
        widths = [width + part * (most - width) for width, most in zip(widths, step, strict=True)]
    return [round(width) + BETWEEN for width in widths]


def _wordy(column: pd.Series) -> bool:
    """Whether a column holds words rather than numbers."""
    texts = [text for text in column if text.strip("–")]
    spoken = ("above", "below")  # of probabilities
    return not texts or any(
        text[0].isalpha() or text[0] == "@" for text in texts if not text.startswith(spoken)
    )

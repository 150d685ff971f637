"""A table of the article: as the reader sees it, in Markdown, and as what it was made from."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import pandas as pd

from metastudy.wording import mark

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


CITED = 22  # letters of a citation, which stands as a key until it is rendered
CROWDED = 110  # letters that the columns of a table ask for; beyond, they are given shares
WIDEST = 34  # letters: longer texts wrap
BETWEEN = 2  # letters that the space between two columns takes
PAGE = 140  # letters beside each other on the narrowest page, in the small type of wide tables


def markdown(name: str, found: Table) -> str:
    """Write a table as a pipe table with its caption, mark and id.

    Parameters
    ----------
    name : name of the table; its id is ``tbl-<name>`` with hyphens.
    found : the table; columns of numbers are aligned to the right.

    Returns
    -------
    Markdown text. A caption ends with the mark of simulated data where there are any.
    """
    shown = found.shown.astype(str)
    if shown.empty:
        shown = pd.DataFrame([["–"] * shown.shape[1]], columns=shown.columns)

    def line(cells: Iterable[str]) -> str:
        return "| " + " | ".join(c.replace("|", "\\|").replace("\n", " ") for c in cells) + " |"

    rules = [":--" if _wordy(shown[c]) else "--:" for c in shown.columns]
    lines = [line(map(str, shown.columns)), "|" + "|".join(rules) + "|"]
    lines += [line(row) for row in shown.itertuples(index=False)]
    said = mark(found.provenance)
    caption = f"{found.caption} {said}." if said else found.caption
    asked = [_asked(shown[c]) for c in shown.columns]
    crowded = sum(most for _, most in asked) > CROWDED
    widths = f' tbl-colwidths="{_shares(asked)}"' if crowded else ""
    return "\n".join(lines) + f"\n\n: {caption} {{#tbl-{name.replace('_', '-')}{widths}}}\n"


def _asked(column: pd.Series) -> tuple[int, int]:
    """Letters that a column needs, for its longest word, and those that it asks for."""
    texts = [str(column.name), *column]
    longest_word = max(2, *(len(word) for text in texts for word in (text.split() or [""])))
    filled = [text for text in column if text.strip("–")] or [""]  # a dash asks for no room
    spelt = sorted(CITED if text.startswith("@") else len(text) for text in filled)
    typical = spelt[len(spelt) * 3 // 4]
    return longest_word, max(longest_word, min(typical, WIDEST))


def _shares(asked: list[tuple[int, int]]) -> list[int]:
    """Widths of columns, in letters: what wraps gives way first, and no word runs over its column.

    Parameters
    ----------
    asked : for each column the letters that it needs and those that it asks for.
    """
    needed = sum(least for least, _ in asked) + BETWEEN * len(asked)
    wanted = sum(most - least for least, most in asked)
    part = min(1.0, max(0.0, (PAGE - needed) / wanted)) if wanted else 0.0
    return [least + BETWEEN + round(part * (most - least)) for least, most in asked]


def _wordy(column: pd.Series) -> bool:
    """Whether a column holds words rather than numbers."""
    texts = [text for text in column if text.strip("–")]
    spoken = ("above", "below")  # of probabilities
    return not texts or any(
        text[0].isalpha() or text[0] == "@" for text in texts if not text.startswith(spoken)
    )

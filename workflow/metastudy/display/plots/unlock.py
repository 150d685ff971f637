"""What one more study would unlock: a matrix of candidate studies and groups of estimands."""

from __future__ import annotations

from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from metastudy.common.tables import records
from metastudy.display.formatting import inline
from metastudy.display.plots import canvas
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import (
    GREY,
    HUES,
    INK,
    LINE,
    MARGIN,
    PALE,
    SMALL,
    WIDTH,
)

__all__ = ["MARKS", "unlock"]

NAME, TIGHT = 1.5, 0.105  # inches: the column of candidates, from line to line of small text
# by sign: marker, whether it is filled, size, words
MARKS = {
    "spread": ("*", True, 9.0, "pooled, and a place has a spread of its own"),
    "pooled": ("o", True, 6.5, "pooled, spreads of study and place in one"),
    "contrast": ("D", True, 5.5, "separated from a place or role"),
    "aliased": ("o", False, 5.5, "still alone"),
    "nothing": ("o", True, 1.5, "has no bearing on it"),
}


@canvas.drawn
def unlock(table: pd.DataFrame) -> Figure:
    """A sign in each cell, below it of how many estimands, and why.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.unlock.CELLS`.
    """
    if table.empty:
        return nothing_to_show("No candidate study is declared in the configuration.")
    groups = list(dict.fromkeys(zip(table["module"], table["exposure_type"], strict=True)))
    room = (WIDTH - 2 * MARGIN - NAME) / len(groups)
    heads = [_head(table, group, room) for group in groups]
    top = LINE * max(len(head) + len(rest) for head, rest in heads) + 0.14
    rows = []  # name, cells, height
    for _, mine in table.groupby("candidate", sort=False):
        name = canvas.wrapped(str(mine["candidate"].iloc[0]), NAME - 0.12, SMALL)
        said = [canvas.wrapped(_said(r), room - 0.08, SMALL) for r in records(mine)]
        below = max(canvas.lines(text) if text else 0 for text in said)
        rows.append((name, mine, said, max(0.27 + TIGHT * below, LINE * canvas.lines(name) + 0.12)))
    key = _key(table)
    page = canvas.Page(
        top + sum(row[3] for row in rows) + LINE * len(key) + 0.1, list(table["provenance"])
    )
    for at, (head, rest) in enumerate(heads):
        x = MARGIN + NAME + room * (at + 0.5)
        for line, text in enumerate([*head, *rest]):
            bold = "bold" if line < len(head) else "normal"
            colour = INK if line < len(head) else GREY
            base = page.y + top - 0.1 - LINE * (len(head) + len(rest) - 1 - line)
            page.text(x, base, text, SMALL, colour=colour, weight=bold, ha="center")
    y = page.y + top
    for name, mine, said, height in rows:
        page.line([MARGIN, WIDTH - MARGIN], [y, y], color=PALE, lw=0.8)
        page.text(MARGIN, y + 0.17, name, SMALL)
        for row, text in zip(records(mine), said, strict=True):
            at = groups.index((row["module"], row["exposure_type"]))
            x = MARGIN + NAME + room * (at + 0.5)
            hue = HUES.get(str(row["exposure_type"]), INK)
            sign, n = str(row["sign"]), f"{row['number']} of {row['estimands']}"
            beside = (canvas.width(n, SMALL) + 0.06) / 2 * (sign != "nothing")
            _mark(page, x - beside, y + 0.13, sign, hue, f"sign-{mine.index[at]}")
            if beside:
                page.text(x - beside + 0.12, y + 0.165, n, SMALL, weight="bold")
            for line, words in enumerate(text.split("\n")):
                page.text(x, y + 0.29 + TIGHT * line, words, SMALL, colour=INK, ha="center")
        y += height
    page.line([MARGIN, WIDTH - MARGIN], [y, y], color=PALE, lw=0.8)
    for line, marks in enumerate(key):
        for x, sign in marks:
            middle = y + 0.14 + LINE * line
            _mark(page, x + 0.06, middle, sign, INK, None)
            page.text(x + 0.17, middle + 0.035, MARKS[sign][3], SMALL)
    return page.figure


def _head(table: pd.DataFrame, group: tuple[str, str], room: float) -> tuple[list[str], list[str]]:
    """Lines of a column's head: the module, then the type of exposure and how many are alone."""
    mine = table[table["module"].eq(group[0]) & table["exposure_type"].eq(group[1])].iloc[0]
    head = canvas.wrapped(str(mine["module_label"]), room - 0.08, SMALL, "bold").split("\n")
    kind = canvas.wrapped(inline(str(mine["type_label"])), room - 0.06, SMALL).split("\n")
    return head, [*kind, f"{mine['estimands']} unpooled"]


def _said(row: dict[str, Any]) -> str:
    """Why a sign is there, without the number of studies."""
    _, pooled, why = str(row["reason"]).rpartition("spread: ")
    return pooled + why


def _mark(page: canvas.Page, x: float, y: float, sign: str, hue: str, gid: str | None) -> None:
    marker, filled, size, _ = MARKS[sign]
    hue = GREY if sign == "nothing" else hue
    page.line([x], [y], marker=marker, ms=size, color=hue, mew=1.0, ls="none",
              mfc=hue if filled else "white", gid=gid)  # fmt: skip


def _key(table: pd.DataFrame) -> list[list[tuple[float, str]]]:
    """Signs that are there, from most to least, with where each begins: a list for each line."""
    lines: list[list[tuple[float, str]]] = [[]]
    x = MARGIN
    for sign in (s for s in MARKS if s in set(table["sign"])):
        wide = canvas.width(MARKS[sign][3], SMALL) + 0.36
        if x + wide > WIDTH:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, sign))
        x += wide
    return lines

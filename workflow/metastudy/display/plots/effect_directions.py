"""Effect-direction plot: a sign for each outcome and study."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from metastudy.common.tables import records
from metastudy.display.formatting import mark
from metastudy.display.plots import canvas
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import INK, LINE, MARGIN, MEDIUM, PALE, SMALL, WARNING, WIDTH

__all__ = ["directions"]

SIGNS = {  # marker, filled, and what it says
    "positive": ("^", True, "more"),
    "negative": ("v", True, "less"),
    "higher": ("^", False, "more, size open"),
    "lower": ("v", False, "less, size open"),
    "equivalent": ("o", True, "too small to matter"),
    "unclear": ("o", False, "undecided"),
    "neutral": ("D", False, "neither (case)"),
    "varying": ("o", True, "standard deviation of its own"),
    "joined": ("o", False, "one standard deviation with others"),
    "fixed": ("D", True, "a mean for each level"),
    "alias": ("x", True, "left out: others make it up"),
    "single": ("_", True, "one level only"),
    "unsaid": ("s", False, "not said by the studies"),
}


@canvas.drawn
def directions(table: pd.DataFrame) -> Figure:
    """Signs in small grids, one a section.

    Parameters
    ----------
    table : columns :data:`metastudy.article.figure_rows.DIRECTIONS`; one row is one mark.
    """
    if not len(table):
        return nothing_to_show("There is no sign to show.")
    label, row, gap = 2.3, 0.2, 0.14
    blocks = []  # table, columns, their texts, rows, their texts and heights, head, room
    for _, mine in table.groupby("section", sort=False):
        columns, names = (list(dict.fromkeys(mine[name])) for name in ("column", "row"))
        room = (WIDTH - MARGIN - label) / len(columns)
        ticks = [canvas.wrapped(c, min(room, 1.1) - 0.04, SMALL) for c in columns]
        texts = [canvas.wrapped(n, label - 0.15, SMALL) for n in names]
        heights = [max(row, LINE * canvas.lines(text) + 0.07) for text in texts]
        head = LINE * max(map(canvas.lines, ticks)) + 0.28
        blocks.append((mine, columns, ticks, names, texts, heights, head, room))
    total = sum(sum(b[5]) + b[6] + gap for b in blocks)
    page = canvas.Page(total + 0.44, list(table["provenance"]))
    y = page.y
    for mine, columns, ticks, names, texts, heights, head, room in blocks:
        left = WIDTH - room * len(columns)
        page.text(MARGIN, y + head - 0.1, str(mine["heading"].iloc[0]), MEDIUM, weight="bold")
        for at, text in enumerate(ticks):
            base = y + head - 0.1 - LINE * (canvas.lines(text) - 1)
            page.text(left + room * (at + 0.5), base, text, SMALL, ha="center")
        y += head
        page.line([MARGIN, WIDTH - 0.05], [y - 0.03] * 2, color=PALE, lw=0.8)
        centres = []
        for text, height in zip(texts, heights, strict=True):
            middle = y + height / 2
            page.text(MARGIN, middle - LINE * (canvas.lines(text) - 1) / 2 + 0.035, text, SMALL)
            centres.append(middle)
            y += height
        for at, line in enumerate(records(mine)):
            index, column = names.index(line["row"]), columns.index(line["column"])
            x = left + room * (column + 0.5)
            _sign(
                page,
                x,
                centres[index],
                line["direction"],
                line["provenance"],
                f"sign-{mine.index[at]}",
            )
        y += gap
    x, y = MARGIN, y + 0.08
    for sign in dict.fromkeys(table["direction"]):
        said = SIGNS[sign][2]
        if x + canvas.width(said, SMALL) + 0.2 > WIDTH:
            x, y = MARGIN, y + LINE + 0.03
        _sign(page, x + 0.06, y, sign, "", None)
        page.text(x + 0.17, y + 0.035, said, SMALL)
        x += canvas.width(said, SMALL) + 0.42
    return page.figure


def _sign(
    page: canvas.Page, x: float, y: float, sign: str, provenance: str, gid: str | None
) -> None:
    """One mark; what rests on simulated data has the colour of their mark."""
    marker, filled, _ = SIGNS[sign]
    hue = WARNING if mark([provenance]) else INK
    page.line([x], [y], marker=marker, ms=5.5, color=hue, mew=1.1, ls="none",
              mfc=hue if filled else "white", gid=gid)  # fmt: skip

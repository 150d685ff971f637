"""Published directions beside the contrasts here: an arrow each, whatever its significance."""

from __future__ import annotations

from math import sqrt

import pandas as pd
from matplotlib.figure import Figure

from metastudy.common.tables import records, split_values
from metastudy.display.formatting import mark
from metastudy.display.plots import canvas
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import (
    GREY,
    INK,
    LINE,
    MARGIN,
    PALE,
    SMALL,
    WARNING,
    WIDTH,
)

__all__ = ["ARROWS", "published_directions"]

ROW, MORE, HEADING = 0.136, 0.106, 0.19  # inches: a finding, a line of text, a module
EXPOSURE, OUTCOME = 2.1, 1.86  # columns of text
AT, N, HERE, STUDY = 0.28, 0.74, 1.12, 1.5  # from there: published arrow, n, arrows here, study
SMALLEST, LARGEST = 4.0, 8.0  # points: an arrow without n or of few people, and of the most
ARROWS = {  # marker and words
    "up": ("^", "more"),
    "down": ("v", "less"),
    "sideways": (">", "too small to matter"),
    "unreported": ("_", "direction not reported"),
}


@canvas.drawn
def published_directions(table: pd.DataFrame) -> Figure:
    """Rows by module, an exposure once for all of its outcomes; here, hollow arrows.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.published_directions.PUBLISHED`.
    """
    if table.empty:
        return nothing_to_show("No published finding is about an outcome of a module.")
    most = float(table["n"].max())
    lines = []  # heading or none, rows of one exposure, lines of its name, height
    for heading, mine in table.groupby("heading", sort=False):
        name = str(heading)
        runs = mine["exposure"].ne(mine["exposure"].shift()).cumsum()
        for _, own in mine.groupby(runs, sort=False):
            said = canvas.wrapped(str(own["exposure"].iloc[0]), EXPOSURE - 0.1, SMALL)
            tall = max(ROW * len(own), MORE * canvas.lines(said) + 0.04)
            lines.append((name, own, said, tall))
            name = ""
    height = sum(tall + HEADING * bool(name) for name, _, _, tall in lines)
    marks = [*table["provenance"], *filter(None, table["provenance_here"])]
    page = canvas.Page(0.27 + height + LINE + 0.12, marks)
    left = MARGIN + EXPOSURE + OUTCOME
    invented = mark(list(filter(None, table["provenance_here"])))
    _heads(page, left, invented)
    y = page.y + 0.27
    for name, own, said, tall in lines:
        if name:
            page.line([MARGIN, WIDTH - MARGIN], [y + 0.02] * 2, color=PALE, lw=0.8)
            page.text(MARGIN, y + 0.15, name, SMALL, weight="bold")
            y += HEADING
        for at, part in enumerate(said.split("\n")):
            page.text(MARGIN, y + 0.11 + MORE * at, part, SMALL)
        step = tall / len(own)
        for k, (index, row) in enumerate(zip(own.index, records(own), strict=True)):
            middle = y + step * k + ROW / 2
            page.text(MARGIN + EXPOSURE, middle + 0.035, f"→ {row['outcome']}", SMALL)
            size = SMALLEST
            if row["n"] == row["n"] and row["direction"] != "unreported":
                size += (LARGEST - SMALLEST) * sqrt(row["n"] / most)
            _arrow(page, left + AT, middle, str(row["direction"]), size, INK, f"published-{index}")
            n = "–" if row["n"] != row["n"] else str(round(row["n"]))
            page.text(left + N, middle + 0.035, n, SMALL, ha="right")
            here = split_values(row["here"])
            hue = WARNING if mark([row["provenance_here"]]) else INK
            for at, sign in enumerate(here):
                x = left + HERE + 0.11 * (at - (len(here) - 1) / 2)
                _arrow(page, x, middle, sign, 4.6, hue, f"here-{index}-{at}", hollow=True)
            page.text(left + STUDY, middle + 0.035, str(row["study"]), SMALL, colour=GREY)
        y += tall
    _key(page, table, y + 0.17)
    return page.figure


def _heads(page: canvas.Page, left: float, invented: str) -> None:
    """What the columns are; of the contrasts here whether they rest on simulated data."""
    low = page.y + 0.21
    here = ("Simulated", WARNING) if invented else ("Here", INK)
    heads = [
        (AT, "Published", "center", INK),
        (N, "n", "right", INK),
        (HERE, here[0], "center", here[1]),
        (STUDY, "Study", "left", INK),
    ]
    for x, text, ha, colour in heads:
        page.text(left + x, low, text, SMALL, ha=ha, weight="bold", colour=colour)
    page.text(MARGIN, low, "Exposure", SMALL, weight="bold")
    page.text(MARGIN + EXPOSURE, low, "→ Outcome", SMALL, weight="bold")


def _arrow(
    page: canvas.Page, x: float, y: float, sign: str, size: float, hue: str, gid: str | None,
    hollow: bool = False,
) -> None:  # fmt: skip
    page.line([x], [y], marker=ARROWS[sign][0], ms=size, color=hue, mew=1.0, ls="none",
              mfc="white" if hollow else hue, gid=gid)  # fmt: skip


def _key(page: canvas.Page, table: pd.DataFrame, y: float) -> None:
    """The signs that are there, and what size and filling say."""
    there = {*table["direction"], *(s for text in table["here"] for s in split_values(text))}
    x = MARGIN
    for sign in (s for s in ARROWS if s in there):
        only_here = sign not in set(table["direction"])  # then it is never filled
        _arrow(page, x + 0.06, y - 0.03, sign, 5.0, INK, None, hollow=only_here)
        page.text(x + 0.16, y, ARROWS[sign][1], SMALL)
        x += canvas.width(ARROWS[sign][1], SMALL) + 0.34
    sized = table["n"].notna() & table["direction"].ne("unreported")
    size = "size: n; " * bool(sized.any())
    page.text(x, y, f"{size}hollow: posterior mean here", SMALL, colour=GREY)

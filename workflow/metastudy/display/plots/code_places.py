"""Prevalence of codes by place: a column a place, on one scale."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from metastudy.common.tables import records
from metastudy.display.place_order import in_order_of
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import clean
from metastudy.display.plots.style import GREY, INK, LINE, MARGIN, MEDIUM, PALE, SMALL, WIDTH

__all__ = ["code_places"]

ROW, FAMILY = 0.19, 0.21  # inches


@canvas.drawn
def code_places(table: pd.DataFrame) -> Figure:
    """Codes by family, the most frequent first; a dot with its interval for each place.

    Parameters
    ----------
    table : ``family``, ``code``, ``place`` as they are printed, ``role`` of the people, ``mean``,
        ``lower`` and ``upper`` as shares, and ``provenance``; a code that was not looked for in a
        place has no row for it.
    """
    codes = list(dict.fromkeys(zip(table["family"], table["code"], strict=True)))
    places = in_order_of(table, "place", table["place"])
    families = list(dict.fromkeys(table["family"]))
    spot, y = {}, 0.0
    for family in families:
        y += FAMILY
        for code in (c for f, c in codes if f == family):
            spot[code] = y + ROW / 2
            y += ROW
    left = MARGIN + max([canvas.width(c, SMALL) for _, c in codes] or [0.5]) + 0.14
    gap = 0.12
    wide = (WIDTH - left - MARGIN - gap * max(len(places) - 1, 0)) / max(len(places), 1)
    heads = [canvas.wrapped(place, wide, SMALL, "bold") for place in places]
    top = 0.06 + LINE * max([canvas.lines(h) for h in heads] or [1])
    page = canvas.Page(top + y + 0.42, list(table["provenance"]))
    start = page.y + top
    for family in families:
        first = min(spot[c] for f, c in codes if f == family)
        page.text(MARGIN, start + first - ROW / 2 - 0.06, family, MEDIUM, weight="bold")
    for _, code in codes:
        page.text(left - 0.1, start + spot[code] + 0.035, code, SMALL, ha="right")
    most = 10 * (int(10 * float(table["upper"].max())) + 1) if len(table) else 100
    for at, (place, head) in enumerate(zip(places, heads, strict=True)):
        axes = page.axes(left + at * (wide + gap), start, wide, y)
        clean(axes)
        axes.set_xlim(0, most)
        axes.set_ylim(y, 0)
        axes.set_yticks([])
        axes.set_xticks(range(0, most, 20 if most > 40 else 10))  # the next column begins at most
        for tick in range(0, most + 1, 20):
            axes.axvline(tick, color=PALE, lw=0.6, zorder=0)
        page.text(left + at * (wide + gap), page.y + 0.12, head, SMALL, weight="bold")
        for row in records(table[table["place"] == place]):
            line = spot[str(row["code"])]
            axes.plot([100 * row["lower"], 100 * row["upper"]], [line, line], color=INK, lw=1.0,
                      zorder=2, gid=f"interval-{place}-{row['code']}")  # fmt: skip
            axes.plot([100 * row["mean"]], [line], "o", color=INK, ms=3.8, mec="white", mew=0.5,
                      zorder=3, gid=f"share-{place}-{row['code']}")  # fmt: skip
    page.text(left, page.height - 0.07, "Interviews with the code, %", SMALL, colour=GREY)
    return page.figure

"""Estimates against the values that simulated data were made from."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metastudy.common.tables import records
from metastudy.display.formatting import numbered
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import clean
from metastudy.display.plots.style import GREY, INK, MARGIN, MEDIUM, PALE, SMALL, WIDTH

__all__ = ["LOOKS", "truths"]

TALL, GAP, LEFT = 2.35, 0.55, 0.55  # inches
ZEROS, BAND = 0.45, "#f6f6f6"  # of the axis: what true zeros take; its shade
# by what is said of an effect: marker, face, size, words
LOOKS = {
    "claim": ("D", INK, 4.6, "a sign is claimed"),
    "too_small": ("s", "#bdbdbd", 3.2, "too small to matter"),
    "undecided": ("o", "white", 3.4, "undecided"),
}
PANELS = {"sd": "standard deviations", "log_odds": "log-odds"}


@canvas.drawn
def truths(table: pd.DataFrame) -> Figure:
    """A panel a metric: true value, estimate with its interval, and where both are the same.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.recovery.RECOVERED` and ``rope``.
    """
    metrics = list(dict.fromkeys(table["metric"]))
    page = canvas.Page(TALL + 0.98 if metrics else 0.4, list(table["provenance"]))
    if not metrics:
        page.text(MARGIN, 0.2, "No true value is known.", MEDIUM, colour=GREY)
        return page.figure
    wide = (WIDTH - LEFT - MARGIN - GAP * (len(metrics) - 1)) / len(metrics)
    for at, metric in enumerate(metrics):
        mine = table[table["metric"] == metric]
        x = LEFT + at * (wide + GAP)
        every = numbered(len(mine), "interval", digits=True)
        held = f"{int(mine['covered'].sum())} of {every} hold the true value"
        unit = PANELS.get(str(metric), str(metric))
        page.text(x, page.y + 0.14, unit.capitalize(), MEDIUM, weight="bold")
        page.text(x, page.y + 0.27, held, SMALL, colour=GREY)
        axes = page.axes(x, page.y + 0.34, wide, TALL)
        _panel(axes, mine)
        axes.set_xlabel(f"True value, {unit}", fontsize=SMALL)
        if not at:
            axes.set_ylabel("Estimate and interval", fontsize=SMALL)
    _key(page)
    return page.figure


def _panel(axes: Axes, table: pd.DataFrame) -> None:
    clean(axes, left=True)
    ends = [*table["truth"], *table["lower"], *table["upper"]]
    low, high = min(ends), max(ends)
    rope = float(table["rope"].iloc[0])
    axes.add_patch(Rectangle((-rope, -rope), 2 * rope, 2 * rope, fc=PALE, ec="none", zorder=0))
    span = [min(table["truth"].min(), -rope), max(table["truth"].max(), rope)]
    room = 0.06 * (span[1] - span[0])
    axes.plot(span, span, color=GREY, lw=0.8, ls="--", zorder=1, gid="identity")
    axes.axhline(0, color=GREY, lw=0.4, zorder=0)
    # True zeros would lie on top of each other: they have a band of their own at the left, where
    # across is the order of their estimates. All others are where their true value is.
    zero = table["truth"].eq(0)
    band = ZEROS * (span[1] - span[0]) * bool(zero.any())
    start = span[0] - room - band
    ranks = table.loc[zero, "mean"].rank(method="first")
    places = start + band * (ranks - 0.5) / max(int(zero.sum()), 1)
    if band:
        axes.axvspan(start, start + band, color=BAND, lw=0, zorder=-1)
        axes.add_patch(Rectangle((start, -rope), band, 2 * rope, fc=PALE, ec="none", zorder=0))
        axes.annotate(f"true value 0\n(n = {int(zero.sum())})", (start + band / 2, 1.0),
                      xycoords=("data", "axes fraction"), xytext=(0, -2), va="top", ha="center",
                      textcoords="offset points", fontsize=SMALL, color=GREY)  # fmt: skip
    for y, (index, row) in enumerate(zip(table.index, records(table), strict=True)):
        marker, face, size, _ = LOOKS[_said(row)]
        x = places[index] if zero[index] else row["truth"]
        wide, solid = (0.7, 0.55) if row["covered"] else (1.4, 1.0)
        ends_of = [row["lower"], row["upper"]]
        axes.plot([x, x], ends_of, color=INK, zorder=2, lw=wide, alpha=solid)
        axes.plot([x], [row["mean"]], marker, ms=size, mfc=face, mec=INK, mew=0.7, zorder=3,
                  gid=f"effect-{row['metric']}-{y}")  # fmt: skip
    axes.set_xticks([t for t in axes.get_xticks() if span[0] - room <= t <= span[1] + room])
    axes.set_xlim(start, span[1] + room)
    axes.set_ylim(low - 0.03 * (high - low), high + (0.12 if band else 0.03) * (high - low))


def _said(row: dict[str, object]) -> str:
    return "claim" if row["claim"] else "too_small" if row["word"] == "too_small" else "undecided"


def _key(page: canvas.Page) -> None:
    x, y = LEFT, page.height - 0.07
    for marker, face, size, words in LOOKS.values():
        page.line([x + 0.05], [y - 0.03], marker=marker, mfc=face, mec=INK, ms=size, ls="", mew=0.7)
        page.text(x + 0.13, y, words, SMALL)
        x += 0.32 + canvas.width(words, SMALL)
    page.text(x, y, "thick: misses the truth; dashed: estimate = truth", SMALL, colour=GREY)

"""Flow of participants: from the rows of a file to those in a model."""

from __future__ import annotations

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metastudy.common.tables import records
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import BLUE, bare
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.study_grid import simulated_mark
from metastudy.display.plots.style import (
    EXCLUDED,
    GREY,
    LARGE,
    MARGIN,
    MEDIUM,
    SMALL,
    WARNING,
    WIDTH,
)

__all__ = ["flow", "participant_flow"]

REPORT_HUES = {"read": "#9a9a9a", "excluded": EXCLUDED, "kept": BLUE}


@canvas.drawn
def flow(table: pd.DataFrame) -> Figure:
    """Rows from the file to the tables: what stays is long, what leaves hangs off it.

    Parameters
    ----------
    table : ``step``, ``kind`` (read, excluded or kept), ``rows`` (how long a bar is), ``shown`` (as
        it may be said), ``provenance``.
    """
    row = 0.24
    label = min(2.4, max(canvas.width(step, MEDIUM) for step in table["step"]) + 0.12)
    page = canvas.Page(row * len(table) + 0.1, list(table["provenance"]))
    width = WIDTH - 2 * MARGIN - label - 0.5
    axes = page.axes(MARGIN + label, page.y + 0.04, width, row * len(table))
    bare(axes)
    axes.set_yticks(range(len(table)), list(table["step"]), fontsize=MEDIUM)
    axes.set_xticks([])
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(0, max(table["rows"].max(), 1))
    stays = 0
    for at, step in enumerate(records(table)):
        rows = int(step["rows"])
        stays = stays - rows if step["kind"] == "excluded" else rows
        start = stays if step["kind"] == "excluded" else 0
        bar = (start, at - 0.34)
        hue = REPORT_HUES[step["kind"]]
        axes.add_patch(Rectangle(bar, rows, 0.68, color=hue, lw=0, gid=f"bar-{at}"))
        if step["kind"] == "excluded":
            axes.plot([stays, stays], [at - 0.34, at + 1], color=GREY, lw=0.6, zorder=0)
        shown = str(step["shown"])
        sign = "−" if step["kind"] == "excluded" and shown.isdigit() else ""
        axes.annotate(f"{sign}{shown}", (1, at), xycoords=("axes fraction", "data"), xytext=(32, 0),
                      textcoords="offset points", ha="right", va="center", fontsize=MEDIUM,
                      annotation_clip=False, gid=f"rows-{at}")  # fmt: skip
    return page.figure


FLOW_HUES = {
    "read": "#9a9a9a",
    "excluded": EXCLUDED,
    "kept": "#9a9a9a",
    "dropped": "#8C6D31",
    "used": "#0072B2",
}


@canvas.drawn
def participant_flow(table: pd.DataFrame) -> Figure:
    """Rows of each study from the file to the model: what stays is long, what leaves hangs off it.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.studies.FLOW`; one row is one bar.
    """
    if not len(table):
        return nothing_to_show("There are no studies with data of people.")
    studies = [own for _, own in table.groupby("study", sort=False)]
    pairs = [studies[i : i + 2] for i in range(0, len(studies), 2)]
    row, head = 0.185, 0.3
    heights = [head + row * max(len(own) for own in pair) + 0.1 for pair in pairs]
    page = canvas.Page(sum(heights), list(table["provenance"]))
    label = max(canvas.width(step, SMALL) for step in table["step"]) + 0.08
    column = WIDTH / 2
    for pair, height in zip(pairs, heights, strict=True):
        for at, own in enumerate(pair):
            left = column * at + MARGIN
            name = str(own["study_label"].iloc[0])
            page.text(left, page.y + 0.2, name, LARGE - 0.5, weight="bold")
            if simulated_mark(own["provenance"].iloc[0]):
                x = left + canvas.width(name, LARGE - 0.5, "bold") + 0.08
                page.text(x, page.y + 0.2, "simulated", SMALL, colour=WARNING)
            width = column - 2 * MARGIN - label - 0.34
            axes = page.axes(left + label, page.y + head, width, row * len(own))
            _draw_flow(axes, own)
        page.y += height
    return page.figure


def _draw_flow(axes: Axes, own: pd.DataFrame) -> None:
    for side in ("top", "right", "bottom"):
        axes.spines[side].set_visible(False)
    axes.set_xticks([])
    axes.set_yticks(range(len(own)), list(own["step"]), fontsize=SMALL)
    axes.tick_params(axis="y", length=0, pad=3)
    axes.set_ylim(len(own) - 0.5, -0.5)
    axes.set_xlim(0, max(own["rows"].max(), 1))
    stays = 0
    for y, (at, step) in enumerate(own.iterrows()):
        rows = int(step["rows"])
        if step["kind"] in ("excluded", "dropped"):
            stays -= rows
            start = stays
        else:
            start, stays = 0, rows if step["kind"] != "used" else _kept(own)
        bar = Rectangle(
            (start, y - 0.32), rows, 0.64, color=FLOW_HUES[step["kind"]], lw=0, gid=f"bar-{at}"
        )
        axes.add_patch(bar)
        shown = str(step["shown"])
        sign = "−" if step["kind"] in ("excluded", "dropped") and rows and shown.isdigit() else ""
        axes.annotate(f"{sign}{shown}", (1, y), xycoords=("axes fraction", "data"), xytext=(23, 0),
                      textcoords="offset points", ha="right", va="center", fontsize=SMALL,
                      annotation_clip=False, gid=f"rows-{at}")  # fmt: skip


def _kept(own: pd.DataFrame) -> int:
    """Each module starts again from the rows that were kept."""
    kept = own.loc[own["kind"] == "kept", "rows"]
    return int(kept.iloc[0]) if len(kept) else 0

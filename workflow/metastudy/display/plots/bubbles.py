"""Effects against what they may differ by: a bubble for each estimate, a line or marks of means."""

from __future__ import annotations

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metastudy.display.formatting import mark
from metastudy.display.plots import canvas
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import GREY, HUES, INK, LINE, MARGIN, MEDIUM, SMALL, WIDTH

__all__ = ["bubbles"]

HEIGHT = 2.1  # inches of one panel
LARGEST, SMALLEST = 90.0, 8.0  # square points of a bubble


@canvas.drawn
def bubbles(table: pd.DataFrame) -> Figure:
    """Panels, one for each effect and moderator, two in a row.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.moderators.BUBBLES`; rows of ``kind``
        ``estimate`` are bubbles, the larger the smaller their variance; those of ``mean`` make a
        line with its intervals, or of categories a mark each. Inner intervals are thick, or a
        darker band, and may be missing.
    """
    if not len(table):
        return nothing_to_show("No moderator is declared.")
    panels = list(table.groupby(["panel", "along"], sort=False))
    head = 0.42
    page = canvas.Page((len(panels) + 1) // 2 * (HEIGHT + head + 0.42), list(table["provenance"]))
    width = (WIDTH - MARGIN) / 2
    top = page.y
    for at, ((title, along), mine) in enumerate(panels):
        x = MARGIN + at % 2 * width
        y = top + at // 2 * (HEIGHT + head + 0.42)
        text = canvas.wrapped(str(title), width - 0.2, MEDIUM, "bold")
        page.text(x, y + LINE, text, MEDIUM, weight="bold")
        axes = page.axes(x + 0.5, y + head, width - 0.66, HEIGHT)
        _panel(axes, mine)
        axes.set_xlabel(str(along), fontsize=SMALL)
        axes.set_ylabel(str(mine["across"].iloc[0]), fontsize=SMALL)
    return page.figure


def _panel(axes: Axes, mine: pd.DataFrame) -> None:
    estimates, means = (mine[mine["kind"] == kind] for kind in ("estimate", "mean"))
    categories = list(dict.fromkeys(means["position"])) if means["x"].isna().all() else []
    hue = HUES["measured" if mark(estimates["provenance"]) else "posterior"]
    if categories:
        place = {name: k for k, name in enumerate(categories)}
        within = estimates.groupby("position").cumcount()
        size = estimates.groupby("position")["position"].transform("size")
        x = estimates["position"].map(place) + 0.3 * (within - (size - 1) / 2) / size
        for row, at in zip(means.index, means["position"].map(place), strict=True):
            low, middle, high = means.loc[row, ["lower", "estimate", "upper"]]
            axes.plot([at - 0.3] * 2, [low, high], color=INK, lw=1.2, gid=f"interval-{row}")
            inner = means.loc[row, ["inner_lower", "inner_upper"]]
            axes.plot([at - 0.3] * 2, inner, color=INK, lw=2.6, solid_capstyle="butt",
                      gid=f"inner-{row}")  # fmt: skip
            axes.plot([at - 0.3], [middle], "D", ms=4.6, color=INK, gid=f"mean-{row}")
        axes.set_xticks(range(len(categories)), categories)
        axes.set_xlim(-0.6, len(categories) - 0.4)
    else:
        x = estimates["x"]
        line = means.sort_values("x")
        for side in ("", "inner_"):
            low, high = (line[f"{side}{end}"].astype(float) for end in ("lower", "upper"))
            axes.fill_between(line["x"], low, high, color=GREY, alpha=0.22, lw=0)
        axes.plot(line["x"], line["estimate"], color=INK, lw=1.2, gid=f"mean-{line.index[0]}")
    share = np.sqrt(estimates["weight"] / estimates["weight"].max())
    for row, at, part in zip(estimates.index, x, share, strict=True):
        for side, thick in (("", 0.5), ("inner_", 1.8)):
            ends = estimates.loc[row, [f"{side}lower", f"{side}upper"]]
            axes.plot([at, at], ends, color=hue, lw=thick, alpha=0.5,
                      solid_capstyle="butt", gid=f"{side}interval-{row}")  # fmt: skip
        axes.plot([at], [estimates.loc[row, "estimate"]], "o", color=hue, mfc="white", mew=0.9,
                  ms=np.sqrt(SMALLEST + (LARGEST - SMALLEST) * part),
                  gid=f"estimate-{row}")  # fmt: skip
    axes.axhline(0, color=GREY, lw=0.6, ls=":")
    canvas.clean(axes, left=True)

"""Contour-enhanced funnel: published effects by their standard errors, and what they pool to.

Shades say how significant an effect is wherever it is (Peters et al. 2008), so a gap in the light
middle looks like selection and one elsewhere does not. Every mark carries the number of its row as
its id (``effect-3``, ``mean-4``), so that a test can ask where it is.
"""

from __future__ import annotations

from itertools import pairwise
from statistics import NormalDist

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch

from metastudy.common.tables import records
from metastudy.display.plots import canvas
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import GREY, HUES, INK, LINE, MARGIN, SMALL, WIDTH

__all__ = ["MEANS", "funnel"]

P = (0.1, 0.05, 0.01)  # two-sided p of the contours
SHADES = ("#ffffff", "#ececec", "#dadada", "#c4c4c4")  # from the middle outwards
# Of each analysis: colour, and the dashes of its line; what has none is a point at no error.
MEANS = {
    "plain": (INK, "-"),
    "step_function": (HUES["group2"], "--"),
    "worst_case": (HUES["group3"], ":"),
    "pet": (HUES["group4"], ""),
    "peese": (HUES["group1"], ""),
}
MARKERS = {"pet": "D", "peese": "s"}
HEIGHT, FOOT, HEAD, GAP = 1.75, 0.42, 0.36, 0.62  # inches


@canvas.drawn
def funnel(table: pd.DataFrame) -> Figure:
    """A panel for each estimand.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.selection.FUNNEL`; a row is an effect or the
        mean of an analysis.
    """
    if not len(table):
        return nothing_to_show("No published effects are pooled.")
    panels = list(dict.fromkeys(table["panel"]))
    across = min(len(panels), 2 if len(panels) < 7 else 3)
    down = -(-len(panels) // across)
    legend = _legend(table)
    legend_rows = -(-len(legend) // 4)
    block = HEAD + HEIGHT + FOOT
    below = LINE * (1.3 * (legend_rows + 1) + 0.4)
    page = canvas.Page(block * down + below, list(table["provenance"]))
    wide = (WIDTH - 2 * MARGIN - GAP * across) / across
    for at, name in enumerate(panels):
        left = MARGIN + GAP + (at % across) * (wide + GAP)
        top = page.y + (at // across) * block
        title = canvas.wrapped(str(name), wide, SMALL, "bold").split("\n")[:2]
        page.text(left, top + 0.12, "\n".join(title), SMALL, weight="bold")
        axes = page.axes(left, top + HEAD, wide, HEIGHT)
        _draw(axes, table[table["panel"] == name])
    for handles, place in ((legend, 1.3 * LINE / page.height), (_shades(), 0.0)):
        page.figure.legend(
            handles=handles, loc="lower center", ncols=min(len(handles), 4), fontsize=SMALL,
            frameon=False, handlelength=2.0, columnspacing=1.2, bbox_to_anchor=(0.5, place),
            borderaxespad=0.1,
        )  # fmt: skip
    return page.figure


def _draw(axes: Axes, mine: pd.DataFrame) -> None:
    effects = mine[mine["kind"] == "effect"]
    highest = 1.1 * float(effects["se"].max())
    reach = [abs(v) for v in mine["estimate"]]
    widest = max(*reach, NormalDist().inv_cdf(1 - P[-1] / 2) * highest) * 1.08
    axes.set_xlim(-widest, widest)
    axes.set_ylim(highest, 0)
    axes.locator_params("y", nbins=6)
    axes.set_facecolor(SHADES[-1])
    for p, shade in zip(P[::-1], SHADES[-2::-1], strict=True):
        edge = NormalDist().inv_cdf(1 - p / 2) * highest
        axes.fill([0, edge, -edge], [0, highest, highest], color=shade, lw=0, zorder=0)
    axes.axvline(0, color=GREY, lw=0.5, zorder=1)
    for at, row in zip(mine.index, records(mine), strict=True):
        if row["kind"] == "effect":
            face = INK if row["affirmative"] else "white"
            axes.plot([row["estimate"]], [row["se"]], "o", color=INK, mfc=face, ms=3.6, mew=0.7,
                      zorder=3, gid=f"effect-{at}")  # fmt: skip
        elif (look := MEANS[row["series"]])[1]:
            axes.plot([row["estimate"]] * 2, [0, highest], ls=look[1], color=look[0], lw=1.1,
                      zorder=2, gid=f"mean-{at}")  # fmt: skip
        else:
            axes.plot([row["estimate"]], [0], MARKERS[row["series"]], color=look[0], ms=4.4,
                      clip_on=False, zorder=4, gid=f"mean-{at}")  # fmt: skip
    axes.set_xlabel(str(mine["axis"].iloc[0]), fontsize=SMALL, labelpad=2)
    axes.set_ylabel("Standard error", fontsize=SMALL, labelpad=2)
    for side in ("top", "right"):
        axes.spines[side].set_visible(False)


def _legend(table: pd.DataFrame) -> list[Artist]:
    """Marks of what the table holds."""
    effects = table[table["kind"] == "effect"]
    found: list[Artist] = []
    for affirmative, label in ((True, "Significant on the favoured side"), (False, "Other effect")):
        if (effects["affirmative"].astype(bool) == affirmative).any():
            face = INK if affirmative else "white"
            found.append(
                Line2D([], [], marker="o", ls="", color=INK, mfc=face, ms=3.6, label=label)
            )
    means = table[table["kind"] == "mean"].drop_duplicates("series")
    for row in records(means):
        colour, dashes = MEANS[row["series"]]
        marker = MARKERS.get(row["series"], "")
        found.append(
            Line2D([], [], ls=dashes, marker=marker, color=colour, ms=4.4, label=row["label"])
        )
    return found


def _shades() -> list[Artist]:
    """The contours, from the middle outwards."""
    between = [f"{high:g} to {low:g}" for high, low in pairwise(P)]
    labels = [f"Two-sided p above {P[0]:g}", *between, f"below {P[-1]:g}"]
    return [
        Patch(fc=shade, ec=GREY, lw=0.4, label=label)
        for shade, label in zip(SHADES, labels, strict=True)
    ]

"""Arms of experiments: means by arm on one scale, beside what the effects differ by."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metastudy.common.tables import records
from metastudy.display.formatting import signed
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import clean
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import (
    BAND,
    GREY,
    HUES,
    INK,
    LINE,
    MARGIN,
    MEDIUM,
    NARROW,
    PALE,
    SMALL,
    WIDTH,
    mixed,
)

__all__ = ["LOOKS", "arms", "narrow_arms"]

# Of each exposure in turn: marker, its size, width of lines, share of white.
LOOKS = (("o", 4.2, 1.5, 0.0), ("s", 3.4, 0.9, 0.35), ("^", 4.2, 0.9, 0.15), ("D", 3.2, 0.9, 0.5))
LABEL, CHANGE, GAP, MEAN, SURE = 1.5, 0.42, 0.16, 0.36, 0.46  # inches
LINES, BETWEEN, FAMILY = 0.088, 0.068, 0.08  # between two arms, two exposures and two families
LABEL_OF_NARROW, STACKED = 1.0, 0.2  # inches
ALONE = "no other in its family"
Look = tuple[str, float, float, float]
Box = tuple[float, float, float, float]  # left, top, width, height of a panel, in inches


@canvas.drawn
def arms(table: pd.DataFrame) -> Figure:
    """Left the mean of each arm; right each effect against those on the others of its family.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.arms.ARMS`.

    Returns
    -------
    Figure
        Open marks are the reference arm, filled ones the other; thin lines are the table's
        intervals, thick ones its inner intervals. The right panel is there where any outcome has
        others in its family.
    """
    if table.empty:
        return nothing_to_show("Nothing to show: no experiment has its arms here.")
    looks = _looks(table)
    rows, places, tall = _places(table)
    compared = bool(table["difference"].notna().any())
    labels = {row: canvas.wrapped(row, LABEL, MEDIUM) for row in rows}
    left = MARGIN + canvas.widest(labels.values(), MEDIUM) + 0.1
    texts = GAP + MEAN + SURE if compared else 0.0
    free = WIDTH - left - CHANGE - MARGIN - texts
    wide = 0.6 * free if compared else free
    legend = _legend(table, looks, WIDTH)
    head = 0.15 * len(legend) + 0.2
    page = canvas.Page(head + tall + 0.42, list(table["provenance"]))
    top = page.y + head
    _draw_legend(page, legend, looks)
    _draw_labels(page, labels, table, places, top, left)
    _draw_means(page, table, places, looks, (left, top, wide, tall))
    if compared:
        x = left + wide + CHANGE + GAP
        _draw_differences(page, table, places, looks, (x, top, free - wide, tall))
    return page.figure


@canvas.drawn
def narrow_arms(table: pd.DataFrame) -> Figure:
    """The same for a narrow screen: the differences are below the means, with labels again.

    Parameters
    ----------
    table : as of :func:`arms`.
    """
    if table.empty:
        return nothing_to_show("Nothing to show: no experiment has its arms here.")
    looks = _looks(table)
    rows, places, tall = _places(table)
    compared = bool(table["difference"].notna().any())
    labels = {row: canvas.wrapped(row, LABEL_OF_NARROW, MEDIUM) for row in rows}
    left = MARGIN + canvas.widest(labels.values(), MEDIUM) + 0.1
    legend = _legend(table, looks, NARROW)
    head, panel = 0.15 * len(legend) + 0.2, tall + 0.42
    height = head + panel + (STACKED + panel if compared else 0)
    page = canvas.Page(height, list(table["provenance"]), NARROW)
    top = page.y + head
    _draw_legend(page, legend, looks)
    _draw_labels(page, labels, table, places, top, left)
    wide = NARROW - left - CHANGE - MARGIN
    _draw_means(page, table, places, looks, (left, top, wide, tall))
    if compared:
        top += panel + STACKED
        _draw_labels(page, labels, table, places, top, left)
        wide = NARROW - left - MEAN - SURE - MARGIN
        _draw_differences(page, table, places, looks, (left, top, wide, tall))
    return page.figure


def _looks(table: pd.DataFrame) -> dict[str, Look]:
    exposures = dict.fromkeys(table["exposure"])
    return {exposure: LOOKS[at % len(LOOKS)] for at, exposure in enumerate(exposures)}


def _draw_labels(
    page: canvas.Page,
    labels: Mapping[str, str],
    table: pd.DataFrame,
    places: Mapping[int, float],
    top: float,
    left: float,
) -> None:
    """Labels of the rows at the left of a panel, and a line between each two rows."""
    for at, (row, text) in enumerate(labels.items()):
        own = [places[i] for i in table.index[table["row"] == row]]
        if at:
            line = top + min(own) - _HALF
            ends = [MARGIN, page.width - MARGIN]
            page.line(ends, [line, line], color=PALE, lw=0.5, zorder=0)
        middle = top + (min(own) + max(own)) / 2
        first = middle + 0.035 - LINE * (canvas.lines(text) - 1) / 2
        page.text(left - 0.1, first, text, MEDIUM, ha="right")


def _draw_means(
    page: canvas.Page,
    table: pd.DataFrame,
    places: Mapping[int, float],
    looks: Mapping[str, Look],
    box: Box,
) -> None:
    left, top, wide, tall = box
    _means(page.axes(*box), table, places, looks, tall)
    x = left + wide + CHANGE
    page.text(x - 0.02, top - 0.06, "Change", SMALL, colour=GREY, ha="right")
    for at, spot in enumerate(records(table)):
        change, y = signed(spot["points"], 1), top + places[at] + 0.035
        page.text(x - 0.02, y, change, MEDIUM, ha="right", gid=f"points-{at}")
    below = top + tall + 0.33
    page.text(left + wide / 2, below, "Mean of the arm, % of the scale", SMALL, ha="center")


def _draw_differences(
    page: canvas.Page,
    table: pd.DataFrame,
    places: Mapping[int, float],
    looks: Mapping[str, Look],
    box: Box,
) -> None:
    x, top, wide, tall = box
    _differences(page.axes(*box), table, places, looks, tall)
    page.text(x, top - 0.06, "Effect against the others", SMALL, colour=GREY)
    page.text(x, top + tall + 0.33, "SD; grey: too small to matter", SMALL)
    _numbers(page, table, places, top, x + wide)


def _places(table: pd.DataFrame) -> tuple[list[str], dict[int, float], float]:
    """Rows in order, where the middle of each row of the table is below the top, and the height."""
    rows = list(dict.fromkeys(table["row"]))
    places: dict[int, float] = {}
    y, family = 0.0, None
    for row in rows:
        mine = table[table["row"] == row]
        if family not in (None, mine["family"].iloc[0]):
            y += FAMILY
        family = mine["family"].iloc[0]
        y += BETWEEN / 2
        for at in mine.index:
            places[int(at)] = y + BETWEEN / 2 + LINES
            y += 2 * LINES + BETWEEN / 2
        y += BETWEEN
    return rows, places, y


_HALF = BETWEEN + LINES  # from the middle of a row's first exposure up to the row before

Entry = tuple[str, tuple[str, str]]  # an exposure and the labels of its arms


def _legend(
    table: pd.DataFrame, looks: Mapping[str, Look], width: float
) -> list[list[tuple[float, Entry]]]:
    """Lines of the legend: where each exposure's entry begins."""
    lines: list[list[tuple[float, Entry]]] = [[]]
    x = MARGIN
    for exposure in looks:
        first = table[table["exposure"] == exposure].iloc[0]
        labels = (str(first["reference"]), str(first["treatment"]))
        room = sum(0.16 + canvas.width(label, MEDIUM) + 0.14 for label in labels) + 0.1
        if lines[-1] and x + room > width:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, (exposure, labels)))
        x += room
    return lines


def _draw_legend(
    page: canvas.Page, lines: list[list[tuple[float, Entry]]], looks: Mapping[str, Look]
) -> None:
    for at, line in enumerate(lines):
        y = page.y + 0.1 + 0.15 * at
        for start, (exposure, labels) in line:
            x = start
            for filled, label in zip((False, True), labels, strict=True):
                page.line([x + 0.06], [y - 0.035], **_point(looks[exposure], filled))
                page.text(x + 0.16, y, label, MEDIUM)
                x += 0.3 + canvas.width(label, MEDIUM)


def _colour(look: Look) -> str:
    return mixed(HUES["randomised"], look[3])


def _point(look: Look, filled: bool) -> dict[str, Any]:
    marker, size, _, _ = look
    colour = _colour(look)
    return {"marker": marker, "ms": size, "mfc": colour if filled else "white", "mec": colour,
            "mew": 0.9, "ls": "none"}  # fmt: skip


def _bare(axes: Axes, tall: float) -> None:
    """Axes through which the lines between rows are seen."""
    clean(axes)
    axes.patch.set_visible(False)
    axes.set_ylim(tall, 0)
    axes.set_yticks([])


def _means(
    axes: Axes,
    table: pd.DataFrame,
    places: Mapping[int, float],
    looks: Mapping[str, Look],
    tall: float,
) -> None:
    _bare(axes, tall)
    axes.set_xlim(0, 100)
    axes.set_xticks(range(0, 101, 25))
    for tick in range(0, 101, 25):
        axes.axvline(tick, color=PALE, lw=0.6, zorder=0)
    for at, row in enumerate(records(table)):
        look = looks[row["exposure"]]
        colour, thick = _colour(look), look[2]
        ys = (places[at] - LINES / 2, places[at] + LINES / 2)
        axes.plot([row["low"], row["high"]], ys, color=colour, lw=thick, zorder=2,
                  gid=f"change-{at}")  # fmt: skip
        for name, y in zip(("low", "high"), ys, strict=True):
            bounds = [row[f"{name}_lower"], row[f"{name}_upper"]]
            if np.isfinite(np.array(bounds, float)).all():
                axes.plot(bounds, [y, y], color=colour, lw=0.8, zorder=2, solid_capstyle="butt",
                          gid=f"{name}-interval-{at}")  # fmt: skip
            axes.plot([row[name]], [y], **_point(look, name == "high"), zorder=3,
                      gid=f"{name}-{at}")  # fmt: skip


def _differences(
    axes: Axes,
    table: pd.DataFrame,
    places: Mapping[int, float],
    looks: Mapping[str, Look],
    tall: float,
) -> None:
    _bare(axes, tall)
    rope = float(table["rope"].iloc[0])
    ends = [*table["lower"].dropna(), *table["upper"].dropna(), -rope, rope]
    pad = 0.06 * (max(ends) - min(ends))
    axes.set_xlim(min(ends) - pad, max(ends) + pad)
    axes.locator_params(axis="x", nbins=5, steps=[1, 2, 5, 10])
    axes.axvspan(-rope, rope, color=BAND, lw=0, zorder=0, gid="rope")
    axes.axvline(0, color=GREY, lw=0.7, zorder=1)
    for at, row in enumerate(records(table)):
        if pd.isna(row["difference"]):
            continue
        look, y = looks[row["exposure"]], places[at]
        colour = _colour(look)
        axes.plot([row["lower"], row["upper"]], [y, y], color=colour, lw=0.8, zorder=2,
                  gid=f"difference-interval-{at}")  # fmt: skip
        if pd.notna(row["inner_lower"]):
            inner = [row["inner_lower"], row["inner_upper"]]
            axes.plot(inner, [y, y], color=colour, lw=1 + look[2], zorder=2,
                      solid_capstyle="butt", gid=f"difference-inner-{at}")  # fmt: skip
        axes.plot([row["difference"]], [y], **_point(look, True), zorder=3,
                  gid=f"difference-{at}")  # fmt: skip


def _numbers(
    page: canvas.Page, table: pd.DataFrame, places: Mapping[int, float], top: float, x: float
) -> None:
    """Means of the differences and the probabilities that they are above zero."""
    mean, sure = x + MEAN, x + MEAN + SURE
    page.text(mean, top - 0.06, "SD", SMALL, colour=GREY, ha="right")
    page.text(sure, top - 0.06, "P > 0", SMALL, colour=GREY, ha="right")
    for _, mine in table[table["difference"].isna()].groupby("row", sort=False):
        middle = top + (places[mine.index[0]] + places[mine.index[-1]]) / 2
        page.text(sure, middle + 0.035, ALONE, MEDIUM, colour=GREY, ha="right", style="italic")
    for at, row in enumerate(records(table)):
        y = top + places[at] + 0.035
        if pd.isna(row["difference"]):
            continue
        page.text(mean, y, signed(row["difference"], 2), MEDIUM, ha="right", gid=f"number-{at}")
        page.text(sure, y, _short(row["positive"]), MEDIUM, ha="right", colour=INK)


def _short(value: float) -> str:
    """A probability as a column of them has it; finitely many draws never show one, or zero."""
    if value > 0.999:
        return ">0.999"
    return "<0.001" if value < 0.001 else f"{value:.3f}"

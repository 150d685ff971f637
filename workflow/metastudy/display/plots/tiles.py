"""Tiles: effects as rectangles, coloured by their size and as large as they are sure to matter."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metastudy.common.tables import records
from metastudy.display.formatting import MINUS, signed
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import clean
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import (
    GREY,
    INK,
    LINE,
    MARGIN,
    MEDIUM,
    PALE,
    SMALL,
    WIDTH,
    mixed,
)

__all__ = ["DOT", "colour", "tiles"]

ROW, HEADING, STRIP, LABEL = 0.185, 0.175, 0.58, 1.5  # inches
DOT = 0.1  # less probable than this, a tile is a dot
INSET = 0.012  # inches between a cell and the largest tile
LOWER, HIGHER = "#7a4a1e", "#0b6e6e"  # ends of the scale of colours: brown and teal, no hue's
EDGE, FRAME = "#8f8f8f", "#4d4d4d"
SHAPES = (("o", INK, 4.0), ("s", "white", 3.8), ("^", "#9a9a9a", 4.4), ("D", INK, 3.4),
          ("v", "white", 4.2), ("P", "#9a9a9a", 4.4))  # fmt: skip
FRAMED = "randomised"
KEY = 0.26  # inches: width of a box of the key
SIZES = "Sides: probability to lie beyond ROPE on one side"
FRAMES = "Dark frame: randomised, an effect. "
SIGNS = "+ and −: sign of the posterior mean."
DOT_SIZE = 2.0  # points
SIGN_AT = 0.055  # inches from the left edge of a cell


@canvas.drawn
def tiles(table: pd.DataFrame) -> Figure:
    """Above the levels of each outcome; below a tile for each exposure, by outcome.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.tiles.TILES`.

    Returns
    -------
    Figure
        The colour of a tile is the posterior mean, on a scale that is symmetric around zero; its
        sides are the shares of the cell's sides that ``beyond`` says, and below :data:`DOT` it is a
        dot. Beside each tile is its sign, so that signs are seen without colours. Cells of
        randomised exposures have a frame.
    """
    if table.empty:
        return nothing_to_show("Nothing to show: there are no effects on two outcomes of a family.")
    levels, effects = (table[table["part"].eq(part)] for part in ("level", "effect"))
    columns = dict(zip(table["outcome"], table["column"], strict=True))
    rows = list(dict.fromkeys(zip(effects["group"], effects["row"], strict=True)))
    labels = {row: canvas.wrapped(row[1], LABEL, MEDIUM) for row in rows}
    widest = canvas.widest(labels.values(), MEDIUM)
    left = MARGIN + max(widest, 0.9) + 0.1
    wide = (WIDTH - left - MARGIN) / len(columns)
    heads = {key: canvas.wrapped(label, wide - 0.06, MEDIUM) for key, label in columns.items()}
    head = 0.06 + LINE * max(canvas.lines(text) for text in heads.values())
    marks = list(dict.fromkeys(levels["group"]))
    legend = _legend(marks) if len(marks) > 1 else []
    strip = 0.15 * len(legend) + STRIP + 0.04 if len(levels) else 0.0
    spots, tall = _spots(rows, labels)
    page = canvas.Page(head + strip + tall + 0.4, list(table["provenance"]))
    y = page.y
    for line in legend:
        for x, at, label in line:
            page.line([x + 0.05], [y + 0.06], **_mark(at))
            page.text(x + 0.14, y + 0.095, label, SMALL)
        y += 0.15
    for at, key in enumerate(columns):
        page.text(left + (at + 0.5) * wide, y + head - 0.06 - LINE * (canvas.lines(heads[key]) - 1),
                  heads[key], MEDIUM, weight="bold", ha="center")  # fmt: skip
    y += head
    if len(levels):
        axes = page.axes(left, y, wide * len(columns), STRIP)
        _levels(axes, levels, list(columns), marks)
        page.text(left - 0.36, y + STRIP / 2 - 0.03, "Mean,\n% of the scale", SMALL, colour=GREY,
                  ha="right")  # fmt: skip
        y += STRIP + 0.04
    for group, (where, _) in spots["groups"].items():
        page.text(MARGIN, y + where, group, MEDIUM, weight="bold")
    for row, text in labels.items():
        first = y + spots["rows"][row][0] + 0.035 - LINE * (canvas.lines(text) - 1) / 2
        page.text(left - 0.1, first, text, MEDIUM, ha="right")
    most = _limit(effects)
    axes = page.axes(left, y, wide * len(columns), tall)
    canvas.bare(axes)
    axes.set(xlim=(0, wide * len(columns)), ylim=(tall, 0), xticks=[], yticks=[])
    for at, tile in zip(effects.index, records(effects), strict=True):
        middle, height = spots["rows"][tile["group"], tile["row"]]
        x = (list(columns).index(tile["outcome"]) + 0.5) * wide
        _tile(axes, tile, (x, middle), (wide - 0.03, height - 0.03), most, str(at))
    _key(page, y + tall + 0.05, most, bool(effects["exposure_type"].eq(FRAMED).any()))
    return page.figure


def _spots(
    rows: list[tuple[str, str]], labels: Mapping[tuple[str, str], str]
) -> tuple[dict[str, dict[Any, tuple[float, float]]], float]:
    """Baselines of headings, middle and height of rows, in inches from the top; and all of it."""
    spots: dict[str, dict[Any, tuple[float, float]]] = {"groups": {}, "rows": {}}
    y = 0.0
    for row in rows:
        if row[0] not in spots["groups"]:
            spots["groups"][row[0]] = (y + HEADING - 0.045, 0.0)
            y += HEADING
        height = max(ROW, LINE * canvas.lines(labels[row]) - 0.01)
        spots["rows"][row] = (y + height / 2, height)
        y += height
    return spots, y


def _legend(marks: list[str]) -> list[list[tuple[float, int, str]]]:
    """Lines of the legend of levels: where each mark is, its number and its label."""
    lines: list[list[tuple[float, int, str]]] = [[]]
    x = MARGIN
    for at, label in enumerate(marks):
        room = 0.3 + canvas.width(label, SMALL)
        if lines[-1] and x + room > WIDTH:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, at, label))
        x += room
    return lines


def _mark(at: int) -> dict[str, Any]:
    marker, face, size = SHAPES[at % len(SHAPES)]
    return {"marker": marker, "mfc": face, "mec": INK, "mew": 0.7, "ms": size, "ls": "none"}


def _levels(axes: Axes, levels: pd.DataFrame, columns: list[str], marks: list[str]) -> None:
    clean(axes)
    axes.spines["bottom"].set_visible(False)
    axes.set(xlim=(0, len(columns)), ylim=(0, 100), xticks=[], yticks=[0, 50, 100])
    for tick in (0, 50, 100):
        axes.axhline(tick, color=PALE, lw=0.6, zorder=0)
    step = min(0.16, 0.7 / len(marks))
    for at, row in zip(levels.index, records(levels), strict=True):
        own = marks.index(row["group"])
        x = columns.index(row["outcome"]) + 0.5 + (own - (len(marks) - 1) / 2) * step
        axes.plot([x, x], [row["lower"], row["upper"]], color=INK, lw=0.9, zorder=2,
                  gid=f"level-interval-{at}")  # fmt: skip
        axes.plot([x], [row["mean"]], **_mark(own), zorder=3, gid=f"level-{at}")


def _limit(effects: pd.DataFrame) -> float:
    """The end of the scale of colours on either side: all means are inside."""
    return max(math.ceil(round(10 * float(effects["mean"].abs().max()), 6)) / 10, 0.1)


def colour(mean: float, most: float) -> str:
    """Colour of an effect: brown below zero, teal above, white at zero, full at ``most``."""
    strength = min(abs(mean) / most, 1.0)
    return mixed(HIGHER if mean > 0 else LOWER, 1 - strength)


def _tile(
    axes: Axes,
    row: Mapping[str, Any],
    middle: tuple[float, float],
    cell: tuple[float, float],
    most: float,
    name: str,
) -> None:
    """A cell and its tile; coordinates are inches, ``cell`` is its width and height."""
    (x, y), (wide, high) = middle, cell
    framed = row["exposure_type"] == FRAMED
    axes.add_patch(Rectangle((x - wide / 2, y - high / 2), wide, high, fc="white", zorder=1,
                             ec=FRAME if framed else PALE, lw=0.9 if framed else 0.5,
                             gid=f"cell-{name}"))  # fmt: skip
    share = float(row["beyond"])
    if share < DOT:
        axes.plot([x], [y], "o", ms=DOT_SIZE, color=EDGE, mew=0, zorder=2, gid=f"tile-{name}")
        return
    w, h = share * (wide - 2 * INSET), share * (high - 2 * INSET)
    face = colour(row["mean"], most)
    axes.add_patch(Rectangle((x - w / 2, y - h / 2), w, h, fc=face, ec=EDGE, lw=0.4, zorder=2,
                             gid=f"tile-{name}"))  # fmt: skip
    if row["printed"]:
        axes.text(x, y, signed(row["mean"], 2), fontsize=MEDIUM, color=_ink(face), ha="center",
                  va="center_baseline", zorder=3, gid=f"number-{name}")  # fmt: skip
    else:
        sign = "+" if row["mean"] > 0 else MINUS
        ink = _ink(face) if w > wide - 2 * SIGN_AT else INK
        axes.text(x - wide / 2 + SIGN_AT, y, sign, fontsize=SMALL, color=ink, ha="center",
                  va="center_baseline", zorder=3, gid=f"sign-{name}")  # fmt: skip


def _ink(face: str) -> str:
    """Black or white, whichever is told better from a colour (WCAG 2.2, relative luminance)."""
    parts = [int(face[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return INK if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.2 else "white"


def _key(page: canvas.Page, y: float, most: float, framed: bool) -> None:
    """Sizes, colours and frames, in words."""
    axes = page.axes(0, y, WIDTH, 0.2)
    canvas.bare(axes)
    axes.patch.set_visible(False)
    axes.set(xlim=(0, WIDTH), ylim=(0.2, 0), xticks=[], yticks=[])

    def box(x: float, share: float, face: str) -> None:
        w, h = share * KEY, share * 0.16
        axes.add_patch(Rectangle((x - w / 2, 0.1 - h / 2), w, h, fc=face, ec=EDGE, lw=0.4))

    x = MARGIN
    page.text(x, y + 0.135, SIZES, SMALL)
    x += canvas.width(SIZES, SMALL) + 0.1
    axes.plot([x + 0.02], [0.1], "o", ms=DOT_SIZE, color=EDGE, mew=0)
    page.text(x + 0.08, y + 0.135, f"<{DOT:g}", SMALL)
    x += 0.2 + canvas.width(f"<{DOT:g}", SMALL)
    for share in (0.3, 0.6, 1.0):
        box(x + share * KEY / 2, share, "#d9d9d9")
        x += share * KEY + 0.04
        page.text(x, y + 0.135, f"{share:g}", SMALL)
        x += canvas.width(f"{share:g}", SMALL) + 0.14
    steps = (-1.0, -0.5, 0.0, 0.5, 1.0)
    x = WIDTH - MARGIN - 0.06 - KEY * len(steps)
    page.text(x - 0.06, y + 0.135, "SD", SMALL, ha="right")
    for step in steps:
        face = colour(step * most, most)
        box(x + KEY / 2, 1.0, face)
        if step in (-1.0, 0.0, 1.0):
            page.text(x + KEY / 2, y + 0.3, signed(step * most, 1), SMALL, ha="center")
        x += KEY
    page.text(MARGIN, y + 0.3, FRAMES * framed + SIGNS, SMALL)

"""Contrasts of codes: a panel an exposure, families with their means, codes by their size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from metastudy.display.formatting import number
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
    PALE,
    SMALL,
    WIDTH,
)

__all__ = ["code_contrasts"]

ROW, MORE, HEADING = 0.137, 0.105, 0.175  # inches: a code, each more line of its name, a family
ROOM, NUMBER, GAP = 1.5, 0.36, 0.16  # of names at most, of a probability, between panels
BESIDE = 0.62  # of the heading over probabilities
COLUMNS = 2  # panels side by side
HEAD, FOOT = 0.34, 0.4  # over a panel, and under it


@dataclass(frozen=True)
class _Line:
    """A row of a panel: where it is, what it is called, and the rows of the table that it shows."""

    y: float
    text: str
    heading: bool
    rows: list[int]


@canvas.drawn
def code_contrasts(table: pd.DataFrame) -> Figure:
    """Contrasts with 66 and 95 % intervals, and how probably each lies beyond the band.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.code_contrasts.CODE_CONTRASTS`.
    """
    if table.empty:
        return nothing_to_show("There is no contrast of codes to show.")
    names = list(dict.fromkeys(table["panel"]))
    across = min(COLUMNS, len(names))
    longest = max(canvas.width(label, SMALL) for label in [*table["label"], *table["family"]])
    room = min(longest + 0.05, ROOM)
    wide = (WIDTH - 2 * MARGIN - GAP * (across - 1)) / across - room - NUMBER - 0.08
    panels = [(n, *_lines(table[table["panel"] == n], room)) for n in names]
    bands = [panels[at : at + across] for at in range(0, len(panels), across)]
    tall = [max(height for _, _, height in band) for band in bands]
    page = canvas.Page(sum(tall) + (HEAD + FOOT) * len(bands) + 0.22, list(table["provenance"]))
    ends = table[["lower", "upper", "error_free"]].to_numpy().ravel()
    low, high = min(*ends[ends == ends], -0.5), max(*ends[ends == ends], 0.5)
    limits = (low - 0.05 * (high - low), high + 0.05 * (high - low))
    y = page.y
    for band, height in zip(bands, tall, strict=True):
        for at, (name, lines, own) in enumerate(band):
            mine = table[table["panel"] == name]
            left = MARGIN + at * (room + wide + NUMBER + GAP + 0.08)
            end = left + room + 0.08 + wide + NUMBER
            title = canvas.wrapped(name, end - left - BESIDE, MEDIUM, "bold")
            page.text(left, y + 0.13, title, MEDIUM, weight="bold")
            page.text(end, y + 0.13, "P beyond", SMALL, colour=GREY, ha="right")
            page.text(end, y + 0.13 + LINE, "the band", SMALL, colour=GREY, ha="right")
            axes = page.axes(left + room + 0.08, y + HEAD, wide, own)
            _panel(axes, mine, lines, own, limits)
            for line in lines:
                _beside(page, line, mine, left, room, y + HEAD, end)
            zero = left + room + 0.08 + wide * -limits[0] / (limits[1] - limits[0])
            _sides(page, mine, (left + room, zero, end), y + HEAD + own)
        y += height + HEAD + FOOT
    _key(page)
    return page.figure


def _lines(table: pd.DataFrame, room: float) -> tuple[list[_Line], float]:
    """The lines of a panel from its top, and how tall all are."""
    found, y = [], 0.0
    for family, mine in table.groupby("family", sort=False):
        codes = mine["level"].eq("code")
        found.append(_Line(y + HEADING / 2, str(family), True, list(mine.index[~codes])))
        y += HEADING
        for at in mine.index[codes]:
            text = canvas.wrapped(str(mine.loc[at, "label"]), room, SMALL)
            height = ROW + MORE * (canvas.lines(text) - 1)
            found.append(_Line(y + height / 2, text, False, [at]))
            y += height
    return found, y + 0.03


def _panel(
    axes: Axes, table: pd.DataFrame, lines: Sequence[_Line], tall: float, ends: tuple[float, float]
) -> None:
    clean(axes)
    axes.set_xlim(*ends)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.set_ylim(tall, 0)
    axes.set_yticks([])
    half = float(table["rope"].iloc[0])
    axes.axvspan(-half, half, color=BAND, lw=0, zorder=0, gid="rope")
    axes.axvline(0, color=GREY, lw=0.6, zorder=1)
    hue = HUES.get(str(table["exposure_type"].iloc[0]), INK)
    for line in lines:
        for at in line.rows:
            row = table.loc[at]
            size, marker = (4.4, "D") if line.heading else (3.6, "o")
            axes.plot([row["lower"], row["upper"]], [line.y] * 2, color=hue, lw=0.8, zorder=2,
                      gid=f"interval-{at}")  # fmt: skip
            axes.plot([row["inner_lower"], row["inner_upper"]], [line.y] * 2, color=hue, lw=2.4,
                      solid_capstyle="butt", zorder=2, gid=f"inner-{at}")  # fmt: skip
            axes.plot([row["estimate"]], [line.y], marker, color=hue, ms=size, mec="white",
                      mew=0.5, zorder=4, gid=f"estimate-{at}")  # fmt: skip
            axes.plot([row["error_free"]], [line.y + 0.035], "o", mfc="white", mec=INK, ms=2.6,
                      mew=0.6, zorder=5, gid=f"error_free-{at}")  # fmt: skip


def _beside(
    page: canvas.Page,
    line: _Line,
    table: pd.DataFrame,
    left: float,
    room: float,
    top: float,
    end: float,
) -> None:
    """The name at the left of a line, and at its right the probability of lying beyond."""
    middle = top + line.y + 0.035
    if line.heading:
        page.text(left, middle, line.text, SMALL, weight="bold")
    else:
        for at, text in enumerate(line.text.split("\n")):
            shift = MORE * (at - (canvas.lines(line.text) - 1) / 2)
            page.text(left + room, middle + shift, text, SMALL, ha="right")
    for at in line.rows:
        bold = "bold" if table.loc[at, "claim"] else "normal"
        page.text(
            end,
            middle,
            number(table["beyond"][at]),
            SMALL,
            ha="right",
            weight=bold,
            gid=f"beyond-{at}",
        )


def _sides(
    page: canvas.Page, table: pd.DataFrame, at: tuple[float, float, float], low: float
) -> None:
    """The unit, and what lies on either side of zero, below the axis."""
    names, zero, end = at
    first = table.iloc[0]
    one, other = f"← {first['low']}", f"{first['high']} →"
    right = min(zero + 0.05, end - canvas.width(other, SMALL))
    page.text(names, low + 0.16, "Log-odds", SMALL, colour=GREY, ha="right")
    page.text(min(zero - 0.05, right - 0.1), low + 0.31, one, SMALL, colour=GREY, ha="right")
    page.text(right, low + 0.31, other, SMALL, colour=GREY)


def _key(page: canvas.Page) -> None:
    """The marks, in one line."""
    x, y = MARGIN, page.height - 0.07
    for marker, face, size, words in (
        ("o", INK, 3.6, "code"),
        ("D", INK, 4.4, "mean of a family's codes"),
        ("o", "white", 2.8, "every coding taken as true"),
    ):
        page.line([x + 0.05], [y - 0.03], marker=marker, mfc=face, mec=INK, ms=size, ls="", mew=0.6)
        page.text(x + 0.13, y, words, SMALL)
        x += 0.3 + canvas.width(words, SMALL)
    page.line([x, x + 0.22], [y - 0.03] * 2, color=PALE, lw=6, solid_capstyle="butt")
    page.text(x + 0.28, y, "too small to matter", SMALL)

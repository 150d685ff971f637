"""Figures: each a function from the table that is shown to the drawing of it, and nothing else.

Every mark carries the number of its row as its id (``estimate-3``, ``interval-3``), so that a test
can hold the drawing against the table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from metastudy.common.tables import records
from metastudy.display.plots import canvas
from metastudy.display.plots import style as plots_style
from metastudy.display.plots.style import (
    BAND,
    GREY,
    HUES,
    INK,
    LARGE,
    LINE,
    MARGIN,
    MEDIUM,
    OTHER_HUE,
    PALE,
    SMALL,
    STYLES,
    WIDTH,
    Style,
)

__all__ = ["forest", "nothing_to_show"]

TALLEST = 8.7  # inches: what a page holds beside a caption
TIGHTEST = 0.135  # inches from row to row
GAP = 0.14  # between panels
MOST_PANELS = 4  # side by side
MAX_ROWS_IN_A_COLUMN = 10  # a single panel of more rows is broken into two columns
LABEL_ROOM = 1.5
WIDE_ROOM = 2.8  # beside a single panel, where labels may be longer
ROW, SERIES = 0.055, 0.075  # inches per row, and per mark in it


@dataclass
class _Panel:
    """One set of axes: which rows of the table, in which order of rows, labelled or not."""

    title: str
    note: str
    table: pd.DataFrame
    rows: list[str]
    labelled: bool


@dataclass
class _Band:
    """Panels side by side, under a heading and a legend where there is one."""

    panels: list[_Panel]
    heading: str
    legend: list[tuple[str, str, str]]
    rope: bool
    columns: int
    note: str = ""  # what all panels share
    axis: str = ""  # likewise, said once


def _bands(table: pd.DataFrame) -> list[_Band]:
    bands: list[_Band] = []
    shown: set[tuple[str, str]] = set()  # what a legend has said already: series and hue
    for block, mine in table.groupby("block", sort=False):
        rows = list(dict.fromkeys(mine["row"]))
        titles = list(dict.fromkeys(mine["panel"]))
        panels = []
        for title in titles:
            own = mine[mine["panel"] == title]
            note = next((n for n in own["note"] if n), "")
            panels.append(_Panel(str(title), note, own, rows, False))
        if len(panels) == 1 and len(rows) > MAX_ROWS_IN_A_COLUMN:
            half = (len(rows) + 1) // 2
            whole = panels[0]
            panels = [
                _Panel(
                    whole.title if part is rows[:half] else "",
                    "",
                    whole.table[whole.table["row"].isin(part)],
                    part,
                    True,
                )
                for part in (rows[:half], rows[half:])
            ]
            panels[0].title, panels[0].note = whole.title, whole.note
        new = []
        for series, style, hue in zip(mine["series"], mine["style"], mine["hue"], strict=True):
            if series and (series, hue) not in shown:
                shown.add((series, hue))
                new.append((series, style, hue))
        rope = bool(mine["rope"].notna().any()) and not any(b.rope for b in bands)
        most = min(MOST_PANELS, len(panels))
        chunks = [panels[i : i + most] for i in range(0, len(panels), most)]
        for at, chunk in enumerate(chunks):
            chunk[0].labelled = True
            notes, axes = {p.note for p in chunk}, {a for p in chunk for a in p.table["axis"]}
            heading, legend = ("", []) if at else (str(block), new)
            shared = notes.pop() if len(notes) == 1 else ""
            if (
                not heading
                or canvas.width(heading, LARGE, "bold") + canvas.width(shared, SMALL) > WIDTH - 0.4
            ):
                shared = ""
            for panel in chunk if shared else ():
                panel.note = ""
            one_axis = axes.pop() if len(axes) == 1 else ""
            bands.append(_Band(chunk, heading, legend, rope and not at, most, shared, one_axis))
    for band, after in pairwise(bands):
        if len(band.panels) == len(after.panels) == 1 and band.axis == after.axis:
            band.axis = " "  # said below the next one
    return bands


def _legend_rows(band: _Band) -> list[list[tuple[float, str, str, str]]]:
    """Where each entry of a legend is: lines of (x, label, style, hue)."""
    entries = [*band.legend]
    if band.rope:
        entries.append(("Region of practical equivalence", "rope", ""))
    lines: list[list[tuple[float, str, str, str]]] = [[]]
    x = MARGIN
    for label, style, hue in entries:
        room = 0.32 + canvas.width(label, SMALL) + 0.18
        if lines[-1] and x + room > WIDTH:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, label, style, hue))
        x += room
    return [line for line in lines if line]


def _mark(style: Style, hue: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Looks of the interval's line and of the estimate's point."""
    colour = plots_style.mixed(HUES.get(hue, OTHER_HUE), style.light)
    face = "white" if style.face == "white" else colour
    line = {"color": colour, "lw": style.line, "ls": style.dashes, "solid_capstyle": "butt"}
    edge = INK if style.line > 3 else colour
    point = {
        "color": edge, "marker": style.marker, "ms": style.size, "mfc": face, "mec": edge,
        "mew": 0.9, "ls": "none",
    }  # fmt: skip
    return line, point


def _limits(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Limits of each kind of axis, wide enough for every interval on it and its reference."""
    found = {}
    for axis, mine in table.groupby("axis", sort=False):
        values = [*mine["lower"], *mine["upper"], *mine["estimate"], *mine["reference"].dropna()]
        low, high = min(values), max(values)
        pad = 0.06 * (high - low) or 0.5
        found[str(axis)] = (low - pad if low < 0 or low > pad else min(low, -pad / 3), high + pad)
    return found


@canvas.drawn
def forest(table: pd.DataFrame) -> Figure:
    """Intervals by outcome, in panels.

    Parameters
    ----------
    table : columns :data:`metastudy.article.figure_rows.FOREST`; one row is one mark.

    Returns
    -------
    Figure
        A heading for each ``block``; panels side by side; rows in the table's order, several
        ``series`` of a row one below the other. Axes with the same ``axis`` have the same limits.
    """
    if table.empty:
        return nothing_to_show("Nothing to show: no estimate was given.")
    bands = _bands(table)
    limits = _limits(table)
    room = min(LABEL_ROOM, max(canvas.width(row, SMALL) for row in table["row"]) + 0.02)
    room = max(
        room, max((canvas.width(w, SMALL) for row in table["row"] for w in row.split()), default=0)
    )
    alone = [row for band in bands if len(band.panels) == 1 for row in band.panels[0].rows]
    wide = max(
        room, min(WIDE_ROOM, max((canvas.width(row, SMALL) for row in alone), default=0) + 0.02)
    )
    plans = [_plan(band, wide if len(band.panels) == 1 else room) for band in bands]
    _tighten(plans, bands)
    page = canvas.Page(sum(plan.height for plan in plans), list(table["provenance"]))
    for band, plan in zip(bands, plans, strict=True):
        _draw_band(page, band, plan, limits)
    return page.figure


@dataclass
class _Plan:
    """Room of a band in inches."""

    label: float
    panel: float
    title: int  # lines
    legend: list[list[tuple[float, str, str, str]]]
    row: float
    tightest: float
    height: float
    titles: list[str]
    axis: int


def _tighten(plans: Sequence[_Plan], bands: Sequence[_Band]) -> None:
    """Bring rows together where the figure would be longer than a page."""
    rows = [max(len(panel.rows) for panel in band.panels) for band in bands]
    over = sum(plan.height for plan in plans) - TALLEST
    room = [max(plan.row - plan.tightest, 0.0) for plan in plans]
    slack = sum(n * each for n, each in zip(rows, room, strict=True))
    if over > 0 and slack > 0:
        for n, plan, each in zip(rows, plans, room, strict=True):
            less = min(over / slack, 1.0) * each
            plan.row -= less
            plan.height -= n * less


def _plan(band: _Band, label: float) -> _Plan:
    labels = sum(panel.labelled for panel in band.panels) if len(band.panels) > 1 else 1
    both = all(panel.labelled for panel in band.panels) and len(band.panels) > 1
    columns = band.columns
    inner = WIDTH - 2 * MARGIN - (label + 0.06) * (labels if both else 1)
    panel = (inner - GAP * (columns - 1)) / columns
    titles = [canvas.wrapped(p.title, panel, MEDIUM) for p in band.panels]
    lines = max(
        canvas.lines(title) * bool(title) + bool(p.note)
        for title, p in zip(titles, band.panels, strict=True)
    )
    marks = max(
        p.table.groupby("row")["series"].nunique().max() for p in band.panels if len(p.table)
    )
    tall = [
        [canvas.lines(canvas.wrapped(row, label, SMALL)) for row in p.rows] for p in band.panels
    ]
    wraps = max(each for rows in tall for each in rows)
    row = max(ROW + SERIES * marks, 0.115 * wraps + 0.03)
    beside = max((a + b for rows in tall for a, b in pairwise(rows)), default=2)
    legend = _legend_rows(band)
    axis = 1
    if not band.axis:
        every = [a for p in band.panels for a in p.table["axis"]]
        axis = max(canvas.lines(canvas.wrapped(a, panel + GAP, SMALL)) for a in every)
    axis *= band.axis != " "
    height = (
        (0.21 if band.heading else 0.04)
        + 0.15 * len(legend)
        + LINE * lines
        + 0.06
        + row * max(len(p.rows) for p in band.panels)
        + 0.2
        + 0.13 * axis
        + 0.12
    )
    tightest = max(TIGHTEST, 0.055 * beside + 0.005)  # labels of neighbours do not meet
    return _Plan(label, panel, lines, legend, row, tightest, height, titles, axis)


def _draw_band(
    page: canvas.Page, band: _Band, plan: _Plan, limits: dict[str, tuple[float, float]]
) -> None:
    y = page.y
    if band.heading:
        page.text(MARGIN, y + 0.12, band.heading, LARGE, weight="bold")
        if band.note:
            x = MARGIN + canvas.width(band.heading, LARGE, "bold") + 0.12
            page.text(x, y + 0.12, band.note, SMALL, colour=GREY, style="italic")
        y += 0.21
    else:
        y += 0.04
    for line in plan.legend:
        for x, label, style, hue in line:
            middle = y + 0.06
            if style == "rope":
                page.line([x, x + 0.24], [middle, middle], color=PALE, lw=6, solid_capstyle="butt")
            else:
                interval, point = _mark(STYLES[style], hue)
                page.line([x, x + 0.24], [middle, middle], **interval)
                page.line([x + 0.12], [middle], **point)
            page.text(x + 0.3, middle + 0.035, label, SMALL)
        y += 0.15
    top = y + LINE * plan.title + 0.06
    x = MARGIN
    for panel, title in zip(band.panels, plan.titles, strict=True):
        if panel.labelled:
            x += plan.label + 0.06
        lines = canvas.lines(title) * bool(title) + bool(panel.note)
        start = top - 0.05 - LINE * (lines - 1)
        page.text(x, start, title, MEDIUM)
        if panel.note:
            page.text(x, top - 0.05, panel.note, SMALL, colour=GREY, style="italic")
        axes = page.axes(x, top, plan.panel, plan.row * len(panel.rows))
        _draw_panel(axes, panel, plan, limits, not band.axis)
        x += plan.panel + GAP
    if band.axis.strip():
        left = MARGIN + plan.label + 0.06
        bottom = top + plan.row * max(len(p.rows) for p in band.panels) + 0.31
        page.text((left + x - GAP) / 2, bottom, band.axis, SMALL, ha="center")
    page.y += plan.height


def _draw_panel(
    axes: Axes,
    panel: _Panel,
    plan: _Plan,
    limits: dict[str, tuple[float, float]],
    label: bool,
) -> None:
    table = panel.table
    canvas.clean(axes)
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    for at in range(1, len(panel.rows)):
        axes.axhline(at - 0.5, color="#f0f0f0", lw=0.6, zorder=0)
    axes.set_yticks(range(len(panel.rows)))
    names = [canvas.wrapped(row, plan.label, SMALL) for row in panel.rows] if panel.labelled else []
    axes.set_yticklabels(names or [""] * len(panel.rows), linespacing=1.05)
    axes.tick_params(axis="y", pad=4)
    if table.empty:
        return
    axis = str(table["axis"].iloc[0])
    axes.set_xlim(*limits[axis])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if plan.panel < 2 else 6, steps=[1, 2, 5, 10]))
    if label:
        axes.set_xlabel(canvas.wrapped(axis, plan.panel + GAP, SMALL), fontsize=SMALL, labelpad=2)
    rope, reference = table["rope"].dropna(), table["reference"].dropna()
    if len(rope):
        around = float(reference.iloc[0]) if len(reference) else 0.0
        half = float(rope.iloc[0])
        axes.axvspan(around - half, around + half, color=BAND, lw=0, zorder=0, gid="rope")
    if len(reference):
        axes.axvline(float(reference.iloc[0]), color=GREY, lw=0.7, zorder=1)
    most = table.groupby("row")["series"].nunique().max()
    step = min(0.8 / most, 0.3)
    for at, row in zip(table.index, records(table), strict=True):
        series = list(dict.fromkeys(table.loc[table["row"] == row["row"], "series"]))
        offset = (series.index(row["series"]) - (len(series) - 1) / 2) * step
        y = panel.rows.index(row["row"]) + offset
        line, point = _mark(STYLES[row["style"]], row["hue"])
        axes.plot([row["lower"], row["upper"]], [y, y], **line, zorder=2, gid=f"interval-{at}")
        axes.plot([row["estimate"]], [y], **point, zorder=3, gid=f"estimate-{at}")


def nothing_to_show(text: str) -> Figure:
    """A low figure with this text alone."""
    page = canvas.Page(0.5, [])
    page.text(WIDTH / 2, 0.25, text, MEDIUM, ha="center", va="center", colour=GREY)
    return page.figure

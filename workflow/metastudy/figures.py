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
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from metastudy import look
from metastudy.evidence import records
from metastudy.look import (
    EXCLUDED,
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
    WARNING,
    WIDTH,
    Style,
)
from metastudy.wording import JOINT, inline, mark

__all__ = ["directions", "forest", "participant_flow", "study_grid"]

TALLEST = 8.7  # inches: what a page holds beside a caption
TIGHTEST = 0.135  # inches from row to row

# --- forest ---------------------------------------------------------------------------------------

GAP = 0.14  # between panels
MOST_PANELS = 4  # side by side
LONG = 10  # a single panel of more rows is broken into two columns
LABEL_ROOM = 1.5
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
        if len(panels) == 1 and len(rows) > LONG:
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
                or look.width(heading, LARGE, "bold") + look.width(shared, SMALL) > WIDTH - 0.4
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
    """Where each entry of a legend stands: lines of (x, label, style, hue)."""
    entries = [*band.legend]
    if band.rope:
        entries.append(("Region of practical equivalence", "rope", ""))
    lines: list[list[tuple[float, str, str, str]]] = [[]]
    x = MARGIN
    for label, style, hue in entries:
        room = 0.32 + look.width(label, SMALL) + 0.18
        if lines[-1] and x + room > WIDTH:
            lines.append([])
            x = MARGIN
        lines[-1].append((x, label, style, hue))
        x += room
    return [line for line in lines if line]


def _mark(style: Style, hue: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Looks of the interval's line and of the estimate's point."""
    colour = look.mixed(HUES.get(hue, OTHER_HUE), style.light)
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


@look.drawn
def forest(table: pd.DataFrame) -> Figure:
    """Intervals by outcome, in panels.

    Parameters
    ----------
    table : columns :data:`metastudy.plotted.FOREST`; one row is one mark.

    Returns
    -------
    Figure
        A heading for each ``block``; panels side by side; rows in the table's order, several
        ``series`` of a row one below the other. Axes with the same ``axis`` have the same limits.
    """
    if table.empty:
        return _nothing("Nothing to show: no estimate was given.")
    bands = _bands(table)
    limits = _limits(table)
    room = min(LABEL_ROOM, max(look.width(row, SMALL) for row in table["row"]) + 0.02)
    room = max(
        room, max((look.width(w, SMALL) for row in table["row"] for w in row.split()), default=0)
    )
    plans = [_plan(band, room) for band in bands]
    _tighten(plans, bands)
    page = look.Page(sum(plan.height for plan in plans), list(table["provenance"]))
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
    titles = [look.wrapped(p.title, panel, MEDIUM) for p in band.panels]
    lines = max(
        look.lines(title) * bool(title) + bool(p.note)
        for title, p in zip(titles, band.panels, strict=True)
    )
    marks = max(
        p.table.groupby("row")["series"].nunique().max() for p in band.panels if len(p.table)
    )
    tall = [[look.lines(look.wrapped(row, label, SMALL)) for row in p.rows] for p in band.panels]
    wraps = max(each for rows in tall for each in rows)
    row = max(ROW + SERIES * marks, 0.115 * wraps + 0.03)
    beside = max((a + b for rows in tall for a, b in pairwise(rows)), default=2)
    legend = _legend_rows(band)
    axis = 1
    if not band.axis:
        every = [a for p in band.panels for a in p.table["axis"]]
        axis = max(look.lines(look.wrapped(a, panel + GAP, SMALL)) for a in every)
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
    page: look.Page, band: _Band, plan: _Plan, limits: dict[str, tuple[float, float]]
) -> None:
    y = page.y
    if band.heading:
        page.text(MARGIN, y + 0.12, band.heading, LARGE, weight="bold")
        if band.note:
            x = MARGIN + look.width(band.heading, LARGE, "bold") + 0.12
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
        lines = look.lines(title) * bool(title) + bool(panel.note)
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
    look.clean(axes)
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    for at in range(1, len(panel.rows)):
        axes.axhline(at - 0.5, color="#f0f0f0", lw=0.6, zorder=0)
    axes.set_yticks(range(len(panel.rows)))
    names = [look.wrapped(row, plan.label, SMALL) for row in panel.rows] if panel.labelled else []
    axes.set_yticklabels(names or [""] * len(panel.rows), linespacing=1.05)
    axes.tick_params(axis="y", pad=4)
    if table.empty:
        return
    axis = str(table["axis"].iloc[0])
    axes.set_xlim(*limits[axis])
    axes.xaxis.set_major_locator(MaxNLocator(nbins=4 if plan.panel < 2 else 6, steps=[1, 2, 5, 10]))
    if label:
        axes.set_xlabel(look.wrapped(axis, plan.panel + GAP, SMALL), fontsize=SMALL, labelpad=2)
    rope, reference = table["rope"].dropna(), table["reference"].dropna()
    if len(rope):
        around = float(reference.iloc[0]) if len(reference) else 0.0
        half = float(rope.iloc[0])
        axes.axvspan(around - half, around + half, color="#eeeeee", lw=0, zorder=0, gid="rope")
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


def _nothing(text: str) -> Figure:
    page = look.Page(0.5, [])
    page.text(WIDTH / 2, 0.25, text, MEDIUM, ha="center", va="center", colour=GREY)
    return page.figure


# --- the studies ----------------------------------------------------------------------------------

DIMENSIONS = (
    ("country", "Country"),
    ("sector", "Sector"),
    ("role", "Role"),
    ("exposure_types", "Exposure"),
    ("response_mode", "Response mode"),
)


@look.drawn
def study_grid(table: pd.DataFrame) -> Figure:
    """Which study has which country, sector, role, exposure and response mode, and how many people.

    Parameters
    ----------
    table : columns :data:`metastudy.plotted.GRID`; one row is one line of dots.
    """
    columns: list[tuple[str, str]] = []  # dimension and label
    for name, _ in DIMENSIONS:
        values = [v for cell in table[f"{name}_label"] for v in str(cell).split(JOINT)]
        columns += [(name, value) for value in dict.fromkeys(values)]
    gap = 0.5  # between dimensions, in columns
    spot, x, last = {}, 0.0, ""
    for name, value in columns:
        x += gap * (name != last) * bool(last)
        spot[name, value] = x
        x, last = x + 1, name
    names = [
        "" if at and table["study"][at] == table["study"][at - 1] else str(label)
        for at, label in enumerate(table["study_label"])
    ]
    marks = [_simulated(p) if n else "" for n, p in zip(names, table["provenance"], strict=True)]
    label = max(look.width(n, MEDIUM) for n in names) + 0.1
    left, right = MARGIN + label, 0.42
    scale = (WIDTH - left - right) / (x + 0.2)  # inches per column
    tall = 1.1 if scale > 0.26 else WIDTH  # where two lines fit side by side
    ticks = [look.wrapped(value, tall, SMALL) for _, value in columns]
    head = max(look.width(line, SMALL) for tick in ticks for line in tick.split("\n")) + 0.1
    row, top = 0.29, 0.34
    page = look.Page(top + head + row * len(table) + 0.08, list(table["provenance"]))
    axes = page.axes(left, page.y + top + head, WIDTH - left - right, row * len(table))
    for side in ("top", "right", "left", "bottom"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(-0.6, x - 0.4)
    axes.xaxis.tick_top()
    axes.set_xticks([spot[c] for c in columns], ticks, rotation=90, fontsize=SMALL, linespacing=1.0)
    axes.set_yticks(range(len(table)), names, fontsize=MEDIUM)
    axes.tick_params(axis="y", pad=3)
    for name, value in columns:
        axes.axvline(spot[name, value], color="#efefef", lw=0.6, zorder=0)
    for at in range(1, len(table)):
        if names[at]:
            axes.axhline(at - 0.5, color=PALE, lw=0.8, zorder=0)
    for y, line in enumerate(records(table)):
        axes.plot([0, x - 1], [y, y], color="#cfcfcf", lw=0.8, zorder=1)
        for name, _ in DIMENSIONS:
            for value in str(line[f"{name}_label"]).split(JOINT):
                hue = HUES.get(_key_of(line, name, value), INK) if name == "exposure_types" else INK
                axes.plot([spot[name, value]], [y], "o", color=hue, ms=5, mec="white", mew=0.6,
                          zorder=2, gid=f"{name}-{y}-{value}")  # fmt: skip
        axes.annotate(f"{line['n']}", (1, y), xycoords=("axes fraction", "data"), xytext=(24, 0),
                      textcoords="offset points", ha="right", va="center", fontsize=MEDIUM,
                      gid=f"n-{y}", annotation_clip=False)  # fmt: skip
        if marks[y]:
            axes.annotate(marks[y], (0, y), xycoords=("axes fraction", "data"), xytext=(-3, -8.6),
                          textcoords="offset points", ha="right", va="center", fontsize=SMALL,
                          color=WARNING, annotation_clip=False)  # fmt: skip
    for name, heading in DIMENSIONS:
        mine = [spot[c] for c in columns if c[0] == name]
        middle = left + (sum(mine) / len(mine) + 0.6) * scale
        room = (max(mine) - min(mine) + 1 + gap) * scale
        heading = look.wrapped(heading, room, SMALL, "bold")
        base = page.y + top - 0.06 - LINE * (look.lines(heading) - 1)
        page.text(middle, base, heading, SMALL, weight="bold", ha="center")
    page.text(WIDTH - right + 24 / 72, page.y + top - 0.06, "n", SMALL, weight="bold", ha="right")
    return page.figure


def _key_of(line: dict[str, Any], name: str, label: str) -> str:
    pairs = zip(str(line[f"{name}_label"]).split(JOINT), str(line[name]).split(JOINT), strict=True)
    return dict(pairs)[label]


def _simulated(provenance: str) -> str:
    return "simulated" if provenance == "simulated" else ""


FLOW_HUES = {
    "read": "#9a9a9a",
    "excluded": EXCLUDED,
    "kept": "#9a9a9a",
    "dropped": "#E69F00",
    "used": "#0072B2",
}


@look.drawn
def participant_flow(table: pd.DataFrame) -> Figure:
    """Rows of each study from the file to the model: what stays is long, what leaves hangs off it.

    Parameters
    ----------
    table : columns :data:`metastudy.plotted.FLOW`; one row is one bar.
    """
    studies = [own for _, own in table.groupby("study", sort=False)]
    pairs = [studies[i : i + 2] for i in range(0, len(studies), 2)]
    row, head = 0.185, 0.3
    heights = [head + row * max(len(own) for own in pair) + 0.1 for pair in pairs]
    page = look.Page(sum(heights), list(table["provenance"]))
    label = max(look.width(step, SMALL) for step in table["step"]) + 0.08
    column = WIDTH / 2
    for pair, height in zip(pairs, heights, strict=True):
        for at, own in enumerate(pair):
            left = column * at + MARGIN
            name = str(own["study_label"].iloc[0])
            page.text(left, page.y + 0.2, name, LARGE - 0.5, weight="bold")
            if _simulated(own["provenance"].iloc[0]):
                x = left + look.width(name, LARGE - 0.5, "bold") + 0.08
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
        sign = "−" if step["kind"] in ("excluded", "dropped") and rows else ""
        axes.annotate(f"{sign}{rows}", (1, y), xycoords=("axes fraction", "data"), xytext=(23, 0),
                      textcoords="offset points", ha="right", va="center", fontsize=SMALL,
                      annotation_clip=False, gid=f"rows-{at}")  # fmt: skip


def _kept(own: pd.DataFrame) -> int:
    """Each module starts again from the rows that were kept."""
    kept = own.loc[own["kind"] == "kept", "rows"]
    return int(kept.iloc[0]) if len(kept) else 0


# --- directions of effect -------------------------------------------------------------------------

SIGNS = {  # marker, filled, and what it says
    "positive": ("^", True, "more"),
    "negative": ("v", True, "less"),
    "equivalent": ("o", True, "practically none"),
    "unclear": ("o", False, "imprecise"),
    "null_result": ("s", False, "published as not significant"),
    "not_supported": ("x", True, "not among the supported results"),
    "neutral": ("D", False, "neither (case)"),
    "full": ("o", True, "standard deviation that the data inform"),
    "dominated": ("o", False, "standard deviation that its prior dominates"),
    "contrast": ("D", True, "contrast of two levels"),
    "alias": ("x", True, "left out: cannot be told from another"),
    "single": ("_", True, "one level only"),
}


@look.drawn
def directions(table: pd.DataFrame) -> Figure:
    """Signs in small grids, one a section; published findings in a list.

    Parameters
    ----------
    table : columns :data:`metastudy.directions.DIRECTIONS`; one row is one mark.
    """
    if not len(table):
        return _nothing("There is no sign to show.")
    label, row, gap = 2.3, 0.2, 0.14
    blocks = []  # heading, rows, columns, table
    for section, mine in table.groupby("section", sort=False):
        listed = section == "published"
        columns = ["Direction", "n"] if listed else list(dict.fromkeys(mine["column"]))
        names = (
            [f"{r['row']}: {inline(r['column'])}" for r in records(mine)]
            if listed
            else list(dict.fromkeys(mine["row"]))
        )
        room = (WIDTH - MARGIN - (5.0 if listed else label)) / len(columns)
        ticks = [look.wrapped(c, min(room, 1.1) - 0.04, SMALL) for c in columns]
        texts = [look.wrapped(n, (4.9 if listed else label) - 0.15, SMALL) for n in names]
        heights = [max(row, LINE * look.lines(text) + 0.07) for text in texts]
        head = LINE * max(map(look.lines, ticks)) + 0.28
        blocks.append((str(section), mine, columns, ticks, names, texts, heights, head, room))
    total = sum(sum(b[6]) + b[7] + gap for b in blocks)
    page = look.Page(total + 0.44, list(table["provenance"]))
    y = page.y
    for section, mine, columns, ticks, names, texts, heights, head, room in blocks:
        listed = section == "published"
        left = WIDTH - room * len(columns)
        page.text(MARGIN, y + head - 0.1, str(mine["heading"].iloc[0]), MEDIUM, weight="bold")
        for at, text in enumerate(ticks):
            base = y + head - 0.1 - LINE * (look.lines(text) - 1)
            page.text(left + room * (at + 0.5), base, text, SMALL, ha="center")
        y += head
        page.line([MARGIN, WIDTH - 0.05], [y - 0.03] * 2, color=PALE, lw=0.8)
        centres = []
        for text, height in zip(texts, heights, strict=True):
            middle = y + height / 2
            page.text(MARGIN, middle - LINE * (look.lines(text) - 1) / 2 + 0.035, text, SMALL)
            centres.append(middle)
            y += height
        for at, line in enumerate(records(mine)):
            index = at if listed else names.index(line["row"])
            column = 0 if listed else columns.index(line["column"])
            x = left + room * (column + 0.5)
            _sign(
                page,
                x,
                centres[index],
                line["direction"],
                line["provenance"],
                f"sign-{mine.index[at]}",
            )
            if listed:
                page.text(left + room * 1.5, centres[index] + 0.035, str(line["n"] or "–"), SMALL,
                          ha="center")  # fmt: skip
        y += gap
    x, y = MARGIN, y + 0.08
    for sign in dict.fromkeys(table["direction"]):
        said = SIGNS[sign][2]
        if x + look.width(said, SMALL) + 0.2 > WIDTH:
            x, y = MARGIN, y + LINE + 0.03
        _sign(page, x + 0.06, y, sign, "", None)
        page.text(x + 0.17, y + 0.035, said, SMALL)
        x += look.width(said, SMALL) + 0.42
    return page.figure


def _sign(page: look.Page, x: float, y: float, sign: str, provenance: str, gid: str | None) -> None:
    """One mark; what rests on simulated data has the colour of their mark."""
    marker, filled, _ = SIGNS[sign]
    hue = WARNING if mark([provenance]) else INK
    page.line([x], [y], marker=marker, ms=5.5, color=hue, mew=1.1, ls="none",
              mfc=hue if filled else "white", gid=gid)  # fmt: skip

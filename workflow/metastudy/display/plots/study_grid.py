"""Study grid: which study covers which country, sector, role and exposure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from metastudy.common.tables import JOINT, records, split_values
from metastudy.display.formatting import inline
from metastudy.display.place_order import in_order_of
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import BLUE, bare
from metastudy.display.plots.forest import nothing_to_show
from metastudy.display.plots.style import (
    HUES,
    INK,
    LINE,
    MARGIN,
    MEDIUM,
    PALE,
    SMALL,
    WARNING,
    WIDTH,
)

__all__ = ["grid", "simulated_mark", "study_grid"]

REPORT_DIMENSIONS = (
    ("country", "Country"),
    ("sector", "Sector"),
    ("role", "Role"),
    ("arrangement", "Arrangement"),
    ("exposure_types", "Exposure"),
)


@canvas.drawn
def grid(table: pd.DataFrame) -> Figure:
    """What is crossed with what: one line of dots a setting.

    Parameters
    ----------
    table : ``study``, ``n`` (text), ``provenance``, and for each of :data:`DIMENSIONS` a label;
        several exposures are joined; none is an empty text.
    """
    columns = [
        (name, value)
        for name, _ in REPORT_DIMENSIONS
        for value in in_order_of(
            table, name, sorted({v for cell in table[name] for v in split_values(cell)})
        )
    ]
    gap, x, last = 0.7, 0.0, ""
    spot: dict[tuple[str, str], float] = {}
    for name, value in columns:
        x += gap * (name != last) * bool(last)
        spot[name, value] = x
        x, last = x + 1, name
    names = [
        "" if at and table["study"][at] == table["study"][at - 1] else str(name)
        for at, name in enumerate(table["study"])
    ]
    label = min(1.7, max(canvas.width(name, SMALL) for name in names) + 0.1)
    left, right, row, top = MARGIN + label, 0.45, 0.185, 0.3
    tall = 1.7
    ticks = [canvas.wrapped(value, tall, SMALL - 0.5) for _, value in columns]
    head = 0.1 + canvas.widest(ticks, SMALL - 0.5)
    page = canvas.Page(top + head + row * len(table) + 0.08, list(table["provenance"]))
    wide = WIDTH - left - right
    axes = page.axes(left, page.y + top + head, wide, row * len(table))
    bare(axes)
    axes.set_ylim(len(table) - 0.5, -0.5)
    axes.set_xlim(-0.6, x - 0.4)
    axes.xaxis.tick_top()
    axes.set_xticks([spot[c] for c in columns], ticks, rotation=90, fontsize=SMALL - 0.5,
                    linespacing=0.95)  # fmt: skip
    axes.set_yticks(range(len(table)), names, fontsize=SMALL)
    axes.tick_params(axis="y", pad=3)
    for column in columns:
        axes.axvline(spot[column], color="#f0f0f0", lw=0.6, zorder=0)
    for at in range(1, len(table)):
        if names[at]:
            axes.axhline(at - 0.5, color=PALE, lw=0.8, zorder=0)
    for y, line in enumerate(records(table)):
        values = [
            (name, value)
            for name, _ in REPORT_DIMENSIONS
            for value in str(line[name]).split(JOINT)
            if value
        ]
        places = [spot[one] for one in values]
        if places:
            axes.plot([min(places), max(places)], [y, y], color="#cfcfcf", lw=0.7, zorder=1)
        for name, value in values:
            hue = BLUE if name == "exposure_types" else INK
            axes.plot([spot[name, value]], [y], "o", color=hue, ms=4, mec="white", mew=0.5,
                      zorder=2, gid=f"{name}-{y}-{value}")  # fmt: skip
        axes.annotate(str(line["n"]), (1, y), xycoords=("axes fraction", "data"), xytext=(26, 0),
                      textcoords="offset points", ha="right", va="center", fontsize=SMALL,
                      annotation_clip=False, gid=f"n-{y}")  # fmt: skip
    scale = wide / (x + 0.2)
    for name, heading in REPORT_DIMENSIONS:
        mine = [spot[c] for c in columns if c[0] == name]
        if mine:
            middle = left + (sum(mine) / len(mine) + 0.6) * scale
            page.text(middle, page.y + top - 0.1, heading, SMALL, weight="bold", ha="center")
    page.text(WIDTH - right + 26 / 72, page.y + top - 0.1, "n", SMALL, weight="bold", ha="right")
    return page.figure


NONE = "None"
DIMENSIONS = (
    ("country", "Country"),
    ("sector", "Sector"),
    ("role", "Role"),
    ("exposure_types", "Exposure"),
    ("response_mode", "Response mode"),
)


@canvas.drawn
def study_grid(table: pd.DataFrame) -> Figure:
    """Which study has which country, sector, role, exposure and response mode, and how many people.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.studies.GRID`; one row is one line of dots.
    """
    if not len(table):
        return nothing_to_show("There are no studies with data of people.")
    columns: list[tuple[str, str]] = []  # dimension and label
    for name, _ in DIMENSIONS:
        values = [v for cell in table[f"{name}_label"] for v in _values(cell)]
        ordered = in_order_of(table, f"{name}_label", values)
        columns += [(name, value) for value in sorted(ordered, key=NONE.__eq__)]
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
    marks = [
        simulated_mark(p) if n else "" for n, p in zip(names, table["provenance"], strict=True)
    ]
    label = max(canvas.width(n, MEDIUM) for n in names) + 0.1
    left, right = MARGIN + label, 0.42
    scale = (WIDTH - left - right) / (x + 0.2)  # inches per column
    tall = 1.1 if scale > 0.26 else WIDTH  # where two lines fit side by side
    ticks = [canvas.wrapped(value, tall, SMALL) for _, value in columns]
    head = canvas.widest(ticks, SMALL) + 0.1
    headings = _headings(columns, spot, scale, gap)
    row, top = 0.29, 0.07 + LINE * max(2, *(canvas.lines(one) for one, _ in headings))
    page = canvas.Page(top + head + row * len(table) + 0.08, list(table["provenance"]))
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
            for value in _values(line[f"{name}_label"]):
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
    for heading, mine in headings:
        middle = left + (sum(mine) / len(mine) + 0.6) * scale
        base = page.y + top - 0.06 - LINE * (canvas.lines(heading) - 1)
        page.text(middle, base, heading, SMALL, weight="bold", ha="center")
    page.text(WIDTH - right + 24 / 72, page.y + top - 0.06, "n", SMALL, weight="bold", ha="right")
    return page.figure


def _headings(
    columns: Sequence[tuple[str, str]],
    spot: Mapping[tuple[str, str], float],
    scale: float,
    gap: float,
) -> list[tuple[str, list[float]]]:
    """Each heading, in lines, with its columns; neighbours that have no room each have one."""
    found: list[tuple[str, list[float]]] = []
    tight = False
    for name, heading in DIMENSIONS:
        mine = [spot[one] for one in columns if one[0] == name]
        room = (max(mine) - min(mine) + 1 + gap) * scale
        narrow = max(canvas.width(word, SMALL, "bold") for word in heading.split()) > room
        if narrow and tight:
            before, theirs = found.pop()
            heading, mine = f"{before}, {inline(heading)}", theirs + mine
        found.append((heading, mine))
        tight = narrow
    rooms = ((max(mine) - min(mine) + 1 + gap) * scale for _, mine in found)
    return [
        (canvas.wrapped(heading, room, SMALL, "bold"), mine)
        for (heading, mine), room in zip(found, rooms, strict=True)
    ]


def _key_of(line: dict[str, Any], name: str, label: str) -> str:
    pairs = zip(_values(line[f"{name}_label"]), str(line[name]).split(JOINT), strict=True)
    return dict(pairs)[label]


def _values(cell: object) -> list[str]:
    """The labels of a cell; a study without exposures has a column as well."""
    return split_values(cell) or [NONE]


def simulated_mark(provenance: str) -> str:
    """The word for simulated data; empty for other provenance."""
    return "simulated" if provenance == "simulated" else ""

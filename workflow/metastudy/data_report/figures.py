"""Figures of the data report."""

from __future__ import annotations

import math

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from metastudy.common.tables import records
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import BLUE, bare
from metastudy.display.plots.style import (
    EXCLUDED,
    GREY,
    INK,
    LARGE,
    LINE,
    MARGIN,
    MEDIUM,
    SMALL,
    WIDTH,
)

__all__ = ["answers", "balance", "codes", "missing"]

# Okabe and Ito (2008), black last; more series than hues begin again
SERIES = ("#0072B2", "#8C6D31", "#009E73", "#CC79A7", "#56B4E9", "#882255", "#F0E442", "#333333")


@canvas.drawn
def missing(table: pd.DataFrame) -> Figure:
    """Share of people without an answer, by item and reason.

    Parameters
    ----------
    table : ``block``, ``item``, ``reason``, ``share`` (per cent; missing where it is hidden),
        ``provenance``; items in order, every reason for every item.
    """
    blocks = list(dict.fromkeys(table["block"]))
    items = table[["block", "item"]].drop_duplicates()
    reasons = list(dict.fromkeys(table["reason"]))
    hues = {reason: SERIES[at % len(SERIES)] for at, reason in enumerate(reasons)}
    row, head, legend = 0.15, 0.22, 0.26
    label = min(1.8, max(canvas.width(item, SMALL) for item in items["item"]) + 0.12)
    room = max(canvas.width(block, MEDIUM, "bold") for block in blocks)
    height = legend + sum(head + row * (items["block"] == b).sum() for b in blocks) + 0.45
    page = canvas.Page(height, list(table["provenance"]))
    x = MARGIN
    for reason in reasons:
        page.line([x, x + 0.12], [page.y + 0.08] * 2, color=hues[reason], lw=6,
                  solid_capstyle="butt")  # fmt: skip
        page.text(x + 0.17, page.y + 0.11, reason, SMALL)
        x += 0.17 + canvas.width(reason, SMALL) + 0.2
    total = table.groupby(["block", "item"], sort=False)["share"].sum().max()
    limit = max(10.0, 5 * math.ceil((total or 0) / 5 + 0.2))
    ticks = list(range(0, int(limit) + 1, 5 if limit <= 40 else 20))
    top = page.y + legend
    left = MARGIN + max(label, min(room, 0.9))
    for block in blocks:
        own = table[table["block"] == block]
        names = list(dict.fromkeys(own["item"]))
        page.text(MARGIN, top + 0.13, block, MEDIUM, weight="bold")
        axes = page.axes(left, top + head - 0.03, WIDTH - left - MARGIN - 0.1, row * len(names))
        bare(axes)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_xlim(0, limit)
        axes.set_yticks(range(len(names)), names, fontsize=SMALL)
        last = block == blocks[-1]
        axes.set_xticks(ticks, [f"{tick}%" if last else "" for tick in ticks])
        axes.grid(axis="x", color="#efefef", lw=0.6)
        axes.set_axisbelow(True)
        starts = dict.fromkeys(names, 0.0)
        for at, line in zip(own.index, records(own), strict=True):
            if pd.notna(line["share"]) and line["share"] > 0:
                where = (starts[line["item"]], names.index(line["item"]) - 0.36)
                bar = Rectangle(where, line["share"], 0.72, color=hues[line["reason"]], lw=0)
                bar.set_gid(f"bar-{at}")
                axes.add_patch(bar)
                starts[line["item"]] += line["share"]
        top += head + row * len(names)
    page.text(left + (WIDTH - left - MARGIN) / 2, top + 0.32, "People without an answer", SMALL,
              ha="center")  # fmt: skip
    return page.figure


@canvas.drawn
def answers(table: pd.DataFrame) -> Figure:
    """How the answers to each item are spread over its declared scale: a small panel an item.

    Parameters
    ----------
    table : ``block``, ``title``, ``note``, ``category``, ``share`` (per cent; missing where it is
        hidden), ``shown`` (the text over the bar), ``provenance``; one row a category.
    """
    across, gap, tall = 4, 0.16, 0.62
    wide = (WIDTH - 2 * MARGIN - gap * (across - 1)) / across
    blocks: list[tuple[str, list[pd.DataFrame]]] = []
    for block, own in table.groupby("block", sort=False):
        panels = [mine for _, mine in own.groupby(["title", "note"], sort=False)]
        blocks.append((str(block), panels))
    plans, height = [], 0.0
    for block, panels in blocks:
        height += 0.22 if block else 0.0
        for start in range(0, len(panels), across):
            line = panels[start : start + across]
            titles = [canvas.wrapped(str(p["title"].iloc[0]), wide, SMALL, "bold") for p in line]
            head = LINE * (max(map(canvas.lines, titles)) + 1) + 0.12
            plans.append((block if start == 0 else "", line, titles, head))
            height += head + tall + 0.32
    page = canvas.Page(height, list(table["provenance"]))
    limit = max(20.0, 1.12 * float(table["share"].max() or 0))
    for block, line, titles, head in plans:
        if block:
            page.text(MARGIN, page.y + 0.13, block, LARGE, weight="bold")
            page.y += 0.22
        for at, (own, title) in enumerate(zip(line, titles, strict=True)):
            x = MARGIN + at * (wide + gap)
            page.text(x, page.y + 0.1, title, SMALL, weight="bold")
            note = str(own["note"].iloc[0])
            page.text(x, page.y + 0.1 + LINE * canvas.lines(title), note, SMALL - 0.5, colour=GREY)
            axes = page.axes(x, page.y + head, wide, tall)
            _draw_answers(axes, own, limit)
        page.y += head + tall + 0.32
    return page.figure


def _draw_answers(axes: Axes, own: pd.DataFrame, limit: float) -> None:
    canvas.clean(axes)
    count = len(own)
    axes.set_xlim(-0.6, count - 0.4)
    axes.set_ylim(0, limit)
    axes.set_yticks([])
    every = list(own["category"])
    few = max(len(name) for name in every) <= 3
    places = list(range(count)) if few else [0, count - 1]
    axes.set_xticks(places, [every[at] for at in places], fontsize=SMALL - 0.5)
    axes.tick_params(axis="x", length=0, pad=2)
    for x, (at, line) in enumerate(zip(own.index, records(own), strict=True)):
        known = pd.notna(line["share"])
        value = float(line["share"]) if known else 0.0
        axes.add_patch(Rectangle((x - 0.4, 0), 0.8, value, color=BLUE, lw=0, gid=f"bar-{at}"))
        if few:
            axes.annotate(str(line["shown"]), (x, value), xytext=(0, 1.5), fontsize=SMALL - 1.5,
                          textcoords="offset points", ha="center", va="bottom",
                          color=INK if known else GREY, gid=f"share-{at}")  # fmt: skip


@canvas.drawn
def balance(table: pd.DataFrame) -> Figure:
    """Differences of people's traits between arms, with what chance explains.

    Parameters
    ----------
    table : ``panel``, ``trait``, ``category``, ``difference`` and ``chance`` (standard deviations),
        ``provenance``.
    """
    panels = list(dict.fromkeys(table["panel"]))
    traits = list(dict.fromkeys(zip(table["trait"], table["category"], strict=True)))
    names = [f"{trait}: {category}" if category else trait for trait, category in traits]
    row, across = 0.16, min(3, len(panels))
    label = min(2.0, max(canvas.width(name, SMALL) for name in names) + 0.12)
    gap = 0.2
    wide = (WIDTH - 2 * MARGIN - label - gap * (across - 1) - 0.05) / across
    lines = [panels[at : at + across] for at in range(0, len(panels), across)]
    titles = {panel: canvas.wrapped(panel, wide, SMALL, "bold") for panel in panels}
    head = LINE * max(map(canvas.lines, titles.values())) + 0.12
    page = canvas.Page(len(lines) * (head + row * len(names) + 0.5), list(table["provenance"]))
    limit = 1.15 * max(0.2, table["difference"].abs().max(), table["chance"].max())
    for line in lines:
        for at, panel in enumerate(line):
            x = MARGIN + label + at * (wide + gap)
            page.text(x, page.y + 0.1, titles[panel], SMALL, weight="bold")
            axes = page.axes(x, page.y + head, wide, row * len(names))
            canvas.clean(axes)
            axes.set_xlim(-limit, limit)
            axes.set_ylim(len(names) - 0.5, -0.5)
            axes.set_yticks(range(len(names)), names if at == 0 else [""] * len(names))
            axes.tick_params(axis="y", labelsize=SMALL, pad=4)
            axes.axvline(0, color=GREY, lw=0.7, zorder=1)
            axes.set_xlabel("Difference, SD", fontsize=SMALL, labelpad=2)
            for at_row, own in table[table["panel"] == panel].iterrows():
                y = traits.index((own["trait"], own["category"]))
                axes.add_patch(Rectangle((-own["chance"], y - 0.38), 2 * own["chance"], 0.76,
                                         color="#ededed", lw=0, zorder=0))  # fmt: skip
                beyond = abs(own["difference"]) > own["chance"]
                hue = EXCLUDED if beyond else BLUE
                axes.plot([own["difference"]], [y], "D" if beyond else "o", color=hue, ms=4,
                          gid=f"difference-{at_row}", zorder=2)  # fmt: skip
        page.y += head + row * len(names) + 0.5
    return page.figure


@canvas.drawn
def codes(table: pd.DataFrame) -> Figure:
    """How frequent the codes are, and how far the coders agree on them.

    Parameters
    ----------
    table : ``code``, ``share`` (per cent), ``alpha``, ``kappa``, ``limit`` (of a tentative
        conclusion), ``provenance``; any may be missing.
    """
    names = [str(name) for name in table["code"]]
    row, head, gap = 0.19, 0.42, 0.3
    label = min(2.3, max(canvas.width(name, SMALL) for name in names) + 0.14)
    wide = (WIDTH - 2 * MARGIN - label - gap - 0.1) / 2
    page = canvas.Page(head + row * len(names) + 0.35, list(table["provenance"]))
    x, second = MARGIN + label, MARGIN + label + wide + gap
    page.text(x, page.y + 0.12, "Sources with the code", MEDIUM, weight="bold")
    page.text(second, page.y + 0.12, "Agreement of coders", MEDIUM, weight="bold")
    key = second
    for name, marker, face in (
        ("Krippendorff’s alpha", "o", BLUE),
        ("Cohen’s kappa", "o", "white"),
    ):
        page.line([key + 0.05], [page.y + 0.27], marker=marker, ms=4, mfc=face, mec=BLUE, mew=0.9,
                  ls="none")  # fmt: skip
        page.text(key + 0.13, page.y + 0.3, name, SMALL)
        key += 0.13 + canvas.width(name, SMALL) + 0.14
    shares = page.axes(x, page.y + head, wide, row * len(names))
    marks = page.axes(second, page.y + head, wide, row * len(names))
    for axes in (shares, marks):
        canvas.clean(axes)
        axes.set_ylim(len(names) - 0.5, -0.5)
        axes.set_yticks(range(len(names)), names if axes is shares else [""] * len(names))
        axes.tick_params(axis="y", labelsize=SMALL, pad=4)
        for at in range(1, len(names)):
            axes.axhline(at - 0.5, color="#f0f0f0", lw=0.6, zorder=0)
    top = float(table["share"].max()) if table["share"].notna().any() else 0.0
    shares.set_xlim(0, max(50.0, 1.2 * top))
    ticks = [t for t in range(0, 101, 25) if t <= shares.get_xlim()[1]]
    shares.set_xticks(ticks, [f"{t}%" for t in ticks])
    lowest = table[["alpha", "kappa"]].min().min()
    marks.set_xlim(min(0.0, lowest - 0.05) if pd.notna(lowest) else 0.0, 1.03)
    marks.axvline(float(table["limit"].iloc[0]), color=GREY, lw=0.7, ls="--", zorder=1)
    for y, line in enumerate(records(table)):
        if pd.notna(line["share"]):
            bar = Rectangle((0, y - 0.32), line["share"], 0.64, color=BLUE, lw=0, gid=f"share-{y}")
            shares.add_patch(bar)
            text, colour = f"{line['share']:.0f}%", INK
        else:
            text, colour = "not shown", GREY
        at = line["share"] if pd.notna(line["share"]) else 0
        shares.annotate(text, (at, y), xytext=(3, 0), textcoords="offset points", va="center",
                        fontsize=SMALL - 0.5, color=colour)  # fmt: skip
        both = pd.notna(line["alpha"]) and pd.notna(line["kappa"])
        if both:
            marks.plot([line["alpha"], line["kappa"]], [y, y], color="#b9b9b9", lw=0.8, zorder=1)
        for name, face, z in (("kappa", "white", 2), ("alpha", BLUE, 3)):
            if pd.notna(line[name]):
                marks.plot([line[name]], [y], "o", ms=4, mfc=face, mec=BLUE, mew=0.9, zorder=z,
                           gid=f"{name}-{y}")  # fmt: skip
        if pd.isna(line["alpha"]) and pd.isna(line["kappa"]):
            marks.annotate("not defined", (0, y), xytext=(3, 0), textcoords="offset points",
                           va="center", fontsize=SMALL - 0.5, color=GREY)  # fmt: skip
    return page.figure

"""The look of all drawings: sizes, colours, marks, and a page that is filled from the top.

Colours are those of Okabe and Ito (2008), which people with any common colour vision tell apart.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from metastudy.wording import mark

__all__ = [
    "EXCLUDED",
    "GREY",
    "HUES",
    "INK",
    "LARGE",
    "LINE",
    "MARGIN",
    "MEDIUM",
    "OTHER_HUE",
    "PALE",
    "SMALL",
    "STYLES",
    "WARNING",
    "WIDTH",
    "Page",
    "Style",
    "clean",
    "drawn",
    "lines",
    "mixed",
    "save",
    "width",
    "wrapped",
]

MARGIN = 0.07  # inches
WIDTH = 6.3  # inches: 16 cm, the width of the text
SMALL, MEDIUM, LARGE = 7.0, 7.5, 8.5  # points
LINE = 0.135  # inches from one line of text to the next
INK, GREY, PALE = "#222222", "#767676", "#e3e3e3"

HUES = {
    "randomised": "#0072B2",
    "measured": "#D55E00",
    "organisational": "#009E73",
    "group1": "#E69F00",
    "group2": "#0072B2",
    "group3": "#009E73",
    "group4": "#CC79A7",
    "level": "#333333",
    "posterior": "#0072B2",
    "prior": "#a8a8a8",
    "outside": "#D55E00",
    "without_study": "#E69F00",
    "without_country": "#009E73",
    "without_sector": "#56B4E9",
    "without_organisation": "#CC79A7",
}
OTHER_HUE = "#CC79A7"
WARNING = "#D55E00"  # the mark of simulated data
EXCLUDED = "#D55E00"


@dataclass(frozen=True)
class Style:
    """How a mark looks: its point, whether the point is filled, its line, how light it is."""

    marker: str
    size: float
    line: float
    face: str = "full"  # full, or white
    light: float = 0.0  # share of white mixed into the colour
    dashes: str = "-"


STYLES = {
    "filled": Style("o", 3.8, 1.2),
    "second": Style("s", 3.6, 1.2, light=0.45),
    "third": Style("^", 4.2, 1.2, light=0.2),
    "square": Style("s", 3.6, 1.2),
    "triangle": Style("^", 4.2, 1.2),
    "fourth": Style("v", 4.2, 1.2, light=0.6),
    "open": Style("o", 3.8, 0.8, face="white"),
    "pale": Style("o", 3.4, 1.0, light=0.6),
    "diamond": Style("D", 4.6, 1.6),
    "prediction": Style("|", 5.0, 0.8, dashes=":"),
    "prior": Style("|", 5.5, 3.2),
    "range": Style("|", 3.0, 2.4),
    "line": Style("None", 0.0, 1.2),
    "thick": Style("None", 0.0, 3.4, light=0.45),
}

_LOOK: dict[Any, Any] = {
    "font.family": "DejaVu Sans",
    "font.size": SMALL,
    "text.color": INK,
    "axes.edgecolor": GREY,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.unicode_minus": True,
    "xtick.color": GREY,
    "xtick.labelcolor": INK,
    "xtick.labelsize": SMALL,
    "xtick.major.size": 2.5,
    "xtick.major.width": 0.6,
    "ytick.color": GREY,
    "ytick.labelcolor": INK,
    "ytick.labelsize": SMALL,
    "svg.fonttype": "path",
    "svg.hashsalt": "metastudy",
}


def _everything() -> dict[Any, Any]:
    """The defaults of matplotlib but for the backend, then our look."""
    defaults = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
    return {**defaults, **_LOOK}


def drawn(function: Callable[[pd.DataFrame], Figure]) -> Callable[[pd.DataFrame], Figure]:
    """Draw in the look of the article, whatever the user's own settings are."""

    @wraps(function)
    def drawing(table: pd.DataFrame) -> Figure:
        with mpl.rc_context(_everything()):
            return function(table.reset_index(drop=True))

    return drawing


def save(figure: Figure, svg: Path | BinaryIO, png: Path | BinaryIO) -> None:
    """Write a figure as SVG (text as paths) and PNG (200 dpi); the same bytes every time."""
    with mpl.rc_context(_LOOK):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=200, metadata={"Software": None})


# --- text and room --------------------------------------------------------------------------------


def width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line of text in inches."""
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight=weight)
    return float(TextPath((0, 0), text, size=size, prop=font).get_extents().width) / 72


def wrapped(text: str, room: float, size: float, weight: str = "normal") -> str:
    """Break a text into lines that fit into a room of so many inches."""
    found = [""]
    for word in text.split():
        longer = f"{found[-1]} {word}".strip()
        if found[-1] and width(longer, size, weight) > room:
            found.append(word)
        else:
            found[-1] = longer
    return "\n".join(found)


def lines(text: str) -> int:
    """Number of lines of a text."""
    return text.count("\n") + 1


def mixed(colour: str, light: float) -> str:
    """A colour with a share of white."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(c + (255 - c) * light):02x}" for c in rgb)


class Page:
    """A figure that is filled from the top, in inches."""

    def __init__(self, height: float, provenance: Sequence[str]):
        self.mark = mark(provenance)
        self.height = height + (0.28 if self.mark else 0.06)
        self.figure = Figure(figsize=(WIDTH, self.height))
        self.y = 0.06  # from the top
        if self.mark:
            self.text(WIDTH - 0.07, 0.14, self.mark, LARGE - 0.5, colour=WARNING, weight="bold",
                      ha="right", va="center", gid="mark", box=True)  # fmt: skip
            self.y = 0.28

    def text(
        self, x: float, y: float, text: str, size: float, *, colour: str = INK,
        weight: str = "normal", style: str = "normal", ha: str = "left", va: str = "baseline",
        gid: str | None = None, box: bool = False,
    ) -> None:  # fmt: skip
        frame = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": colour, "lw": 0.7}
        for at, line in enumerate(text.split("\n")):  # one by one, so that baselines agree
            self.figure.text(
                x / WIDTH, 1 - (y + at * LINE) / self.height, line, fontsize=size, color=colour,
                fontweight=weight, fontstyle=style, ha=ha, va=va, gid=gid,
                bbox=frame if box else None,
            )  # fmt: skip

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        place = (x / WIDTH, 1 - (y + height) / self.height, width / WIDTH, height / self.height)
        return self.figure.add_axes(place)

    def line(self, x: Sequence[float], y: Sequence[float], **look: Any) -> None:
        self.figure.add_artist(
            Line2D(
                [a / WIDTH for a in x],
                [1 - b / self.height for b in y],
                transform=self.figure.transFigure,
                **look,
            )
        )


def clean(axes: Axes, left: bool = False) -> None:
    """Leave of the axes' frame only what is read: the lower side, and the left one if asked."""
    for side in ("top", "right", *(() if left else ("left",))):
        axes.spines[side].set_visible(False)
    axes.tick_params(axis="y", length=0)

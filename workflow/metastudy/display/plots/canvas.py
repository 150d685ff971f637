"""A canvas of fixed width in millimetres of type: text, lines, and saving as SVG and PNG."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache, wraps
from pathlib import Path
from typing import Any, BinaryIO

import matplotlib as mpl
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.path import Path as Outline
from matplotlib.textpath import TextPath

from metastudy.display.formatting import mark
from metastudy.display.plots.style import HUES, INK, LARGE, LINE, LOOK, WARNING, WIDTH

__all__ = ["BLUE", "Page", "bare", "clean", "drawn", "lines", "save", "widest", "width", "wrapped"]

BLUE = HUES["posterior"]


def bare(axes: Axes) -> None:
    """Hide the frame and the tick marks of axes."""
    for side in ("top", "right", "bottom", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0)


def _everything() -> dict[Any, Any]:
    """The defaults of matplotlib but for the backend, then our look."""
    defaults = {k: v for k, v in mpl.rcParamsDefault.items() if not k.startswith("backend")}
    return {**defaults, **LOOK}


def drawn(function: Callable[[pd.DataFrame], Figure]) -> Callable[[pd.DataFrame], Figure]:
    """Draw in the look of the article, whatever the user's own settings are."""

    @wraps(function)
    def drawing(table: pd.DataFrame) -> Figure:
        with mpl.rc_context(_everything()):
            return function(table.reset_index(drop=True))

    return drawing


def save(figure: Figure, svg: Path | BinaryIO, png: Path | BinaryIO) -> None:
    """Write a figure as SVG (text as paths) and PNG (200 dpi); the same bytes every time."""
    with mpl.rc_context(LOOK):
        figure.savefig(svg, format="svg", metadata={"Date": None, "Creator": None})
        figure.savefig(png, format="png", dpi=200, metadata={"Software": None})


@lru_cache(maxsize=10_000)
def width(text: str, size: float, weight: str = "normal") -> float:
    """Width of one line of text in inches."""
    if not text.strip():
        return 0.0
    font = FontProperties(family="DejaVu Sans", weight=weight)
    path = TextPath((0, 0), text, size=size, prop=font)
    # The curves of this font have points at their ends, so that these alone are as wide as the
    # curves; `get_extents` looks for the ends of each curve, which took most of a figure's time.
    x = path.vertices[path.codes != Outline.CLOSEPOLY, 0]
    return float(x.max() - x.min()) / 72


def widest(texts: Iterable[str], size: float) -> float:
    """Width in inches of the longest line of texts that may have several."""
    return max(width(line, size) for text in texts for line in text.split("\n"))


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


class Page:
    """A figure that is filled from the top, in inches; as wide as the text unless it says so."""

    def __init__(self, height: float, provenance: Sequence[str], width: float = WIDTH):
        self.mark, self.width = mark(provenance), width
        self.height = height + (0.28 if self.mark else 0.06)
        self.figure = Figure(figsize=(width, self.height))
        self.y = 0.06  # from the top
        if self.mark:
            self.text(width - 0.07, 0.14, self.mark, LARGE - 0.5, colour=WARNING, weight="bold",
                      ha="right", va="center", gid="mark", box=True)  # fmt: skip
            self.y = 0.28

    def text(
        self, x: float, y: float, text: str, size: float, *, colour: str = INK,
        weight: str = "normal", style: str = "normal", ha: str = "left", va: str = "baseline",
        gid: str | None = None, box: bool = False,
    ) -> None:  # fmt: skip
        """Write a text at a place, in inches from the left and the top; ``size`` is in points."""
        frame = {"boxstyle": "round,pad=0.25", "fc": "white", "ec": colour, "lw": 0.7}
        across = x / self.width
        for at, line in enumerate(text.split("\n")):  # one by one, so that baselines agree
            self.figure.text(
                across, 1 - (y + at * LINE) / self.height, line, fontsize=size, color=colour,
                fontweight=weight, fontstyle=style, ha=ha, va=va, gid=gid,
                bbox=frame if box else None,
            )  # fmt: skip

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Add axes with the upper left corner at ``x`` and ``y``; all sizes in inches."""
        across, up = self.width, self.height
        place = (x / across, 1 - (y + height) / up, width / across, height / up)
        return self.figure.add_axes(place)

    def line(self, x: Sequence[float], y: Sequence[float], **look: Any) -> None:
        """Draw a line through points, in inches from the left and the top, with a ``look``."""
        self.figure.add_artist(
            Line2D(
                [a / self.width for a in x],
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

"""The look of all drawings: sizes, colours, marks, and a page that is filled from the top.

Most colours are those of Okabe and Ito (2008), which people with any common colour vision tell
apart. Their two oranges are kept for the mark of simulated data: brown and wine are in their place.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "BAND",
    "EXCLUDED",
    "GREY",
    "HUES",
    "INK",
    "LARGE",
    "LINE",
    "LOOK",
    "MARGIN",
    "MEDIUM",
    "OTHER_HUE",
    "PALE",
    "SMALL",
    "STYLES",
    "WARNING",
    "WIDTH",
    "Style",
    "mixed",
]

MARGIN = 0.07  # inches
WIDTH = 6.3  # inches: 16 cm, the width of the text
NARROW = 3.5  # inches: of the screen of a telephone, on which letters keep their size
SMALL, MEDIUM, LARGE = 7.0, 7.5, 8.5  # points
LINE = 0.135  # inches from one line of text to the next
INK, GREY, PALE = "#222222", "#767676", "#e3e3e3"
BAND = "#eeeeee"  # behind effects that are too small to matter
HUES = {
    "randomised": "#0072B2",
    "measured": "#7B3F98",
    "organisational": "#009E73",
    "group1": "#8C6D31",
    "group2": "#0072B2",
    "group3": "#009E73",
    "group4": "#CC79A7",
    "level": "#333333",
    "posterior": "#0072B2",
    "prior": "#a8a8a8",
    "outside": "#882255",
    "without_study": "#8C6D31",
    "without_country": "#009E73",
    "without_sector": "#56B4E9",
    "without_organisation": "#CC79A7",
    "outcomes": "#F0E442",
}
OTHER_HUE = "#CC79A7"
WARNING = "#D55E00"  # the mark of simulated data, and nothing else
EXCLUDED = "#882255"  # left out, or beyond what a check allows


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
LOOK: dict[Any, Any] = {
    "text.parse_math": False,  # a label with two dollar signs is no formula
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


def mixed(colour: str, light: float) -> str:
    """A colour with a share of white."""
    rgb = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return "#" + "".join(f"{round(c + (255 - c) * light):02x}" for c in rgb)

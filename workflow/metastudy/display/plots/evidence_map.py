"""Evidence map: which study has whom, where, and by which kind of exposure."""

from __future__ import annotations

from collections.abc import Iterator
from math import sqrt

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from metastudy.common.tables import JOINT, records, split_values
from metastudy.display.place_order import in_order_of
from metastudy.display.plots import canvas
from metastudy.display.plots.canvas import bare
from metastudy.display.plots.style import GREY, HUES, INK, MARGIN, MEDIUM, PALE, SMALL, WIDTH

__all__ = ["evidence_map"]

MARKERS = ("o", "s", "^", "D", "v", "P")  # of roles, in their order
LEAST, MOST = 3.0, 15.0  # points: the diameter of the smallest group of people and of the largest
NAME, TYPE = 1.62, 1.16  # inches: the columns of studies and of exposures
ROW, STEP = 0.43, 0.125


@canvas.drawn
def evidence_map(table: pd.DataFrame) -> Figure:
    """Studies by country: a mark is the people of one sector and role, its area their number.

    Parameters
    ----------
    table : columns :data:`metastudy.article.topics.studies.GRID`, of which ``n`` may be a hidden
        small one, and ``pools_with``, the labels of the studies that each is pooled with.
    """
    countries = in_order_of(table, "country_label", table["country_label"])
    roles = list(dict.fromkeys(table["role_label"]))
    largest = max((_people(n) for n in table["n"]), default=1.0)
    studies = list(table.groupby("study", sort=False))
    top, foot = 0.3, 0.3
    page = canvas.Page(top + ROW * len(studies) + foot, list(table["provenance"]))
    wide = WIDTH - MARGIN - NAME - TYPE
    axes = page.axes(MARGIN + NAME, page.y + top, wide, ROW * max(len(studies), 1))
    bare(axes)
    axes.set_xlim(0, max(len(countries), 1))
    axes.set_ylim(max(len(studies), 1), 0)
    axes.set_yticks([])
    axes.xaxis.tick_top()
    room = wide / max(len(countries), 1) - 0.05
    names = [canvas.wrapped(name, room, SMALL) for name in countries]
    axes.set_xticks([at + 0.5 for at in range(len(countries))], names, fontsize=SMALL)
    for at in range(len(countries) + 1):
        axes.axvline(at, color=PALE, lw=0.6, zorder=0)
    page.text(MARGIN + NAME + wide + 0.08, page.y + top - 0.06, "Exposure, answers", SMALL,
              weight="bold")  # fmt: skip
    for y, (_, mine) in enumerate(studies):
        axes.axhline(y, color=PALE, lw=0.6, zorder=0)
        first = mine.iloc[0]
        line = page.y + top + ROW * y
        sectors = ", ".join(dict.fromkeys(mine["sector_label"]))
        page.text(MARGIN, line + 0.15, str(first["study_label"]), MEDIUM, weight="bold")
        small = canvas.wrapped(sectors, NAME - 0.05, SMALL).split("\n")
        small = [*small[:1], f"{small[1]} …"] if len(small) > 2 else small
        page.text(MARGIN, line + 0.27, "\n".join(small), SMALL, colour=GREY)
        types = split_values(first["exposure_types_label"]) or ["None"]
        hue = HUES.get(str(first["exposure_types"]).split(JOINT)[0], INK)
        right = MARGIN + NAME + wide + 0.08
        page.text(right, line + 0.13, ", ".join(types), SMALL, colour=hue, weight="bold")
        mode = canvas.wrapped(str(first["response_mode_label"]), TYPE - 0.1, SMALL)
        page.text(right, line + 0.25, mode.split("\n")[0], SMALL, colour=GREY)
        others = _others(split_values(first["pools_with"]))
        page.text(right, line + 0.37, others, SMALL, colour=GREY, gid=f"pools-{first['study']}")
        for country, there in mine.groupby("country_label", sort=False):
            _cell(axes, there, countries.index(str(country)), y, (roles, largest, hue))
    _key(page, roles, line_of=page.height - 0.1)
    return page.figure


def _others(labels: list[str]) -> str:
    """What a study is pooled with: one by its name, more as their number."""
    if len(labels) > 1:
        return f"Pools with {len(labels)} studies"
    first, *more = canvas.wrapped(f"Pools with {labels[0] if labels else 'none'}", TYPE - 0.2,
                                  SMALL).split("\n")  # fmt: skip
    return f"{first} …" if more else first


def _cell(
    axes: Axes, there: pd.DataFrame, x: int, y: int, look: tuple[list[str], float, str]
) -> None:
    """The people of a study in one country: a mark for each sector and role, and their number."""
    roles, largest, hue = look
    step = min(STEP, 0.9 / len(there))
    start = x + 0.5 - step * (len(there) - 1) / 2
    for at, row in enumerate(records(there.sort_values("role_label"))):
        size = LEAST + (MOST - LEAST) * sqrt(_people(row["n"]) / largest)
        axes.plot([start + at * step], [y + 0.42], MARKERS[roles.index(row["role_label"]) % 6],
                  color=hue, ms=size, mec="white", mew=0.4, alpha=0.9,
                  gid=f"{row['study']}-{row['country']}-{row['sector']}-{row['role']}")  # fmt: skip
    axes.text(x + 0.5, y + 0.93, " + ".join(_numbers(there)), fontsize=SMALL, color=GREY,
              ha="center", va="bottom")  # fmt: skip


def _numbers(there: pd.DataFrame) -> Iterator[str]:
    """People by role; of hidden small groups what may be said."""
    for _, mine in there.groupby("role_label"):
        hidden = [str(n) for n in mine["n"] if not str(n).isdigit()]
        total = sum(int(n) for n in mine["n"] if str(n).isdigit())
        yield " + ".join([*([str(total)] if total else []), *hidden])


def _people(n: object) -> float:
    digits = "".join(c for c in str(n) if c.isdigit())
    return float(digits or 1)


def _key(page: canvas.Page, roles: list[str], line_of: float) -> None:
    """Which mark is which role."""
    x = MARGIN + NAME
    for marker, role in zip(MARKERS, roles, strict=False):
        page.line([x + 0.05], [line_of - 0.03], marker=marker, color=GREY, ms=4.5, ls="")
        page.text(x + 0.13, line_of, role, SMALL)
        x += 0.3 + canvas.width(role, SMALL)
    page.text(MARGIN, line_of, "Area: people or interviews", SMALL, colour=GREY)

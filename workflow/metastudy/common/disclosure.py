"""Small cells: which counts are shown, so that none that is hidden can be worked out from the rest.

A count below the smallest cell is shown as ``<5``. Where the cells of a list add up to a total that
the reader knows, one hidden cell is the total less the others; then more cells are hidden, as
``≥5``, until every small cell could be at least two numbers. Shares are rounded so that one step is
at least as many people as the smallest cell. Zero is shown: it is nobody.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = [
    "Count",
    "Protected",
    "Share",
    "about",
    "count",
    "ends",
    "protect",
    "share",
    "shares",
    "step",
    "told_by_shares",
]

Count = int | str  # a number, or the text in place of a hidden one
Share = int | str  # per cent
STEPS = (
    1,
    2,
    4,
    5,
    10,
    20,
    25,
    50,
)  # per cent; at most doubling: only those of 1 round parts to 0
LEAST_VALUES = 2  # so many numbers a hidden cell could be


@dataclass(frozen=True)
class Protected:
    """Cells as they may be shown, and whether their total may be shown beside them."""

    cells: tuple[Count, ...]
    total: bool


def _small(least: int) -> str:
    return f"<{least}"


def _hidden(least: int) -> str:
    return f"≥{least}"


def count(n: int, least: int) -> Count:
    """Show a count that adds up with no other to a known total.

    >>> count(3, 5), count(0, 5), count(12, 5)
    ('<5', 0, 12)
    """
    return _small(least) if 0 < n < least else int(n)


def ends(n: int, total: int, least: int) -> Count:
    """Show how many of a known total, where those that are left may be few as well.

    >>> ends(178, 180, 5), ends(3, 180, 5), ends(90, 180, 5), ends(180, 180, 5)
    ('>175', '<5', 90, 180)
    """
    if 0 < total - n < least and n >= least:
        return f">{total - least}"
    return count(n, least)


def about(n: int, least: int) -> int:
    """Round a number of people, so that it tells nothing of the few who are missing from it.

    >>> about(908, 5)
    910
    """
    return round(n / least) * least if least > 1 else int(n)


def step(total: int, least: int) -> int:
    """Give the step of rounded shares in per cent: no finer than the smallest cell.

    >>> step(900, 5), step(257, 5), step(40, 5)
    (1, 2, 20)
    """
    return next((s for s in STEPS if s * total >= 100 * least), STEPS[-1])


def most_of_none(total: int, least: int) -> int:
    """The largest number of people that look like nobody: few, or a share that rounds to zero.

    >>> most_of_none(900, 5), most_of_none(5000, 10)
    (4, 24)
    """
    return max(least - 1, math.ceil(step(total, least) * total / 200) - 1)


def _rounded(n: int, total: int, least: int) -> int:
    by = step(total, least)
    return min(100, math.floor(100 * n / total / by + 0.5) * by)


def share(n: int, total: int, least: int) -> Share | None:
    """Show the share of ``n`` in ``total`` in per cent; missing where the total is too small.

    >>> share(450, 900, 5), share(3, 900, 5), share(2, 4, 5)
    (50, '<5', None)
    """
    return shares([n, total - n], least)[0]


def _ranges(
    counts: Sequence[int], hidden: set[int], exact: bool, least: int
) -> list[tuple[float, float]]:
    """What a reader knows of each cell: the least and the largest number that it could be."""
    total = sum(counts)
    found: list[tuple[float, float]] = []
    for at, n in enumerate(counts):
        if 0 < n < least:
            found.append((1, least - 1))
        elif at in hidden:
            found.append((least, math.inf))
        elif exact or n == 0:
            found.append((n, n))
        else:
            near, half = _rounded(n, total, least), step(total, least) / 2
            low = max(least, math.ceil((near - half) * total / 100))
            high = math.floor((near + half) * total / 100 - 1e-9)
            found.append((low, high))
    return found


def _exposed(counts: Sequence[int], hidden: set[int], exact: bool, least: int) -> bool:
    """Tell whether the total leaves a small cell with fewer than two possible numbers."""
    ranges, total = _ranges(counts, hidden, exact, least), sum(counts)
    low, high = sum(r[0] for r in ranges), sum(r[1] for r in ranges)
    for n, (least_here, most_here) in zip(counts, ranges, strict=True):
        if 0 < n < least:
            first = max(least_here, total - (high - most_here))
            last = min(most_here, total - (low - least_here))
            if last - first + 1 < LEAST_VALUES:
                return True
    return False


def _hide(counts: Sequence[int], exact: bool, least: int) -> set[int] | None:
    """Find cells to hide beside the small ones, the smallest first; none if that does not help."""
    hidden: set[int] = set()
    order = sorted((n, at) for at, n in enumerate(counts) if n >= least)
    while _exposed(counts, hidden, exact, least):
        if not order:
            return None
        hidden.add(order.pop(0)[1])
    return hidden


def protect(counts: Sequence[int], least: int) -> Protected:
    """Show the cells of a list whose total is beside them.

    Parameters
    ----------
    counts : whole numbers, each of other people.
    least : the smallest cell that is shown.

    Returns
    -------
    Protected
        Small cells as ``<least``, further hidden ones as ``≥least``. Where hiding all of them is
        not enough, ``total`` is false: it must not be shown, and nothing that gives it away.

    >>> protect([3, 12, 40], 5)
    Protected(cells=('<5', '≥5', 40), total=True)
    >>> protect([3], 5)
    Protected(cells=('<5',), total=False)
    """
    hidden = _hide(counts, True, least)
    further = hidden or set()
    cells = tuple(
        _hidden(least) if at in further else count(n, least) for at, n in enumerate(counts)
    )
    return Protected(cells, hidden is not None)


def shares(counts: Sequence[int], least: int) -> list[Share | None]:
    """Show a list of parts as rounded shares of their total, which may be known.

    Parameters
    ----------
    counts : whole numbers, each of other people.
    least : the smallest cell that is shown.

    Returns
    -------
    Per cent in steps of :func:`step`; ``<least`` for small parts, ``≥least`` for parts that would
    give them away; all missing where the total is too small to be divided.

    >>> shares([3, 297, 600], 5)
    ['<5', 33, 67]
    """
    total = sum(counts)
    hidden = _hide(counts, False, least) if total >= 2 * least else None
    if hidden is None:
        return [None] * len(counts)
    return [
        _hidden(least)
        if at in hidden
        else (_small(least) if 0 < n < least else _rounded(n, total, least))
        for at, n in enumerate(counts)
    ]


def told_by_shares(counts: Sequence[int], least: int) -> list[tuple[float, float]]:
    """What a reader of :func:`shares` knows of each part, who knows the total and this rule.

    Returns
    -------
    The least and the largest number that each part can be.

    >>> told_by_shares([3, 297, 600], 5)
    [(1, 4), (293, 301), (599, 607)]
    """
    total = sum(counts)
    hidden = _hide(counts, False, least) if total >= 2 * least else None
    if hidden is None:
        return [(0, total)] * len(counts)
    return [(low, min(high, total)) for low, high in _ranges(counts, hidden, False, least)]

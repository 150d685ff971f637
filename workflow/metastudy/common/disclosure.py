"""Small cells: which counts are shown, so that none that is hidden can be worked out from the rest.

A count below the smallest cell is shown as ``<5``. Where the cells of a list add up to a total that
the reader knows, one hidden cell is the total less the others; then more cells are hidden, as
``≥5``, until every small cell could be at least two numbers. Shares are rounded so that one step is
at least as many people as the smallest cell. Zero is shown: it is nobody.

The reader is taken to know these rules. What a rule hides must not tell why it did: so every list
that is shown in some way is shown so for other counts too, in which each hidden cell is another
number (Wong et al. 2007, Minimality attack in privacy preserving data publishing, VLDB; the tests
draw up all lists that are shown alike).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

__all__ = [
    "Count",
    "Protected",
    "Share",
    "about",
    "count",
    "divided",
    "ends",
    "known",
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


@dataclass(frozen=True)
class Protected:
    """Cells as they may be shown, and whether their total may be shown beside them.

    ``between`` are the smallest and the largest number that may be said of the total.
    """

    cells: tuple[Count, ...]
    total: bool
    between: tuple[int, int]


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


def known(cell: Count, least: int) -> tuple[int, float]:
    """The least and the largest number that a cell of a protected list could be by itself.

    >>> known("<5", 5), known("≥5", 5), known(12, 5)
    ((1, 4), (5, inf), (12, 12))
    """
    if isinstance(cell, int):
        return cell, cell
    return (1, least - 1) if cell == _small(least) else (least, math.inf)


def protect(counts: Sequence[int], least: int) -> Protected:
    """Show the cells of a list whose total is beside them.

    The sum of the small cells is the total less the others. It tells them where it is that of one
    cell, or as small or as large as it can be, and it may itself be of few people. Then large cells
    are hidden too, in the order of the list, as an order by size would tell sizes; and so many that
    the small cells could be 1, or one of them 2. For this, lists in which one of them is 2 go the
    same way, unless the first large cell has room for small cells that are as large as can be.

    Parameters
    ----------
    counts : whole numbers, each of other people, in an order that does not depend on them.
    least : the smallest cell that is shown; of 2, ``<2`` is 1.

    Returns
    -------
    Protected
        Small cells as ``<least``, further hidden ones as ``≥least``. Where hiding all of them is
        not enough, ``total`` is false: it must not be shown, and nothing that gives it away.

    >>> protect([3, 12, 40], 5)
    Protected(cells=('<5', '≥5', 40), total=True, between=(55, 55))
    >>> protect([3], 5)
    Protected(cells=('<5',), total=False, between=(1, 4))
    """
    small = [n for n in counts if 0 < n < least]
    large = [at for at, n in enumerate(counts) if n >= least]
    hidden, total = 0, True
    if _told(small, [counts[at] for at in large], least):
        total, left = False, sum(small)  # what small cells and hidden ones above the least add to
        while not total and hidden < len(large):
            left += counts[large[hidden]] - least
            hidden += 1
            total = left > len(small) + 1
    cells = tuple(
        _hidden(least) if at in large[:hidden] else count(n, least) for at, n in enumerate(counts)
    )
    lowest = len(small) + least * len(large)
    highest = lowest + 1 if large else len(small) * (least - 1)
    people = sum(counts)
    return Protected(cells, total, (people, people) if total else (lowest, highest))


def _told(small: Sequence[int], large: Sequence[int], least: int) -> bool:
    """Tell whether the sum of the small cells may not be known."""
    n, people = len(small), sum(small)
    if n <= 1 or people < least or people in (n, n * (least - 1)):
        return n > 0
    return bool(large) and people == n + 1 and large[0] - least < n * (least - 2)


def divided(counts: Sequence[int], least: int) -> list[Count | None]:
    """Show the cells of a list whose total the reader knows from elsewhere, whatever is shown here.

    Parameters
    ----------
    counts, least : as of :func:`protect`.

    Returns
    -------
    The cells of :func:`protect`. All are missing of few people, and where :func:`protect` hides the
    total: such lists are alike in whatever order, and others go the same way as those that have one
    number only, as in :func:`shares`.

    >>> divided([3, 12, 40], 5), divided([4, 4], 5)
    (['<5', '≥5', 40], [None, None])
    """
    shown = protect(counts, least)
    hidden = not shown.total or _like_one_number(counts, least, lambda n: n)
    return [None] * len(counts) if hidden else [*shown.cells]


def _like_one_number(counts: Sequence[int], least: int, seen: Callable[[int], int]) -> bool:
    """Tell whether a list that may be shown goes the way of one that has one number only.

    Lists that may not be shown are alike, in whatever order, so nobody knows which cell is which
    number, unless all are one number: all are 1, or all ``least - 1``. The next list has one cell
    more by one: a 2 beside ones, or the least beside the largest small ones.

    Parameters
    ----------
    seen : what a large cell is seen as.
    """
    total, small = sum(counts), sum(0 < n < least for n in counts)
    large = [n for n in counts if n >= least]
    if not large:
        return total == small + 1
    next_to = len(large) == 1 and total == (small + 1) * (least - 1)
    return next_to and seen(large[0]) == seen(least)


def _ranges(counts: Sequence[int], least: int) -> list[tuple[int, int]]:
    """What shares tell of each part: the least and the largest number that it could be."""
    total = sum(counts)
    found: list[tuple[int, int]] = []
    for n in counts:
        if 0 < n < least:
            found.append((1, least - 1))
        elif n == 0:
            found.append((0, 0))
        else:
            near, half = _rounded(n, total, least), step(total, least) / 2
            low = max(least, math.ceil((near - half) * total / 100))
            found.append((low, min(total, math.floor((near + half) * total / 100 - 1e-9))))
    return found


def _shared(counts: Sequence[int], least: int) -> list[tuple[int, int]] | None:
    """What shares tell of each part, with their total; none where they may not be shown."""
    ranges, total = _ranges(counts, least), sum(counts)
    if total < 2 * least:
        return None
    low, high = sum(r[0] for r in ranges), sum(r[1] for r in ranges)
    for n, (first, last) in zip(counts, ranges, strict=True):
        if 0 < n < least and min(last, total - low + first) - max(first, total - high + last) < 1:
            return None
    return None if _like_one_number(counts, least, lambda n: _rounded(n, total, least)) else ranges


def shares(counts: Sequence[int], least: int) -> list[Share | None]:
    """Show a list of parts as rounded shares of their total, which may be known.

    Parameters
    ----------
    counts : whole numbers, each of other people.
    least : the smallest cell that is shown.

    Returns
    -------
    Per cent in steps of :func:`step`, and ``<least`` for small parts; all missing where the total
    is too small to be divided, or the others give a small part away.

    >>> shares([3, 297, 600], 5)
    ['<5', 33, 67]
    """
    if _shared(counts, least) is None:
        return [None] * len(counts)
    total = sum(counts)
    return [_small(least) if 0 < n < least else _rounded(n, total, least) for n in counts]


def told_by_shares(counts: Sequence[int], least: int) -> list[tuple[int, int]]:
    """What a reader of :func:`shares` knows of each part, who knows the total and this rule.

    Returns
    -------
    The least and the largest number that each part can be.

    >>> told_by_shares([3, 297, 600], 5)
    [(1, 4), (293, 301), (599, 607)]
    """
    return _shared(counts, least) or [(0, sum(counts))] * len(counts)

"""The attack on a parcel: search for all answers on the scale's lattice that give a cell's sums.

Who attacks knows the parcel, the questionnaire (number of items, points of the scale) and how the
conditions are coded. It is a branch search with bounds, column by column: for each person in turn
an answer, as long as what is left of each sum can still be reached. A search that visits more
branches than it may has not ended; then nothing is known, and the cell counts as broken.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

MOST_BRANCHES = 400_000


class NotEnded(Exception):
    """More branches than the search may visit."""


@dataclass(frozen=True)
class Sums:
    """What a cell tells in whole numbers: designs by person, sums by design, cross-products."""

    x: np.ndarray  # (people, coefficient), people in order of their condition
    xu: np.ndarray  # (coefficient, column)
    uu: np.ndarray  # (column, column)
    top: np.ndarray  # (column,)

    @property
    def version(self) -> np.ndarray:
        return np.unique(self.x, axis=0, return_inverse=True)[1].ravel()


def sums_of(document: Mapping[str, Any], cell: int, points: Mapping[str, int]) -> Sums:
    """Bring a cell of a parcel back to whole numbers.

    Parameters
    ----------
    points : of the sum of a construct's items: items times the points of the scale less one.
    """
    numbers, names = document["numbers"], document["coordinates"]
    site = numbers["site_of_cell"][cell]
    setting = numbers["setting_of_site"][site]
    seen = np.flatnonzero(numbers["observed"][numbers["pattern_of_cell"][cell]])
    outcome = [names["outcome"][k] for k in seen]
    top = np.array([points[name.split("|")[0]] for name in outcome])
    centre, scale = (
        np.array(numbers[name][setting], dtype=float)[seen] * top / 100
        for name in ("centre", "scale")
    )
    xx = np.array(numbers["xx"][cell])
    xy = np.array(numbers["xy"][cell])[:, seen]
    yy = np.array(numbers["yy"][cell])[np.ix_(seen, seen)]
    xu = xy * scale + np.outer(xx[:, 0], centre)
    uu = (
        yy * np.outer(scale, scale) + np.outer(scale * xy[0], centre)
        + np.outer(centre, scale * xy[0]) + xx[0, 0] * np.outer(centre, centre)
    )  # fmt: skip
    return Sums(_designs(xx), np.round(2 * xu) / 2, np.round(uu).astype(int), top)


def _designs(xx: np.ndarray) -> np.ndarray:
    """The conditions of a cell's people, from X'X: one or two factors of two levels, as halves."""
    factors = len(xx) - 1
    assert factors in (1, 2)
    kinds = np.array([[1.0, *one] for one in itertools.product((-0.5, 0.5), repeat=factors)])
    equations, wanted = [kinds[:, 0], *kinds[:, 1:].T], [xx[0, 0], *xx[0, 1:]]
    if factors == 2:
        equations.append(kinds[:, 1] * kinds[:, 2])
        wanted.append(xx[1, 2])
    count = np.round(np.linalg.solve(np.array(equations), np.array(wanted))).astype(int)
    return np.repeat(kinds, count, axis=0)


def solved(sums: Sums, most: int = 100, branches: int = MOST_BRANCHES) -> list[np.ndarray]:
    """All data sets that a cell's sums fit, at most so many, each once whatever people's order.

    Raises
    ------
    NotEnded
        If the search visits more branches than it may.
    """
    left = iter(range(branches))
    found: dict[bytes, np.ndarray] = {}

    def further(known: np.ndarray) -> None:
        k = known.shape[1]
        if k == len(sums.top):
            rows = np.column_stack([sums.version, known])
            rows = rows[np.lexsort(rows.T[::-1])]
            found.setdefault(rows.tobytes(), rows[:, 1:])
            return
        for column in _columns(sums, known, k, left):
            further(np.column_stack([known, column]))
            if len(found) >= most:
                return

    further(np.zeros((len(sums.x), 0), dtype=int))
    return list(found.values())


def _columns(sums: Sums, known: np.ndarray, k: int, branches: Iterator[int]) -> Iterator[list[int]]:
    """Answers to one outcome that fit its sums and those with the columns that are known."""
    people, top = len(sums.x), int(sums.top[k])
    rows = np.column_stack([sums.version, known])
    alike = [False, *(rows[1:] == rows[:-1]).all(axis=1).tolist()]  # people who can be exchanged
    weight = np.column_stack([sums.x, known]).astype(float)
    target = np.concatenate([sums.xu[:, k], sums.uu[:k, k]])
    low = np.cumsum(np.minimum(weight, 0)[::-1] * top, axis=0)[::-1]
    high = np.cumsum(np.maximum(weight, 0)[::-1] * top, axis=0)[::-1]
    # by Cauchy and Schwarz, what is left of a sum is at most the root of both sums of squares
    squares = np.cumsum((weight**2)[::-1], axis=0)[::-1]
    chosen: list[int] = []

    def branch(i: int, left: np.ndarray, square: int) -> Iterator[list[int]]:
        if next(branches, None) is None:
            raise NotEnded
        if i == people:
            if square == 0 and not np.abs(left).max() > 1e-6:
                yield list(chosen)
            return
        if (left < low[i] - 1e-6).any() or (left > high[i] + 1e-6).any():
            return
        if (left**2 > squares[i] * square + 1e-6).any():
            return
        start = chosen[-1] if alike[i] else 0
        for value in range(start, top + 1):
            if value * value > square:
                break
            chosen.append(value)
            yield from branch(i + 1, left - value * weight[i], square - value * value)
            chosen.pop()

    yield from branch(0, target, int(sums.uu[k, k]))


@dataclass(frozen=True)
class Table:
    """A published table of an outcome: which group each person is in, and the sum of each group.

    ``group`` has a number for each person of all cells, one cell after another.
    """

    column: int
    group: np.ndarray
    sums: np.ndarray


@dataclass(frozen=True)
class Share:
    """What a data report tells of an answer to an outcome: how few and how many people gave it."""

    column: int
    answer: int
    fewest: float
    most: float


def solved_together(
    cells: Sequence[Sums],
    columns: Sequence[Sequence[int]],
    tables: Sequence[Table] = (),
    shares: Sequence[Share] = (),
    most: int = 100,
    branches: int = MOST_BRANCHES,
) -> list[np.ndarray]:
    """All data sets that fit several cells, tables that are published and a data report, together.

    Parameters
    ----------
    columns : which outcomes each cell has, by their numbers at the site.

    Returns
    -------
    Answers of all people, one cell after another, -1 for an outcome that a cell does not have. Each
    once whatever the order of people of a cell, condition and group.

    Raises
    ------
    NotEnded
        If the search visits more branches than it may.
    """
    cell = np.repeat(np.arange(len(cells)), [len(one.x) for one in cells])
    width = max(one.x.shape[1] for one in cells)
    x = np.zeros((len(cell), width * len(cells)))
    for c, one in enumerate(cells):
        x[cell == c, c * width : c * width + one.x.shape[1]] = one.x
    rows = np.column_stack([x, *(table.group for table in tables)])
    kind = np.unique(rows, axis=0, return_inverse=True)[1].ravel()
    left, found = iter(range(branches)), dict[bytes, np.ndarray]()
    number = max(max(of) for of in columns) + 1

    def further(k: int, known: np.ndarray) -> None:
        if k == number:
            ordered = np.column_stack([kind, known])
            ordered = ordered[np.lexsort(ordered.T[::-1])]
            found.setdefault(ordered.tobytes(), known)
            return
        for column in _of_all(cells, columns, tables, k, cell, x, kind, known, left):
            if not all(_told(column, one) for one in shares if one.column == k):
                continue
            further(k + 1, np.column_stack([known, column]))
            if len(found) >= most:
                return

    further(0, np.zeros((len(cell), 0), dtype=int))
    return list(found.values())


def _told(column: np.ndarray, share: Share) -> bool:
    return share.fewest <= int((column == share.answer).sum()) <= share.most


def _of_all(
    cells: Sequence[Sums],
    columns: Sequence[Sequence[int]],
    tables: Sequence[Table],
    k: int,
    cell: np.ndarray,
    x: np.ndarray,
    kind: np.ndarray,
    known: np.ndarray,
    branches: Iterator[int],
) -> Iterator[np.ndarray]:
    """Answers to one outcome in all cells that have it, by the sums of each and the tables."""
    has = [k in of for of in columns]
    people = np.flatnonzero(np.array(has)[cell])
    width = x.shape[1] // len(cells)
    weights, targets, squares, top = [x[people]], np.zeros(x.shape[1]), np.zeros(len(cells)), 0
    for c, of in enumerate(columns):
        if not has[c]:
            continue
        at = list(of).index(k)
        targets[c * width : c * width + len(cells[c].xu)] = cells[c].xu[:, at]
        squares[c], top = cells[c].uu[at, at], int(cells[c].top[at])
        for j, other in enumerate(of):
            if other < k:
                weights.append(np.where(cell[people] == c, known[people, other], 0)[:, None])
                targets = np.append(targets, cells[c].uu[j, at])
    for table in tables:
        if table.column == k:
            weights.append(np.eye(len(table.sums))[table.group[people]])
            targets = np.append(targets, table.sums)
    weight = np.column_stack(weights).astype(float)
    low = np.vstack([np.cumsum(np.minimum(weight, 0)[::-1] * top, axis=0)[::-1], 0 * weight[:1]])
    high = np.vstack([np.cumsum(np.maximum(weight, 0)[::-1] * top, axis=0)[::-1], 0 * weight[:1]])
    rows = np.column_stack([kind, known])[people]
    alike = [False, *(rows[1:] == rows[:-1]).all(axis=1).tolist()]
    chosen: list[int] = []

    def branch(i: int, left: np.ndarray, square: np.ndarray) -> Iterator[np.ndarray]:
        if next(branches, None) is None:
            raise NotEnded
        if (left < low[i] - 1e-6).any() or (left > high[i] + 1e-6).any():
            return
        if i == len(people):
            if not square.any():
                whole = np.full(len(cell), -1)
                whole[people] = chosen
                yield whole
            return
        c = cell[people[i]]
        for value in range(chosen[-1] if alike[i] else 0, top + 1):
            if value * value > square[c]:
                break
            chosen.append(value)
            rest = square.copy()
            rest[c] -= value * value
            yield from branch(i + 1, left - value * weight[i], rest)
            chosen.pop()

    yield from branch(0, targets, squares)

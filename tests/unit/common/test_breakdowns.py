"""Two lists of the same people: what is shown of both tells no small number, whatever the design.

For each design (which parts a place can have) all studies of a few people are drawn up, and those
that are shown alike are put together. In no heap may a small number be the same throughout: that of
a place, of a part, of who is in no part, or of a part of a place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from itertools import combinations, product

import numpy as np
import pytest

from metastudy.common import people_flow
from metastudy.common.breakdowns import beside
from metastudy.common.disclosure import Count, divided, protect

LEAST = 3
Shown = Callable[[np.ndarray, int], list[Count | None]]


def designs(places: int, parts: int, most_cells: int) -> Iterator[np.ndarray]:
    """All ways in which some cells have nobody, with somebody possible in each place."""
    for bits in product([False, True], repeat=places * parts):
        allowed = np.array(bits).reshape(places, parts)
        if allowed.any(axis=1).all() and allowed.sum() <= most_cells:
            yield allowed


def studies(allowed: np.ndarray, most: int) -> Iterator[np.ndarray]:
    """All counts of up to so many people in the cells that are allowed."""
    cells = tuple(np.argwhere(allowed).T)
    n = len(cells[0])
    for total in range(most + 1):
        for bars in combinations(range(total + n - 1), n - 1):
            found = np.zeros(allowed.shape, dtype=int)
            found[cells] = np.diff([-1, *bars, total + n - 1]) - 1
            yield found


def told(allowed: np.ndarray, most: int, shown: Shown) -> list[tuple[object, np.ndarray]]:
    """What is shown of studies, beside small numbers of them that follow from it."""
    heaps: dict[object, list[np.ndarray]] = defaultdict(list)
    ends = {}
    for crossed in studies(allowed, most):
        places, parts = crossed.sum(axis=1), crossed.sum(axis=0)
        counts = [int(n) for n in places]
        kept = people_flow.kept(sum(counts), counts, LEAST)
        what = (protect(counts, LEAST).cells, kept, tuple(shown(crossed, LEAST)))
        heaps[what].append(np.concatenate([places, parts, crossed.ravel()]))
        ends[what] = kept.high
    found = []
    for what, alike in heaps.items():
        numbers = np.array(alike)
        low, high = numbers.min(axis=0), numbers.max(axis=0)
        known = (low == high) & (low > 0) & (low < LEAST)
        if ends[what] <= most and known.any():  # no study that is shown alike is missing here
            found.append((what, numbers[0]))
    return found


SHAPES = [
    pytest.param(1, 3, 3, 20),
    pytest.param(2, 2, 4, 18),
    pytest.param(2, 3, 6, 12),
    pytest.param(3, 2, 6, 12),
    pytest.param(3, 3, 5, 11, marks=pytest.mark.ci),
    pytest.param(2, 4, 6, 12, marks=pytest.mark.ci),
]


@pytest.mark.parametrize(("places", "parts", "most_cells", "most"), SHAPES)
def test_no_small_number_follows_from_two_lists(
    places: int, parts: int, most_cells: int, most: int
) -> None:
    for allowed in designs(places, parts, most_cells):
        assert told(allowed, most, beside) == [], allowed


def test_two_lists_each_protected_by_itself_tell_together_what_neither_tells() -> None:
    """What the first test would see: an arm in one place only, less that place."""

    def apart(crossed: np.ndarray, least: int) -> list[Count | None]:
        return divided([int(n) for n in crossed.sum(axis=0)], least)[:-1]

    allowed = np.array([[True, True], [False, True]])
    assert told(allowed, 12, apart)


def test_in_one_place_or_without_few_a_list_is_as_before() -> None:
    assert beside(np.array([[30, 3, 12, 0]]), 5) == ["≥5", "<5", 12]
    assert beside(np.array([[30, 12, 3]]), 5) == ["≥5", 12], "who is in no arm is not told"
    assert beside(np.array([[3, 1, 0]]), 5) == [None, None]
    assert beside(np.array([[30, 10, 0], [20, 10, 0]]), 5) == [50, 20]
    assert beside(np.array([[30, 10, 0], [20, 3, 0]]), 5) == [None, None]
    assert beside(np.array([[30, 8, 3, 0, 0], [0, 0, 0, 9, 0]]), 5) == ["≥5", 8, "<5", 9]
    assert beside(np.array([[1, 2, 0], [1, 0, 0]]), 1) == [2, 2]

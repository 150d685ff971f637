"""Lists of small counts: a hidden number could be two numbers, for those too who know the rule.

All lists of a few people are drawn up, and those that are shown alike are put together. In none of
these heaps may a hidden number be the same throughout: nobody can tell what was hidden, nor why.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping

import pytest

from metastudy.common import people_flow
from metastudy.common.disclosure import Protected, divided, protect, shares, told_by_shares

Counts = tuple[int, ...]


def lists(total: int, cells: int) -> Iterator[Counts]:
    """All lists of so many whole numbers that add up to a total."""
    if cells == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for others in lists(total - first, cells - 1):
            yield (first, *others)


def heaped(shown: Iterable[tuple[object, Counts]]) -> Mapping[object, list[Counts]]:
    heaps: dict[object, list[Counts]] = defaultdict(list)
    for what, counts in shown:
        heaps[what].append(counts)
    return heaps


def told(cells: Iterable[object], alike: list[Counts]) -> list[int]:
    """The cells whose number is hidden and yet the same in all lists that are shown alike."""
    return [
        at
        for at, (cell, values) in enumerate(zip(cells, zip(*alike, strict=True), strict=True))
        if not isinstance(cell, int) and len(set(values) - {0}) < 2 and (cell or any(values))
    ]


# Cells, and the total up to which all lists are drawn up: all lists of numbers up to 12 of two and
# three cells, and of four in the last one.
FEW = [(1, 14), (2, 24), (3, 36), (4, 26), (5, 17)]
MANY = [(4, 48), (5, 33)]


def assert_none_is_told_by_parts(cells: int, most: int, least: int) -> None:
    def shown(counts: Counts) -> tuple[object, Counts]:
        found = protect(counts, least)
        total = sum(counts) if found.total else None
        # The number who were kept is beside its places.
        return (found, total, people_flow.kept(sum(counts), counts, least)), counts

    heaps = heaped(shown(c) for total in range(most + 1) for c in lists(total, cells))
    for (found, *_), alike in heaps.items():
        for counts in alike[:1]:
            pairs = zip(found.cells, counts, strict=True)
            assert all(cell == n or not 0 < n < least or cell == f"<{least}" for cell, n in pairs)
        if found.between[1] <= most:  # no list that is shown alike is missing here
            assert told(found.cells, alike) == [], (found, alike[:3])
            few = {sum(n for n in counts if n < least) for counts in alike} - {0}
            assert len(few) != 1 or min(few) >= least, "they may be few together"
            assert all(found.between[0] <= sum(c) <= found.between[1] for c in alike)


@pytest.mark.parametrize("least", [3, 5, 10])
@pytest.mark.parametrize(("cells", "most"), FEW)
def test_no_hidden_number_is_told_by_the_others_and_the_rule(
    cells: int, most: int, least: int
) -> None:
    assert_none_is_told_by_parts(cells, most, least)


@pytest.mark.ci
@pytest.mark.parametrize("least", [3, 5, 10])
@pytest.mark.parametrize(("cells", "most"), MANY)
def test_no_hidden_number_of_many_cells_is_told(cells: int, most: int, least: int) -> None:
    assert_none_is_told_by_parts(cells, most, least)


@pytest.mark.parametrize("least", [3, 5, 10])
@pytest.mark.parametrize(("cells", "most"), [(1, 30), (2, 48), (3, 30), (4, 20), (6, 12)])
def test_no_part_is_told_by_the_others_and_a_total_that_is_known(
    cells: int, most: int, least: int
) -> None:
    for total in range(least, most + 1):
        if cells == 1:  # the one cell is the total, which is no small one
            assert divided([total], least) == [total]
            continue
        heaps = heaped((tuple(divided(c, least)), c) for c in lists(total, cells))
        for found, alike in heaps.items():
            assert told(found, alike) == [], (total, found, alike[:3])
    assert divided([1, 1, 0], least) == [None] * 3, "few people are not divided"
    assert divided([0, 0], least) == [0, 0]


@pytest.mark.parametrize("least", [3, 5, 10])
@pytest.mark.parametrize(("cells", "most"), [(2, 120), (3, 36), (4, 20), (6, 12)])
def test_no_part_is_told_by_the_other_shares_the_total_and_the_rule(
    cells: int, most: int, least: int
) -> None:
    for total in range(1, most + 1):
        heaps = heaped((tuple(shares(c, least)), c) for c in lists(total, cells))
        for found, alike in heaps.items():
            assert not any(0 < n < least for n in alike[0] if n in found)
            if total >= 2 * least:  # else nothing is shown of any list
                assert told(found, alike) == [], (total, found, alike[:3])
            room = told_by_shares(alike[0], least)
            for counts in alike:
                pairs = zip(counts, room, strict=True)
                assert all(low <= n <= high for n, (low, high) in pairs), (counts, room)


def test_two_lists_that_were_told_by_the_order_of_hiding() -> None:
    # Of 14 people 4, 5, 5 was the only list shown so: the smallest large cell was hidden first.
    shown = protect((4, 5, 5), 5)
    others = [c for c in lists(14, 3) if protect(c, 5) == shown]
    assert {c[0] for c in others} == {1, 2, 3, 4}


def test_as_many_numbers_are_shown_as_before() -> None:
    assert protect([3, 4, 40], 5) == Protected(("<5", "<5", 40), True, (47, 47))
    assert protect([2, 1, 60, 40], 5) == Protected(("<5", "<5", "≥5", 40), True, (103, 103))
    assert protect([3, 12, 40], 5) == Protected(("<5", "≥5", 40), True, (55, 55))
    assert protect([1, 1, 60, 40], 5) == Protected(("<5", "<5", "≥5", 40), True, (102, 102))
    assert protect([4, 4], 5) == Protected(("<5", "<5"), False, (2, 8))
    assert protect([1, 5, 5], 5) == Protected(("<5", "≥5", "≥5"), False, (11, 12))
    assert protect([0, 12], 5) == Protected((0, 12), True, (12, 12))

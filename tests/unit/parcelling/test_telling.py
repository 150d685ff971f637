"""What is searched for before a cell may go out, and when it counts as solved without a search.

A search that runs out of what it may cost, and one that finds too little, keep the cell at home.
The numbers are those of `docs/parcels.md`.
"""

from __future__ import annotations

import numpy as np
import pytest

from metastudy.parcelling import sums
from metastudy.parcelling.data_sets import ENOUGH, Found, other_data_sets
from metastudy.parcelling.lattice import Lattice
from metastudy.parcelling.sums import Telling

PATTERN = np.ones(2, dtype=bool)
EVERYBODY = np.arange(40)


def telling_of(value: np.ndarray, step: np.ndarray, top: int, known: np.ndarray) -> Telling:
    """Of one setting, without a data report; half of the people in each of two conditions."""
    people, q = value.shape
    lattice = Lattice(value, step, np.full(q, top), [(f"o{k}", "") for k in range(q)])
    return Telling(
        lattice, value * 100 / top, np.repeat([0, 1], people // 2),
        two={0: np.zeros(q, dtype=bool)}, setting=np.zeros(people, dtype=int), least=10,
        public=known,
    )  # fmt: skip


def easy(known: np.ndarray | None = None) -> Telling:
    """Forty people and two outcomes of which every answer can be another one."""
    value = np.clip(np.round(np.random.default_rng(1).normal(9, 3, (40, 2))), 0, 18).astype(int)
    none = np.zeros_like(value)
    return telling_of(value, np.ones_like(value), 18, none if known is None else known)


def leave_over(monkeypatch: pytest.MonkeyPatch, left: int) -> None:
    """Make the search over the whole cell leave over so many answers, and find enough data sets."""

    def searched(lattice: Lattice, *_: object, **__: object) -> Found:
        fixed = np.zeros(lattice.value.shape, dtype=bool)
        fixed[4 : 4 + left, 0] = True
        return Found(ENOUGH, fixed)

    monkeypatch.setattr(sums, "other_data_sets", searched)


def solved(telling: Telling) -> bool:
    return "can be solved" in telling.of(EVERYBODY, PATTERN)


def hard() -> Telling:
    """Sixty people and three outcomes; eight left out an item, so their steps are wider."""
    rng = np.random.default_rng(4)
    value = np.clip(2 * np.round(rng.normal(6, 2.5, (60, 3))), 0, 24).astype(int)
    step = np.full_like(value, 2)
    few = rng.choice(60, 8, replace=False)
    value[few, 0] = 3 * rng.integers(0, 9, 8)
    step[few, 0] = 3
    return telling_of(value, step, 24, np.zeros_like(value))


def test_a_cell_whose_search_leaves_a_few_answers_goes_out_by_searches_aimed_at_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    cell, everybody, pattern = hard(), np.arange(60), np.ones(3, dtype=bool)
    found = other_data_sets(cell.lattice, cell.version, cell.public)
    assert found.number >= ENOUGH
    assert found.fixed.sum() == 2, "the search over the whole cell leaves two answers"
    assert cell.of(everybody, pattern) == ""
    assert (cell.aimed, cell.searched, cell.in_vain) == (2, 3, 0)
    monkeypatch.setattr(sums, "LEFT_OVER", 0)
    assert "can be solved" in hard().of(everybody, pattern), "without them it stays"


def test_five_answers_of_a_cell_are_aimed_at_and_six_are_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    leave_over(monkeypatch, 5)
    assert not solved(telling := easy())
    assert telling.aimed == 5
    leave_over(monkeypatch, 6)
    assert solved(telling := easy())
    assert telling.aimed == 0


def test_forty_answers_of_a_study_are_aimed_at_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_over(monkeypatch, 3)
    telling = easy()
    telling.aimed = 37
    assert not solved(telling)
    telling = easy()
    telling.aimed = 38
    assert solved(telling)
    telling = easy()
    telling.aimed = 38
    telling.begin()
    assert not solved(telling), "control that begins again counts from none"


def test_an_answer_that_no_aim_moves_keeps_the_cell_at_home(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A published table has one of the answers by itself."""
    leave_over(monkeypatch, 2)
    alone = np.zeros((40, 2), dtype=int)
    alone[5, 0] = 1
    telling = easy(alone)
    assert solved(telling)
    assert (telling.in_vain, telling.searched) == (1, 0)


def test_each_answer_that_is_left_over_is_aimed_at_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    leave_over(monkeypatch, 1)
    tries = []

    def nothing(person: int, column: int, *_: object) -> list[np.ndarray]:
        tries.append((person, column))
        return []

    monkeypatch.setattr("metastudy.parcelling.data_sets.aimed_at", nothing)
    assert solved(easy())
    assert tries == [(4, 0), (4, 0)]


@pytest.mark.parametrize(
    ("spent", "stays"),
    [
        ({"searched": 399}, False),
        ({"searched": 400}, True),
        ({"in_vain": 39}, False),
        ({"in_vain": 40}, True),
    ],
)
def test_after_so_many_searches_a_cell_counts_as_solved_without_one(
    spent: dict[str, int], stays: bool
) -> None:
    telling = easy()
    for name, number in spent.items():
        setattr(telling, name, number)
    assert solved(telling) == stays
    for name in ("searched", "in_vain"):
        more = 2 if name == "searched" and not stays else 0  # columns of the search that found much
        assert getattr(telling, name) == spent.get(name, 0) + more


def test_what_was_looked_at_once_is_known_and_costs_nothing() -> None:
    telling = easy()
    assert not solved(telling)
    assert not solved(telling)
    assert telling.searched == 2

"""Data sets that fit a cell's sums: those that are exhibited are among all that there are."""

from __future__ import annotations

import numpy as np
import pytest

from helpers.parcel_attack import NotEnded, Sums, solved
from metastudy.parcelling.aimed import aimed_at
from metastudy.parcelling.data_sets import ENOUGH, Found, aimed, other_data_sets, strata, sums
from metastudy.parcelling.lattice import Lattice


def lattice(value: np.ndarray, top: int) -> Lattice:
    q = value.shape[1]
    names = [(f"o{k}", "") for k in range(q)]
    return Lattice(value, np.ones_like(value), np.full(q, top), names)


def told(value: np.ndarray, version: np.ndarray, top: int) -> Sums:
    """What a cell tells of answers to two conditions that are coded as halves."""
    order = np.argsort(version, kind="stable")
    x = np.column_stack([np.ones(len(value)), version[order] - 0.5])
    return Sums(x, x.T @ value[order], value.T @ value, np.full(value.shape[1], top))


@pytest.mark.parametrize("seed", range(4))
def test_what_is_exhibited_is_never_more_than_there_is(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value, version = rng.integers(0, 5, (6, 1 + seed % 2)), np.repeat([0, 1], 3)
    all_of_them = solved(told(value, version, 4), most=10_000)
    found = other_data_sets(lattice(value, 4), version)
    assert 1 <= found.number <= len(all_of_them)
    assert not found.safe or len(all_of_them) >= ENOUGH
    if len(all_of_them) == 1:
        assert found.fixed.all()


def test_the_attack_finds_the_answers_of_three_people() -> None:
    value, version = np.array([[1, 5], [6, 2], [3, 3]]), np.array([0, 0, 1])
    (answers,) = solved(told(value, version, 6))
    assert sorted(map(tuple, answers.tolist())) == sorted(map(tuple, value.tolist()))


def test_answers_of_many_people_on_a_fine_scale_are_safe_and_of_few_are_not() -> None:
    rng = np.random.default_rng(1)
    version = np.repeat([0, 1], 15)
    many = np.clip(np.round(rng.normal(9, 3, (30, 2))), 0, 18).astype(int)
    assert other_data_sets(lattice(many, 18), version).safe
    few = np.r_[0:3, 15:18]
    assert not other_data_sets(lattice(many[few], 18), version[few]).safe
    wide = np.clip(np.round(rng.normal(2, 1, (11, 12))), 0, 4).astype(int)
    assert not other_data_sets(lattice(wide, 4), np.zeros(11, dtype=int)).safe, (
        "12 sums of 11 people"
    )


def test_an_answer_that_all_of_a_condition_gave_is_fixed() -> None:
    """At the end of a scale, where a sum of zero leaves nothing to exchange."""
    rng = np.random.default_rng(2)
    version = np.repeat([0, 1], 15)
    value = rng.integers(0, 19, (30, 2))
    value[:15, 0] = 0
    found = other_data_sets(lattice(value, 18), version)
    assert found.fixed[:15, 0].all()
    assert not found.safe


def test_exchanges_keep_every_sum() -> None:
    """The sums that are compared are all that a cell, its standardisers and estimates are of."""
    rng = np.random.default_rng(3)
    value, version = rng.integers(0, 5, (12, 2)), np.repeat([0, 1], 6)
    other = value.copy()
    other[[0, 1]] = other[[1, 0]]
    np.testing.assert_array_equal(sums(value, version), sums(other, version))
    other[0, 0] += 1
    assert not np.array_equal(sums(value, version), sums(other, version))


def test_a_search_that_does_not_end_says_so() -> None:
    rng = np.random.default_rng(4)
    value, version = rng.integers(0, 19, (30, 3)), np.repeat([0, 1], 15)
    value[:, 2] = value[:, 0] + value[:, 1]
    with pytest.raises(NotEnded):
        solved(told(value, version, 40), branches=2_000)


def hundreds(seed: int) -> tuple[np.ndarray, np.ndarray, Lattice]:
    """Answers of many people, of whom a few left out an item: their steps are wider."""
    rng = np.random.default_rng(seed)
    version = np.repeat([0, 1], 60)
    value = np.clip(2 * np.round(rng.normal(6, 2.5, (120, 3))), 0, 24).astype(int)
    step = np.full_like(value, 2)
    few = rng.choice(120, 12, replace=False)
    value[few, 0] = 3 * rng.integers(0, 9, 12)
    step[few, 0] = 3
    return value, version, Lattice(value, step, np.full(3, 24), [(f"o{k}", "") for k in range(3)])


@pytest.mark.parametrize("seed", range(3))
def test_a_search_aimed_at_one_answer_moves_it_and_keeps_every_sum(seed: int) -> None:
    value, version, cell = hundreds(seed)
    groups = strata(version, 3)
    person = int(np.flatnonzero(cell.step[:, 0] == 3)[0])
    found = list(aimed_at(person, 0, cell, groups, np.random.default_rng(1)))
    assert found
    for up, down, column, by in (one.T for one in found):
        other = value.astype(float)
        np.add.at(other, (up, column), by)
        np.add.at(other, (down, column), -by)
        assert other[person, 0] != value[person, 0]
        assert (other[:, 1:] == value[:, 1:]).all(), "the person's other answers are as they were"
        assert other.min() >= 0
        assert other.max() <= 24
        moved = np.abs(other - value)[:, 0]
        assert not (moved % cell.step[:, 0]).any(), "by whole items of each person"
        np.testing.assert_array_equal(other.T @ other, value.T @ value)
        for v in (0, 1):
            here = version == v
            np.testing.assert_array_equal(other[here].sum(axis=0), value[here].sum(axis=0))
            np.testing.assert_array_equal((other[here] ** 2).sum(0), (value[here] ** 2).sum(0))


def test_an_aim_at_an_answer_that_the_sums_tell_finds_nothing() -> None:
    """Nobody of the condition can give less, and somebody would have to."""
    value, version, cell = hundreds(0)
    value[version == 0, 1] = 0
    assert not list(aimed_at(0, 1, cell, strata(version, 3), np.random.default_rng(1)))


def test_answers_left_over_are_aimed_at_and_those_that_the_sums_tell_stay() -> None:
    rng = np.random.default_rng(1)
    version = np.repeat([0, 1], 20)
    value = np.clip(np.round(rng.normal(9, 3, (40, 2))), 0, 18).astype(int)
    of = lattice(value, 18)
    left = np.zeros(value.shape, dtype=bool)
    left[4, 0] = True
    assert aimed(Found(100, left), of, version, aims=4).safe
    alone = np.zeros_like(value)
    alone[4, 0] = 1  # a table has this answer by itself
    found = aimed(Found(100, left), of, version, alone, aims=4)
    assert found.fixed.sum() == 1
    assert not found.safe

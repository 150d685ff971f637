"""All cells of a site attacked together, with published tables: by search, and by trying all."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from helpers.parcel_attack import Sums, Table, solved, solved_together
from metastudy.parcelling.data_sets import other_data_sets
from metastudy.parcelling.lattice import Lattice

TOP = 3
COLUMNS = ((0, 1), (0,))  # of a cell of all answers, and of one in which the second is missing
VERSION = np.array([0, 0, 1])  # of the people of each cell
GENDER = np.array([0, 1, 0, 1, 0, 1])  # of the people of both


def told(value: np.ndarray, version: np.ndarray) -> Sums:
    x = np.column_stack([np.ones(len(value)), version - 0.5])
    return Sums(x, x.T @ value, value.T @ value, np.full(value.shape[1], TOP))


def site(seed: int) -> tuple[list[np.ndarray], list[Sums]]:
    rng = np.random.default_rng(seed)
    values = [rng.integers(0, TOP + 1, (3, len(of))) for of in COLUMNS]
    return values, [told(value, VERSION) for value in values]


def table(values: list[np.ndarray]) -> Table:
    """The first outcome by gender, over both cells."""
    first = np.concatenate([value[:, 0] for value in values])
    return Table(0, GENDER, np.bincount(GENDER, first))


def tried(cells: list[Sums], of: Table | None) -> int:
    """How many data sets fit: each combination of answers is looked at."""

    def fitting(cell: Sums, q: int) -> list[np.ndarray]:
        found = []
        for one in itertools.product(range(TOP + 1), repeat=3 * q):
            value = np.array(one).reshape(3, q)
            if np.allclose(cell.x.T @ value, cell.xu) and (value.T @ value == cell.uu).all():
                found.append(value)
        return found

    sets = set()
    kind = [*zip(VERSION, GENDER[:3], strict=True)], [*zip(VERSION, GENDER[3:], strict=True)]
    if of is None:
        kind = [*VERSION], [*VERSION]
    each = (fitting(cell, len(of)) for cell, of in zip(cells, COLUMNS, strict=True))
    for one, other in itertools.product(*each):
        sums = np.bincount(GENDER, np.concatenate([one[:, 0], other[:, 0]]))
        if of is not None and not np.array_equal(sums, of.sums):
            continue
        sets.add(
            tuple(
                tuple(sorted(zip(map(str, kind[c]), map(tuple, value.tolist()), strict=True)))
                for c, value in enumerate((one, other))
            )
        )
    return len(sets)


@pytest.mark.parametrize("seed", range(6))
def test_the_search_over_a_site_finds_all_that_fit_and_no_more(seed: int) -> None:
    values, cells = site(seed)
    alone = [len(solved(cell, most=10_000)) for cell in cells]
    together = solved_together(cells, COLUMNS, most=10_000)
    assert len(together) == tried(cells, None) == np.prod(alone), "nothing else joins the cells"
    known = table(values)
    fewer = solved_together(cells, COLUMNS, [known], most=10_000)
    assert len(fewer) == tried(cells, known)


def test_a_published_table_gives_answers_away_that_the_cells_do_not() -> None:
    """So an attack without it is too weak."""
    solved_by_it, version, gender = 0, np.array([0, 0, 0, 1, 1]), np.arange(5) % 2
    for seed in range(12):
        value = np.random.default_rng(seed).integers(0, 6, (5, 1))
        x = np.column_stack([np.ones(5), version - 0.5])
        cell = Sums(x, x.T @ value, value.T @ value, np.array([5]))
        public = Table(0, gender, np.bincount(gender, value[:, 0]))
        groups = np.column_stack([version, gender])
        if len(solved_together([cell], [(0,)])) > 1:
            found = solved_together([cell], [(0,)], [public])
            mine, theirs = (
                sorted(map(tuple, np.column_stack([groups, one]).tolist()))
                for one in (value, found[0])
            )
            solved_by_it += len(found) == 1 and mine == theirs
    assert solved_by_it >= 1


@pytest.mark.parametrize("seed", range(4))
def test_what_is_exhibited_fits_the_cell_and_the_published_tables(seed: int) -> None:
    rng = np.random.default_rng(seed)
    value, version = rng.integers(0, 4, (8, 1 + seed % 2)), np.repeat([0, 1], 4)
    gender = np.tile([0, 1], 4)
    known = np.zeros_like(value)
    known[:, 0] = gender
    q = value.shape[1]
    lattice = Lattice(value, np.ones_like(value), np.full(q, 3), [(f"o{k}", "") for k in range(q)])
    x = np.column_stack([np.ones(8), version - 0.5])
    cell = Sums(x, x.T @ value, value.T @ value, np.full(q, 3))
    tables = [Table(0, 2 * version + gender, np.bincount(2 * version + gender, value[:, 0]))]
    all_of_them = solved_together([cell], [range(q)], tables, most=10_000, branches=3_000_000)
    found = other_data_sets(lattice, version, known)
    assert 1 <= found.number <= len(all_of_them)
    if len(all_of_them) == 1:
        assert found.fixed.all()


def test_who_is_alone_in_a_group_of_a_published_table_cannot_give_another_answer() -> None:
    """The sum of the group is that one person's answer, so the cell counts as solved."""
    rng = np.random.default_rng(1)
    version = np.repeat([0, 1], 15)
    value = np.clip(np.round(rng.normal(9, 3, (30, 2))), 0, 18).astype(int)
    lattice = Lattice(value, np.ones_like(value), np.full(2, 18), [("a", ""), ("b", "")])
    assert other_data_sets(lattice, version, np.zeros_like(value)).safe
    known = np.zeros_like(value)
    known[4, 0] = 1
    found = other_data_sets(lattice, version, known)
    assert found.fixed[4].tolist() == [True, False]
    assert not found.safe

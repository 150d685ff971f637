"""Other data sets with the same sums: what shows that sums cannot be solved for the answers.

Who has a parcel may search for all answers that give its sums. The owner need not search so far:
they know one data set that fits, and exhibit others by exchanges between people that cancel in
every sum (:mod:`metastudy.parcelling.exchanges`). What is exhibited is verified in whole numbers.
If nothing is found, that proves nothing; it then counts as solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from metastudy.parcelling.aimed import aimed_at
from metastudy.parcelling.exchanges import LONGEST, effect_of, exchanges, matched, pairs_of
from metastudy.parcelling.lattice import Lattice
from metastudy.parcelling.reported import Reported

__all__ = ["ENOUGH", "Found", "aimed", "other_data_sets", "strata", "sums", "surplus"]

ENOUGH = 100  # data sets that have to fit
LEVELS = 4  # at most 16 exchanges, which are of 32 people
SWEEPS = 40  # over all columns; effort is counted, not timed, so that a parcel is the same anywhere
AT_ONCE = 200  # data sets that are taken from one list
HOPELESS = 2  # lists without any data set after which no other is tried
MIXED = 6  # columns up to which exchanges of different columns are matched as well


@dataclass(frozen=True)
class Found:
    """How many data sets fit, the one there is included, and whose answers are the same in all.

    ``fixed`` (people, column): in no data set that was found the person gave another answer while
    all of their other answers are as they are.
    """

    number: int
    fixed: np.ndarray

    @property
    def safe(self) -> bool:
        """Whether the sums tell nobody's answer, as far as was found."""
        return self.number >= ENOUGH and not self.fixed.any()


def other_data_sets(
    lattice: Lattice,
    version: np.ndarray,
    known: np.ndarray | None = None,
    patience: int = 1,
    reported: Reported | None = None,
) -> Found:
    """Find data sets of a cell's people that have the same sums as theirs.

    Kept are, within the cell, the sum and the sum of squares of each column in each version, and
    all cross-products (:func:`sums`). So everything that is made of these is kept as well:
    standardisers of a setting, folded scores, estimates. Data sets that differ in the order of
    people are one. That every answer of every person can be another one holds against somebody who
    knows all other answers of the person.

    Parameters
    ----------
    lattice : of the people of one site and pattern: no value is missing.
    version : conditions and other exposures of two values; shape (people,).
    known : groups of whom tables are published, shape (people, column). Their sums and sums of
        squares are kept as well, each by version: then they are kept in any table by more cells.
    patience : sweeps without anything new after which the search ends. Of hundreds of people some
        answers are found late.
    reported : what the data report tells of these columns; it has to be the same.
    """
    start, q = lattice.value, lattice.value.shape[1]
    groups = strata(version, q, known)
    if surplus(lattice, groups) <= 0:
        return Found(1, np.ones(start.shape, dtype=bool))
    rng = np.random.default_rng(1)  # a parcel is the same whenever it is made
    fixed = np.ones(start.shape, dtype=bool)
    own = _canonical(start, version)
    seen = {own}
    kept = sums(start, groups)
    lists = [np.array([k]) for k in range(q)] + ([np.arange(q)] if 1 < q <= MIXED else [])
    idle = 0
    for _ in range(SWEEPS):
        gained = False
        for at, columns in enumerate(lists):
            if at >= HOPELESS and len(seen) == 1:
                break
            if len(seen) >= ENOUGH and not fixed[:, columns].any():
                continue
            for exchanged in _cancelling(lattice, groups, columns, fixed, rng):
                up, down, column, _ = exchanged.T
                news = fixed[up, column].any() or fixed[down, column].any()
                if not news and len(seen) >= ENOUGH:
                    continue
                one = _after(start, exchanged)
                if not np.array_equal(sums(one, groups), kept):
                    continue  # what is counted is verified
                if reported and not reported.same(start, one):
                    continue
                name = _canonical(one, version)
                if name == own:
                    continue
                gained |= bool(news) or name not in seen
                seen.add(name)
                fixed[up, column] = fixed[down, column] = False
                if len(seen) >= ENOUGH and not fixed[:, columns].any():
                    break
        idle = 0 if gained else idle + 1
        if idle >= patience or (len(seen) >= ENOUGH and not fixed.any()):
            break
    return Found(len(seen), fixed)


def aimed(
    found: Found,
    lattice: Lattice,
    version: np.ndarray,
    known: np.ndarray | None = None,
    reported: Reported | None = None,
    aims: int = 1,
) -> Found:
    """Search further for each answer that :func:`other_data_sets` left over, one after another.

    It ends with the first that is not found in so many searches
    (:func:`metastudy.parcelling.aimed.aimed_at`), as the cell then counts as solved.

    Parameters
    ----------
    found : of the same cell.
    """
    start, fixed = lattice.value, found.fixed.copy()
    groups, rng = strata(version, start.shape[1], known), np.random.default_rng(2)
    kept = sums(start, groups)
    for person, column in np.argwhere(found.fixed):
        left = aims
        while fixed[person, column] and left:
            left -= 1
            for exchanged in aimed_at(person, column, lattice, groups, rng):
                one = _after(start, exchanged)
                if one[person, column] == start[person, column]:
                    continue
                if reported and not reported.same(start, one):
                    continue
                if np.array_equal(sums(one, groups), kept):
                    fixed[exchanged[:, 0], column] = fixed[exchanged[:, 1], column] = False
                    break
        if fixed[person, column]:
            break
    return Found(found.number, fixed)


def _after(start: np.ndarray, exchanged: np.ndarray) -> np.ndarray:
    """Answers after exchanges, of different people."""
    up, down, column, by = exchanged.T
    one = start.copy()
    one[up, column] += by
    one[down, column] -= by
    return one


def strata(version: np.ndarray, columns: int, known: np.ndarray | None = None) -> np.ndarray:
    """Groups of people of whom sums are known, by column: versions, split by published tables.

    Returns
    -------
    Numbers from zero, shape (people, column).
    """
    alone = np.repeat(np.unique(version, return_inverse=True)[1].reshape(-1, 1), columns, axis=1)
    if known is None:
        return alone
    pairs = (np.column_stack([alone[:, k], known[:, k]]) for k in range(columns))
    return np.column_stack([np.unique(p, axis=0, return_inverse=True)[1].ravel() for p in pairs])


def sums(value: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Cross-products of a cell's answers, and sums and sums of squares by groups of people.

    Parameters
    ----------
    groups : of :func:`strata`, shape (people, column); or one for all columns, shape (people,).
    """
    if groups.ndim == 1:
        groups = strata(groups, value.shape[1])
    parts = [(value.T @ value).ravel()]
    for k, own in enumerate(groups.T):
        for power in (1, 2):
            there = np.zeros(own.max() + 1, dtype=value.dtype)
            np.add.at(there, own, value[:, k] ** power)
            parts.append(there)
    return np.concatenate(parts)


def surplus(lattice: Lattice, groups: np.ndarray) -> float:
    """Bits of a cell's answers less the bits that its sums take: above zero, many data sets fit.

    Answers as spread as these, drawn at random, have so many bits; that a sum has one value costs
    the bits of a normal distribution of its spread.
    """
    value, unit = lattice.value, np.median(lattice.step, axis=0)
    people, q = value.shape
    groups = strata(groups, q) if groups.ndim == 1 else groups
    scaled = (value - value.mean(axis=0)) / unit
    wide = np.sqrt(2 * np.pi * np.e)
    bits = people * np.log2(1 + wide * scaled.std(axis=0)).sum()
    told = np.array([len(np.unique(own)) for own in groups.T])
    bits -= 2 * (told * np.log2(1 + wide * np.sqrt(people) * scaled.std(axis=0))).sum()
    for j in range(q):
        for k in range(j):
            spread = float((scaled[:, j] * scaled[:, k]).std())
            bits -= np.log2(1 + wide * np.sqrt(people) * spread)
    return float(bits)


def _canonical(value: np.ndarray, version: np.ndarray) -> bytes:
    rows = np.column_stack([version, value])
    return bytes(rows[np.lexsort(rows.T[::-1])].tobytes())


def _cancelling(
    lattice: Lattice,
    groups: np.ndarray,
    columns: np.ndarray,
    fixed: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Sets of exchanges of different people that cancel in all sums."""
    first = exchanges(lattice, groups, columns, fixed, rng)
    effect = effect_of(first, lattice.value, groups)
    up, down, column, _ = first.T
    marked = fixed[up, column] | fixed[down, column]  # whom nothing has moved yet come first
    if len(first) > LONGEST:
        spread = np.maximum(np.abs(effect).mean(axis=0), 1e-9)
        size = (np.abs(effect) / spread).sum(axis=1) * rng.uniform(0.5, 1.5, len(effect))
        size[marked] /= 3 if marked.sum() > LONGEST // 2 else np.inf
        keep = np.argsort(size, kind="stable")[:LONGEST]  # small ones cancel more easily
        first, effect, marked = first[keep], effect[keep], marked[keep]
    found, members = 0, np.arange(len(first))[:, None]
    for _ in range(LEVELS):
        if len(effect) < 2 or found >= AT_ONCE:
            return
        longest, whole = matched(effect, rng)
        pairs = pairs_of(whole, marked, first, members, AT_ONCE, rng)
        found += len(pairs)
        yield from (first[np.concatenate([members[a], members[b]])] for a, b in pairs)
        part = pairs_of(longest, marked, first, members, LONGEST, rng)
        members = np.concatenate([members[part[:, 0]], members[part[:, 1]]], axis=1)
        effect = effect[part[:, 0]] + effect[part[:, 1]]
        marked = marked[part].any(axis=1)

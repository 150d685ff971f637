"""Other data sets with the same sums: what shows that sums cannot be solved for the answers.

Who has a parcel may search for all answers that give its sums. The owner need not search so far:
they know one data set that fits, and exhibit others by exchanges between people that cancel in
every sum. Exchanges that cancel are found as in the generalised birthday problem (Wagner 2002,
A generalized birthday problem, CRYPTO 2002): lists are matched on some sums, the pairs that match
on further ones, until all are zero. What is exhibited is verified in whole numbers. If nothing is
found, that proves nothing; it then counts as solved.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from metastudy.parcelling.lattice import Lattice

__all__ = ["ENOUGH", "Found", "other_data_sets", "strata", "sums", "surplus"]

ENOUGH = 100  # data sets that have to fit
LONGEST = 20_000  # exchanges in a list
LEVELS = 4  # at most 16 exchanges, which are of 32 people
SWEEPS = 40  # over all columns; effort is counted, not timed, so that a parcel is the same anywhere
AT_ONCE = 200  # data sets that are taken from one list
HOPELESS = 2  # lists without any data set after which no other is tried
MIXED = 6  # columns up to which exchanges of different columns are matched as well
FACTORS = 3  # an exchange is of one, two or three steps of both people
AMONG = 300  # people of a group whose exchanges are looked at together


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
    seed: int = 1,
    patience: int = 1,
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
    """
    start, q = lattice.value, lattice.value.shape[1]
    groups = strata(version, q, known)
    if surplus(lattice, groups) <= 0:
        return Found(1, np.ones(start.shape, dtype=bool))
    rng = np.random.default_rng(seed)
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
                up, down, column, by = exchanged.T
                news = fixed[up, column].any() or fixed[down, column].any()
                if not news and len(seen) >= ENOUGH:
                    continue
                one = start.copy()
                one[up, column] += by
                one[down, column] -= by
                if not np.array_equal(sums(one, groups), kept):
                    continue  # what is counted is verified
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
    first = _exchanges(lattice, groups, columns, fixed, rng)
    effect = _effect(first, lattice.value, groups)
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
        longest, whole = _matched(effect, rng)
        pairs = _pairs(whole, marked, first, members, AT_ONCE, rng)
        found += len(pairs)
        yield from (first[np.concatenate([members[a], members[b]])] for a, b in pairs)
        part = _pairs(longest, marked, first, members, LONGEST, rng)
        members = np.concatenate([members[part[:, 0]], members[part[:, 1]]], axis=1)
        effect = effect[part[:, 0]] + effect[part[:, 1]]
        marked = marked[part].any(axis=1)


def _exchanges(
    lattice: Lattice,
    groups: np.ndarray,
    columns: np.ndarray,
    fixed: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Exchanges, one person up and one of the same group down: rows of up, down, column, by."""
    value, found = lattice.value, []
    for k in columns:
        for v in np.unique(groups[:, k]):
            mine = np.flatnonzero(groups[:, k] == v)
            if len(mine) > AMONG:  # those first whose answers nothing has moved yet
                order = np.argsort(~fixed[mine, k] + rng.uniform(0, 0.9, len(mine)))
                mine = mine[order[:AMONG]]
            up, down = (a.ravel() for a in np.meshgrid(mine, mine, indexing="ij"))
            each = np.lcm(lattice.step[up, k], lattice.step[down, k])
            for times in range(1, FACTORS + 1):
                by = each * times
                able = (up != down) & (value[up, k] + by <= lattice.top[k])
                able &= value[down, k] - by >= 0
                rows = [up, down, np.full(len(up), k), by]
                found.append(np.column_stack(rows)[able].astype(np.int64))
    first = np.concatenate(found)
    if len(first) > (most := 4 * LONGEST):
        wanted = fixed[first[:, 0], first[:, 2]] | fixed[first[:, 1], first[:, 2]]
        order = rng.permutation(len(first))  # half the room for whom nothing has moved yet
        own, others = order[wanted[order]], order[~wanted[order]]
        own = own[: max(most // 2, most - len(others))]
        first = first[np.concatenate([own, others[: most - len(own)]])]
    return first


def _effect(first: np.ndarray, value: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """What each exchange changes: squares by group, cross-products; those that any changes."""
    q, number = value.shape[1], int(groups.max()) + 1
    place = np.zeros((q, q), dtype=int)
    lower, upper = np.triu_indices(q, 1)
    place[lower, upper] = place[upper, lower] = np.arange(len(lower))
    up, down, column, by = first.T
    found = np.zeros((len(first), number * q + len(lower)), dtype=np.int64)
    rows = np.arange(len(first))
    square = 2 * by * (value[up, column] - value[down, column]) + 2 * by**2
    found[rows, groups[up, column] * q + column] = square
    for k in range(q):
        other = np.flatnonzero(column != k)
        change = by[other] * (value[up[other], k] - value[down[other], k])
        found[other, number * q + place[column[other], k]] = change
    return found[:, found.any(axis=0)]


Matches = tuple[np.ndarray, np.ndarray, np.ndarray]  # order, first and last match in it


def _matched(effect: np.ndarray, rng: np.random.Generator) -> tuple[Matches, Matches]:
    """Match sets that cancel in so many sums that a list is left, and sets that cancel in all.

    Equal sums are found by a hash that is linear, so that sums cancel where hashes do.
    """
    factor = rng.integers(1, 2**62, size=(effect.shape[1],)).astype(np.uint64)
    factor = np.uint64(2) * factor + np.uint64(1)
    name = np.zeros(len(effect), dtype=np.uint64)
    nothing = (np.arange(len(effect)), *np.zeros((2, len(effect)), dtype=np.int64))
    longest = last = nothing
    for k in range(effect.shape[1]):
        name = name + effect[:, k].astype(np.uint64) * factor[k]
        order = np.argsort(name, kind="stable")
        ranked, wanted = name[order], np.uint64(0) - name
        low, high = (np.searchsorted(ranked, wanted, side) for side in ("left", "right"))
        last, matches = (order, low, high), int((high - low).sum())
        if k == 0 or matches >= 3 * LONGEST:
            longest = last
        if matches == 0:
            return longest, nothing
    return longest, last


def _pairs(
    matched: Matches,
    marked: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    most: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """At most so many pairs of sets of different people, shape (pairs, 2); marked ones first."""
    order, low, high = matched
    found = []
    for rows in (np.flatnonzero(marked), np.arange(len(marked))):
        count = (high - low)[rows]
        total, ends = int(count.sum()), np.cumsum(count)
        if total:
            few = total <= 3 * most
            drawn = np.arange(total) if few else rng.integers(0, total, 3 * most)
            at = np.searchsorted(ends, drawn, "right")
            other = order[low[rows[at]] + drawn - (ends[at] - count[at])]
            found.append(np.sort(np.column_stack([rows[at], other]), axis=1))
    pairs = np.concatenate([*found, np.zeros((0, 2), dtype=np.int64)])
    pairs = pairs[np.unique(pairs[:, 0] * len(marked) + pairs[:, 1], return_index=True)[1]]
    sets = np.concatenate([members[pairs[:, 0]], members[pairs[:, 1]]], axis=1)
    people = np.sort(first[sets][:, :, :2].reshape(len(sets), 2 * sets.shape[1]), axis=1)
    pairs = rng.permutation(pairs[(np.diff(people, axis=1) != 0).all(axis=1)])
    return pairs[np.argsort(~marked[pairs].any(axis=1), kind="stable")[:most]]

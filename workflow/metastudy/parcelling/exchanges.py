"""Exchanges between people of a cell, what they change in its sums, and which of them cancel.

An exchange moves one person's answer up and that of another person of the same group down.
Exchanges that cancel are found as in the generalised birthday problem (Wagner 2002, A generalized
birthday problem, CRYPTO 2002): lists are matched on some sums, the pairs that match on further
ones, until all are zero.
"""

from __future__ import annotations

import numpy as np

from metastudy.parcelling.lattice import Lattice

__all__ = ["LONGEST", "effect_of", "exchanges", "matched", "pairs_of"]

LONGEST = 20_000  # exchanges in a list
FACTORS = 3  # an exchange is of one, two or three steps of both people
AMONG = 300  # people of a group whose exchanges are looked at together


def exchanges(
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


def effect_of(first: np.ndarray, value: np.ndarray, groups: np.ndarray) -> np.ndarray:
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


def matched(
    effect: np.ndarray,
    rng: np.random.Generator,
    of: np.ndarray | None = None,
    least: int = 3 * LONGEST,
) -> tuple[Matches, Matches]:
    """Match sets that cancel in so many sums that a list is left, and sets that cancel in all.

    Equal sums are found by a hash that is linear, so that sums cancel where hashes do.

    Parameters
    ----------
    effect : what each set of exchanges changes, shape (set, sum).
    of : sets whose matches count; all if not given.
    least : matches that make a list.
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
        counted = (high - low) if of is None else (high - low)[of]
        last, matches = (order, low, high), int(counted.sum())
        if k == 0 or matches >= least:
            longest = last
        if matches == 0:
            return longest, nothing
    return longest, last


def pairs_of(
    found_by: Matches,
    marked: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    most: int,
    rng: np.random.Generator,
) -> np.ndarray:
    """At most so many pairs of sets of different people, shape (pairs, 2); marked ones first."""
    order, low, high = found_by
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

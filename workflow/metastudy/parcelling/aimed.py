"""A search aimed at one answer: another data set in which this person gave another answer to it.

Of hundreds of people a search for data sets leaves over a few answers that none of them moves,
mostly of people who left out an item: their steps are wider, so what they change cancels less
often. Here one list has exchanges with that person, the other those of all others; at each level
pairs of both are matched on as many sums as leave a list of those with the person.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from metastudy.parcelling.exchanges import effect_of, exchanges, matched, pairs_of
from metastudy.parcelling.lattice import Lattice

__all__ = ["aimed_at"]

LIST = 120_000  # exchanges, half of them with the person
OWN = 500  # exchanges of the person alone, the smallest, from which the lists grow
LEVELS = 5  # at most 32 exchanges
OFFERED = 20  # sets that cancel, of each level


def aimed_at(
    person: int,
    column: int,
    lattice: Lattice,
    groups: np.ndarray,
    rng: np.random.Generator,
) -> Iterator[np.ndarray]:
    """Sets of exchanges of different people that cancel in all sums, one of them of the person.

    Parameters
    ----------
    lattice : of the people of a cell.
    groups : of whom sums are known, shape (people, column).

    Yields
    ------
    Rows of up, down, column, by, as :func:`metastudy.parcelling.exchanges.exchanges` gives them.
    """
    aim = np.zeros(lattice.value.shape, dtype=bool)
    aim[person, column] = True
    first = exchanges(lattice, groups, np.array([column]), aim, rng)
    first = first[groups[first[:, 0], column] == groups[person, column]]
    effect = effect_of(first, lattice.value, groups)
    if not effect.shape[1]:
        return
    spread = np.maximum(np.abs(effect).mean(axis=0), 1e-9)
    order = np.argsort(-spread, kind="stable")  # what cancels least often is matched first
    size = (np.abs(effect) / spread).sum(axis=1) * rng.uniform(0.8, 1.2, len(effect))
    marked = (first[:, :2] == person).any(axis=1)
    keep = np.concatenate([_smallest(size, marked, OWN), _smallest(size, ~marked, LIST - OWN)])
    first, effect, marked = first[keep], effect[np.ix_(keep, order)], marked[keep]
    members = np.arange(len(first))[:, None]
    for _ in range(LEVELS):
        if not marked.any() or marked.all():
            return
        longest, whole = matched(effect, rng, marked, LIST)
        for one, other in pairs_of(whole, marked, first, members, OFFERED, rng):
            if marked[[one, other]].any():
                yield first[np.concatenate([members[one], members[other]])]
        part = _both(longest, marked, first, members, rng)
        members = np.concatenate([members[part[:, 0]], members[part[:, 1]]], axis=1)
        effect = effect[part[:, 0]] + effect[part[:, 1]]
        marked = marked[part].any(axis=1)


def _smallest(size: np.ndarray, among: np.ndarray, most: int) -> np.ndarray:
    places = np.flatnonzero(among)
    return places[np.argsort(size[places], kind="stable")[:most]]


def _both(
    longest: tuple[np.ndarray, np.ndarray, np.ndarray],
    marked: np.ndarray,
    first: np.ndarray,
    members: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Pairs with the person, and as many without, shape (pairs, 2)."""
    pairs = pairs_of(longest, marked, first, members, LIST, rng)
    own = pairs[marked[pairs].any(axis=1)][: LIST // 2]
    others = pairs_of(longest, np.zeros_like(marked), first, members, LIST, rng)
    others = others[~marked[others].any(axis=1)][: LIST - len(own)]
    return np.concatenate([own, others])

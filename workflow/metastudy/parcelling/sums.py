"""What sums over a cell tell of few people: answers of few, of all alike, of one who is most of it.

And whether they can be solved for the answers (:mod:`metastudy.parcelling.data_sets`).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from metastudy.parcelling.data_sets import ENOUGH, aimed, other_data_sets, strata, surplus
from metastudy.parcelling.lattice import Lattice
from metastudy.parcelling.reported import Reported

__all__ = ["FEWEST", "Telling", "dominated", "few_or_alike"]

MOST_OF_A_SUM = 0.5  # share of one person in a sum of answers, or of squares around the mean
SEARCHED = 120  # people up to which data sets are looked for; more have them, see ENOUGH_BITS
ENOUGH_BITS = 200  # that answers of a larger cell must have beyond what sums and report take
LEFT_OVER = 5  # answers of a cell that are searched for one by one; of more the cell is solved
AIMS = 2  # searches for each of them
AIMED = 40  # such answers of a study
FEWEST = 6  # people for each column and condition; of fewer, searches have found too little
# Of a study; what would need more counts as solved, so that control comes to an end.
IN_VAIN = 40  # searches that find too little
SEARCHED_COLUMNS = 400  # of searches that find enough: sites of two outcomes are 200 of these


def few_or_alike(value: np.ndarray, version: np.ndarray, two: np.ndarray, least: int) -> np.ndarray:
    """Columns whose sums tell how few people, or all of them, answered.

    Sums are there for each version, and for each pair of outcomes; so the counts behind the level
    of an outcome of two values are those of each version, and with each other such outcome.

    Parameters
    ----------
    value : answers of a cell, shape (people, column), none missing.
    two : whether a column has two values only, in its setting.

    Returns
    -------
    Whether each column does; shape (column,).
    """
    found = np.zeros(value.shape[1], dtype=bool)
    for v in np.unique(version):
        own = value[version == v]
        for k in range(value.shape[1]):
            count = np.unique(own[:, k], return_counts=True)[1]
            found[k] |= len(count) == 1 or bool(two[k] and count.min() < least)
    places = [int(k) for k in np.flatnonzero(two)]
    for at, k in enumerate(places):
        for j in places[:at]:
            count = np.unique(value[:, [j, k]], axis=0, return_counts=True)[1]
            found[k] |= bool(count.min() < least)
    return found


def dominated(value: np.ndarray, top: np.ndarray) -> np.ndarray:
    """Columns of which one person makes most of a sum: from either end of the scale, or squared.

    Parameters
    ----------
    value : answers of a cell from the lower end of their scale, shape (people, column).
    top : the upper end of each scale.
    """
    sums = [value, top - value, (value - value.mean(axis=0)) ** 2]
    shares = [one.max(axis=0) / np.maximum(one.sum(axis=0), 1e-12) for one in sums]
    return np.asarray(np.max(shares, axis=0) > MOST_OF_A_SUM)


@dataclass
class Telling:
    """Whether the sums of a cell of some people tell their answers.

    ``lattice`` has a column for each outcome, then one for each measured exposure; ``score`` the
    same in POMP. ``two``: which have two values, by setting. ``public``: groups of whom tables are
    published, shape (people, column). ``reported``: what the data report tells of all columns, and
    ``bits``: at most so many of them. What was looked at once is known.
    """

    lattice: Lattice
    score: np.ndarray
    version: np.ndarray
    two: dict[int, np.ndarray]
    setting: np.ndarray
    least: int
    public: np.ndarray
    reported: Reported | None = None
    bits: float = 0.0
    known: dict[bytes, str] = field(default_factory=dict)
    in_vain: int = 0
    searched: int = 0
    aimed: int = 0

    def begin(self) -> None:
        """Count searches from none: control has begun again."""
        self.in_vain = self.searched = self.aimed = 0

    def of(self, people: np.ndarray, pattern: np.ndarray) -> str:
        """Why a cell may not go out, or nothing.

        Parameters
        ----------
        people : places of its people.
        pattern : the outcomes that they keep, shape (outcome,).
        """
        columns, name = self._named(people, pattern)
        if name not in self.known:
            self.known[name] = self._of(people, columns)
        return self.known[name]

    def by_report(
        self, reported: Reported, kept: np.ndarray, place: np.ndarray, here: np.ndarray
    ) -> bool:
        """Whether a cell may not go out beside the data report of those who are in cells.

        It is known then. Nothing is looked at if the report leaves open what the one before did.

        Parameters
        ----------
        kept : outcomes that people keep, shape (people, outcome).
        place : site and setting of each person, numbers.
        here : who is in a cell.
        """
        if self.reported and reported.holds(self.reported):
            return False
        self.reported, told = reported, False
        self.begin()
        keys = np.column_stack([place, kept])
        cell = np.where(here, np.unique(keys, axis=0, return_inverse=True)[1].ravel(), -1)
        for c in np.unique(cell[here]):
            people = np.flatnonzero(cell == c)
            columns, name = self._named(people, kept[people[0]])
            self.known[name] = self.known.get(name) or self._of(people, columns)
            told |= bool(self.known[name])
        return told

    def _named(self, people: np.ndarray, pattern: np.ndarray) -> tuple[np.ndarray, bytes]:
        """The columns of a cell, measured exposures among them, and its name in what is known."""
        traits = np.ones(len(self.lattice.top) - len(pattern), dtype=bool)
        columns = np.concatenate([pattern, traits])
        return columns, columns.tobytes() + people.tobytes()

    def _of(self, people: np.ndarray, columns: np.ndarray) -> str:
        value, version = self.score[np.ix_(people, np.flatnonzero(columns))], self.version[people]
        two = self.two[int(self.setting[people[0]])][columns]
        names = [self.lattice.names[k] for k in np.flatnonzero(columns)]
        told = few_or_alike(np.round(value, 6), version, two, self.least)
        if told.any():
            return (
                f"'{names[int(np.argmax(told))][0]}', to which few people of a condition gave "
                "one of two answers, or all the same"
            )
        told = dominated(value, np.full(value.shape[1], 100.0))
        if told.any():
            return f"'{names[int(np.argmax(told))][0]}', of which one person makes most of a sum"
        return (
            ""
            if self._unsolved(people, columns, version)
            else (f"{names[0][0]} and others, whose sums can be solved for the answers")
        )

    def _unsolved(self, people: np.ndarray, columns: np.ndarray, version: np.ndarray) -> bool:
        smooth = columns & (self.lattice.top == 0)
        groups = strata(version, len(columns), self.public[people])[:, columns]
        told = [len(np.unique(own)) for own in groups.T]
        sums = int(columns.sum()) + max([len(np.unique(version)), *told])
        if len(people) < FEWEST * sums:
            return False  # a search would find too little; it is spared
        cell = self.lattice.of(people, columns & ~smooth)
        public = self.public[people][:, columns & ~smooth]
        if not cell.value.shape[1]:
            return True
        if len(people) > SEARCHED:
            own = surplus(cell, strata(version, public.shape[1], public))
            return own - self.bits >= ENOUGH_BITS
        beside = self.reported.of(columns & ~smooth) if self.reported else None
        if self.in_vain >= IN_VAIN or self.searched >= SEARCHED_COLUMNS:
            return False
        found = other_data_sets(cell, version, public, reported=beside)
        left = int(found.fixed.sum())
        if found.number >= ENOUGH and 0 < left <= min(LEFT_OVER, AIMED - self.aimed):
            self.aimed += left
            found = aimed(found, cell, version, public, beside, AIMS)
        safe = found.safe
        self.in_vain += not safe
        self.searched += cell.value.shape[1] if safe else 0
        return safe

"""What the data report of a parcel tells of answers, as equations that other data sets must meet.

It tells which share of all people is at either end of a scale, and of a scale of one item the share
of each answer, in rounded per cent. So who has the parcel knows between which numbers each of these
counts is. Nobody and few look the same (:func:`metastudy.parcelling.flow.as_it_may_go`), so the
largest and the smallest answer are not told. What a report tells of single items of longer scales,
and how these hang together, is in no sum of a cell; it counts in bits (:func:`bits_of_report`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from metastudy.common.disclosure import most_of_none, told_by_shares
from metastudy.harmonized.shown_answers import MOST_STEPS, bins
from metastudy.harmonized.study import Study
from metastudy.models.base import NO_VIGNETTE
from metastudy.parcelling.lattice import Lattice

__all__ = ["Reported", "bits_of_report", "reported_of"]

VALUES = 201  # of a number with two decimals between -1 and 1; a share has fewer


@dataclass(frozen=True)
class Reported:
    """By column: ranges of answers whose numbers of people are told, and how much these may vary.

    ``ranges`` has a row for each, the smallest and the largest answer; ``room`` by how many fewer
    (a number not above zero) and how many more people each may have for the report to be the same.
    """

    ranges: tuple[np.ndarray, ...]
    room: tuple[np.ndarray, ...]

    def of(self, columns: np.ndarray) -> Reported:
        """The part of some columns."""
        places = np.flatnonzero(columns).tolist()
        return Reported(tuple(self.ranges[k] for k in places), tuple(self.room[k] for k in places))

    def same(self, before: np.ndarray, after: np.ndarray) -> bool:
        """Whether the report is the same of other answers; both of shape (people, column)."""
        for k in np.flatnonzero((before != after).any(axis=0)):
            by = _counts(after[:, k], self.ranges[k]) - _counts(before[:, k], self.ranges[k])
            if ((by < self.room[k][:, 0]) | (by > self.room[k][:, 1])).any():
                return False
        return True

    def holds(self, other: Reported) -> bool:
        """Whether all that ``other`` leaves possible is possible here too."""
        pairs = zip(self.room, other.room, strict=True)
        return all(
            len(a) == 0  # no longer told: nobody in a cell has an answer
            or (len(a) == len(b) and ((a[:, 0] <= b[:, 0]) & (a[:, 1] >= b[:, 1])).all())
            for a, b in pairs
        )


def reported_of(study: Study, lattice: Lattice, inside: np.ndarray, least: int) -> Reported:
    """What the report will tell of the answers that are in cells.

    Parameters
    ----------
    lattice : of all people.
    inside : whether an answer is in a cell, shape (people, column).
    least : the smallest number of people that is shown.
    """
    items = _items(study)
    ranges, room = [], []
    for k, name in enumerate(lattice.names):
        top, own = int(lattice.top[k]), lattice.value[inside[:, k], k]
        own = own[own >= 0]
        if not top or not len(own):  # no lattice: such a column is not searched
            ranges.append(np.zeros((0, 2), dtype=int))
            room.append(np.zeros((0, 2)))
            continue
        steps = _steps(top) if items.get(name) == 1 else np.zeros((0, 2), dtype=int)
        both = np.array([[0, 0], [top, top]])
        number, total = _counts(own, both), len(own)
        told = [told_by_shares([int(n), total - int(n)], least)[0] for n in number]
        counted = _counts(own, steps)
        if len(steps):
            told += told_by_shares(counted.tolist(), least)
        known, none = np.array(told), most_of_none(total, least)
        known[known[:, 1] <= none] = 0, none  # nobody, few, or a share that rounds to zero
        ranges.append(np.concatenate([both, steps]))
        room.append(known - np.concatenate([number, counted])[:, None])
    return Reported(tuple(ranges), tuple(room))


def bits_of_report(study: Study) -> float:
    """At most so many bits are in what a report tells of answers, each number with two decimals.

    Of an item the share of each answer, of each reason for having none, both ends, and how it hangs
    together with the others; of a scale both ends, two reliabilities, an interval and loadings.
    """
    table = study.measurements
    if "scale_max" not in table:  # made by hand, of numbers without a scale
        return 0.0
    reasons = int(table["missing_reason"].nunique())
    numbers = 0
    for name, items in _items(study).items():
        own = (table["construct"].astype("str") == name[0]) & table["scale_max"].notna()
        span = (table.loc[own, "scale_max"] - table.loc[own, "scale_min"]).max()
        answers = min(MOST_STEPS, int(span) + 1) if span == span else MOST_STEPS
        numbers += items * (answers + reasons + 4) + 6
    return numbers * math.log2(VALUES)


def _items(study: Study) -> dict[tuple[str, str], int]:
    """Number of items by construct and vignette."""
    table = study.measurements
    keys = [table["construct"].astype("str"), table["vignette"].astype("str").fillna(NO_VIGNETTE)]
    if "item_id" not in table:  # made by hand
        return {}
    counted = table["item_id"].astype("str").groupby(keys).nunique()
    named = zip(counted.index, counted, strict=True)
    return {(str(name[0]), str(name[1])): int(n) for name, n in named}


def _steps(top: int) -> np.ndarray:
    """Ranges of answers to one item whose shares are shown."""
    if (edges := bins(0, top)) is None:
        return np.column_stack([np.arange(top + 1)] * 2)
    last = np.append(np.ceil(edges[1:-1]) - 1, top)
    return np.column_stack([np.ceil(edges[:-1]), last]).astype(int)


def _counts(value: np.ndarray, ranges: np.ndarray) -> np.ndarray:
    """People whose answer is in each range."""
    inside = (value[:, None] >= ranges[:, 0]) & (value[:, None] <= ranges[:, 1])
    return np.asarray(inside.sum(axis=0))

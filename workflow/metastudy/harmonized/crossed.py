"""Tables of rows crossed with items, written without repeating either."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.harmonized.schema import PERSON, empty, shape

__all__ = ["Crossed", "Part", "crossed"]


@dataclass(frozen=True)
class Crossed:
    """A long table in short: which of a few different rows each person has on each question.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    persons : ``respondent_id``, shape (persons,).
    kinds : the different rows, without ``respondent_id``.
    codes : positions in ``kinds``, shape (persons, questions); -1 where a person has no row.
    """

    name: str
    persons: pd.Series
    kinds: pd.DataFrame
    codes: np.ndarray

    def take(self, order: np.ndarray) -> Crossed:
        """Give the persons in another order."""
        return Crossed(self.name, self.persons.take(order), self.kinds, self.codes[order])

    def counts(self) -> np.ndarray:
        """Count how many rows there are of each kind."""
        total = np.zeros(len(self.kinds), dtype=np.int64)
        for codes in self.codes.T:
            total += np.bincount(codes[codes >= 0], minlength=len(total))
        return total


Part = pd.DataFrame | Crossed


def crossed(
    name: str, persons: pd.Series, kinds: Sequence[pd.DataFrame], codes: Sequence[np.ndarray]
) -> Crossed:
    """Make a long table of persons and questions.

    Parameters
    ----------
    name : one of :data:`TABLES`.
    persons : ``respondent_id``, shape (persons,).
    kinds : for each question the different rows, without ``respondent_id``.
    codes : for each question positions in its rows, shape (persons,); -1 for no row.
    """
    rows = pd.concat(kinds, ignore_index=True) if kinds else empty(name)
    rows = shape(name, rows).drop(columns=PERSON)
    small = np.int16 if len(rows) < 2**15 else np.int32
    matrix = np.full((len(persons), len(codes)), -1, dtype=small, order="F")
    start = 0
    for question, (own, position) in enumerate(zip(kinds, codes, strict=True)):
        matrix[:, question] = np.where(position < 0, -1, position.astype(small) + start)
        start += len(own)
    return Crossed(name, persons, rows, matrix)

"""Find columns of a draft that may be copies of one question, such as one for each condition."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.drafting.roles import Guess

__all__ = ["LEAST_ANSWERS", "Copy", "copies"]

LEAST_ANSWERS = 5  # in each of two columns; with fewer, that nobody answered both says little


@dataclass(frozen=True)
class Copy:
    """What speaks for a column being a copy: the other one, and whether they ask the same."""

    of: str
    same_question: bool


def copies(
    guesses: Mapping[str, Guess], titles: Mapping[str, str], data: Mapping[str, pd.Series]
) -> dict[str, Copy]:
    """Find items with the same answers of which nobody answered two.

    Parameters
    ----------
    guesses : by the column.
    titles : the questions, where the file has them.
    data : texts of each column, shape (rows,).

    Returns
    -------
    By the column, the nearest one before it (behind it, for the first) that may be the same item;
    one with the same question goes before others.
    """
    alike: dict[Hashable, list[str]] = {}
    answered: dict[str, np.ndarray] = {}
    for name, known in guesses.items():
        texts = data[name].astype("str")
        given = ((texts != "") & ~texts.isin(list(known.missing))).to_numpy()
        if known.role == "item" and LEAST_ANSWERS <= given.sum() < len(given):
            answered[name] = given
            alike.setdefault((known.min, known.max, known.values), []).append(name)
    found: dict[str, Copy] = {}
    for names in alike.values():
        given_of = np.array([answered[name] for name in names], dtype=np.float32)
        for place, name in enumerate(names):
            together = given_of @ given_of[place] > 0  # whether somebody answered both
            others = [*reversed(range(place)), *range(place + 1, len(names))]
            apart = [names[k] for k in others if not together[k]]
            same = _same(name, apart, titles)
            if same or apart:
                found[name] = Copy((same or apart)[0], bool(same))
    return found


def _same(name: str, others: Sequence[str], titles: Mapping[str, str]) -> list[str]:
    """Give the others that have the same question as a column that has one."""
    question = titles.get(name, "")
    return [one for one in others if question and titles.get(one, "") == question]

"""Columns that are copies of one question, such as one for each condition."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from metastudy.codebook.parts import Variable
from metastudy.harmonize.study_state import Study
from metastudy.harmonized.crossed import Crossed

__all__ = ["LEAST_ANSWERS", "joined", "notes_on"]

LEAST_ANSWERS = 5  # of each of two items; with fewer, that nobody answered both says little


def joined(
    study: Study, items: list[Variable], kinds: list[pd.DataFrame], codes: list[np.ndarray]
) -> tuple[list[pd.DataFrame], list[np.ndarray]]:
    """Make one item of the columns that are copies of it, of which each person answered one.

    Where nobody knows which copy was shown, as nothing was answered, a reason counts before none.

    Parameters
    ----------
    study : that is told of a person who answered two copies.
    items : the columns, those of one item behind each other.
    kinds, codes : of each, as :func:`metastudy.harmonized.crossed.crossed` takes them.
    """
    found: dict[tuple[object, ...], tuple[Variable, pd.DataFrame, np.ndarray]] = {}
    for item, kind, code in zip(items, kinds, codes, strict=True):
        key = (item.construct, item.vignette, item.item or item.name)
        if key not in found:
            found[key] = (item, kind, code)
            continue
        first, before, taken = found[key]
        ranks = [np.where(k["value_raw"].notna(), 2, k["missing_reason"].ne("system")) for k in
                 (before, kind)]  # fmt: skip
        old, new = ranks[0][taken], ranks[1][code]
        both = (old == 2) & (new == 2)
        if both.any():
            study.report(
                both,
                item.name,
                f"an answer here and in {first.name}, another copy of the item '{item.item}'",
                "an answer to one copy of an item",
                "correct the cell, or take 'item' out of the codebook where they are two items",
                "contradiction",
            )
        joined = np.where(new > old, code + len(before), taken)
        found[key] = (first, pd.concat([before, kind], ignore_index=True), joined)
    return [kind for _, kind, _ in found.values()], [code for _, _, code in found.values()]


def notes_on(measurements: Crossed) -> Iterator[str]:
    """Say which items of a scale nobody answered together: they may be copies of one question.

    Parameters
    ----------
    measurements : a column of ``codes`` an item.

    Yields
    ------
    A line for each pair of items of one construct in one vignette, of which each has
    :data:`LEAST_ANSWERS` answers and nobody answered both.
    """
    kinds = measurements.kinds
    answered: dict[tuple[str, str], list[tuple[str, np.ndarray]]] = {}
    for codes in measurements.codes.T:
        first = kinds.iloc[int(codes.max())] if len(codes) else None
        if first is None or codes.max() < 0:
            continue
        given = kinds["value_raw"].notna().to_numpy()[codes] & (codes >= 0)
        if given.sum() >= LEAST_ANSWERS:
            scale = (str(first["construct"]), str(first["vignette"]))
            answered.setdefault(scale, []).append((str(first["item_id"]), given))
    for (construct, _), items in answered.items():
        for place, (name, given) in enumerate(items):
            for other, also in items[place + 1 :]:
                if not (given & also).any():
                    yield (
                        f"nobody answered both {name} and {other}, items of {construct}: where "
                        "they are copies of one question, give both the same 'item: NAME'"
                    )

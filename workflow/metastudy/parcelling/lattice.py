"""Answers as whole numbers: the points of a scale that sums over people can be solved for."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from metastudy.harmonized.study import Study
from metastudy.models.base import NO_VIGNETTE

__all__ = ["Lattice", "lattice_of"]

FINEST = 1000  # parts of a point of an item's scale; finer answers have no lattice


@dataclass(frozen=True)
class Lattice:
    """Scores in whole numbers, a row a person and a column an outcome or a measured exposure.

    ``value`` is -1 where there is no score. ``step`` is what one item of a person moves the score
    by. ``top`` is the largest value of each column; zero if its answers have no lattice.
    """

    value: np.ndarray  # (people, column)
    step: np.ndarray  # (people, column)
    top: np.ndarray  # (column,)
    names: list[tuple[str, str]]

    def of(self, people: np.ndarray, columns: np.ndarray) -> Lattice:
        """The part of some people and columns."""
        names = [self.names[k] for k in np.flatnonzero(columns)]
        return Lattice(
            self.value[np.ix_(people, np.flatnonzero(columns))],
            self.step[np.ix_(people, np.flatnonzero(columns))],
            self.top[columns],
            names,
        )


def lattice_of(study: Study, ids: np.ndarray, names: list[tuple[str, str]]) -> Lattice:
    """Bring the scores of a study to whole numbers.

    A score is the mean of the answered items, so its lattice is that of their sum; where people
    answered different numbers of items, it is the common refinement.

    Parameters
    ----------
    ids : of the people, in the order of the rows.
    names : construct and vignette of each column.
    """
    table = study.measurements
    keys = pd.MultiIndex.from_arrays(
        [table["construct"].astype("str"), table["vignette"].astype("str").fillna(NO_VIGNETTE)]
    )
    value = np.full((len(ids), len(names)), -1, dtype=np.int64)
    step, top = np.ones_like(value), np.zeros(len(names), dtype=np.int64)
    for k, name in enumerate(names):
        own = table[keys == name]
        own = own[own["value_pomp"].notna()]
        if "scale_max" not in own:  # made by hand, of numbers without a scale
            continue
        points = (own["scale_max"] - own["scale_min"]).astype(float)
        found = own.groupby("respondent_id", observed=True)["value_pomp"].agg(["sum", "count"])
        found = found.reindex(ids)
        there = found["count"].notna().to_numpy()
        if not there.any() or points.nunique() != 1:
            continue
        counts = found["count"].to_numpy()[there].astype(int)
        common, width = math.lcm(*set(counts.tolist())), float(points.iloc[0])
        score = found["sum"].to_numpy()[there] / counts / 100
        for parts in (1, 2, 10, 100, FINEST):
            whole = score * width * common * parts
            if np.abs(whole - np.round(whole)).max() < 1e-6 * max(1.0, float(whole.max())):
                value[there, k] = np.round(whole).astype(int)
                step[there, k] = common // counts * parts
                top[k] = round(width * common * parts)
                break
    return Lattice(value, step, top, list(names))

"""Patterns of codes in interviews, counted: what the model with an effect of the interview sees."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import xarray as xr

from metastudy.codebook.vocabulary import Vocabulary
from metastudy.harmonized.study import Study
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.observations import Interviews, observe_interviews

__all__ = ["CODED", "NOT_ASKED", "interview_cells"]

NOT_ASKED = -1
# What coders did to a code; which of two applied it alone does not matter.
CODED = ("one", "not_one", "both", "either", "none")


def interview_cells(
    studies: Sequence[Study], module: str, vocabulary: Vocabulary, folded: bool = False
) -> xr.Dataset:
    """Counts of a module's interviews by unit and by what coders did to all codes.

    Returns
    -------
    xarray.Dataset
        ``count`` (cell), how many interviews of a unit have the same pattern of codes; ``coded``
        (cell, code), the pattern: places in :data:`CODED`, or :data:`NOT_ASKED` where the code was
        not looked for; ``unit_of_cell`` (cell), a place among the organisations. All else is as in
        :func:`metastudy.models.codings.cells.code_cells`, which the design is read from.
    """
    cells = code_cells(studies, module, vocabulary, folded)
    rows = observe_interviews(studies, cells)
    keys = np.column_stack([rows.unit, _coded(rows)])
    found, count = np.unique(keys, axis=0, return_counts=True)
    return cells.assign(
        count=("cell", count.astype(float)),
        coded=(("cell", "code"), found[:, 1:].astype(np.int8)),
        unit_of_cell=("cell", found[:, 0]),
    ).assign_attrs(variant="interviews", model="interviews", data="count")


def _coded(rows: Interviews) -> np.ndarray:
    """What coders did to each code of each interview, shape (N, C)."""
    asked, twice = ~np.isnan(rows.first), ~np.isnan(rows.second)
    number = np.where(rows.first == 1, 1, 0) + np.where(rows.second == 1, 1, 0)
    of_one = np.where(number == 1, CODED.index("one"), CODED.index("not_one"))
    of_two = np.array([CODED.index(name) for name in ("none", "either", "both")])[number]
    return np.where(asked, np.where(twice, of_two, of_one), NOT_ASKED)
